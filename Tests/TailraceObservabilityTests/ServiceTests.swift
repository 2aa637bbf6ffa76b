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
    let service = try SchedulerService(scheduler, metrics: observer, every: .milliseconds(1))
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

  @Test func settingsOutOfRangeAreRefusedWithTheirRanges() throws {
    let scheduler = quietScheduler()
    let wrong: [Duration] = [.seconds(Int64.min), .seconds(-1), .nanoseconds(-1)]
    for length in wrong {
      let error = #expect(throws: InvalidValues.self) {
        try SchedulerService(scheduler, grace: length, stopping: length, every: length)
      }
      #expect(error?.values.map(\.name) == ["grace", "stopping", "interval"])
      #expect(error?.values.map(\.range) == ["0 s or longer", "0 s or longer", "1 ms to a day"])
    }
    for interval: Duration in [.zero, .microseconds(999), .seconds(86_401), .seconds(Int64.max)] {
      #expect(throws: InvalidValues.self) { try SchedulerService(scheduler, every: interval) }
    }
    for interval: Duration in [.milliseconds(1), .seconds(86_400)] {
      _ = try SchedulerService(scheduler, grace: .zero, stopping: .zero, every: interval)
    }
  }
}
