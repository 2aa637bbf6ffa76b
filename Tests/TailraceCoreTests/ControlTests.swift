// Goal: a pool finds its own limit, its own number of workers and its own queue length, by the documented rules.
import TailraceCore
import Testing

@Suite struct AdaptiveLimitTests {
  private func driver(_ rule: AdaptiveConcurrency.Rule, initial: Int, workers: Int = 100) -> StepDriver {
    StepDriver {
      $0.asyncPool = PoolConfiguration(workers: workers, adaptive: AdaptiveConcurrency(rule, initial: initial))
      $0.queueCapacity = 100_000
      $0.retainedCount = 0
    }
  }

  /// Keeps the pool full while attempts take a time that follows from how many run; returns the limit after each.
  private func limits(_ driver: StepDriver, attempts: Int, takes: (Int) -> Nanoseconds) throws -> [Int] {
    let type = driver.register()
    for _ in 0..<200 { _ = try driver.add(type) }
    driver.start()
    return try (0..<attempts).map { _ in
      let running = driver.running.count
      // Attempts of a round end one after another, as many in the time of one as run at once.
      driver.advance(by: takes(running).scaled(by: 1 / Double(running)))
      let token = driver.running[0]
      driver.backdate(token, by: takes(running))
      _ = try driver.add(type)
      try driver.finish(token.job)
      return driver.core.concurrencyLimit(of: .async)
    }
  }

  @Test func additiveIncreaseAddsOneARound() throws {
    let driver = driver(.aimd(target: .milliseconds(100), backoff: 0.5), initial: 10)
    let limits = try limits(driver, attempts: 25) { _ in .milliseconds(10) }
    #expect(limits[8] == 10 && limits[10] == 11 && limits[22] == 12, "\(limits)")
  }

  @Test func aSlowAttemptOrOneThatIsLostMultipliesTheLimit() throws {
    for outcome in [AttemptOutcome.succeeded, .crashed] {
      let driver = driver(.aimd(target: .milliseconds(100), backoff: 0.5), initial: 10)
      let id = try driver.add(driver.register())
      driver.start()
      driver.advance(by: outcome == .crashed ? .milliseconds(1) : .milliseconds(101))
      try driver.finish(id, outcome)
      #expect(driver.core.concurrencyLimit(of: .async) == 5)
    }
  }

  @Test func anUnusedLimitDoesNotGrow() throws {
    for rule in [AdaptiveConcurrency.Rule.aimd(target: .milliseconds(9), backoff: 0.9), .gradient(tolerance: 1.5)] {
      let driver = driver(rule, initial: 10)
      let type = driver.register()
      for _ in 0..<50 {
        let id = try driver.add(type)
        driver.start()
        driver.advance(by: .milliseconds(1))
        try driver.finish(id)
      }
      #expect(driver.core.concurrencyLimit(of: .async) == 10)
    }
  }

  /// Where attempts get slower beyond ten at once, both rules settle near ten, from below and from above.
  @Test(arguments: [2, 80]) func theLimitFindsWhatTheMachineBehindCanDo(initial: Int) throws {
    for rule in [AdaptiveConcurrency.Rule.aimd(target: .milliseconds(13), backoff: 0.9), .gradient(tolerance: 1.1)] {
      let limits = try limits(driver(rule, initial: initial), attempts: 4_000) { running in
        Nanoseconds.milliseconds(10).scaled(by: max(1, Double(running) / 10))
      }
      // The gradient goes down for a moment now and then, to see what is unloaded.
      let last = limits.suffix(1_000).sorted()
      #expect(last[0] >= 3 && last[999] <= 25, "\(rule): \(last[0]) to \(last[999])")
      #expect((7...20).contains(last[500]), "\(rule): \(last[500])")
    }
  }

  @Test func theLimitStaysBetweenItsBounds() throws {
    let driver = StepDriver {
      $0.asyncPool = PoolConfiguration(
        workers: 50, concurrency: 12,
        adaptive: AdaptiveConcurrency(.aimd(target: .milliseconds(5), backoff: 0.5), initial: 30, least: 3))
      $0.queueCapacity = 10_000
      $0.retainedCount = 0
    }
    #expect(driver.core.concurrencyLimit(of: .async) == 12)
    let slow = try limits(driver, attempts: 10) { _ in .milliseconds(6) }
    #expect(slow.min() == 3)
    #expect(try limits(driver, attempts: 200) { _ in .milliseconds(1) }.max() == 12)
  }
}

@Suite struct AutoscalingTests {
  @Test func workersComeWithTheQueuesAgeAndGoWhenNothingWaits() throws {
    let driver = StepDriver {
      $0.asyncPool = PoolConfiguration(
        workers: 5,
        autoscaling: Autoscaling(
          least: 1, queueAge: .milliseconds(100), interval: .milliseconds(50), cooldown: .milliseconds(200), step: 2))
    }
    let type = driver.register()
    let jobs = try (0..<8).map { _ in try driver.add(type) }
    driver.start()
    #expect(driver.running.count == 1)
    driver.advance(to: .zero + .milliseconds(100))
    #expect(driver.running.count == 1, "they have waited no longer than they may")
    driver.advance(to: .zero + .milliseconds(150))
    #expect(driver.running.count == 3)
    driver.advance(to: .zero + .milliseconds(400))
    #expect(driver.running.count == 5, "all there are")
    for id in jobs { try driver.finish(id) }
    let idleSince = driver.now
    #expect(driver.core.concurrencyLimit(of: .async) == 5)
    driver.advance(to: idleSince + .milliseconds(240))
    #expect(driver.core.concurrencyLimit(of: .async) == 5, "not before it has been calm for so long")
    driver.advance(to: idleSince + .milliseconds(800))
    #expect(driver.core.concurrencyLimit(of: .async) == 1)
    #expect(driver.timer.map { $0 <= driver.now } ?? true, "nobody looks any more")
  }

  @Test func whatOtherLimitsHoldUpBringsNoWorkers() throws {
    let driver = StepDriver {
      $0.asyncPool = PoolConfiguration(workers: 5, autoscaling: Autoscaling(least: 2, queueAge: .milliseconds(10)))
    }
    let type = driver.register(concurrency: 1)
    for _ in 0..<5 { _ = try driver.add(type) }
    driver.start()
    driver.advance(by: .seconds(1))
    #expect(driver.core.concurrencyLimit(of: .async) == 2)
  }
}

@Suite struct ControlledDelayTests {
  private func driver() -> StepDriver {
    StepDriver {
      $0.asyncPool = PoolConfiguration(
        workers: 1, codel: CoDelConfiguration(target: .milliseconds(5), interval: .milliseconds(100)))
    }
  }

  /// One worker takes 10 ms a job, and jobs come every 8 ms: the queue stands and grows.
  private func overload(_ driver: StepDriver, for time: Nanoseconds) throws {
    let type = driver.register()
    var (nextJob, nextEnd) = (driver.now, Instant.distantFuture)
    let end = driver.now + time
    while min(nextJob, nextEnd) < end {
      driver.advance(to: min(nextJob, nextEnd))
      if nextEnd <= nextJob {
        try driver.end(driver.running[0].job)
        nextEnd = .distantFuture
      } else {
        _ = try driver.add(type)
        nextJob = nextJob + .milliseconds(8)
      }
      driver.start()
      if nextEnd == .distantFuture, !driver.running.isEmpty { nextEnd = driver.now + .milliseconds(10) }
    }
  }

  private func shed(_ driver: StepDriver) -> [Int64] {
    driver.records.filter { $0.settles && $0.cause == .shed }.map { $0.finished.nanoseconds / 1_000_000 }
  }

  @Test func aStandingQueueIsCutDownFasterAndFaster() throws {
    let driver = driver()
    try overload(driver, for: .seconds(3))
    let shed = shed(driver)
    #expect(shed.count > 10)
    // The third job is the first that waits as long as 5 ms; an interval later the first is shed, then one after
    // 100/√1, 100/√2, … ms, at the next job that a worker comes to take.
    #expect((120...150).contains(shed[0]), "\(shed)")
    let gaps = zip(shed.dropFirst(), shed).map { $0 - $1 }
    #expect((90...110).contains(gaps[0]) && (60...80).contains(gaps[1]) && (50...70).contains(gaps[2]), "\(gaps)")
    let waits = driver.records.filter { $0.started > .zero + .seconds(2) }.map { ($0.started - $0.eligible).seconds }
    #expect(waits.reduce(0, +) / Double(waits.count) < 0.1, "without it they would wait 400 ms by then")
  }

  @Test func aBurstIsLeftAlone() throws {
    let driver = driver()
    let type = driver.register()
    for _ in 0..<9 { _ = try driver.add(type) }
    driver.start()
    while let token = driver.running.first {
      driver.advance(by: .milliseconds(10))
      try driver.finish(token.job)
    }
    #expect(shed(driver).isEmpty && driver.startedNumbers.count == 9)
  }

  @Test func theLastJobIsNeverShed() throws {
    let driver = driver()
    let type = driver.register()
    for _ in 0..<40 { _ = try driver.add(type) }
    driver.start()
    while let token = driver.running.first {
      driver.advance(by: .milliseconds(60))
      try driver.finish(token.job)
    }
    #expect(!shed(driver).isEmpty)
    #expect(driver.startedNumbers.last == 40)
  }
}
