// Goal: a failed attempt is followed by another after exactly the time that backoff, cap and jitter give.
import TailraceCore
import Testing

@Suite struct RetryTests {
  /// The waits before each retry of one job that always fails, as a driver sees them.
  private func waits(_ policy: RetryPolicy, seed: UInt64 = 0, number: UInt64 = 1, noise: Int = 0) throws -> [Int64] {
    let driver = StepDriver {
      $0.retry = policy
      $0.seed = seed
    }
    let type = driver.register()
    // Other jobs that fail meanwhile must not change this one's luck.
    for other in 0..<UInt64(noise) {
      _ = try driver.add(type, .critical) {
        $0.number = 1_000 + other
        $0.retry = RetryPolicy(limit: 1, backoff: .none)
      }
    }
    let id = try driver.add(type) { $0.number = number }
    driver.start()
    while driver.core.state(of: id)?.isTerminal == false {
      if let token = driver.running.first {
        driver.advance(by: .milliseconds(1))
        try driver.finish(token.job, .failed)
      } else {
        driver.advance(to: try #require(driver.timer))
      }
    }
    #expect(driver.settlements[id] == .init(.deadLettered, .failed))
    let records = driver.records.filter { $0.number == number }
    #expect(records.map { Int($0.attempt) } == Array(1...(policy.limit + 1)))
    for (before, after) in zip(records, records.dropFirst()) { #expect(after.previousFinished == before.finished) }
    return records.dropFirst().map { ($0.eligible - $0.previousFinished).rawValue / 1_000_000 }
  }

  @Test func neverMeansOneAttempt() throws {
    #expect(try waits(.never) == [])
  }

  @Test func eachBackoff() throws {
    let second = Duration.seconds(1)
    func policy(_ backoff: Backoff, limit: Int = 4, cap: Duration = .seconds(60)) -> RetryPolicy {
      RetryPolicy(limit: limit, backoff: backoff, jitter: .none, cap: cap)
    }
    #expect(try waits(policy(.none)) == [0, 0, 0, 0])
    #expect(try waits(policy(.fixed(second))) == [1_000, 1_000, 1_000, 1_000])
    #expect(try waits(policy(.linear(base: second))) == [1_000, 2_000, 3_000, 4_000])
    #expect(try waits(policy(.exponential(base: second, factor: 2))) == [1_000, 2_000, 4_000, 8_000])
    #expect(try waits(policy(.exponential(base: second, factor: 1.5))) == [1_000, 1_500, 2_250, 3_375])
    #expect(try waits(policy(.exponential(base: second, factor: 3), cap: .seconds(5))) == [1_000, 3_000, 5_000, 5_000])
    #expect(
      try waits(policy(.polynomial(base: second, power: 3), cap: .seconds(30))) == [1_000, 8_000, 27_000, 30_000])
    let many = try waits(policy(.exponential(base: second, factor: 10), limit: 400))
    #expect(many.suffix(398) == ArraySlice(repeating: 60_000, count: 398), "far beyond every number's range")
  }

  @Test func aWaitThatIsLongerThanTheUsualCapIsKeptUnlessACapIsGiven() throws {
    let hour = Duration.seconds(3_600)
    #expect(try waits(RetryPolicy(limit: 2, backoff: .fixed(hour), jitter: .none)) == [3_600_000, 3_600_000])
    let doubled = RetryPolicy(limit: 2, backoff: .exponential(base: hour, factor: 2), jitter: .none)
    #expect(try waits(doubled) == [3_600_000, 3_600_000])
    let capped = RetryPolicy(limit: 2, backoff: .fixed(hour), jitter: .none, cap: .seconds(60))
    #expect(try waits(capped) == [60_000, 60_000])
  }

  @Test func jitterStaysInItsRangeAndFillsIt() throws {
    let full = try waits(RetryPolicy(limit: 200, backoff: .fixed(.seconds(1)), jitter: .full))
    #expect(full.allSatisfy { (0...1_000).contains($0) } && full.min()! < 50 && full.max()! > 950)
    let equal = try waits(RetryPolicy(limit: 200, backoff: .fixed(.seconds(1)), jitter: .equal))
    #expect(equal.allSatisfy { (500...1_000).contains($0) } && equal.min()! < 525 && equal.max()! > 975)
  }

  @Test func decorrelatedJitterGrowsFromTheWaitBefore() throws {
    let policy = RetryPolicy(limit: 300, backoff: .fixed(.seconds(1)), jitter: .decorrelated, cap: .seconds(50))
    let waits = try waits(policy)
    var before: Int64 = 1_000
    for wait in waits {
      #expect((1_000...max(1_000, min(50_000, 3 * before + 3))).contains(wait))
      before = wait
    }
    #expect(waits.contains(50_000) && waits.min()! < 2_000, "it reaches the cap and comes down again")
    #expect(try self.waits(policy, noise: 3) == waits)
  }

  @Test func aJobWhoseAttemptsCrashIsPoisonBeforeItsRetriesAreSpent() throws {
    let driver = StepDriver { $0.retry = RetryPolicy(limit: 10, backoff: .none, crashLimit: 2) }
    let type = driver.register()
    let poison = try driver.add(type)
    driver.start()
    for outcome in [AttemptOutcome.crashed, .failed, .crashed] { try driver.finish(poison, outcome) }
    #expect(driver.settlements[poison] == .init(.deadLettered, .crashed))
    let failing = try driver.add(type)
    driver.start()
    for _ in 0...10 { try driver.finish(failing, .failed) }
    #expect(driver.settlements[failing] == .init(.deadLettered, .failed))
  }

  @Test func drawsBelongToSeedJobAndRetryAlone() throws {
    let policy = RetryPolicy(limit: 5)
    let reference = try waits(policy)
    #expect(try waits(policy, noise: 3) == reference)
    #expect(try waits(policy, seed: 1) != reference)
    #expect(try waits(policy, number: 2) != reference)
    #expect(Set(reference).count > 1)
  }

  @Test func permanentFailureIsNotRetried() throws {
    let driver = StepDriver { $0.retry = RetryPolicy(limit: 5, backoff: .none) }
    let id = try driver.add(driver.register())
    driver.start()
    try driver.finish(id, .failedPermanently)
    #expect(driver.settlements[id] == .init(.deadLettered, .failedPermanently))
    #expect(driver.core.gauges.retries == 0 && driver.core.attempts(of: id) == 1)
  }

  @Test func theTypesPolicyReplacesTheSchedulersAndTheSubmissionsBoth() throws {
    let driver = StepDriver { $0.retry = .never }
    let type = driver.register(retry: RetryPolicy(limit: 1, backoff: .none))
    let ofType = try driver.add(type)
    let own = try driver.add(type) { $0.retry = RetryPolicy(limit: 2, backoff: .none) }
    driver.start()
    while let token = driver.running.first { try driver.finish(token.job, .failed) }
    #expect(driver.core.attempts(of: ofType) == 2 && driver.core.attempts(of: own) == 3)
  }

  @Test func aLateTimerIsWaitingTimeAndNotBackoff() throws {
    let driver = StepDriver { $0.retry = RetryPolicy(limit: 1, backoff: .fixed(.milliseconds(10)), jitter: .none) }
    let id = try driver.add(driver.register())
    driver.start()
    try driver.finish(id, .failed)
    driver.oversleep(by: .milliseconds(17))
    driver.fireTimer()
    try driver.finish(id)
    let record = driver.records(of: id)[1]
    #expect(record.eligible - record.previousFinished == .milliseconds(10))
    #expect(record.started - record.eligible == .milliseconds(7))
  }

  @Test func attemptsAreCountedWhenTheyStart() throws {
    let driver = StepDriver { $0.retry = RetryPolicy(limit: 1, backoff: .fixed(.seconds(1))) }
    let id = try driver.add(driver.register())
    #expect(driver.core.attempts(of: id) == 0)
    driver.start()
    #expect(driver.core.attempts(of: id) == 1)
    try driver.finish(id, .failed)
    #expect(driver.core.attempts(of: id) == 1)
    driver.cancel(id)
    #expect(driver.core.attempts(of: id) == 1, "the second never started")
  }

  @Test func delayedJobStartsAtItsInstant() throws {
    let driver = StepDriver()
    let id = try driver.add(driver.register()) { $0.delay = .milliseconds(30) }
    driver.start()
    #expect(driver.core.state(of: id) == .scheduled && driver.timer == .zero + .milliseconds(30))
    driver.advance(by: .milliseconds(30))
    #expect(driver.core.state(of: id) == .running)
    try driver.finish(id)
    let record = driver.records(of: id)[0]
    #expect(record.eligible - record.accepted == .milliseconds(30) && record.started == record.eligible)
  }
}
