import TailraceCore

/// A submitted job with a typed result.
public struct JobHandle<Parameters: Job>: Sendable, Hashable {
  /// The job's identifier, for dependencies and for all other functions that take one.
  public let id: JobID
  let scheduler: Scheduler
  /// Keeps the result while the handle exists; nil: the job has no result.
  let watch: JobWatch?

  /// Awaits the job's result.
  ///
  /// - Parameter timeout: the maximum wait; nil: no limit. Negative values count as 0. The job continues after a
  ///   timeout.
  /// - Throws: ``JobFailure`` if the job did not complete; ``SchedulerError/unknownJob(_:)`` if it settled and was
  ///   forgotten; ``SchedulerError/awaitTimedOut(_:after:)``; `CancellationError` if the awaiting task is cancelled.
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
      // Middleware may return another result than the handler's.
      throw JobFailure(
        job: id, type: Parameters.name, state: result.state, cause: result.cause,
        error: WrongOutput(
          type: Parameters.name, expected: "\(Parameters.Output.self)",
          found: result.value.map { "\(Swift.type(of: $0))" } ?? "nothing"),
        attempts: result.attempts)
    }
    return output
  }

  /// Awaits the job's settlement, whatever its state.
  ///
  /// - Throws: as ``value(timeout:)``, except ``JobFailure``.
  public func result(timeout: Duration? = nil) async throws -> JobResult {
    if let held { return held }
    do {
      let result = try await scheduler.result(of: id, timeout: timeout)
      return result.isValueDropped ? held ?? result : result
    } catch SchedulerError.unknownJob(let id) {
      // The scheduler has already forgotten the job.
      guard let held else { throw SchedulerError.unknownJob(id) }
      return held
    }
  }

  /// The result held by this handle; nil: none, or the job has not settled.
  private var held: JobResult? {
    guard let watch else { return nil }
    return scheduler.withState { _ in watch.heldResult(of: id) }
  }

  /// The status of the job; nil if it is not known or was forgotten.
  public var status: JobStatus? { scheduler.status(of: id) }

  /// Cancels the job; see ``Scheduler/cancel(_:)``.
  @discardableResult
  public func cancel() -> Bool { scheduler.cancel(id) }

  /// Whether both refer to the same job.
  public static func == (a: Self, b: Self) -> Bool { a.id == b.id && a.scheduler === b.scheduler }
  /// Hashes the identifier.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// The error for a job that completed with a value of another type than its parameters declare, because middleware or a
/// recovery returned it.
public struct WrongOutput: Error, Hashable, CustomStringConvertible {
  /// The name of the job's type.
  public var type: String
  /// The Swift type of its results.
  public var expected: String
  /// The type of the returned value.
  public var found: String

  /// What happened and what to do.
  public var description: String {
    "job type '\(type)' returns \(expected), but this job returned \(found); check its middleware and its recovery"
  }
}

extension Scheduler {
  // MARK: - Typed jobs

  /// Submits a typed job. Suspends while the queue is full if the overflow policy is `block`.
  ///
  /// `after` sets the ``JobRequest/dependencies``: jobs that must complete first; if one does not, this one is
  /// cancelled. The other parameters have the names of ``JobRequest``; nil: the type's value.
  ///
  /// - Throws: as ``submit(_:)-(JobRequest)``, and ``SchedulerError/otherJobType(_:registered:submitted:)``.
  @discardableResult
  public func submit<Parameters: Job>(
    _ job: Parameters, priority: Priority? = nil, after dependencies: [JobID] = [], delay: Duration = .zero,
    labels: [String] = [], timeout: Duration? = nil, retry: RetryPolicy? = nil, hints: Set<JobHint> = [],
    memory: Int? = nil, deadline: Duration? = nil, expectedService: Duration? = nil, batch: BatchID? = nil,
    uniqueKey: String? = nil, tenant: String? = nil
  ) async throws -> JobHandle<Parameters> {
    var request = JobRequest(
      Parameters.name, payload: job, priority: priority, delay: delay, dependencies: dependencies, labels: labels,
      timeout: timeout, retry: retry, hints: hints, memory: memory, deadline: deadline,
      expectedService: expectedService, batch: batch, uniqueKey: uniqueKey, tenant: tenant)
    request.jobType = Parameters.self
    let watch = Parameters.heldWatch()
    return JobHandle(id: try await submit(request, watch: watch), scheduler: self, watch: watch)
  }

  /// Creates a handle for a job from its identifier, for example after a replay.
  ///
  /// - Throws: ``SchedulerError/unknownJob(_:)``; ``SchedulerError/otherJobType(_:registered:submitted:)`` if the job
  ///   has another type.
  public func handle<Parameters: Job>(of id: JobID, as type: Parameters.Type) throws -> JobHandle<Parameters> {
    let (name, known, watch) = try withState { state in
      guard let (number, _) = state.core.description(of: id) else { throw SchedulerError.unknownJob(id) }
      return (state.types[number].name, state.types[number].parameters, state.hold(id))
    }
    guard known == type else {
      throw SchedulerError.otherJobType(name, registered: known.map { "\($0)" }, submitted: "\(type)")
    }
    return JobHandle(id: id, scheduler: self, watch: watch)
  }
}

/// The result of checking a request's parameters before admission.
enum ParameterCheck {
  case fits
  /// The type may be registered for other parameters; the payload must be checked.
  case doubtful(registered: (any Job.Type)?)

  /// Checks the payload. Call outside the lock.
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
  /// Compares type addresses only; further checks run outside the lock.
  @inline(__always)
  func check(_ request: JobRequest, of type: JobTypeID) -> ParameterCheck {
    let registered = types[type].parameters
    // Most frequent: untyped jobs.
    guard registered != nil || request.jobType != nil else { return .fits }
    return checkParameters(request, of: type, registered)
  }

  @inline(never)
  private func checkParameters(
    _ request: JobRequest, of type: JobTypeID, _ registered: (any Job.Type)?
  ) -> ParameterCheck {
    // The parameter type of the handler is not known yet.
    if types[type].isParked { return .fits }
    if let registered, request.jobType == nil || request.jobType == registered, let payload = request.payload,
      Swift.type(of: payload) == registered as Any.Type
    {
      return .fits
    }
    return .doubtful(registered: registered)
  }
}
