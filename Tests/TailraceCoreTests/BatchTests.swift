// Goal: a batch settles when its last job does, and a fail-fast batch falls with its first dead letter.
import TailraceCore
import Testing

@Suite struct BatchTests {
  @Test func collectingBatchWaitsForAll() throws {
    let driver = StepDriver()
    let type = driver.register()
    let batch = driver.openBatch(failFast: false)
    let jobs = try (0..<3).map { _ in try driver.add(type) { $0.batch = batch } }
    driver.start()
    try driver.finish(jobs[0], .failed)
    try driver.finish(jobs[1])
    driver.seal(batch)
    #expect(!driver.orders.contains(.settleBatch(batch)))
    try driver.finish(jobs[2])
    #expect(driver.orders.last(where: { if case .settleBatch = $0 { true } else { false } }) == .settleBatch(batch))
    #expect(driver.settlements[jobs[0]] == .init(.deadLettered, .failed))
  }

  @Test func anEmptyBatchSettlesWhenSealed() {
    let driver = StepDriver()
    let batch = driver.openBatch(failFast: true)
    driver.seal(batch)
    driver.seal(batch)
    #expect(driver.orders == [.settleBatch(batch)])
  }

  @Test func aBatchTakesJobsOnlyWhileItIsOpen() throws {
    let driver = StepDriver()
    let type = driver.register()
    let batch = driver.openBatch(failFast: false)
    _ = try driver.add(type) { $0.batch = batch }
    driver.seal(batch)
    #expect(driver.submit(type) { $0.batch = batch } == .refused(.unknownBatch(batch)))
    try driver.runAll()
    #expect(driver.submit(type) { $0.batch = batch } == .refused(.unknownBatch(batch)))
    let neverOpened = BatchID(rawValue: 99)
    #expect(driver.submit(type) { $0.batch = neverOpened } == .refused(.unknownBatch(neverOpened)))
    #expect(driver.core.gauges.inSystem == 0)
  }

  @Test func failFastCancelsTheRestInEveryState() throws {
    let driver = StepDriver { $0.asyncPool.workers = 2 }
    let type = driver.register()
    let batch = driver.openBatch(failFast: true)
    let failing = try driver.add(type, .critical) { $0.batch = batch }
    let done = try driver.add(type, .critical) { $0.batch = batch }
    let rest = [
      try driver.add(type, .high) { $0.batch = batch },
      try driver.add(type) { $0.batch = batch },
      try driver.add(type, after: [failing]) { $0.batch = batch },
      try driver.add(type) {
        $0.batch = batch
        $0.delay = .seconds(1)
      },
    ]
    let outsider = try driver.add(type)
    driver.seal(batch)
    driver.start()
    try driver.finish(done)
    try driver.end(failing, .failed)
    #expect(driver.settlements[failing] == .init(.deadLettered, .failed))
    #expect(driver.settlements[done] == .init(.completed, .succeeded))
    #expect(rest.map { driver.settlements[$0]?.state } == Array(repeating: .cancelled, count: 4))
    #expect(
      rest.map { driver.settlements[$0]?.cause } == [.batchFailed, .batchFailed, .dependencyFailed, .batchFailed])
    #expect(driver.stopped.map(\.job) == [rest[0]])
    #expect(driver.orders.contains(.settleBatch(batch)))
    #expect(driver.settlements[outsider] == nil)
  }

  @Test func jobsSubmittedToAFailedBatchAreCancelledWhateverTheyWaitFor() throws {
    let driver = StepDriver { $0.retainedCount = 0 }
    let type = driver.register()
    let batch = driver.openBatch(failFast: true)
    let outsider = try driver.add(type, .batch)
    let failing = try driver.add(type) { $0.batch = batch }
    driver.start()
    try driver.finish(failing, .failed)
    let late = [
      try driver.add(type) { $0.batch = batch },
      try driver.add(type) {
        $0.batch = batch
        $0.delay = .seconds(1)
      },
      try driver.add(type, after: [outsider]) { $0.batch = batch },
    ]
    for id in late { #expect(driver.settlements[id] == .init(.cancelled, .batchFailed)) }
    driver.seal(batch)
    #expect(driver.orders.contains(.settleBatch(batch)))
  }

  @Test func aRetriedFailureIsNoFailureOfTheBatch() throws {
    let driver = StepDriver { $0.retry = RetryPolicy(limit: 1, backoff: .none) }
    let type = driver.register()
    let batch = driver.openBatch(failFast: true)
    let (first, second) = (try driver.add(type) { $0.batch = batch }, try driver.add(type) { $0.batch = batch })
    driver.start()
    try driver.finish(first, .failed)
    try driver.runAll()
    #expect(driver.settlements[first] == .init(.completed, .succeeded))
    #expect(driver.settlements[second] == .init(.completed, .succeeded))
  }
}
