import Glibc
import Logging
import TailraceCore
import TailracePlatform

/// Workers whose thread the system refused, for example at a limit of processes: the pool goes on without them.
struct AbsentWorkers {
  /// How many, by pool.
  var counts = [Int](repeating: 0, count: PoolID.count)
  /// The error number of the last refusal.
  var error: Int32 = 0
}

extension Scheduler {
  /// Who has no thread, the timer or the first pool whose workers have none, as ``health(_:)`` words it; nil: nobody.
  package var missingThreads: HealthReason? {
    if let error = timer.refused { return .timerNotStarted(error: error) }
    let absent = withState { state in state.absentWorkers }
    return PoolID.allCases.first { absent.counts[Int($0.rawValue)] > 0 }.map { pool in
      .workersNotStarted(
        pool, missing: absent.counts[Int(pool.rawValue)], of: configuration[pool].workers, error: absent.error)
    }
  }

  /// The system refused a worker's thread. The pool has one worker less from now on; what was handed to the worker
  /// waits again, where it was. ``health(_:)`` says so.
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

/// What an error number means, as the system words it.
func systemError(_ number: Int32) -> String { String(cString: strerror(number)) }
