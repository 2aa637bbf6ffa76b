// Goal: a workflow completes when enough cycles succeeded, fails at its limit, no failed cycle stops it, and each is
// counted.

import TailraceHarness
import Testing

struct WorkflowTests {
  @Test func completesWhenEnoughCyclesSucceeded() {
    var state = WorkflowState(needed: 2, limit: 15)
    #expect(state.status == .processing)
    state.finishCycle(failed: false)
    #expect(state.status == .processing && state.succeeded == 1)
    state.finishCycle(failed: true)
    #expect(state.status == .processing && state.succeeded == 1)
    state.finishCycle(failed: false)
    #expect(state.status == .completed && state.cycles == 3)
  }

  @Test func timesOutAtTheLimit() {
    var state = WorkflowState(needed: 3, limit: 3)
    state.finishCycle(failed: false)
    state.finishCycle(failed: true)
    state.finishCycle(failed: false)
    #expect(state.status == .timedOut && state.cycles == 3 && state.succeeded == 2)
  }

  @Test func lastPermittedCycleMayComplete() {
    var state = WorkflowState(needed: 1, limit: 1)
    state.finishCycle(failed: false)
    #expect(state.status == .completed)
  }

  @Test func everyWorkflowIsCountedOnce() {
    let tally = WorkflowTally()
    for _ in 0..<3 { tally.begin() }
    #expect(tally.counts.running == 3 && tally.counts.unfinished == 3)
    var completed = WorkflowState(needed: 1, limit: 2)
    completed.finishCycle(failed: true)
    completed.finishCycle(failed: false)
    tally.end(completed)
    var failed = WorkflowState(needed: 1, limit: 1)
    failed.finishCycle(failed: true)
    tally.end(failed)
    tally.end(WorkflowState(needed: 1, limit: 1))
    tally.begin()
    var expected = WorkflowCounts()
    (expected.started, expected.completed, expected.timedOut) = (4, 1, 1)
    (expected.running, expected.runningMax) = (1, 3)
    (expected.cyclesSucceeded, expected.cyclesFailed) = (1, 2)
    #expect(tally.counts == expected)
    #expect(tally.counts.unfinished == 2)
  }
}
