import TailraceCore
import TailracePlatform

/// The state of a workflow that runs in cycles, updated after each cycle.
package struct WorkflowState: Hashable, Sendable, Codable {
  package enum Status: String, Sendable, Codable { case processing, completed, timedOut }

  /// The job's number on the tape.
  package var job: UInt64
  package var status: Status
  /// Cycles that ran, failed ones included.
  package var cycles: Int
  /// Successful cycles; the workflow needs ``needed`` of them.
  package var succeeded: Int
  package var needed: Int
  /// The most cycles that may run.
  package var limit: Int
  /// When the last cycle ended; before the first one, when the workflow began.
  package var updated: Instant

  /// Begins a workflow. `needed` is at least 1; a `limit` below 1 counts as 1.
  package init(job: UInt64, needed: Int, limit: Int, at now: Instant) {
    self.job = job
    self.needed = max(1, needed)
    self.limit = max(1, limit)
    status = .processing
    cycles = 0
    succeeded = 0
    updated = now
  }

  /// Records the end of a cycle. A failed cycle does not count and does not stop the workflow.
  package mutating func finishCycle(failed: Bool, at now: Instant) {
    cycles += 1
    if !failed { succeeded += 1 }
    updated = now
    if succeeded >= needed {
      status = .completed
    } else if cycles >= limit {
      status = .timedOut
    }
  }
}

/// The states of the latest workflows.
package final class WorkflowBoard: Sendable {
  private struct Board {
    var states: [UInt64: WorkflowState] = [:]
    /// Jobs in order of their first update. The first is removed when the board is full.
    var order: [UInt64] = []
    var next = 0
  }

  private let board = Locked(Board())
  private let limit: Int

  /// Makes an empty board for at most `limit` workflows.
  package init(limit: Int = 1_000) { self.limit = max(1, limit) }

  /// The last known state of a job's workflow; nil when it never began or has been forgotten.
  package func state(of job: UInt64) -> WorkflowState? { board.withLock { $0.states[job] } }

  /// Workflows on the board.
  package var count: Int { board.withLock { $0.states.count } }

  /// Puts a state on the board; the oldest workflow leaves when there is no room.
  package func update(_ state: WorkflowState) {
    board.withLock { board in
      if board.states.updateValue(state, forKey: state.job) != nil { return }
      if board.order.count < limit {
        board.order.append(state.job)
        return
      }
      board.states[board.order[board.next]] = nil
      board.order[board.next] = state.job
      board.next = (board.next + 1) % limit
    }
  }
}
