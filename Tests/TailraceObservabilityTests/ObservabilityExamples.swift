// Goal: the examples of docs/observability.md compile, run and do what the page says.

import InMemoryTracing
import MetricsTestKit
import ServiceLifecycle
import ServiceLifecycleTestKit
import TailraceObservability
import TailraceRuntime
import Testing
import Tracing

@Suite(.timeLimit(.minutes(1)))
struct ObservabilityExamples {
  @Test func metrics() async throws {
    let backend = TestMetrics()
    let metrics = MetricsObserver(factory: backend)
    let scheduler = try Scheduler(SchedulerConfiguration(), observers: [metrics])
    try scheduler.register("nop") { _ in nil }
    scheduler.start()
    for _ in 0..<10 { try await scheduler.submit(JobRequest("nop")) }
    await scheduler.shutdown()
    metrics.record(scheduler.metrics())
    #expect(backend.counterTotal(label: "tailrace_jobs_settled") == 10)
  }

  @Test func traces() async throws {
    let tracer = InMemoryTracer()
    let scheduler = Scheduler()
    try scheduler.register("nop") { _ in nil }
    try scheduler.use(JobTracing(tracer: tracer))
    scheduler.start()
    try await tracer.withSpan("handle request") { _ in
      _ = try await scheduler.submit(JobRequest("nop"))
    }
    await scheduler.shutdown()
    #expect(tracer.finishedSpans.map(\.operationName).sorted() == ["handle request", "process nop"])
    #expect(Set(tracer.finishedSpans.map(\.traceID)).count == 1)
  }

  @Test func service() async throws {
    let scheduler = Scheduler()
    try scheduler.register("nop") { _ in nil }
    let service = try SchedulerService(scheduler, grace: .seconds(20))
    try await testGracefulShutdown { trigger in
      let group = Task { try await service.run() }
      let id = try await scheduler.submit(JobRequest("nop"))
      trigger.triggerGracefulShutdown()
      try await group.value
      #expect(try await scheduler.result(of: id).state == .completed)
    }
  }
}
