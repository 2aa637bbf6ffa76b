import Logging
import TailraceCore

/// Opens a resource before each attempt of a job type and releases it after, however the attempt ends.
///
/// What is opened is always released: after success, failure, time-out, cancellation and while the scheduler shuts
/// down, as soon as the handler returns. A handler that never returns keeps it. Releasing is not affected by the
/// attempt's cancellation.
public struct ResourceProvider<Resource: Sendable>: Sendable {
  let open: @Sendable (JobContext) async throws -> Resource
  let close: @Sendable (Resource) async throws -> Void

  /// Describes a resource.
  ///
  /// - Parameters:
  ///   - open: called before the handler; when it throws, the attempt fails with its error and the handler is not
  ///     called.
  ///   - close: called once for each resource that was opened. What it throws is logged at `error` and does not change
  ///     how the attempt ended.
  public init(
    open: @escaping @Sendable (_ context: JobContext) async throws -> Resource,
    close: @escaping @Sendable (_ resource: Resource) async throws -> Void
  ) {
    self.open = open
    self.close = close
  }

  /// Calls `body` with a resource that is opened for it; for a handler that needs one for a part of its work only.
  public func with<Value>(
    _ context: JobContext, _ body: (_ resource: Resource) async throws -> Value
  ) async throws -> Value {
    let resource = try await open(context)
    let result: Result<Value, any Error>
    do {
      // Cancelled while it was opened: there is nothing left to do with it.
      if context.isCancelled { throw CancellationError() }
      result = .success(try await body(resource))
    } catch {
      result = .failure(error)
    }
    // A task of its own: the attempt's may be cancelled, and what it awaits with it.
    let closing = Task { try await close(resource) }
    do { _ = try await closing.value } catch { context.logRelease(error) }
    return try result.get()
  }
}

/// The same for blocking handlers, on their thread.
public struct BlockingResourceProvider<Resource>: Sendable {
  let open: @Sendable (JobContext) throws -> Resource
  let close: @Sendable (Resource) throws -> Void

  /// Describes a resource; see ``ResourceProvider``.
  public init(
    open: @escaping @Sendable (_ context: JobContext) throws -> Resource,
    close: @escaping @Sendable (_ resource: Resource) throws -> Void
  ) {
    self.open = open
    self.close = close
  }

  /// Calls `body` with a resource that is opened for it; for a handler that needs one for a part of its work only.
  public func with<Value>(_ context: JobContext, _ body: (_ resource: Resource) throws -> Value) throws -> Value {
    let resource = try open(context)
    let result = Result {
      if context.isCancelled { throw CancellationError() }
      return try body(resource)
    }
    do { try close(resource) } catch { context.logRelease(error) }
    return try result.get()
  }
}

extension JobContext {
  fileprivate func logRelease(_ error: any Error) {
    home?.logger.error(
      "resource not released",
      metadata: [
        "tailrace-job-id": "\(id.rawValue)", "tailrace-job-type": "\(type)", "attempt": "\(attempt)",
        "error": "\(error)",
      ])
  }
}

extension Scheduler {
  /// Registers an asynchronous handler that gets a resource opened for each of its attempts.
  ///
  /// - Throws: ``SchedulerError/duplicateJobType(_:)``.
  @discardableResult
  public func register<Resource: Sendable>(
    _ type: JobTypeConfiguration, resource: ResourceProvider<Resource>, validate: JobValidation? = nil,
    recover: JobRecovery? = nil,
    handler: @escaping @Sendable (_ context: JobContext, _ resource: Resource) async throws -> (any Sendable)?
  ) throws -> JobTypeID {
    try register(type, validate: validate, recover: recover) { context in
      try await resource.with(context) { try await handler(context, $0) }
    }
  }

  /// Registers a blocking handler that gets a resource opened for each of its attempts.
  ///
  /// - Throws: ``SchedulerError/duplicateJobType(_:)``.
  @discardableResult
  public func registerBlocking<Resource>(
    _ type: JobTypeConfiguration, resource: BlockingResourceProvider<Resource>, validate: JobValidation? = nil,
    recover: BlockingJobRecovery? = nil,
    handler: @escaping @Sendable (_ context: JobContext, _ resource: Resource) throws -> (any Sendable)?
  ) throws -> JobTypeID {
    try registerBlocking(type, validate: validate, recover: recover) { context in
      try resource.with(context) { try handler(context, $0) }
    }
  }

  /// Registers an asynchronous handler of a type of job that gets a resource opened for each of its attempts.
  ///
  /// - Throws: ``SchedulerError/duplicateJobType(_:)``.
  @discardableResult
  public func register<Parameters: Job, Resource: Sendable>(
    _ type: Parameters.Type, resource: ResourceProvider<Resource>,
    recover: (
      @Sendable (_ job: Parameters, _ context: JobContext, _ error: any Error) async throws -> Recovery<
        Parameters.Output
      >
    )? = nil,
    handler:
      @escaping @Sendable (
        _ job: Parameters, _ context: JobContext, _ resource: Resource
      ) async throws -> Parameters.Output
  ) throws -> JobTypeID {
    try register(type, recover: recover) { job, context in
      try await resource.with(context) { try await handler(job, context, $0) }
    }
  }

  /// Registers a blocking handler of a type of job that gets a resource opened for each of its attempts.
  ///
  /// - Throws: ``SchedulerError/duplicateJobType(_:)``.
  @discardableResult
  public func registerBlocking<Parameters: Job, Resource>(
    _ type: Parameters.Type, resource: BlockingResourceProvider<Resource>,
    recover: (
      @Sendable (_ job: Parameters, _ context: JobContext, _ error: any Error) throws -> Recovery<Parameters.Output>
    )? = nil,
    handler:
      @escaping @Sendable (
        _ job: Parameters, _ context: JobContext, _ resource: Resource
      ) throws -> Parameters.Output
  ) throws -> JobTypeID {
    try registerBlocking(type, recover: recover) { job, context in
      try resource.with(context) { try handler(job, context, $0) }
    }
  }
}
