// Goal: an attempt that outlives its timeout is over for its job at once, but not for its worker.
import TailraceCore
import Testing

@Suite struct TimeoutTests {
  @Test func theWorkerStaysOccupiedUntilTheHandlerReturns() throws {
    let driver = StepDriver {
      $0.timeout = .milliseconds(10)
      $0.asyncPool.workers = 2
      $0.retry = RetryPolicy(limit: 1, backoff: .none)
    }
    let id = try driver.add(driver.register())
    driver.start()
    let first = driver.running[0]
    driver.advance(by: .milliseconds(10))
    #expect(driver.stopped == [first])
    let record = driver.records(of: id)[0]
    #expect(record.outcome == .timedOut && !record.settles)
    #expect(record.finished - record.started == .milliseconds(10) && record.worker == first.worker)
    #expect(driver.running.count == 2 && driver.running[1].worker != first.worker && driver.running[1].attempt == 2)
    #expect(driver.core.gauges.abandoned == 1)
    try driver.end(id)
    #expect(driver.core.gauges.abandoned == 0)
    #expect(driver.core.state(of: id) == .running, "the end of a stopped attempt says nothing about the next one")
    try driver.finish(id)
    #expect(driver.settlements[id] == .init(.completed, .succeeded))
  }

  @Test func theLastTimeoutIsADeadLetter() throws {
    let driver = StepDriver { $0.timeout = .milliseconds(10) }
    let type = driver.register()
    let (id, next) = (try driver.add(type), try driver.add(type))
    driver.start()
    driver.advance(by: .milliseconds(25))
    #expect(driver.settlements[id] == .init(.deadLettered, .timedOut))
    #expect(driver.core.state(of: next) == .available, "the only worker is still occupied")
    try driver.finish(id, .failed)
    #expect(driver.core.state(of: next) == .running)
  }

  @Test func anEndInTimeStopsTheTimer() throws {
    let driver = StepDriver { $0.timeout = .milliseconds(10) }
    let id = try driver.add(driver.register())
    driver.start()
    driver.advance(by: .milliseconds(9))
    try driver.finish(id)
    driver.advance(by: .seconds(1))
    #expect(driver.stopped.isEmpty && driver.settlements[id] == .init(.completed, .succeeded))
  }

  @Test func theSubmissionsTimeoutCounts() throws {
    let driver = StepDriver { $0.timeout = .milliseconds(10) }
    let id = try driver.add(driver.register()) { $0.timeout = .milliseconds(40) }
    driver.start()
    driver.advance(by: .milliseconds(39))
    #expect(driver.core.state(of: id) == .running)
    driver.advance(by: .milliseconds(1))
    #expect(driver.settlements[id] == .init(.deadLettered, .timedOut))
  }
}
