import Dispatch
import Glibc
import Logging
import Synchronization
import TailraceCore

/// How a shutdown went.
public struct ShutdownReport: Sendable, Hashable {
  /// Whether every job settled by itself within the grace period.
  public var drained: Bool
  /// Jobs that were cancelled since the grace period was over.
  public var cancelled: Int
  /// Handlers that had not returned when the shutdown ended: they ignore their cancellation.
  public var leftRunning: Int
}

extension Scheduler {
  /// Shuts down gracefully: takes no more jobs, lets those known go on for the grace period, then cancels the rest.
  ///
  /// - Parameters:
  ///   - grace: how long jobs may go on.
  ///   - stopping: how long handlers may take to return after their cancellation.
  @discardableResult
  public func shutdown(grace: Duration = .seconds(30), stopping: Duration = .seconds(5)) async -> ShutdownReport {
    var drained = await drain(within: grace) { state, now, outbox in state.core.drainRequested(at: now, into: &outbox) }
    var cancelled = 0
    if !drained {
      let before = stoppedCount()
      let allReturned = await drain(within: stopping) { state, now, outbox in
        state.core.stopRequested(at: now, into: &outbox)
      }
      cancelled = stoppedCount() - before
      drained = allReturned && cancelled == 0
    }
    let leftRunning = lock.withLock { state.pointee.core.gauges.abandoned + state.pointee.core.gauges.running }
    await endWorkers(waiting: leftRunning == 0)
    logger.info("scheduler stopped", metadata: ["cancelled": "\(cancelled)", "left-running": "\(leftRunning)"])
    return ShutdownReport(drained: drained, cancelled: cancelled, leftRunning: leftRunning)
  }

  /// Starts the scheduler and returns after it was shut down by one of the signals.
  ///
  /// - Parameters:
  ///   - signals: by default SIGTERM and SIGINT.
  ///   - grace: as in ``shutdown(grace:stopping:)``.
  @discardableResult
  public func run(until signals: [Int32] = [SIGTERM, SIGINT], grace: Duration = .seconds(30)) async -> ShutdownReport {
    start()
    await SignalWait(signals).wait()
    return await shutdown(grace: grace)
  }

  private func stoppedCount() -> Int { lock.withLock { state.pointee.core.gauges.settledByCause[.stopped] } }

  /// Asks the core to come to rest and waits for that. Returns whether it came in time.
  private func drain(
    within time: Duration, _ request: (inout DriverState, Instant, inout Outbox) -> Void
  ) async -> Bool {
    report(request)
    let deadline = MonotonicClock.now() + Nanoseconds(time)
    let once = Once()
    return await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
      let isDrained = lock.withLock {
        if state.pointee.core.isDrained { return true }
        state.pointee.onDrained.append { if once.claim() { continuation.resume(returning: true) } }
        return false
      }
      if isDrained {
        if once.claim() { continuation.resume(returning: true) }
        return
      }
      timer.schedule(at: deadline) { _ in if once.claim() { continuation.resume(returning: false) } }
    }
  }

  private func endWorkers(waiting: Bool) async {
    var effects = Effects()
    lock.withLock {
      state.pointee.isStopping = true
      for worker in state.pointee.workers.joined() where worker.isParked {
        if let parked = worker.parkedTask {
          worker.isParked = false
          worker.parkedTask = nil
          effects.wakeTasks.append(parked)
        }
        if worker.pool == .thread { effects.wakeThreads.append(worker) }
      }
    }
    perform(&effects)
    // Threads that hold a reference to the scheduler end within microseconds once they are idle.
    if waiting { while !hasNoWorkers { await Task.yield() } }
    timer.stop()
  }
}

/// Lets the first of several callers through.
private final class Once: Sendable {
  private let taken = Atomic<Bool>(false)
  func claim() -> Bool { !taken.exchange(true, ordering: .acquiringAndReleasing) }
}

/// Waits for one of some signals, whose usual action is switched off meanwhile.
package final class SignalWait: @unchecked Sendable {
  private let sources: [any DispatchSourceSignal]
  private let signals: [Int32]
  private let lock = Lock()
  private var received = false
  private var onSignal: (@Sendable () -> Void)?

  /// Starts listening.
  package init(_ signals: [Int32]) {
    self.signals = signals
    sources = signals.map { DispatchSource.makeSignalSource(signal: $0, queue: .global()) }
    for (number, source) in zip(signals, sources) {
      signal(number, SIG_IGN)
      source.setEventHandler { [weak self] in self?.arrived() }
      source.resume()
    }
  }

  /// Stops listening and restores the usual action.
  package func end() {
    for (number, source) in zip(signals, sources) {
      source.cancel()
      signal(number, SIG_DFL)
    }
  }

  /// Calls `action` at the first signal; at once when one has come.
  package func onFirst(_ action: @escaping @Sendable () -> Void) {
    let already = lock.withLock {
      if !received { onSignal = action }
      return received
    }
    if already { action() }
  }

  /// Returns at the first signal.
  package func wait() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      onFirst { continuation.resume() }
    }
    end()
  }

  private func arrived() {
    let action = lock.withLock { () -> (@Sendable () -> Void)? in
      received = true
      defer { onSignal = nil }
      return onSignal
    }
    action?()
  }
}
