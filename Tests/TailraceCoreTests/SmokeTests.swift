// Goal: a job goes through the scheduler from submission to completion.
import TailraceCore
import Testing

@Suite struct SmokeTests {
  @Test func jobRunsAndCompletes() throws {
    var core = SchedulerCore(SchedulerConfiguration())
    let type = core.register(JobTypeConfiguration(name: "a"))
    var outbox = Outbox()
    let start = Instant.zero
    let admission = core.jobSubmitted(
      JobSubmission(type: type, tag: 7, intended: start, submitted: start), at: start, into: &outbox)
    guard case .accepted(let id) = admission else { throw Problem.notAccepted }
    core.startJobs(at: start, into: &outbox)
    guard case .startAttempt(let token) = try #require(outbox.orders.first) else { throw Problem.notStarted }
    #expect(core.state(of: id) == .running)
    outbox.clear()
    let end = start + .milliseconds(5)
    core.attemptEnded(token, started: start, finished: end, outcome: .succeeded, at: end, into: &outbox)
    core.startJobs(at: end, into: &outbox)
    #expect(outbox.orders.contains(.settleJob(id, .completed, .succeeded)))
    #expect(outbox.records.count == 1 && outbox.records[0].job == 7 && outbox.records[0].settles)
    #expect(core.violatedInvariants().isEmpty)
  }

  enum Problem: Error { case notAccepted, notStarted }
}
