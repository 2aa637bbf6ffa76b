// Goal: each attempt is a span in its submitter's trace, wherever and whenever it runs.

import InMemoryTracing
import TailraceObservability
import TailraceRuntime
import Testing
import Tracing

@Suite(.timeLimit(.minutes(1)))
struct TracingTests {
  private func tracedScheduler(_ tracer: InMemoryTracer) throws -> Scheduler {
    let scheduler = quietScheduler()
    try scheduler.use(JobTracing(tracer: tracer))
    try scheduler.register("shaky") { context in
      tracer.withSpan("inner of \(context.attempt)") { _ in }
      if context.attempt == 1 { throw Unlucky() }
      return nil
    }
    try scheduler.registerBlocking("blocking") { _ in
      tracer.withSpan("inner of a thread") { _ in }
      return nil
    }
    return scheduler
  }

  @Test func attemptsBelongToTheSubmittersTrace() async throws {
    let tracer = InMemoryTracer()
    let scheduler = try tracedScheduler(tracer)
    scheduler.start()
    try await tracer.withSpan("request") { _ in
      _ = try await scheduler.submit(JobRequest("shaky", priority: .high, labels: ["a", "b"]))
      _ = try await scheduler.submit(JobRequest("blocking"))
    }
    await scheduler.shutdown()
    let spans = tracer.finishedSpans
    let request = try #require(spans.first { $0.operationName == "request" })
    let attempts = spans.filter { $0.operationName == "process shaky" }
      .sorted { "\($0.attributes["tailrace.job.attempt"]!)" < "\($1.attributes["tailrace.job.attempt"]!)" }
    #expect(spans.allSatisfy { $0.traceID == request.traceID })
    #expect(attempts.count == 2)
    for (index, span) in attempts.enumerated() {
      #expect(span.parentSpanID == request.spanID)
      #expect(span.attributes["tailrace.job.attempt"]?.toSpanAttribute() == .int64(Int64(index + 1)))
      #expect(span.attributes["tailrace.job.priority"]?.toSpanAttribute() == .string("high"))
      #expect(span.attributes["tailrace.job.type"]?.toSpanAttribute() == .string("shaky"))
      let inner = try #require(spans.first { $0.operationName == "inner of \(index + 1)" })
      #expect(inner.parentSpanID == span.spanID)
    }
    #expect(attempts[0].status?.code == .error && attempts[0].errors.first?.error is Unlucky)
    #expect(attempts[1].status == nil && attempts[1].errors.isEmpty)
    let blocking = try #require(spans.first { $0.operationName == "process blocking" })
    #expect(blocking.parentSpanID == request.spanID && blocking.kind == .consumer)
    #expect(spans.first { $0.operationName == "inner of a thread" }?.parentSpanID == blocking.spanID)
    #expect(tracer.activeSpans.isEmpty)
  }

  @Test func withoutATraceEachAttemptBeginsOne() async throws {
    let tracer = InMemoryTracer()
    let scheduler = try tracedScheduler(tracer)
    scheduler.start()
    try await scheduler.submit(JobRequest("blocking"))
    try await scheduler.submit(JobRequest("blocking"))
    await scheduler.shutdown()
    let roots = tracer.finishedSpans.filter { $0.operationName == "process blocking" }
    #expect(roots.count == 2 && roots.allSatisfy { $0.parentSpanID == nil } && roots[0].traceID != roots[1].traceID)
  }

  @Test func aRequestMayCarryAnotherContext() async throws {
    let tracer = InMemoryTracer()
    let scheduler = try tracedScheduler(tracer)
    scheduler.start()
    let elsewhere = tracer.startSpan("elsewhere")
    var request = JobRequest("blocking")
    request.serviceContext = elsewhere.context
    try await tracer.withSpan("here") { _ in _ = try await scheduler.submit(request) }
    await scheduler.shutdown()
    elsewhere.end()
    #expect(
      tracer.finishedSpans.first { $0.operationName == "process blocking" }?.parentSpanID == elsewhere.spanID)
  }
}
