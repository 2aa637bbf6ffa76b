public import ServiceLifecycle
public import TailraceCore
public import TailraceRuntime

/// A scheduler as a service of swift-service-lifecycle: it runs until the group shuts down gracefully, then drains its
/// jobs.
///
/// List it before the services that submit jobs: a group shuts down its services in reverse order.
public struct SchedulerService: Service {
  private let scheduler: Scheduler
  private let grace: Duration
  private let stopping: Duration
  private let metrics: MetricsObserver?
  private let interval: Duration

  /// Creates a service from a scheduler whose handlers are registered.
  ///
  /// - Parameters:
  ///   - scheduler: not started yet.
  ///   - grace: how long jobs may continue after the shutdown has begun, 0 s or longer; keep it below the group's
  ///     `maximumGracefulShutdownDuration`. Default: 30 s.
  ///   - stopping: how long to wait for handlers after their cancellation, 0 s or longer. Default: 5 s.
  ///   - metrics: receives gauges while the service runs; nil: none.
  ///   - interval: how often to update the gauges; 1 ms to a day. Default: 5 s.
  /// - Throws: ``/TailraceCore/InvalidValues`` for every value that is out of range.
  public init(
    _ scheduler: Scheduler, grace: Duration = .seconds(30), stopping: Duration = .seconds(5),
    metrics: MetricsObserver? = nil, every interval: Duration = .seconds(5)
  ) throws(InvalidValues) {
    var check = ValueCheck()
    check.require(grace >= .zero, "grace", "\(grace)", "0 s or longer")
    check.require(stopping >= .zero, "stopping", "\(stopping)", "0 s or longer")
    let intervals: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400))
    check.require(intervals.contains(interval), "interval", "\(interval)", "1 ms to a day")
    try check.throwFound()
    self.scheduler = scheduler
    self.grace = grace
    self.stopping = stopping
    self.metrics = metrics
    self.interval = interval
  }

  /// Starts the scheduler and returns after it was shut down.
  ///
  /// - Throws: `CancellationError` if the task is cancelled before a graceful shutdown; jobs are then cancelled
  ///   immediately, without the grace period.
  public func run() async throws {
    scheduler.start()
    do {
      try await untilShutdown()
    } catch {
      await scheduler.shutdown(grace: .zero, stopping: stopping)
      metrics?.record(scheduler.metrics())
      throw error
    }
    await scheduler.shutdown(grace: grace, stopping: stopping)
    metrics?.record(scheduler.metrics())
  }

  private func untilShutdown() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let metrics {
        group.addTask { [scheduler, interval] in
          while !Task.isCancelled {
            metrics.record(scheduler.metrics())
            try? await Task.sleep(for: interval)
          }
        }
      }
      defer { group.cancelAll() }
      try await gracefulShutdown()
    }
  }
}
