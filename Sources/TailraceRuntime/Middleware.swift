import Synchronization
import TailraceCore

/// Looks at every submission before the scheduler does, and may change or refuse it.
///
/// It runs on the submitter's task or thread, outside every lock, for `submit` and `submitBlocking` alike; that is why
/// it cannot suspend.
public protocol SubmissionMiddleware: Sendable {
  /// Changes the request, or leaves it as it is.
  ///
  /// - Throws: whatever refuses the job: its submitter gets it as ``SchedulerError/refusedByMiddleware(_:)``, the
  ///   scheduler hears nothing of the job.
  func prepare(_ request: inout JobRequest) throws
}

/// Wraps every attempt: may measure it, set task-local values for it, hand its handler another error or result on.
///
/// A handler is either asynchronous or blocking, and middleware must have an answer for both, so both are required.
/// What is the same for both may be an ``AttemptHooks``.
public protocol AttemptMiddleware: Sendable {
  /// Wraps an attempt of an asynchronous handler, on whatever runs it.
  ///
  /// - Parameters:
  ///   - context: what the handler is to be given.
  ///   - next: the rest: further middleware, then the handler. Call it once, or throw instead.
  /// - Returns: the attempt's result.
  /// - Throws: the attempt then fails with this error.
  func attempt(
    _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
  ) async throws -> (any Sendable)?

  /// Wraps an attempt of a blocking handler, on its thread.
  func blockingAttempt(
    _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> (any Sendable)?
}

/// Middleware that is the same for asynchronous and blocking handlers: something before an attempt, something after.
public struct AttemptHooks: AttemptMiddleware {
  private let before: @Sendable (JobContext) throws -> Void
  private let after: @Sendable (JobContext, Result<(any Sendable)?, any Error>) throws -> Void

  /// Makes middleware of two closures; neither may take long, both run on the worker.
  ///
  /// - Parameters:
  ///   - before: called before the handler; when it throws, the handler is not called and the attempt fails.
  ///   - after: called with what the handler returned or threw, or `before` threw; when it throws, the attempt fails
  ///     with its error.
  public init(
    before: @escaping @Sendable (JobContext) throws -> Void = { _ in },
    after: @escaping @Sendable (JobContext, Result<(any Sendable)?, any Error>) throws -> Void = { _, _ in }
  ) {
    self.before = before
    self.after = after
  }

  /// As ``AttemptMiddleware`` says.
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

  /// As ``AttemptMiddleware`` says.
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
  /// Adds middleware around submissions. The one that was added first sees a request first, as its submitter made it.
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

  /// Adds middleware around the attempts of every job type, also of those registered before. The one that was added
  /// first is outermost.
  ///
  /// It costs nothing where there is none: the handlers are wrapped when the scheduler starts, not when they run.
  ///
  /// - Throws: ``SchedulerError/alreadyStarted`` after ``start()``.
  public func use(attempt middleware: any AttemptMiddleware) throws {
    try withState { state in
      guard state.startInstant == nil, !state.isShuttingDown else { throw SchedulerError.alreadyStarted }
      state.handlers.add(middleware)
    }
  }

  /// The request as the middleware leaves it.
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
  /// The handler with the middleware around it, the first outermost.
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
