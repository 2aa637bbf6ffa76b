public import TailraceRuntime
public import Tracing

/// A span for each attempt, in the trace that the job was submitted in.
///
/// The submitter's `ServiceContext` travels with the job, whatever task or thread runs it, however much later. Each
/// attempt is a span of kind `consumer` named `process TYPE`, child of the span in which the job was submitted; within
/// it `ServiceContext.current` is the span's, so that what the handler calls adds to the trace. A failed attempt has
/// its error and the status `error`. Attributes: `tailrace.job.id`, `tailrace.job.type`, `tailrace.job.priority`,
/// `tailrace.job.pool`, `tailrace.job.attempt` (the first is 1), `tailrace.job.worker`, `tailrace.job.tags` where there
/// are any.
public struct JobTracing: SubmissionMiddleware, AttemptMiddleware {
  private let given: (any Tracer)?

  /// Makes the middleware; ``TailraceRuntime/Scheduler/use(_:)`` puts it in place.
  ///
  /// - Parameter tracer: nil: `InstrumentationSystem.tracer`, as it is at each attempt.
  public init(tracer: (any Tracer)? = nil) { given = tracer }

  /// Sends the submitter's context along, where the request has none of its own.
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
      if !context.tags.isEmpty { attributes["tailrace.job.tags"] = context.tags }
    }
    return span
  }

  private func fail(_ span: any Span, _ error: any Error) {
    span.recordError(error)
    span.setStatus(SpanStatus(code: .error, message: "\(error)"))
  }
}

extension Scheduler {
  /// Traces every job: puts the middleware around submissions and around attempts.
  ///
  /// - Throws: ``/TailraceRuntime/SchedulerError/alreadyStarted`` after `start()`.
  public func use(_ tracing: JobTracing) throws {
    try use(submission: tracing)
    try use(attempt: tracing)
  }
}

private enum ServiceContextKey: JobValueKey { typealias Value = ServiceContext }

extension JobRequest {
  /// The context that the job's attempts run in; nil: with ``JobTracing`` that of the task or thread that submits it.
  public var serviceContext: ServiceContext? {
    get { self[ServiceContextKey.self] }
    set { self[ServiceContextKey.self] = newValue }
  }
}

extension JobContext {
  /// The context that the job was submitted with.
  public var serviceContext: ServiceContext? { self[ServiceContextKey.self] }
}
