// Goal: a worker that left is handed nothing; what it held goes on or crashes; it comes back as if it had not left.
import TailraceCore
import Testing

@Suite struct AbsenceTests {
  @Test func aWorkerThatLeftIsHandedNothing() throws {
    let driver = StepDriver { $0.asyncPool.workers = 2 }
    let type = driver.register()
    driver.leave(0)
    let (first, second) = (try driver.add(type), try driver.add(type))
    driver.start()
    #expect(driver.running.map(\.worker) == [1])
    try driver.finish(first)
    #expect(driver.running.map(\.worker) == [1])
    driver.comeBack(0)
    let third = try driver.add(type)
    driver.start()
    #expect(driver.running.map(\.worker) == [1, 0])
    for id in [second, third] { try driver.finish(id) }
    #expect(driver.settlements.values.allSatisfy { $0 == .init(.completed, .succeeded) })
  }

  @Test func whatItHeldMayGoOn() throws {
    let driver = StepDriver()
    let type = driver.register()
    let (first, second) = (try driver.add(type), try driver.add(type))
    driver.start()
    driver.leave(0)
    driver.leave(0)
    try driver.finish(first)
    #expect(driver.settlements[first] == .init(.completed, .succeeded))
    #expect(driver.running.isEmpty)
    driver.comeBack(0)
    driver.comeBack(0)
    driver.start()
    #expect(driver.running.map(\.job) == [second])
  }

  @Test func aCrashIsRetriedAndThenTheCause() throws {
    let driver = StepDriver { $0.retry = RetryPolicy(limit: 1, backoff: .none) }
    let id = try driver.add(driver.register())
    driver.start()
    driver.leave(0)
    try driver.finish(id, .crashed)
    #expect(driver.running.isEmpty && driver.settlements[id] == nil)
    driver.comeBack(0)
    driver.start()
    try driver.finish(id, .crashed)
    #expect(driver.settlements[id] == .init(.deadLettered, .crashed))
    #expect(driver.records(of: id).map(\.outcome) == [.crashed, .crashed])
  }

  /// A worker that comes back while its attempt still runs is not handed a second one.
  @Test func aWorkerThatComesBackBusyIsBusy() throws {
    let driver = StepDriver()
    let type = driver.register()
    let first = try driver.add(type)
    _ = try driver.add(type)
    driver.start()
    driver.leave(0)
    driver.comeBack(0)
    driver.start()
    #expect(driver.running.map(\.job) == [first])
    try driver.finish(first)
    #expect(driver.running.count == 1)
  }
}
