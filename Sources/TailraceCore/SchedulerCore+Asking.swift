extension SchedulerCore {
  /// When a job that waits for its delay or for its next attempt becomes eligible; nil in every other state.
  public func dueInstant(of id: JobID) -> Instant? {
    guard let job = jobs.job(id)?.pointee, job.state == .scheduled else { return nil }
    return job.eligible
  }

  /// When a job settled; nil when it has not or is not known.
  public func settledInstant(of id: JobID) -> Instant? {
    guard let job = jobs.job(id)?.pointee, job.state.isTerminal else { return nil }
    return job.eligible
  }

  /// Whether no attempt follows when this one ends so. False for an attempt that is over already.
  public func isLast(_ token: AttemptToken, endingAs outcome: AttemptOutcome) -> Bool {
    guard let slot = jobs.find(token.job), isCurrent(token, slot) else { return false }
    let crashes = jobs[slot].pointee.crashes + (outcome == .crashed ? 1 : 0)
    let mayRetry = retryPolicy(of: slot)
      .allowsRetry(after: Int(token.attempt), crashes: crashes)
    return outcome.settlement(mayRetry: mayRetry) != nil
  }

  /// The worker that holds a job's current attempt, and the attempt's number; nil when none does.
  public func holder(of id: JobID) -> (pool: PoolID, worker: UInt16, attempt: UInt16)? {
    guard let job = jobs.job(id)?.pointee, job.state == .running else { return nil }
    return (job.pool, job.worker, job.attempt)
  }

  /// The pool that runs a job's attempts; nil when the job is not known.
  public func pool(of id: JobID) -> PoolID? { jobs.job(id)?.pointee.pool }

  /// The submitter's own number for a job; nil when the job is not known.
  public func tag(of id: JobID) -> UInt64? { jobs.job(id)?.pointee.tag }
}
