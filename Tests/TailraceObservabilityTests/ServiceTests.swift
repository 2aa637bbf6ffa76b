// Goal: as a service the scheduler runs until the graceful shutdown, and lets its jobs end within the grace period.

import Logging
import MetricsTestKit
import ServiceLifecycle
import ServiceLifecycleTestKit
import TailraceObservability
import TailraceRuntime
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ServiceTests {
  @Test func jobsEndWithinTheGracePeriod() async throws {
    let backend = TestMetrics()
    let observer = MetricsObserver(factory: backend)
    let scheduler = quietScheduler([observer])
    try scheduler.register("nop") { _ in nil }
    let service = SchedulerService(scheduler, metrics: observer, every: .milliseconds(1))
    try await testGracefulShutdown { trigger in
      async let running: Void = service.run()
      let first = try await scheduler.submit(JobRequest("nop"))
      #expect(try await scheduler.result(of: first, timeout: .seconds(60)).state == .completed)
      let last = try await scheduler.submit(JobRequest("nop"))
      trigger.triggerGracefulShutdown()
      try await running
      #expect(try await scheduler.result(of: last).state == .completed)
    }
    #expect(scheduler.health() == .unhealthy(.stopped))
    #expect(try backend.expectGauge("tailrace_jobs_running").lastValue == 0)
  }

  @Test func aCancelledServiceCancelsItsJobs() async throws {
    let scheduler = quietScheduler()
    try scheduler.register("long") { _ in
      try await Task.sleep(for: .seconds(3_600))
      return nil
    }
    let running = Task { try await SchedulerService(scheduler).run() }
    let id = try await scheduler.submit(JobRequest("long"))
    running.cancel()
    await #expect(throws: CancellationError.self) { try await running.value }
    #expect(try await scheduler.result(of: id).cause == .stopped)
  }
}
