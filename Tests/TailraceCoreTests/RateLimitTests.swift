// Goal: in no window of any length do more jobs start than burst and rate allow, however late starts really come.
import TailraceCore
import Testing

/// How many instants lie beyond `burst + w × rate` in the worst window of them.
func excess(_ starts: [Instant], over limit: RateLimit) -> Int {
  let sorted = starts.sorted()
  var worst = 0
  for first in sorted.indices {
    for last in first..<sorted.endIndex {
      let allowed = Double(limit.burst) + (sorted[last] - sorted[first]).seconds * limit.rate.perSecond
      worst = max(worst, last - first + 1 - Int(allowed + 1e-6))
    }
  }
  return worst
}

@Suite struct RateLimitTests {
  private let limit = RateLimit(rate: Rate(perSecond: 100), burst: 3)

  private func starts(_ driver: StepDriver) -> [Instant] { driver.records.map(\.started) }

  /// Runs all jobs to their end, each attempt without length.
  private func runAll(_ driver: StepDriver) throws {
    driver.start()
    while driver.core.gauges.inSystem > 0 {
      if let token = driver.running.first {
        try driver.finish(token.job)
      } else {
        driver.advance(to: try #require(driver.timer))
      }
    }
  }

  @Test func aBurstThenExactlyTheRate() throws {
    let driver = StepDriver { $0.asyncPool = PoolConfiguration(workers: 8, rate: limit) }
    let type = driver.register()
    for _ in 0..<8 { _ = try driver.add(type) }
    try runAll(driver)
    #expect(starts(driver).map { $0.nanoseconds / 1_000_000 } == [0, 0, 0, 10, 20, 30, 40, 50])
    #expect(excess(starts(driver), over: limit) == 0)
  }

  @Test func anIdleTimeEarnsOneBurstAndNoMore() throws {
    let driver = StepDriver { $0.asyncPool.workers = 8 }
    let type = driver.register(rate: limit)
    for _ in 0..<3 { _ = try driver.add(type) }
    try runAll(driver)
    driver.advance(by: .seconds(10))
    for _ in 0..<5 { _ = try driver.add(type) }
    try runAll(driver)
    #expect(starts(driver).dropFirst(3).map { ($0.nanoseconds - 10_000_000_000) / 1_000_000 } == [0, 0, 0, 10, 20])
  }

  @Test func aTypesRateStopsNobodyElse() throws {
    let driver = StepDriver { $0.asyncPool.workers = 8 }
    let (limited, free) = (driver.register("limited", rate: RateLimit(rate: limit.rate)), driver.register("free"))
    for _ in 0..<3 { _ = try driver.add(limited, .critical) }
    _ = try driver.add(free, .batch)
    driver.start()
    #expect(driver.startedNumbers == [1, 4])
  }

  @Test func latenessMovesTheRest() throws {
    let driver = StepDriver { $0.asyncPool.workers = 8 }
    driver.core.reportsStarts = true
    let type = driver.register(rate: RateLimit(rate: limit.rate))
    let jobs = try (0..<2).map { _ in try driver.add(type) }
    driver.start()
    #expect(driver.running.map(\.reportsStart) == [true])
    driver.advance(by: .milliseconds(25))
    #expect(driver.running.count == 1, "nothing follows a start that is not reported")
    try driver.reportStart(of: jobs[0])
    driver.advance(by: .nanoseconds(9_999_999))
    #expect(driver.running.count == 1)
    driver.advance(by: .nanoseconds(1))
    #expect(driver.running.count == 2)
    try driver.end(jobs[0])
    #expect(driver.records[0].started == .zero + .milliseconds(25))
  }

  @Test func aGrantThatIsUsedLongAfterIsNotSpentTwice() throws {
    let burst = RateLimit(rate: limit.rate, burst: 2)
    let driver = StepDriver { $0.asyncPool.workers = 8 }
    driver.core.reportsStarts = true
    let type = driver.register(rate: burst)
    let late = try driver.add(type)
    driver.start()
    driver.advance(by: .seconds(1))
    var real: [Instant] = []
    for _ in 0..<3 {
      let id = try driver.add(type)
      driver.start()
      guard driver.core.state(of: id) == .running else { continue }
      try driver.reportStart(of: id)
      real.append(driver.now)
    }
    try driver.reportStart(of: late)
    real.append(driver.now)
    #expect(excess(real, over: burst) == 0)
  }

  @Test func anAttemptThatNeverStartedGivesItsPlaceBack() throws {
    let driver = StepDriver { $0.asyncPool = PoolConfiguration(workers: 2, rate: RateLimit(rate: limit.rate)) }
    driver.core.reportsStarts = true
    let type = driver.register()
    let (first, second) = (try driver.add(type), try driver.add(type))
    driver.start()
    driver.cancel(first)
    try driver.end(first, .cancelled)
    driver.advance(by: .milliseconds(20))
    #expect(driver.core.state(of: second) == .running)
    try driver.reportStart(of: second)
    try driver.finish(second)
  }

  @Test func limitsOfExtremeSizeStayInRange() throws {
    for limit in [
      RateLimit(rate: Rate(perSecond: 1e-12), burst: 1_000_000), RateLimit(rate: Rate(perSecond: 1e12), burst: 1),
    ] {
      let driver = StepDriver { $0.asyncPool = PoolConfiguration(workers: 2, rate: limit) }
      let id = try driver.add(driver.register())
      driver.start()
      try driver.finish(id)
    }
  }
}

extension Nanoseconds {
  static func nanoseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count) }
}
