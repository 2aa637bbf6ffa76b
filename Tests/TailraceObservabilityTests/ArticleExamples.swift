// Goal: the example of the first page of TailraceObservability.docc compiles, runs and does what the page says.

import InMemoryTracing
import MetricsTestKit
import ServiceLifecycleTestKit
import TailraceObservability
import TailraceRuntime
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ArticleExamples {
  @Test func watchedService() async throws {
    let (backend, tracer) = (TestMetrics(), InMemoryTracer())
    let metrics = MetricsObserver(factory: backend)
    let scheduler = try Scheduler(SchedulerConfiguration(), observers: [metrics])
    try scheduler.register("greet") { _ in "Hello" }
    try scheduler.use(JobTracing(tracer: tracer))
    let service = try SchedulerService(scheduler, grace: .seconds(20), metrics: metrics)
    try await testGracefulShutdown { trigger in
      let running = Task { try await service.run() }
      try await scheduler.submit(JobRequest("greet"))
      trigger.triggerGracefulShutdown()
      try await running.value
    }
    #expect(backend.counterTotal(label: "tailrace_jobs_settled") == 1)
    #expect(tracer.finishedSpans.map(\.operationName) == ["process greet"])
  }
}
