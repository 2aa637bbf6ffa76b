// Goal: a workflow completes when enough cycles succeeded, times out at its limit, and no failed cycle stops it.

import TailraceCore
import TailraceHarness
import Testing

struct WorkflowTests {
  @Test func completesWhenEnoughCyclesSucceeded() {
    var state = WorkflowState(job: 1, needed: 2, limit: 15, at: Instant(nanoseconds: 5))
    #expect(state.status == .processing && state.updated == Instant(nanoseconds: 5))
    state.finishCycle(failed: false, at: Instant(nanoseconds: 10))
    #expect(state.status == .processing && state.succeeded == 1 && state.updated == Instant(nanoseconds: 10))
    state.finishCycle(failed: true, at: Instant(nanoseconds: 20))
    #expect(state.status == .processing && state.succeeded == 1 && state.updated == Instant(nanoseconds: 20))
    state.finishCycle(failed: false, at: Instant(nanoseconds: 30))
    #expect(state.status == .completed && state.cycles == 3)
  }

  @Test func timesOutAtTheLimit() {
    var state = WorkflowState(job: 1, needed: 3, limit: 3, at: .zero)
    state.finishCycle(failed: false, at: .zero)
    state.finishCycle(failed: true, at: .zero)
    state.finishCycle(failed: false, at: .zero)
    #expect(state.status == .timedOut && state.cycles == 3 && state.succeeded == 2)
  }

  @Test func lastPermittedCycleMayComplete() {
    var state = WorkflowState(job: 1, needed: 1, limit: 1, at: .zero)
    state.finishCycle(failed: false, at: .zero)
    #expect(state.status == .completed)
  }

  @Test func boardForgetsTheOldestWorkflow() {
    let board = WorkflowBoard(limit: 3)
    for job in 1...5 { board.update(WorkflowState(job: UInt64(job), needed: 1, limit: 1, at: .zero)) }
    #expect(board.count == 3)
    #expect(board.state(of: 2) == nil)
    #expect(board.state(of: 3) != nil)
    var state = WorkflowState(job: 4, needed: 1, limit: 1, at: .zero)
    state.finishCycle(failed: false, at: .zero)
    board.update(state)
    #expect(board.state(of: 4)?.status == .completed)
    #expect(board.count == 3)
  }
}
