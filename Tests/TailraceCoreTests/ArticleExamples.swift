// Goal: the example of the article in TailraceCore.docc compiles, runs and does what the article says.

import TailraceCore
import Testing

struct ArticleExamples {
  @Test func drivingTheCore() throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool = PoolConfiguration(workers: 1)
    var core = try SchedulerCore(configuration)
    let type = try core.register(JobTypeConfiguration(name: "print"))
    var outbox = Outbox()
    var now = Instant.zero

    // Facts of one instant, then one pass that starts jobs.
    for number in 0..<3 {
      let job = JobSubmission(type: type, number: UInt64(number), intended: now, submitted: now)
      guard case .accepted = core.jobSubmitted(job, at: now, into: &outbox) else { continue }
    }
    core.startJobs(at: now, into: &outbox)

    // Orders are carried out in their order. Here each attempt takes a second of a time that costs nothing.
    var done: [UInt64] = []
    while !outbox.orders.isEmpty {
      let orders = Array(outbox.orders)
      outbox.clear()
      for order in orders {
        switch order {
        case .startAttempt(let token):
          let started = now
          now = now + .seconds(1)
          done.append(token.number)
          core.attemptEnded(token, started: started, finished: now, outcome: .succeeded, at: now, into: &outbox)
          core.startJobs(at: now, into: &outbox)
        case .settleJob(_, let cause):
          #expect(cause == .succeeded)
        case .stopAttempt, .setTimer, .releaseSubmitter, .forgetJob, .settleBatch, .fireSchedule, .finishDraining:
          break
        }
      }
    }
    #expect(done == [0, 1, 2] && now == Instant.zero + .seconds(3))
    #expect(core.gauges.settledByCause[.succeeded] == 3)
    #expect(core.violatedInvariants().isEmpty)
  }
}
