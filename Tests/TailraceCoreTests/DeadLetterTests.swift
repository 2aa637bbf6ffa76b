// Goal: dead letters are kept by bounds of their own, can be replayed with all that their jobs were, and purged.
import TailraceCore
import Testing

@Suite struct DeadLetterTests {
  private func fail(_ id: JobID, _ driver: StepDriver) throws {
    driver.start()
    try driver.finish(id, .failed)
  }

  @Test func aFloodOfSuccessesDrivesNoneOut() throws {
    let driver = StepDriver {
      $0.retainedCount = 2
      $0.deadLetterCount = 3
    }
    let type = driver.register()
    var failed: [JobID] = []
    for _ in 0..<4 {
      failed.append(try driver.add(type))
      try fail(failed.last!, driver)
    }
    for _ in 0..<20 { _ = try driver.add(type) }
    try driver.runAll()
    #expect(driver.core.deadLetterIDs == Array(failed.dropFirst()))
    #expect(driver.core.state(of: failed[0]) == nil)
    #expect(driver.core.cause(of: failed[1]) == .failed)
  }

  @Test func theyGrowOldByThemselves() throws {
    let driver = StepDriver {
      $0.deadLetterAge = .seconds(10)
      $0.retainedAge = .seconds(1_000)
    }
    let type = driver.register()
    let (bad, good) = (try driver.add(type), try driver.add(type))
    try fail(bad, driver)
    try driver.finish(good)
    driver.oversleep(by: .seconds(10))
    driver.wantDeadLetters()
    #expect(driver.core.deadLetterIDs == [bad])
    driver.oversleep(by: .nanoseconds(1))
    driver.wantDeadLetters()
    #expect(driver.core.deadLetterIDs == [] && driver.core.state(of: good) == .completed)
  }

  @Test func aReplayIsTheSameJobAgain() throws {
    let driver = StepDriver { $0.memoryBudget = 10 << 20 }
    let type = driver.register()
    let retry = RetryPolicy(limit: 1, backoff: .none)
    let id = try driver.add(type, .high) {
      $0.pool = .thread
      $0.retry = retry
      $0.memory = 3 << 20
      $0.uniqueKey = "invoice 7"
      $0.timeout = .seconds(5)
    }
    try fail(id, driver)
    try driver.finish(id, .failed)
    #expect(driver.core.deadLetterIDs == [id])
    let again = try #require(driver.replay(id))
    guard case .accepted(let new) = again else { return #expect(again == .accepted(id)) }
    #expect(driver.core.deadLetterIDs == [] && driver.core.state(of: id) == nil)
    #expect(driver.core.description(of: new)?.priority == .high && driver.core.pool(of: new) == .thread)
    #expect(driver.submit(type, nil) { $0.uniqueKey = "invoice 7" } == .refused(.duplicate(of: new)))
    driver.start()
    let large = try driver.add(type) { $0.memory = 8 << 20 }
    driver.start()
    // Its memory is reserved, its time-out runs, and it has its retries.
    #expect(driver.running.map(\.job) == [new] && driver.core.state(of: large) == .available)
    driver.advance(by: .seconds(5))
    #expect(driver.core.attempts(of: new) == 1 && driver.stopped.map(\.job) == [new])
    try driver.runAll()
    #expect(driver.settlements[new] == .init(.completed, .succeeded))
  }

  @Test func aRefusedReplayLeavesTheDeadLetter() throws {
    let driver = StepDriver { $0.queueCapacity = 1 }
    let type = driver.register()
    let keyed: (inout JobSubmission) -> Void = { $0.uniqueKey = "k" }
    let id = try driver.add(type, nil, after: [], keyed)
    try fail(id, driver)
    let other = try driver.add(type, nil, after: [], keyed)
    #expect(driver.replay(id) == .refused(.duplicate(of: other)))
    driver.start()
    try driver.finish(other)
    let filler = try driver.add(type)
    #expect(driver.replay(id) == .refused(.queueFull(capacity: 1)))
    #expect(driver.core.deadLetterIDs == [id])
    driver.start()
    try driver.finish(filler)
    driver.drain()
    #expect(driver.replay(id) == .refused(.stopping))
    #expect(driver.replay(filler) == nil && driver.core.deadLetterIDs == [id])
  }

  @Test func theyArePurgedByAgeOneByOneAndAll() throws {
    let driver = StepDriver()
    let type = driver.register()
    var ids: [JobID] = []
    for _ in 0..<4 {
      ids.append(try driver.add(type))
      try fail(ids.last!, driver)
      driver.advance(by: .seconds(1))
    }
    #expect(driver.purge(olderThan: .seconds(4)) == 1)
    #expect(driver.purge(ids[2]) && !driver.purge(ids[2]))
    #expect(driver.core.deadLetterIDs == [ids[1], ids[3]])
    #expect(driver.purge(olderThan: .zero) == 2 && driver.core.deadLetterIDs.isEmpty)
  }

  @Test func aDependentOfADeadLetterIsCancelled() throws {
    let driver = StepDriver { $0.retainedCount = 0 }
    let type = driver.register()
    let id = try driver.add(type)
    try fail(id, driver)
    let late = try driver.add(type, nil, after: [id])
    #expect(driver.settlements[late] == .init(.cancelled, .dependencyFailed))
  }
}

@Suite struct InvalidInputTests {
  @Test func anInvalidJobNeedsNoRoomAndMakesNoAttempt() throws {
    let driver = StepDriver {
      $0.queueCapacity = 1
      $0.whenFull = .shed
      $0.retry = RetryPolicy(limit: 3)
    }
    let type = driver.register()
    let waiting = try driver.add(type, .batch)
    let admission = driver.submitInvalid(type)
    guard case .accepted(let id) = admission else { return #expect(admission == .accepted(waiting)) }
    #expect(driver.settlements[id] == .init(.deadLettered, .invalid))
    #expect(driver.core.attempts(of: id) == 0 && driver.core.deadLetterIDs == [id])
    #expect(driver.core.state(of: waiting) == .available && driver.core.gauges.settledByCause[.invalid] == 1)
    let record = try #require(driver.records.last)
    #expect(record.settles && record.cause == .invalid && record.started == TimelineRecord.never)
    try driver.runAll()
    #expect(driver.startedNumbers == [1])
  }

  @Test func itsDependentsAndItsBatchFallWithIt() throws {
    let driver = StepDriver()
    let type = driver.register()
    let batch = driver.openBatch(failFast: true)
    let member = try driver.add(type) { $0.batch = batch }
    let later = try driver.add(type) { $0.delay = .seconds(1) }
    let dependent = try driver.add(type, nil, after: [later])
    _ = driver.submitInvalid(type) { $0.batch = batch }
    #expect(driver.settlements[member] == .init(.cancelled, .batchFailed))
    #expect(driver.findInvalid(later))
    #expect(driver.settlements[later] == .init(.deadLettered, .invalid))
    #expect(driver.settlements[dependent] == .init(.cancelled, .dependencyFailed))
    #expect(!driver.findInvalid(later))
  }
}

extension StepDriver {
  /// Runs a dead letter again, with the next number.
  func replay(_ id: JobID) -> Admission? {
    fact { core, now, number, outbox in core.deadLetterReplayed(id, number: number, at: now, into: &outbox) }
  }
  func purge(_ id: JobID) -> Bool {
    fact { core, now, _, outbox in core.deadLetterPurged(id, at: now, into: &outbox) }
  }
  func purge(olderThan age: Nanoseconds) -> Int {
    fact { core, now, _, outbox in core.deadLettersPurged(olderThan: age, at: now, into: &outbox) }
  }
  func wantDeadLetters() { fact { core, now, _, outbox in core.deadLettersWanted(at: now, into: &outbox) } }
  func submitInvalid(_ type: JobTypeID, _ adjust: (inout JobSubmission) -> Void = { _ in }) -> Admission {
    fact { core, now, number, outbox in
      var submission = JobSubmission(type: type, number: number, intended: now, submitted: now)
      adjust(&submission)
      return core.invalidJobSubmitted(submission, at: now, into: &outbox)
    }
  }
  func findInvalid(_ id: JobID) -> Bool {
    fact { core, now, _, outbox in core.inputFoundInvalid(id, at: now, into: &outbox) }
  }
}
