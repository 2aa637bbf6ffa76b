// Goal: draining lets known jobs finish, stopping lets none, and both say when nothing is left.
import TailraceCore
import Testing

@Suite struct ShutdownTests {
  @Test func drainingFinishesWhatIsKnown() throws {
    let driver = StepDriver {
      $0.queueCapacity = 2
      $0.whenFull = .block
      $0.retry = RetryPolicy(limit: 1, backoff: .fixed(.seconds(1)), jitter: .none)
    }
    let type = driver.register()
    let first = try driver.add(type)
    let second = try driver.add(type, after: [first])
    guard case .waiting(let waiting) = driver.submit(type) else {
      Issue.record("the queue is full")
      return
    }
    driver.drain()
    #expect(driver.settlements[waiting] == .init(.cancelled, .stopped))
    #expect(driver.submit(type) == .refused(.stopping))
    #expect(driver.records.last?.cause == .stopped)
    driver.start()
    try driver.finish(first, .failed)
    driver.advance(by: .seconds(1))
    try driver.finish(first)
    #expect(!driver.orders.contains(.finishDraining))
    try driver.finish(second)
    #expect(driver.orders.count { $0 == .finishDraining } == 1)
    driver.drain()
    driver.stop()
    #expect(driver.orders.count { $0 == .finishDraining } == 1)
  }

  @Test func drainingAnIdleSchedulerIsDoneAtOnce() {
    let driver = StepDriver()
    driver.drain()
    #expect(driver.orders == [.finishDraining])
  }

  @Test func stoppingCancelsEverythingAndWaitsForHandlers() throws {
    let driver = StepDriver {
      $0.retainedCount = 1
      $0.asyncPool.workers = 2
    }
    let type = driver.register()
    let runningJobs = [try driver.add(type, .critical), try driver.add(type, .critical)]
    let others = [
      try driver.add(type), try driver.add(type) { $0.delay = .seconds(1) }, try driver.add(type, after: runningJobs),
    ]
    driver.start()
    driver.stop()
    for id in runningJobs + others { #expect(driver.settlements[id]?.state == .cancelled) }
    #expect(driver.settlements[others[0]]?.cause == .stopped)
    #expect(driver.stopped.map(\.job) == runningJobs)
    #expect(!driver.orders.contains(.finishDraining))
    try driver.end(runningJobs[0])
    #expect(!driver.orders.contains(.finishDraining))
    try driver.end(runningJobs[1])
    #expect(driver.orders.last == .finishDraining)
  }
}
