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
    #expect(driver.startedTags == [5, 4, 3, 2])
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

  @Test func aWorkerIsIdleAgainWhenItsLastClaimEnds() throws {
    let driver = StepDriver()
    let type = driver.register()
    let jobs = try (0..<4).map { _ in try driver.add(type) }
    _ = try driver.add(type)
    driver.start(claiming: claim)
    for id in jobs.dropLast() { try driver.finish(id) }
    #expect(driver.running.map(\.job) == [jobs[3]])
    try driver.finish(jobs[3])
    #expect(driver.startedTags.last == 5)
  }
}
