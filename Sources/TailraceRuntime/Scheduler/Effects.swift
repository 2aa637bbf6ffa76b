import Logging
import TailraceCore
import TailracePlatform

/// Work to do after the scheduler's lock is unlocked.
struct Effects {
  var wakeTasks: [UnsafeContinuation<Void, Never>] = []
  var wakeThreads: [Worker] = []
  var settled: [(JobWatch, JobResult)] = []
  var released: [JobWatch] = []
  var settledBatches: [BatchID] = []
  var stops: [RunningStop] = []
  /// When to report to the core that time has passed. Of two orders the one with the higher number is later.
  var timer: (at: Instant, order: UInt64)?
  var drained = false
  var watched: [WatchEffect] = []
  /// User callbacks for settled jobs.
  var callbacks: [(JobResult, SettlementWaiters.Action)] = []
  /// Whether there are records for the observer from outside the workers.
  var hasRecords = false

  var isEmpty: Bool {
    wakeTasks.isEmpty && wakeThreads.isEmpty && settled.isEmpty && released.isEmpty && settledBatches.isEmpty
      && stops.isEmpty && timer == nil && !drained && watched.isEmpty && callbacks.isEmpty && !hasRecords
  }
}

extension Scheduler {
  /// Performs the work that had to wait for unlocking: first the scheduler's own, then user code, which may take long.
  func perform(_ effects: inout Effects) {
    guard !effects.isEmpty else { return }
    performOwn(&effects)
    performUsers(&effects)
  }

  /// Wakes workers and waiters, and sets the timer. Runs no user code.
  func performOwn(_ effects: inout Effects) {
    for continuation in effects.wakeTasks { continuation.resume() }
    effects.wakeTasks.removeAll(keepingCapacity: true)
    for worker in effects.wakeThreads { worker.parker.unpark() }
    effects.wakeThreads.removeAll(keepingCapacity: true)
    if let (instant, order) = effects.timer {
      effects.timer = nil
      setTimer(order, at: instant)
    }
    if !effects.stops.isEmpty { lookForStuckHandlers() }
    for effect in effects.watched { if case .wake(let buffer) = effect { buffer.wake() } }
    guard !effects.settled.isEmpty || !effects.released.isEmpty || !effects.settledBatches.isEmpty || effects.drained
    else { return }
    wakeWaiters(&effects)
  }

  private func wakeWaiters(_ effects: inout Effects) {
    for watch in effects.released {
      let action = withState { _ in watch.onAdmission.take() }
      action?()
    }
    effects.released.removeAll(keepingCapacity: true)
    for (watch, result) in effects.settled {
      let (admission, waiters) = withState { _ in (watch.onAdmission.take(), watch.onSettled.takeAll()) }
      admission?()
      for waiter in waiters {
        guard let action = waiter.action else { continue }
        if waiter.isOwn { action(result) } else { effects.callbacks.append((result, action)) }
      }
    }
    for batch in effects.settledBatches {
      let actions = withState { state in state.onBatchSettled.removeValue(forKey: batch.rawValue) ?? [:] }
      for action in actions.values { action() }
    }
    effects.settledBatches.removeAll(keepingCapacity: true)
    if effects.drained {
      effects.drained = false
      let actions = withState { state in
        defer { state.onDrained = [] }
        return state.onDrained
      }
      for action in actions { action() }
    }
  }

  /// Runs user code: cancellation handlers, callbacks, the logger, the observer. Releases results.
  func performUsers(_ effects: inout Effects) {
    for stop in effects.stops { stop.perform() }
    effects.stops.removeAll(keepingCapacity: true)
    for effect in effects.watched {
      if case .announce(let job, let callbacks) = effect { callbacks.forEach { $0.action(job) } }
    }
    effects.watched.removeAll(keepingCapacity: true)
    for (result, action) in effects.callbacks { action(result) }
    effects.callbacks.removeAll(keepingCapacity: true)
    for (_, result) in effects.settled where result.state == .deadLettered { logDeadLetter(result) }
    effects.settled.removeAll(keepingCapacity: true)
    if effects.hasRecords {
      effects.hasRecords = false
      deliverPendingRecords()
    }
  }

  private func logDeadLetter(_ result: JobResult) {
    guard logger.logLevel <= .error else { return }
    logger.error(
      "job dead-lettered",
      metadata: [
        "tailrace-job-id": "\(result.id.rawValue)", "cause": "\(result.cause.name)", "attempts": "\(result.attempts)",
        "error": "\(result.error ?? "")",
      ])
  }

  /// Reports timer events. Decisions are made on the timer thread; resulting user code runs on the delivery thread.
  /// Under virtual time there is neither thread, and everything runs immediately.
  ///
  /// - Parameter after: further work, done immediately; returns the part that runs user code, such as a logger.
  func reportOnTimer<Value>(
    _ body: (inout DriverState, Instant, inout Outbox) -> Value, after: (Value) -> (@Sendable () -> Void)?
  ) {
    if timer.isVirtual {
      let rest = after(report(body))
      rest?()
      return
    }
    var effects = Effects()
    var departed = Departures()
    let value = report(&effects, &departed, body)
    performOwn(&effects)
    for stop in effects.stops { deliver(stop) }
    effects.stops = []
    let rest = after(value)
    guard rest != nil || !effects.isEmpty || !departed.isEmpty else { return }
    let deferred = DeferredEffects(effects, departed)
    deliveries.deliver { [self] in
      deferred.perform(on: self)
      rest?()
    }
  }

  /// Stops an attempt. Threads are notified immediately; a task's cancellation handlers are user code.
  private func deliver(_ stop: RunningStop) {
    if stop.task == nil { stop.perform() } else { cancellations.deliver { stop.perform() } }
  }
}

/// The part of a timer report that the delivery thread performs.
private final class DeferredEffects: @unchecked Sendable {
  private var effects: Effects
  private var departed: Departures

  init(_ effects: Effects, _ departed: Departures) { (self.effects, self.departed) = (effects, departed) }

  func perform(on scheduler: Scheduler) {
    departed.release()
    scheduler.performUsers(&effects)
  }
}
