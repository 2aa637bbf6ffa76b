// Goal: pools and job types never run more at once than they may, and memory is never overdrawn.
import TailraceCore
import Testing

@Suite struct LimitTests {
  @Test func aPoolRunsNoMoreThanItsConcurrency() throws {
    let driver = StepDriver { $0.asyncPool = PoolConfiguration(workers: 4, concurrency: 2) }
    let type = driver.register()
    for _ in 0..<5 { _ = try driver.add(type) }
    driver.start()
    #expect(driver.running.count == 2)
    try driver.finish(driver.running[0].job)
    #expect(driver.running.count == 2)
  }

  @Test func aTypeAtItsLimitStopsNobodyElse() throws {
    let driver = StepDriver { $0.asyncPool.workers = 4 }
    let (limited, free) = (driver.register("limited", concurrency: 1), driver.register("free"))
    let first = try driver.add(limited, .critical)
    _ = try driver.add(limited, .critical)
    _ = try driver.add(limited, .batch)
    _ = try driver.add(free, .batch)
    driver.start()
    #expect(driver.startedNumbers == [1, 4])
    try driver.finish(first)
    #expect(driver.startedNumbers == [1, 4, 2])
  }

  @Test func aTypesLimitHoldsAcrossPools() throws {
    let driver = StepDriver()
    let limited = driver.register(concurrency: 1)
    let first = try driver.add(limited)
    let second = try driver.add(limited) { $0.pool = .thread }
    driver.start()
    #expect(driver.running.map(\.job) == [first])
    try driver.finish(first)
    #expect(driver.running.map(\.job) == [second])
  }

  @Test func aStoppedAttemptStillHoldsItsLimits() throws {
    let driver = StepDriver {
      $0.asyncPool.workers = 4
      $0.memoryBudget = 100 << 10
    }
    let type = driver.register(concurrency: 1, memory: 100 << 10)
    let (first, second) = (try driver.add(type), try driver.add(type))
    driver.start()
    driver.cancel(first)
    driver.start()
    #expect(driver.core.state(of: second) == .available)
    try driver.finish(first)
    #expect(driver.core.state(of: second) == .running)
  }

  // MARK: - Memory

  private func memoryDriver() -> (StepDriver, JobTypeID) {
    let driver = StepDriver {
      $0.policy = .fifo
      $0.asyncPool.workers = 4
      $0.threadPool.workers = 4
      $0.memoryBudget = 100 << 10
    }
    return (driver, driver.register())
  }

  @Test func nothingOvertakesAJobThatWaitsForMemory() throws {
    let (driver, type) = memoryDriver()
    let half = try driver.add(type) { $0.memory = 60 << 10 }
    let large = try driver.add(type) { $0.memory = 90 << 10 }
    let small = try driver.add(type) { $0.memory = 10 << 10 }
    let none = try driver.add(type, .batch) { $0.memory = 0 }
    driver.start()
    #expect(driver.running.map(\.job) == [half, none], "the others of its lane wait behind it")
    #expect(driver.core.state(of: small) == .available)
    try driver.finish(none)
    #expect(driver.running.map(\.job) == [half])
    try driver.finish(half)
    #expect(driver.running.map(\.job) == [large, small])
  }

  @Test func noOtherPoolTakesTheMemoryThatALargeJobWaitsFor() throws {
    let (driver, type) = memoryDriver()
    let held = try driver.add(type) { $0.memory = 50 << 10 }
    let alsoHeld = try driver.add(type) { $0.memory = 40 << 10 }
    driver.start()
    let large = try driver.add(type) {
      $0.memory = 90 << 10
      $0.pool = .thread
    }
    driver.start()
    let small = try driver.add(type) { $0.memory = 20 << 10 }
    driver.start()
    try driver.finish(held)
    #expect(driver.core.state(of: small) == .available)
    try driver.finish(alsoHeld)
    #expect(driver.core.state(of: large) == .running)
    try driver.finish(large)
    #expect(driver.core.state(of: small) == .running)
  }

  @Test func cancellingTheJobThatWaitsForMemoryLetsTheNextStart() throws {
    let (driver, type) = memoryDriver()
    _ = try driver.add(type) { $0.memory = 60 << 10 }
    let large = try driver.add(type) { $0.memory = 90 << 10 }
    let small = try driver.add(type) { $0.memory = 10 << 10 }
    let elsewhere = try driver.add(type, .low) { $0.memory = 10 << 10 }
    driver.start()
    driver.cancel(large)
    driver.start()
    #expect(driver.core.state(of: small) == .running && driver.core.state(of: elsewhere) == .running)
  }

  @Test func jobsWithoutMemoryOfTheirOwnTypesGoOn() throws {
    let (driver, type) = memoryDriver()
    let plain = driver.register("plain")
    for _ in 0..<2 { _ = try driver.add(type) { $0.memory = 90 << 10 } }
    _ = try driver.add(plain)
    driver.start()
    #expect(driver.startedNumbers == [1, 3])
  }
}
