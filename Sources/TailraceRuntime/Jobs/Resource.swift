import Logging
import TailraceCore

/// Opens a resource before each attempt of a job type and closes it afterward, however the attempt ends.
///
/// An opened resource is always closed: after success, failure, timeout, cancellation and during shutdown, as soon as
/// the handler returns. A handler that never returns keeps its resource. Cancelling the attempt does not cancel
/// closing.
public struct ResourceProvider<Resource: Sendable>: Sendable {
  let open: @Sendable (JobContext) async throws -> Resource
  let close: @Sendable (Resource) async throws -> Void

  /// Describes a resource.
  ///
  /// - Parameters:
  ///   - open: called before the handler. If it throws, the attempt fails with its error and the handler is not called.
  ///   - close: called once for each opened resource. Its errors are logged at `error` and do not affect the attempt.
  public init(
    open: @escaping @Sendable (_ context: JobContext) async throws -> Resource,
    close: @escaping @Sendable (_ resource: Resource) async throws -> Void
  ) {
    self.open = open
    self.close = close
  }

  /// Calls `body` with a newly opened resource, for handlers that need it for only a part of their work.
  public func with<Value>(
    _ context: JobContext, _ body: (_ resource: Resource) async throws -> Value
  ) async throws -> Value {
    let resource = try await open(context)
    let result: Result<Value, any Error>
    do {
      // The attempt was cancelled while opening.
      if context.isCancelled { throw CancellationError() }
      result = .success(try await body(resource))
    } catch {
      result = .failure(error)
    }
    // A separate task, because the attempt's task may be cancelled.
    let closing = Task { try await close(resource) }
    do { _ = try await closing.value } catch { context.logRelease(error) }
    return try result.get()
  }
}

/// A ``ResourceProvider`` for blocking handlers; runs on their thread.
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

  /// Calls `body` with a newly opened resource, for handlers that need it for only a part of their work.
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
      "cannot close resource",
      metadata: [
        "tailrace-job-id": "\(id.rawValue)", "tailrace-job-type": "\(type)", "attempt": "\(attempt)",
        "error": "\(error)",
      ])
  }
}

extension Scheduler {
  /// Registers an async handler that receives a resource, opened for each attempt.
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

  /// Registers a blocking handler that receives a resource, opened for each attempt.
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

  /// Registers an async handler of a typed job that receives a resource, opened for each attempt.
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

  /// Registers a blocking handler of a typed job that receives a resource, opened for each attempt.
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
