import Logging
import Synchronization
import TailraceCore
import TailracePlatform

/// A handler that is still running long after its attempt was over.
private struct StuckHandler {
  var token: AttemptToken
  var since: Nanoseconds
  /// The worker that replaces its worker.
  var replacement: Worker?
  var wakes: [EventBuffer]
}

extension Scheduler {
  /// Schedules one shared check for stuck handlers, `stuckAfter` after an attempt was stopped.
  func lookForStuckHandlers() {
    guard !looksForStuck.exchange(true, ordering: .acquiringAndReleasing) else { return }
    lookForStuckHandlers(at: timer.now + Nanoseconds(configuration.stuckAfter))
  }

  private func lookForStuckHandlers(at instant: Instant) {
    timer.schedule(at: instant) { [weak self] inTime in if inTime { self?.reportStuckHandlers() } }
  }

  private func reportStuckHandlers() {
    // Cleared before checking, so that a concurrent stop schedules another check.
    looksForStuck.store(false, ordering: .sequentiallyConsistent)
    reportOnTimer { state, now, _ -> ([StuckHandler], Instant?) in
      var found: [StuckHandler] = []
      var next: Instant?
      for worker in state.workers.joined() where worker.isStopping && !worker.isReportedStuck {
        guard let token = worker.stoppedToken else { continue }
        let due = worker.stoppedAt + Nanoseconds(configuration.stuckAfter)
        if due > now {
          next = min(next ?? due, due)
          continue
        }
        worker.isReportedStuck = true
        let replacement = state.replace(worker, at: now)
        let since = now - worker.stoppedAt
        var wakes: [EventBuffer] = []
        if !state.observation.subscribers.isEmpty {
          wakes = state.post(
            .stuck(
              attempt: Int(token.attempt), worker: Int(token.worker), since: since.duration,
              isReplaced: replacement != nil),
            about: token, at: now)
        }
        found.append(StuckHandler(token: token, since: since, replacement: replacement, wakes: wakes))
      }
      return (found, next)
    } after: { found, next in
      for stuck in found {
        if let replacement = stuck.replacement { spawn(replacement) }
        for buffer in stuck.wakes { buffer.wake() }
      }
      if let next, !looksForStuck.exchange(true, ordering: .acquiringAndReleasing) { lookForStuckHandlers(at: next) }
      guard !found.isEmpty else { return nil }
      return { [self] in for stuck in found { log(stuck) } }
    }
  }

  private func log(_ stuck: StuckHandler) {
    let token = stuck.token
    let name = withState { state in state.types[token.type].name }
    logger.warning(
      "handler ignores its cancellation",
      metadata: [
        "tailrace-job-id": "\(token.job.rawValue)", "tailrace-job-type": "\(name)", "attempt": "\(token.attempt)",
        "pool": "\(token.pool.name)", "worker": "\(token.worker)", "seconds": "\(stuck.since.seconds)",
        "replaced-by": "\(stuck.replacement.map { "\($0.index)" } ?? "")",
      ])
  }
}

extension SchedulerConfiguration {
  /// A pool's workers plus its spare ones.
  func places(in pool: PoolID) -> Int {
    self[pool].workers == 0 ? 0 : self[pool].workers + replacementLimit
  }
}

extension DriverState {
  /// Replaces a stuck worker with a spare one, if any. Call under the lock; the caller starts the spare worker.
  fileprivate mutating func replace(_ worker: Worker, at now: Instant) -> Worker? {
    let pool = Int(worker.pool.rawValue)
    guard !isStopping, !isShuttingDown, let place = spares[pool].popLast() else { return nil }
    core.workerReplaced(worker.index, by: place, pool: worker.pool, at: now)
    worker.isRetired = true
    let before = workers[pool][Int(place)]
    let fresh = Worker(pool: worker.pool, index: place, shard: before.shard, types: types, home: home, time: time)
    (fresh.attempts, fresh.busy) = (before.attempts, before.busy)
    departures.add(object: before)
    workers[pool][Int(place)] = fresh
    return fresh
  }

  /// Whether a worker without an attempt must end because another replaces it; it then becomes a spare.
  mutating func retires(_ worker: Worker) -> Bool {
    guard worker.isRetired else { return false }
    spares[Int(worker.pool.rawValue)].append(worker.index)
    return true
  }
}
