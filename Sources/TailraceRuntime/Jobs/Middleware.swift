import Synchronization
import TailraceCore

/// Processes every submission before the scheduler does, and may change or reject it.
///
/// It runs on the submitter's task or thread, outside every lock, for both `submit` and `submitBlocking`. Therefore it
/// cannot suspend.
public protocol SubmissionMiddleware: Sendable {
  /// Inspects or changes a request.
  ///
  /// - Throws: an error to reject the job. The submitter receives it as ``SchedulerError/refusedByMiddleware(_:)``, and
  ///   the scheduler never sees the job.
  func prepare(_ request: inout JobRequest) throws
}

/// Wraps every attempt: it may measure the attempt, set task-local values, or replace its result or error.
///
/// Handlers are either async or blocking, so both methods are required. If both do the same, consider ``AttemptHooks``.
public protocol AttemptMiddleware: Sendable {
  /// Wraps an attempt of an async handler, on the executor that runs it.
  ///
  /// - Parameters:
  ///   - context: the handler's argument.
  ///   - next: further middleware, then the handler. Call it once, or throw instead.
  /// - Returns: the attempt's result.
  /// - Throws: an error that fails the attempt.
  func attempt(
    _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
  ) async throws -> (any Sendable)?

  /// Wraps an attempt of a blocking handler, on its thread.
  func blockingAttempt(
    _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> (any Sendable)?
}

/// Middleware with the same hooks for async and blocking handlers: one before and one after an attempt.
public struct AttemptHooks: AttemptMiddleware {
  private let before: @Sendable (JobContext) throws -> Void
  private let after: @Sendable (JobContext, Result<(any Sendable)?, any Error>) throws -> Void

  /// Creates middleware from two closures. Both run on the worker and must return quickly.
  ///
  /// - Parameters:
  ///   - before: called before the handler. If it throws, the handler is not called and the attempt fails.
  ///   - after: called with the result or error of the handler or of `before`. If it throws, the attempt fails with its
  ///     error.
  public init(
    before: @escaping @Sendable (JobContext) throws -> Void = { _ in },
    after: @escaping @Sendable (JobContext, Result<(any Sendable)?, any Error>) throws -> Void = { _, _ in }
  ) {
    self.before = before
    self.after = after
  }

  /// See ``AttemptMiddleware``.
  public func attempt(
    _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
  ) async throws -> (any Sendable)? {
    let result: Result<(any Sendable)?, any Error>
    do {
      try before(context)
      result = .success(try await next(context))
    } catch {
      result = .failure(error)
    }
    try after(context, result)
    return try result.get()
  }

  /// See ``AttemptMiddleware``.
  public func blockingAttempt(
    _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> (any Sendable)? {
    let result = Result {
      try before(context)
      return try next(context)
    }
    try after(context, result)
    return try result.get()
  }
}

extension Scheduler {
  /// Adds submission middleware. Middleware runs in the order in which it was added.
  ///
  /// - Throws: ``SchedulerError/alreadyStarted`` after ``start()``.
  public func use(submission middleware: any SubmissionMiddleware) throws {
    try withState { state in
      guard state.startInstant == nil, !state.isShuttingDown else { throw SchedulerError.alreadyStarted }
      state.submissionMiddleware.append(middleware)
      preparesSubmissions.store(true, ordering: .releasing)
    }
  }

  /// Adds a closure around submissions; see ``SubmissionMiddleware``.
  ///
  /// - Throws: ``SchedulerError/alreadyStarted`` after ``start()``.
  public func onSubmission(_ prepare: @escaping @Sendable (inout JobRequest) throws -> Void) throws {
    try use(submission: SubmissionClosure(body: prepare))
  }

  /// Adds middleware around the attempts of every job type, including types registered before. The middleware added
  /// first is outermost.
  ///
  /// Handlers are wrapped once, when the scheduler starts, so a scheduler without middleware has no extra cost.
  ///
  /// - Throws: ``SchedulerError/alreadyStarted`` after ``start()``.
  public func use(attempt middleware: any AttemptMiddleware) throws {
    try withState { state in
      guard state.startInstant == nil, !state.isShuttingDown else { throw SchedulerError.alreadyStarted }
      state.types.use(middleware)
    }
  }

  /// The request after all middleware.
  func prepared(_ request: JobRequest) throws -> JobRequest {
    guard preparesSubmissions.load(ordering: .acquiring) else { return request }
    var request = request
    for middleware in withState({ state in state.submissionMiddleware }) {
      do { try middleware.prepare(&request) } catch { throw SchedulerError.refusedByMiddleware(error) }
    }
    return request
  }
}

private struct SubmissionClosure: SubmissionMiddleware {
  let body: @Sendable (inout JobRequest) throws -> Void
  func prepare(_ request: inout JobRequest) throws { try body(&request) }
}

extension Handler {
  /// The handler wrapped in middleware, the first outermost.
  func wrapped(in middleware: [any AttemptMiddleware]) -> Handler {
    middleware.reversed().reduce(self) { inner, middleware in
      switch inner {
      case .async(let next): .async { context in try await middleware.attempt(context, next: next) }
      case .blocking(let next): .blocking { context in try middleware.blockingAttempt(context, next: next) }
      case .unregistered: .unregistered
      }
    }
  }
}
