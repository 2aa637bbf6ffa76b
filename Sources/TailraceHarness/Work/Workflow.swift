import TailracePlatform

/// The state of a workflow that runs in cycles.
package struct WorkflowState: Hashable, Sendable {
  package enum Status: Sendable { case processing, completed, timedOut }

  package private(set) var status = Status.processing
  /// Cycles that ran, failed ones included.
  package private(set) var cycles = 0
  /// Successful cycles; the workflow needs ``needed`` of them.
  package private(set) var succeeded = 0
  package let needed: Int
  /// The most cycles that may run.
  package let limit: Int

  /// Begins a workflow. `needed` is at least 1; a `limit` below 1 counts as 1.
  package init(needed: Int, limit: Int) {
    self.needed = max(1, needed)
    self.limit = max(1, limit)
  }

  /// Records the end of a cycle. A failed cycle does not count and does not stop the workflow.
  package mutating func finishCycle(failed: Bool) {
    cycles += 1
    if !failed { succeeded += 1 }
    if succeeded >= needed {
      status = .completed
    } else if cycles >= limit {
      status = .timedOut
    }
  }
}

/// What the workflows of a run have done so far.
package struct WorkflowCounts: Hashable, Sendable {
  package var started = 0
  package var completed = 0
  /// Workflows that reached their limit of cycles.
  package var timedOut = 0
  package var running = 0
  /// The most workflows running at once.
  package var runningMax = 0
  /// Cycles of workflows that ended.
  package var cyclesSucceeded = 0
  package var cyclesFailed = 0
  package init() {}

  /// Workflows that were cancelled, or are running.
  package var unfinished: Int { started - completed - timedOut }
}

/// Counts the workflows of a run.
package final class WorkflowTally: Sendable {
  private let state = Locked(WorkflowCounts())

  package init() {}

  package var counts: WorkflowCounts { state.withLock { $0 } }

  package func begin() {
    state.withLock { counts in
      counts.started += 1
      counts.running += 1
      counts.runningMax = max(counts.runningMax, counts.running)
    }
  }

  /// Counts the end of a workflow; one that is still processing was cancelled.
  package func end(_ workflow: WorkflowState) {
    state.withLock { counts in
      counts.running -= 1
      counts.cyclesSucceeded += workflow.succeeded
      counts.cyclesFailed += workflow.cycles - workflow.succeeded
      switch workflow.status {
      case .processing: break
      case .completed: counts.completed += 1
      case .timedOut: counts.timedOut += 1
      }
    }
  }
}
