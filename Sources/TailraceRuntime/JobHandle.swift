import TailraceCore

/// A submitted job whose result has a type.
public struct JobHandle<Parameters: Job>: Sendable, Hashable {
  /// The job's identifier: for dependencies, and for everything that takes one.
  public let id: JobID
  let scheduler: Scheduler
  /// Keeps the result for as long as the handle is held; nil: it has none.
  let watch: JobWatch?

  /// Awaits the job's result.
  ///
  /// - Parameter timeout: how long to wait; nil: for ever. The job goes on when it is over. Less than 0 is
  ///   as 0.
  /// - Throws: ``JobFailure`` when the job did not complete; ``SchedulerError/unknownJob(_:)`` when it settled and was
  ///   forgotten; ``SchedulerError/awaitTimedOut(_:after:)``; `CancellationError` when the awaiting task is cancelled.
  @discardableResult
  public func value(timeout: Duration? = nil) async throws -> Parameters.Output {
    let result = try await result(timeout: timeout)
    guard result.state == .completed else {
      throw JobFailure(
        job: id, type: Parameters.name, state: result.state, cause: result.cause, error: result.failure,
        attempts: result.attempts)
    }
    if result.isValueDropped {
      throw JobFailure(
        job: id, type: Parameters.name, state: result.state, cause: result.cause,
        error: ResultDropped(job: id),
        attempts: result.attempts)
    }
    guard let output = Parameters.output(from: result.value) else {
      // Middleware may hand another result on than the handler's.
      throw JobFailure(
        job: id, type: Parameters.name, state: result.state, cause: result.cause,
        error: WrongOutput(
          type: Parameters.name, expected: "\(Parameters.Output.self)",
          found: result.value.map { "\(Swift.type(of: $0))" } ?? "nothing"),
        attempts: result.attempts)
    }
    return output
  }

  /// Awaits the job's end, however it ends.
  ///
  /// - Throws: as ``value(timeout:)``, but for ``JobFailure``.
  public func result(timeout: Duration? = nil) async throws -> JobResult {
    if let held { return held }
    do {
      let result = try await scheduler.result(of: id, timeout: timeout)
      return result.isValueDropped ? held ?? result : result
    } catch SchedulerError.unknownJob(let id) {
      // Forgotten since it settled, a moment ago perhaps.
      guard let held else { throw SchedulerError.unknownJob(id) }
      return held
    }
  }

  /// What this handle holds; nil: nothing, or the job has not settled.
  private var held: JobResult? {
    guard let watch else { return nil }
    return scheduler.withState { _ in watch.heldResult(of: id) }
  }

  /// Where the job is; nil when it is not, or no longer, known.
  public var status: JobStatus? { scheduler.status(of: id) }

  /// Cancels the job; see ``Scheduler/cancel(_:)``.
  @discardableResult
  public func cancel() -> Bool { scheduler.cancel(id) }

  /// Whether both are handles of one job.
  public static func == (a: Self, b: Self) -> Bool { a.id == b.id && a.scheduler === b.scheduler }
  /// Feeds the identifier.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// A job completed with a value that is not of the type its parameters name: middleware around its handler, or a
/// recovery, returned something else.
public struct WrongOutput: Error, Hashable, CustomStringConvertible {
  /// The name of the job's type.
  public var type: String
  /// The Swift type of its results.
  public var expected: String
  /// What it returned.
  public var found: String

  /// What happened and what to do.
  public var description: String {
    "job type '\(type)' returns \(expected), this job returned \(found): look at the middleware around its attempts"
  }
}

extension Scheduler {
  // MARK: - Typed jobs

  /// Submits a job by its parameters; suspends while the queue is full if its overflow policy is to block.
  ///
  /// `after` names the ``JobRequest/dependencies``: jobs that must complete first; when one does not, this one is
  /// cancelled. The rest is called as in ``JobRequest``; what is nil is the type's.
  ///
  /// - Throws: as ``submit(_:)-(JobRequest)``, and ``SchedulerError/otherJobType(_:registered:submitted:)``.
  @discardableResult
  public func submit<Parameters: Job>(
    _ job: Parameters, priority: Priority? = nil, after dependencies: [JobID] = [], delay: Duration = .zero,
    tags: [String] = [], timeout: Duration? = nil, retry: RetryPolicy? = nil, hints: Set<JobHint> = [],
    memory: Int? = nil, deadline: Duration? = nil, expectedService: Duration? = nil, batch: BatchID? = nil,
    uniqueKey: String? = nil, tagKey: String? = nil
  ) async throws -> JobHandle<Parameters> {
    var request = JobRequest(
      Parameters.name, payload: job, priority: priority, delay: delay, dependencies: dependencies, tags: tags,
      timeout: timeout, retry: retry, hints: hints, memory: memory, deadline: deadline,
      expectedService: expectedService, batch: batch, uniqueKey: uniqueKey, tagKey: tagKey)
    request.jobType = Parameters.self
    // Without a value there is nothing to hold.
    let watch = Parameters.Output.self == Void.self ? nil : JobWatch(held: true)
    return JobHandle(id: try await submit(request, watch: watch), scheduler: self, watch: watch)
  }

  /// A handle of a job that is known by its identifier, as after a replay.
  ///
  /// - Throws: ``SchedulerError/unknownJob(_:)``; ``SchedulerError/otherJobType(_:registered:submitted:)`` when it is a
  ///   job of another type.
  public func handle<Parameters: Job>(of id: JobID, as type: Parameters.Type) throws -> JobHandle<Parameters> {
    let (name, known, watch) = try withState { state in
      guard let (number, _) = state.core.description(of: id) else { throw SchedulerError.unknownJob(id) }
      return (state.typeNames[Int(number.rawValue)], state.parameters[Int(number.rawValue)], state.hold(id))
    }
    guard known == type else {
      throw SchedulerError.otherJobType(name, registered: known.map { "\($0)" }, submitted: "\(type)")
    }
    return JobHandle(id: id, scheduler: self, watch: watch)
  }
}

/// What is known of a request's parameters before its job is admitted.
enum ParameterCheck {
  case fits
  /// Its type is registered for other parameters, as far as is seen without a look at the payload.
  case doubtful(registered: (any Job.Type)?)

  /// Outside the lock.
  ///
  /// - Throws: ``SchedulerError/otherJobType(_:registered:submitted:)``, ``SchedulerError/wrongParameters(_:)``.
  static func look(at request: JobRequest, registered: (any Job.Type)?) throws {
    if let submitted = request.jobType, registered != submitted {
      throw SchedulerError.otherJobType(
        request.type, registered: registered.map { "\($0)" }, submitted: "\(submitted)")
    }
    guard let registered, !registered.accepts(request.payload) else { return }
    throw SchedulerError.wrongParameters(
      WrongParameters(type: request.type, expected: registered, found: request.payload))
  }
}

extension DriverState {
  /// Compares types by their address only: the rest is for outside the lock.
  @inline(__always)
  func check(_ request: JobRequest, of type: JobTypeID) -> ParameterCheck {
    let registered = parameters[Int(type.rawValue)]
    // Jobs without a Swift type of their own are most of those that come in great numbers.
    guard registered != nil || request.jobType != nil else { return .fits }
    return checkParameters(request, registered)
  }

  @inline(never)
  private func checkParameters(_ request: JobRequest, _ registered: (any Job.Type)?) -> ParameterCheck {
    // Nobody knows yet what its handler will take.
    if parkedTypes.ids[request.type] != nil { return .fits }
    if let registered, request.jobType == nil || request.jobType == registered, let payload = request.payload,
      Swift.type(of: payload) == registered as Any.Type
    {
      return .fits
    }
    return .doubtful(registered: registered)
  }
}
