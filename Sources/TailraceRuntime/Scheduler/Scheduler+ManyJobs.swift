import TailraceCore

/// A checked submission among many.
private struct ReadyJob {
  let place: Int
  let request: JobRequest
  let carried: (any Sendable)?
  let watch: JobWatch?
  let isValid: Bool
  /// The result of the check outside the lock.
  var fitting: (any Job.Type)??
}

extension Scheduler {
  // MARK: - Many jobs at once

  /// Submits many jobs in one call, which is faster than one call for each: the scheduler's lock is taken once for all
  /// of them, and one dispatch pass starts them.
  ///
  /// Each job succeeds or fails on its own; a rejected job does not affect the others. Jobs are submitted in order. If
  /// the overflow policy is `block` and the queue is full, the call waits at the first job that finds no room, and
  /// takes the lock again after it. The same happens after a job of a type that the scheduler does not know yet. No
  /// other call can use the scheduler while it admits the jobs, which takes about 0.5 µs for each; divide very long
  /// lists.
  ///
  /// ```swift
  /// let results = await scheduler.submit(contentsOf: (1...100).map { JobRequest("page", payload: $0) })
  /// let ids = try results.map { try $0.get() }
  /// ```
  ///
  /// - Returns: for each request, in order, the job's identifier or the error that ``submit(_:)-(JobRequest)`` throws.
  @discardableResult
  public func submit(contentsOf requests: some Sequence<JobRequest>) async -> [Result<JobID, any Error>] {
    await submit(many: requests.map { ($0, nil) })
  }

  /// Submits many typed jobs in one call; see ``submit(contentsOf:)``.
  ///
  /// The other parameters apply to each job and have the names of ``JobRequest``; nil: the type's value.
  ///
  /// - Returns: for each job, in order, its handle or the error.
  @discardableResult
  public func submit<Parameters: Job>(
    contentsOf jobs: some Sequence<Parameters>, priority: Priority? = nil, after dependencies: [JobID] = [],
    delay: Duration = .zero, labels: [String] = [], timeout: Duration? = nil, retry: RetryPolicy? = nil,
    batch: BatchID? = nil, tenant: String? = nil
  ) async -> [Result<JobHandle<Parameters>, any Error>] {
    var template = JobRequest(
      Parameters.name, priority: priority, delay: delay, dependencies: dependencies, labels: labels, timeout: timeout,
      retry: retry, batch: batch, tenant: tenant)
    template.jobType = Parameters.self
    let requests = jobs.map { job -> (JobRequest, JobWatch?) in
      var request = template
      request.payload = job
      return (request, Parameters.heldWatch())
    }
    let results = await submit(many: requests)
    return zip(results, requests).map { result, request in
      result.map { JobHandle(id: $0, scheduler: self, watch: request.1) }
    }
  }

  private func submit(many requests: [(JobRequest, JobWatch?)]) async -> [Result<JobID, any Error>] {
    var results = [Result<JobID, any Error>?](repeating: nil, count: requests.count)
    var ready: [ReadyJob] = []
    ready.reserveCapacity(requests.count)
    for (place, request) in requests.enumerated() {
      do {
        ready.append(try checked(request.0, watch: request.1, at: place))
      } catch {
        results[place] = .failure(error)
      }
    }
    var next = 0
    while next < ready.count {
      guard let stop = admit(ready, from: &next, &results) else { break }
      let place = ready[next].place
      do {
        switch stop {
        case .answered(.waiting(let id)):
          try await roomAwaited(by: id)
          results[place] = .success(id)
          next += 1
        case .unknownType: try park(ready[next].request.type)
        case .doubtful(let registered):
          try ParameterCheck.look(at: ready[next].request, registered: registered)
          ready[next].fitting = .some(registered)
        case .answered: break
        }
      } catch {
        results[place] = .failure(error)
        next += 1
      }
    }
    return results.map { $0! }
  }

  private func checked(_ given: JobRequest, watch held: JobWatch?, at place: Int) throws -> ReadyJob {
    let request = try prepared(given)
    try request.validate()
    let fault = invalidity(of: request)
    return ReadyJob(
      place: place, request: request, carried: JobEnvelope.pack(request), watch: watch(of: request, held, fault),
      isValid: fault == nil)
  }

  /// Admits jobs under one lock, from `next` on, up to the first that needs something else first. Returns what that
  /// job needs; nil: all are admitted.
  private func admit(
    _ ready: [ReadyJob], from next: inout Int, _ results: inout [Result<JobID, any Error>?]
  ) -> Offer? {
    report { state, now, outbox -> Offer? in
      var isInHandler: Bool?
      while next < ready.count {
        let job = ready[next]
        let offer = state.offer(
          job.request, job.carried, job.watch, isValid: job.isValid, fitting: job.fitting, intended: nil,
          isFromHandler: {
            let answer = isInHandler ?? (handlerAround != nil)
            isInHandler = answer
            return answer
          }, at: now, into: &outbox)
        switch offer {
        case .answered(.accepted(let id)): results[job.place] = .success(id)
        case .answered(.refused(let refusal)): results[job.place] = .failure(SchedulerError.refused(refusal))
        case .answered(.waiting), .unknownType, .doubtful: return offer
        }
        next += 1
      }
      return nil
    }
  }
}
