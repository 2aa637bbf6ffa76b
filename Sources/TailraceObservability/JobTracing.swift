public import TailraceRuntime
public import Tracing

/// Creates a span for each attempt, in the trace of the job's submission.
///
/// The submitter's `ServiceContext` is attached to the job, whichever task or thread runs it, and whenever. Each
/// attempt is a span of kind `consumer` named `process TYPE`, a child of the span in which the job was submitted.
/// During the attempt, `ServiceContext.current` is the span's, so that the handler's calls are part of the trace. A
/// failed attempt has its error and the status `error`. Attributes: `tailrace.job.id`, `tailrace.job.type`,
/// `tailrace.job.priority`,
/// `tailrace.job.pool`, `tailrace.job.attempt` (from 1), `tailrace.job.worker`, and `tailrace.job.labels` if there are
/// any.
public struct JobTracing: SubmissionMiddleware, AttemptMiddleware {
  private let given: (any Tracer)?

  /// Creates the middleware; add it with ``TailraceRuntime/Scheduler/use(_:)``.
  ///
  /// - Parameter tracer: nil: the current `InstrumentationSystem.tracer` at each attempt.
  public init(tracer: (any Tracer)? = nil) { given = tracer }

  /// Attaches the submitter's context, unless the request already has one.
  public func prepare(_ request: inout JobRequest) {
    if request.serviceContext == nil { request.serviceContext = ServiceContext.current }
  }

  /// Wraps the attempt in a span.
  public func attempt(
    _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
  ) async throws -> (any Sendable)? {
    let span = begin(context)
    defer { span.end() }
    do {
      return try await ServiceContext.$current.withValue(span.context) { try await next(context) }
    } catch {
      fail(span, error)
      throw error
    }
  }

  /// Wraps the attempt in a span.
  public func blockingAttempt(
    _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
  ) throws -> (any Sendable)? {
    let span = begin(context)
    defer { span.end() }
    do {
      return try ServiceContext.$current.withValue(span.context) { try next(context) }
    } catch {
      fail(span, error)
      throw error
    }
  }

  private func begin(_ context: JobContext) -> any Span {
    let tracer = given ?? InstrumentationSystem.tracer
    let type = context.type
    let span = tracer.startAnySpan(
      "process \(type)", context: context.serviceContext ?? .topLevel, ofKind: .consumer)
    guard span.isRecording else { return span }
    span.updateAttributes { attributes in
      attributes["tailrace.job.id"] = "\(context.id.rawValue)"
      attributes["tailrace.job.type"] = type
      attributes["tailrace.job.priority"] = context.priority.name
      attributes["tailrace.job.pool"] = context.pool.name
      attributes["tailrace.job.attempt"] = context.attempt
      attributes["tailrace.job.worker"] = context.workerNumber
      if !context.labels.isEmpty { attributes["tailrace.job.labels"] = context.labels }
    }
    return span
  }

  private func fail(_ span: any Span, _ error: any Error) {
    span.recordError(error)
    span.setStatus(SpanStatus(code: .error, message: "\(error)"))
  }
}

extension Scheduler {
  /// Traces every job: adds the middleware for submissions and for attempts.
  ///
  /// - Throws: ``/TailraceRuntime/SchedulerError/alreadyStarted`` after `start()`.
  public func use(_ tracing: JobTracing) throws {
    try use(submission: tracing)
    try use(attempt: tracing)
  }
}

private enum ServiceContextKey: JobValueKey { typealias Value = ServiceContext }

extension JobRequest {
  /// The context of the job's attempts; nil: with ``JobTracing``, that of the submitting task or thread.
  public var serviceContext: ServiceContext? {
    get { self[ServiceContextKey.self] }
    set { self[ServiceContextKey.self] = newValue }
  }
}

extension JobContext {
  /// The context that was attached at submission.
  public var serviceContext: ServiceContext? { self[ServiceContextKey.self] }
}
