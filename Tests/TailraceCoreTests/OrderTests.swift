// Goal: each policy starts jobs in the order that it promises, and only strict priority may starve.
import TailraceCore
import Testing

@Suite struct OrderTests {
  private let mix: [Priority] = [.low, .critical, .batch, .normal, .critical, .high]

  private func order(_ policy: DispatchPolicy, apart: Nanoseconds = .zero) throws -> [UInt64] {
    let driver = StepDriver { $0.policy = policy }
    let type = driver.register()
    for priority in mix {
      _ = try driver.add(type, priority)
      driver.advance(by: apart)
    }
    return try driver.runAll()
  }

  @Test func fifoIgnoresPriority() throws {
    #expect(try order(.fifo) == [1, 2, 3, 4, 5, 6])
  }

  @Test func priorityThenAge() throws {
    #expect(try order(.priority) == [2, 5, 6, 4, 1, 3])
  }

  @Test func agingIsPriorityForJobsOfOneInstant() throws {
    #expect(try order(.aging(boost: .milliseconds(10))) == [2, 5, 6, 4, 1, 3])
  }

  @Test func agingIsAgeForJobsFarApart() throws {
    #expect(try order(.aging(boost: .milliseconds(10)), apart: .milliseconds(41)) == [1, 2, 3, 4, 5, 6])
  }

  @Test(arguments: [(Nanoseconds.milliseconds(9), true), (.milliseconds(10), false), (.milliseconds(11), false)])
  func agingOvertakesByLessThanTheBoost(younger: Nanoseconds, overtakes: Bool) throws {
    let driver = StepDriver { $0.policy = .aging(boost: .milliseconds(10)) }
    let type = driver.register()
    _ = try driver.add(type, .normal)
    driver.advance(by: younger)
    _ = try driver.add(type, .high)
    #expect(try driver.runAll() == (overtakes ? [2, 1] : [1, 2]))
  }

  @Test func agingStartsABatchJobUnderEndlessCriticalLoad() throws {
    let boost = Nanoseconds.milliseconds(10)
    let driver = StepDriver { $0.policy = .aging(boost: boost.duration) }
    let type = driver.register()
    let service = Nanoseconds.milliseconds(1)
    _ = try driver.add(type, .critical)
    driver.start()
    let batch = try driver.add(type, .batch)
    while driver.core.state(of: batch) == .available, driver.now < .zero + .seconds(1) {
      // Always two critical jobs in the queue.
      while driver.core.gauges.waiting < 3 { _ = try driver.add(type, .critical) }
      driver.advance(by: service)
      try driver.finish(driver.running[0].job)
    }
    // Four boosts, and the backlog of critical jobs that is older than those.
    #expect(driver.now <= .zero + boost.scaled(by: 4) + service.scaled(by: 4))
    #expect(driver.now >= .zero + boost.scaled(by: 4))
  }

  @Test func strictPriorityStarves() throws {
    let driver = StepDriver()
    let type = driver.register()
    let batch = try driver.add(type, .batch)
    _ = try driver.add(type, .critical)
    driver.start()
    for _ in 0..<100 {
      _ = try driver.add(type, .critical)
      try driver.finish(driver.running[0].job)
    }
    #expect(driver.core.state(of: batch) == .available)
  }

  @Test func poolsDoNotWaitForEachOther() throws {
    let driver = StepDriver()
    let (asynchronous, blocking) = (driver.register(), driver.register("blocking", pool: .thread))
    for _ in 0..<2 { _ = try driver.add(asynchronous, .critical) }
    _ = try driver.add(blocking, .batch)
    driver.start()
    #expect(driver.startedNumbers == [1, 3])
  }

  @Test func theWorkerThatWentIdleLastIsTakenFirst() throws {
    let driver = StepDriver { $0.asyncPool.workers = 3 }
    let type = driver.register()
    let jobs = try (0..<3).map { _ in try driver.add(type) }
    driver.start()
    #expect(driver.running.map(\.worker) == [0, 1, 2])
    try driver.end(jobs[0])
    try driver.end(jobs[2])
    _ = try driver.add(type)
    driver.start()
    #expect(driver.running.last?.worker == 2)
  }
}
