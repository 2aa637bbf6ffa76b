extension SchedulerCore {
  /// When a job that waits for its delay or for its next attempt becomes eligible; nil in every other state.
  public func dueInstant(of id: JobID) -> Instant? {
    guard let slot = jobs.find(id), jobs[slot].pointee.state == .scheduled else { return nil }
    return jobs[slot].pointee.eligible
  }

  /// The pool that runs a job's attempts; nil when the job is not known.
  public func pool(of id: JobID) -> PoolID? { jobs.find(id).map { jobs[$0].pointee.pool } }

  /// The submitter's own number for a job; nil when the job is not known.
  public func tag(of id: JobID) -> UInt64? { jobs.find(id).map { jobs[$0].pointee.tag } }
}
