import Glibc
import Logging
import TailraceCore
import TailracePlatform

/// Workers without a thread because the system refused one, for example at a process limit. The pool runs without them.
struct AbsentWorkers {
  /// The number of such workers, by pool.
  var counts = [Int](repeating: 0, count: PoolID.count)
  /// The error number of the last refusal.
  var error: Int32 = 0
}

extension Scheduler {
  /// The health reason for a missing thread: the timer's, or those of the first affected pool; nil: none is missing.
  package var missingThreads: HealthReason? {
    if let error = timer.refused { return .timerNotStarted(error: error) }
    let absent = withState { state in state.absentWorkers }
    return PoolID.allCases.first { absent.counts[Int($0.rawValue)] > 0 }.map { pool in
      .workersNotStarted(
        pool, missing: absent.counts[Int(pool.rawValue)], of: configuration[pool].workers, error: absent.error)
    }
  }

  /// Removes a worker whose thread could not be started from its pool. Its attempts return to their positions in the
  /// queue. ``health(_:)`` reports it.
  func workerDidNotStart(_ worker: Worker, error: Int32) {
    report { state, now, outbox in
      state.absentWorkers.counts[Int(worker.pool.rawValue)] += 1
      state.absentWorkers.error = error
      while let last = worker.inbox.popLast() {
        state.departures.add(value: last.payload)
        if last.token.reportsStart { state.core.attemptStarted(last.token, at: now) }
        state.core.attemptReturned(last.token, at: now, into: &outbox)
      }
      state.core.workerLeft(worker.index, pool: worker.pool, at: now)
    }
    logger.error(
      "cannot start a worker thread",
      metadata: ["pool": "\(worker.pool.name)", "worker": "\(worker.index)", "reason": "\(systemError(error))"])
  }
}

/// The system's description of an error number.
func systemError(_ number: Int32) -> String { String(cString: strerror(number)) }
