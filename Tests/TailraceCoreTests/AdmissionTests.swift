// Goal: who is let into a bounded queue, who waits, and who must go.
import TailraceCore
import Testing

@Suite struct AdmissionTests {
  @Test func fullQueueRejects() throws {
    let driver = StepDriver { $0.queueCapacity = 2 }
    let type = driver.register()
    _ = try driver.add(type)
    _ = try driver.add(type)
    #expect(driver.submit(type) == .refused(.queueFull(capacity: 2)))
    let record = try #require(driver.records.last)
    #expect(record.number == 3 && record.settles)
    #expect(record.cause == .rejected && record.accepted == TimelineRecord.never)
    #expect(driver.core.gauges.settledByCause[.rejected] == 1)
    driver.start()
    #expect(driver.core.gauges.waiting == 1, "a running job takes up no room")
    _ = try driver.add(type)
  }

  @Test func delayedAndBlockedJobsTakeUpRoom() throws {
    let driver = StepDriver { $0.queueCapacity = 2 }
    let type = driver.register()
    let delayed = try driver.add(type) { $0.delay = .seconds(1) }
    _ = try driver.add(type, after: [delayed])
    #expect(driver.submit(type) == .refused(.queueFull(capacity: 2)))
  }

  @Test func blockedSubmittersAreReleasedInOrder() throws {
    let driver = StepDriver {
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    let type = driver.register()
    let first = try driver.add(type)
    let waiting = try (0..<3).map { _ in
      guard case .waiting(let id) = driver.submit(type) else { throw StepDriver.Surprise.notRunning(first) }
      return id
    }
    #expect(driver.core.gauges.waitingForRoom == 3)
    driver.start()
    #expect(driver.released == [waiting[0]], "the first job runs, so the queue has room for one")
    driver.advance(by: .milliseconds(5))
    try driver.finish(first)
    #expect(driver.released == Array(waiting[0...1]))
    try driver.runAll()
    #expect(driver.released == waiting)
    #expect(driver.startedNumbers == [1, 2, 3, 4])
    let record = driver.records(of: waiting[1])[0]
    #expect(record.accepted - record.submitted == .milliseconds(5), "waiting for room is submission time")
  }

  @Test func newcomerDoesNotOvertakeAWaitingSubmitter() throws {
    let driver = StepDriver {
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    let type = driver.register()
    let first = try driver.add(type)
    driver.submit(type)
    driver.cancel(first)
    guard case .waiting = driver.submit(type) else {
      Issue.record("the newcomer took the room that belongs to the submitter before it")
      return
    }
    try driver.runAll()
    #expect(driver.startedNumbers == [2, 3])
  }

  @Test func sheddingRemovesTheYoungestOfTheLeastUrgent() throws {
    let driver = StepDriver {
      $0.queueCapacity = 4
      $0.whenFull = .shed
    }
    let type = driver.register()
    _ = try driver.add(type, .normal)
    let older = try driver.add(type, .batch)
    let younger = try driver.add(type, .batch)
    _ = try driver.add(type, .low)
    _ = try driver.add(type, .high)
    #expect(driver.settlements[younger] == .init(.cancelled, .shed))
    #expect(driver.settlements[older] == nil)
    #expect(driver.submit(type, .batch) == .refused(.queueFull(capacity: 4)), "nothing is less urgent than it")
    #expect(driver.records(of: younger).map(\.cause) == [.shed])
  }

  @Test func sheddingADependencyCancelsTheNewcomer() throws {
    let driver = StepDriver {
      $0.queueCapacity = 1
      $0.whenFull = .shed
      $0.retainedCount = 0
    }
    let type = driver.register()
    let victim = try driver.add(type, .batch)
    let newcomer = try driver.add(type, .high, after: [victim])
    #expect(driver.settlements[victim] == .init(.cancelled, .shed))
    #expect(driver.settlements[newcomer] == .init(.cancelled, .dependencyFailed))
  }

  @Test func sheddingForgetsNoDependencyOfTheNewcomer() throws {
    let driver = StepDriver {
      $0.queueCapacity = 1
      $0.whenFull = .shed
      $0.retainedCount = 1
    }
    let type = driver.register()
    let completed = try driver.add(type)
    driver.start()
    try driver.finish(completed)
    _ = try driver.add(type, .batch)
    let newcomer = try driver.add(type, .high, after: [completed])
    #expect(driver.core.state(of: completed) == nil && driver.core.state(of: newcomer) == .available)
  }

  @Test func impossibleSubmissionsAreRefused() throws {
    let driver = StepDriver {
      $0.memoryBudget = 1 << 20
      $0.threadPool.workers = 0
      $0.retainedCount = 0
    }
    let type = driver.register()
    #expect(driver.submit(type) { $0.pool = .thread } == .refused(.poolWithoutWorkers(.thread)))
    #expect(
      driver.submit(type) { $0.memory = 2 << 20 } == .refused(.exceedsMemoryBudget(bytes: 2 << 20, budget: 1 << 20)))
    let forgotten = try driver.add(type)
    try driver.runAll()
    #expect(driver.submit(type) { $0.dependencies = [forgotten] } == .refused(.unknownDependency(forgotten)))
    #expect(driver.core.gauges.inSystem == 0)
  }
}
