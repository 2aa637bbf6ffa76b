// Goal: metrics say what the scheduler's own counts say, under the labels that the documentation names.

import CoreMetrics
import Logging
import MetricsTestKit
import TailraceObservability
import TailraceRuntime
import Testing
@testable import TailracePlatform

struct Unlucky: Error {}

/// A silent scheduler.
func quietScheduler(_ observers: [any TimelineObserver] = []) -> Scheduler {
  var configuration = SchedulerConfiguration()
  configuration.retry = RetryPolicy(limit: 1, backoff: .none)
  return try! Scheduler(
    configuration, observers: observers, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
}

@Suite(.timeLimit(.minutes(1)))
struct MetricsTests {
  @Test func jobsAreCountedAndTimedByTypePoolAndOutcome() async throws {
    let backend = TestMetrics()
    let observer = MetricsObserver(factory: backend)
    let scheduler = quietScheduler([observer])
    try scheduler.register("good") { _ in nil }
    try scheduler.registerBlocking("shaky") { context in
      if context.attempt == 1 { throw Unlucky() }
      return nil
    }
    scheduler.start()
    for _ in 0..<50 { try await scheduler.submit(JobRequest("good")) }
    for _ in 0..<10 { try await scheduler.submit(JobRequest("shaky")) }
    let cancelled = try await scheduler.submit(JobRequest("good", delay: .seconds(3_600)))
    scheduler.cancel(cancelled)
    await scheduler.shutdown()

    let good = [("job_type", "good"), ("pool", "async")]
    let shaky = [("job_type", "shaky"), ("pool", "thread")]
    #expect(backend.counterTotal(label: "tailrace_attempts", dimensions: good + [("outcome", "succeeded")]) == 50)
    #expect(backend.counterTotal(label: "tailrace_attempts", dimensions: shaky + [("outcome", "failed")]) == 10)
    #expect(backend.counterTotal(label: "tailrace_attempts", dimensions: shaky + [("outcome", "succeeded")]) == 10)
    #expect(backend.counterTotal(label: "tailrace_jobs_settled", dimensions: shaky + [("cause", "succeeded")]) == 10)
    #expect(backend.counterTotal(label: "tailrace_jobs_settled", dimensions: good + [("cause", "cancelled")]) == 1)
    #expect(backend.counterTotal(label: "tailrace_jobs_settled") == 61)
    func timed(_ label: String) -> [Int64] { backend.timers(label: label).flatMap(\.values) }
    #expect(timed("tailrace_attempt_service").count == 70 && timed("tailrace_attempt_waiting").count == 70)
    // The cancelled job did not respond.
    #expect(timed("tailrace_job_response").count == 60)
    #expect(timed("tailrace_attempt_service").allSatisfy { $0 >= 0 })
  }

  @Test func workersAskTheBackendOncePerMetricAndNotPerJob() async throws {
    let backend = CountingFactory()
    let scheduler = quietScheduler([MetricsObserver(factory: backend)])
    try scheduler.register("nop") { _ in nil }
    scheduler.start()
    for _ in 0..<2_000 { try await scheduler.submit(JobRequest("nop")) }
    await scheduler.shutdown()
    // Five metrics of one type and outcome, on no more than four workers.
    #expect(backend.made.withLock { $0 } <= 20)
  }

  /// Counts what it is asked for.
  final class CountingFactory: MetricsFactory {
    let made = Locked(0)
    private let inner = NOOPMetricsHandler.instance
    private func count() { made.withLock { $0 += 1 } }
    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
      count()
      return inner
    }
    func makeFloatingPointCounter(
      label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler { inner }
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { inner }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler { inner }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
      count()
      return inner
    }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
  }

  @Test func gaugesShowWhatWaits() async throws {
    let backend = TestMetrics()
    let observer = MetricsObserver(factory: backend)
    let scheduler = quietScheduler([observer])
    try scheduler.register("nop") { _ in nil }
    try await scheduler.submit(JobRequest("nop", priority: .high))
    try await scheduler.submit(JobRequest("nop", delay: .seconds(3_600)))
    observer.record(scheduler.metrics())
    func gauge(_ label: String, _ dimensions: [(String, String)] = []) throws -> Double? {
      try backend.expectGauge(label, dimensions).lastValue
    }
    #expect(try gauge("tailrace_jobs_waiting", [("priority", "high")]) == 1)
    #expect(try gauge("tailrace_jobs_waiting", [("priority", "low")]) == 0)
    #expect(try gauge("tailrace_jobs_scheduled") == 1)
    await scheduler.shutdown(grace: .zero)
  }
}
