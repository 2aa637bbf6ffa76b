// Goal: a worker takes several jobs at once only where nobody is idle and no limit would be held without running.
import TailraceCore
import Testing

@Suite struct ClaimTests {
  private let claim = Claim(pool: .async, worker: 0, limit: 4)

  @Test func nobodyClaimsWhileAnotherIsIdle() throws {
    let driver = StepDriver { $0.asyncPool.workers = 3 }
    let type = driver.register()
    for _ in 0..<9 { _ = try driver.add(type) }
    driver.start(claiming: claim)
    #expect(driver.running.prefix(3).map(\.worker) == [0, 1, 2])
    #expect(driver.running.dropFirst(3).map(\.worker) == [0, 0, 0], "four in all")
    driver.start(claiming: Claim(pool: .async, worker: 1, limit: 2))
    #expect(driver.running.last?.worker == 1 && driver.running.count == 7)
  }

  @Test func claimsFollowThePolicy() throws {
    let driver = StepDriver()
    let type = driver.register()
    for priority in Priority.allCases.reversed() { _ = try driver.add(type, priority) }
    driver.start(claiming: claim)
    #expect(driver.startedNumbers == [5, 4, 3, 2])
    #expect(driver.core.gauges.running == 4)
  }

  @Test func jobsUnderALimitAreNotClaimed() throws {
    let rate = RateLimit(rate: Rate(perSecond: 1_000_000_000), burst: 100)
    for limited in [(3, nil), (nil, rate)] as [(Int?, RateLimit?)] {
      let driver = StepDriver()
      let type = driver.register(concurrency: limited.0, rate: limited.1)
      for _ in 0..<3 { _ = try driver.add(type) }
      driver.start(claiming: claim)
      #expect(driver.running.count == 1)
    }
    let driver = StepDriver { $0.asyncPool = PoolConfiguration(workers: 1, rate: rate) }
    let type = driver.register()
    for _ in 0..<3 { _ = try driver.add(type) }
    driver.start(claiming: claim)
    #expect(driver.running.count == 1)
  }

  @Test func whatAWorkerClaimedBesidesEndsWithoutTouchingTheGateOfItsLimitedJob() throws {
    let driver = StepDriver()
    driver.core.reportsStarts = true
    let limited = driver.register("limited", rate: RateLimit(rate: Rate(perSecond: 100)))
    let free = driver.register("free")
    let first = try driver.add(limited)
    let claimed = try driver.add(free)
    driver.start(claiming: claim)
    #expect(driver.running.map(\.job) == [first, claimed], "both are held by the one worker")
    try driver.end(claimed)
    driver.cancel(first)
    try driver.end(first, .cancelled)
    let second = try driver.add(limited)
    driver.start()
    #expect(driver.running.map(\.job) == [second], "the turn of a start that never came is free again")
  }

  @Test func aWorkerIsIdleAgainWhenItsLastClaimEnds() throws {
    let driver = StepDriver()
    let type = driver.register()
    let jobs = try (0..<4).map { _ in try driver.add(type) }
    _ = try driver.add(type)
    driver.start(claiming: claim)
    for id in jobs.dropLast() { try driver.finish(id) }
    #expect(driver.running.map(\.job) == [jobs[3]])
    try driver.finish(jobs[3])
    #expect(driver.startedNumbers.last == 5)
  }
}

@Suite struct ReturnedClaimTests {
  @Test func returnedAttemptsWaitAgainInTheirOldOrder() throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 1
    configuration.policy = .fifo
    var core = try SchedulerCore(configuration)
    let type = try core.register(JobTypeConfiguration(name: "a"))
    var outbox = Outbox()
    for number in 0..<6 {
      _ = core.jobSubmitted(
        JobSubmission(type: type, number: UInt64(number), intended: .zero, submitted: .zero), at: .zero, into: &outbox)
    }
    core.startJobs(at: .zero, claiming: Claim(pool: .async, worker: 0, limit: 4), into: &outbox)
    let handedOut = Array(outbox.orders).compactMap { if case .startAttempt(let token) = $0 { token } else { nil } }
    #expect(handedOut.map(\.number) == [0, 1, 2, 3])
    let ahead = core.hasClaimsAhead(in: .async)
    #expect(ahead)
    for token in handedOut.dropFirst().reversed() { core.attemptReturned(token, at: .zero, into: &outbox) }
    let left1 = core.hasClaimsAhead(in: .async)
    #expect(!left1)
    try check(&core)
    outbox.clear()
    core.attemptEnded(
      handedOut[0], started: .zero, finished: .zero, outcome: .succeeded, at: .zero, into: &outbox)
    core.startJobs(at: .zero, claiming: Claim(pool: .async, worker: 0, limit: 10), into: &outbox)
    let again = Array(outbox.orders).compactMap { if case .startAttempt(let token) = $0 { token } else { nil } }
    #expect(again.map(\.number) == [1, 2, 3, 4, 5])
    try check(&core)
  }

  /// What several workers hold goes back worker by worker, and their rows are interleaved.
  @Test func attemptsThatSeveralWorkersReturnWaitInTheirOldOrder() throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 3
    configuration.policy = .fifo
    var core = try SchedulerCore(configuration)
    let type = try core.register(JobTypeConfiguration(name: "a"))
    var outbox = Outbox()
    for number in 0..<9 {
      _ = core.jobSubmitted(
        JobSubmission(type: type, number: UInt64(number), intended: .zero, submitted: .zero), at: .zero, into: &outbox)
    }
    for worker in [UInt16(1), 0, 2] {
      core.startJobs(at: .zero, claiming: Claim(pool: .async, worker: worker, limit: 2), into: &outbox)
    }
    let handedOut = Array(outbox.orders).compactMap { if case .startAttempt(let token) = $0 { token } else { nil } }
    #expect(handedOut.map(\.number) == [0, 1, 2, 3, 4, 5])
    for worker in [UInt16(2), 1, 0] {
      for token in handedOut.reversed() where token.worker == worker {
        core.attemptReturned(token, at: .zero, into: &outbox)
      }
    }
    try check(&core)
    outbox.clear()
    core.startJobs(at: .zero, claiming: Claim(pool: .async, worker: 1, limit: 10), into: &outbox)
    let again = Array(outbox.orders).compactMap { if case .startAttempt(let token) = $0 { token } else { nil } }
    #expect(again.map(\.number) == [0, 1, 2, 3, 4, 5, 6, 7, 8])
    try check(&core)
  }

  /// A worker reports in batches: what it has done and not reported must not keep the others from working.
  @Test func unreportedAttemptsDoNotKeepOthersIdle() throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 2
    configuration.policy = .fifo
    var core = try SchedulerCore(configuration)
    let type = try core.register(JobTypeConfiguration(name: "a"))
    var outbox = Outbox()
    for number in 0..<7 {
      _ = core.jobSubmitted(
        JobSubmission(type: type, number: UInt64(number), intended: .zero, submitted: .zero), at: .zero, into: &outbox)
    }
    core.startJobs(at: .zero, claiming: Claim(pool: .async, worker: 0, limit: 6), into: &outbox)
    let handedOut = Array(outbox.orders).compactMap { if case .startAttempt(let token) = $0 { token } else { nil } }
    #expect(handedOut.count == 7)
    let other = try #require(handedOut.first { $0.worker == 1 })
    outbox.clear()
    core.attemptEnded(other, started: .zero, finished: .zero, outcome: .succeeded, at: .zero, into: &outbox)
    let numbers = handedOut.filter { $0.worker == 0 }.map(\.number)
    // It runs its fourth and has reported none; the other worker asks for the rest.
    for token in handedOut.filter({ $0.worker == 0 })[4...].reversed() {
      core.attemptReturned(token, at: .zero, into: &outbox)
    }
    core.startJobs(at: .zero, into: &outbox)
    let given = Array(outbox.orders).compactMap { if case .startAttempt(let token) = $0 { token } else { nil } }
    #expect(given.map(\.worker) == [1])
    #expect(given.map(\.number) == [numbers[4]])
    try check(&core)
  }

  @Test func aStoppedClaimThatIsReturnedIsOver() throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 1
    var core = try SchedulerCore(configuration)
    let type = try core.register(JobTypeConfiguration(name: "a"))
    var outbox = Outbox()
    for number in 0..<2 {
      _ = core.jobSubmitted(
        JobSubmission(type: type, number: UInt64(number), intended: .zero, submitted: .zero), at: .zero, into: &outbox)
    }
    core.startJobs(at: .zero, claiming: Claim(pool: .async, worker: 0, limit: 4), into: &outbox)
    let handedOut = Array(outbox.orders).compactMap { if case .startAttempt(let token) = $0 { token } else { nil } }
    core.cancelRequested(handedOut[1].job, at: .zero, into: &outbox)
    core.attemptReturned(handedOut[1], at: .zero, into: &outbox)
    try check(&core)
    let left2 = core.hasClaimsAhead(in: .async)
    #expect(!left2)
    let abandoned = core.gauges.abandoned
    #expect(abandoned == 0)
  }

  private func check(_ core: inout SchedulerCore) throws {
    let problems = core.violatedInvariants()
    #expect(problems.isEmpty)
  }
}
