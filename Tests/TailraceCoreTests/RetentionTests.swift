// Goal: settled jobs are remembered up to a count and an age, and a forgotten identifier names nobody.
import TailraceCore
import Testing

@Suite struct RetentionTests {
  @Test func byCount() throws {
    let driver = StepDriver { $0.retainedCount = 2 }
    let type = driver.register()
    let jobs = try (0..<4).map { _ in try driver.add(type) }
    try driver.runAll()
    #expect(jobs.map { driver.core.state(of: $0) } == [nil, nil, .completed, .completed])
    #expect(
      driver.orders.filter { if case .forgetJob = $0 { true } else { false } } == jobs[0...1].map { .forgetJob($0) })
  }

  @Test func byAge() throws {
    let driver = StepDriver { $0.retainedAge = .seconds(10) }
    let type = driver.register()
    let old = try driver.add(type)
    try driver.runAll()
    driver.advance(by: .seconds(10))
    let middle = try driver.add(type)
    try driver.runAll()
    #expect(driver.core.state(of: old) == .completed)
    driver.advance(by: .nanoseconds(1))
    _ = try driver.add(type)
    try driver.runAll()
    #expect(driver.core.state(of: old) == nil && driver.core.state(of: middle) == .completed)
  }

  @Test func aReusedPlaceHasAnotherName() throws {
    let driver = StepDriver { $0.retainedCount = 0 }
    let type = driver.register()
    let first = try driver.add(type)
    try driver.runAll()
    let second = try driver.add(type)
    #expect(first.slot == second.slot && first != second)
    #expect(driver.core.state(of: first) == nil && !driver.cancel(first))
    #expect(driver.core.state(of: second) == .available)
  }

  @Test func anEndReportedAfterItsJobWasForgottenFreesTheWorkerOnly() throws {
    let driver = StepDriver { $0.retainedCount = 0 }
    let type = driver.register()
    let first = try driver.add(type)
    driver.start()
    driver.cancel(first)
    let second = try driver.add(type)
    driver.start()
    #expect(driver.core.state(of: second) == .available)
    try driver.finish(first)
    #expect(driver.core.state(of: second) == .running)
  }
}
