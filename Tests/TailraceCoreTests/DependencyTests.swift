// Goal: no job starts before its dependencies completed, and what ends without completing takes its dependents along.
import TailraceCore
import Testing

@Suite struct DependencyTests {
  @Test func diamond() throws {
    let driver = StepDriver { $0.asyncPool.workers = 4 }
    let type = driver.register()
    let top = try driver.add(type)
    let left = try driver.add(type, after: [top])
    let right = try driver.add(type, after: [top])
    let bottom = try driver.add(type, after: [left, right, left])
    driver.start()
    #expect(driver.startedNumbers == [1])
    driver.advance(by: .milliseconds(3))
    try driver.finish(top)
    #expect(driver.startedNumbers == [1, 2, 3], "dependents become eligible in the order of their submission")
    try driver.finish(right)
    #expect(driver.core.state(of: bottom) == .blocked)
    driver.advance(by: .milliseconds(4))
    try driver.finish(left)
    #expect(driver.core.state(of: bottom) == .running)
    try driver.finish(bottom)
    let record = driver.records(of: bottom)[0]
    #expect(record.eligible - record.accepted == .milliseconds(7))
    #expect(driver.core.gauges.settledByCause[.succeeded] == 4)
  }

  /// Ends that are no completion.
  enum End: CaseIterable {
    case cancelledWaiting, cancelledRunning, failed, failedPermanently, timedOut, shed, batchFailed
  }

  @Test(arguments: End.allCases) func everyOtherEndCascades(_ end: End) throws {
    let driver = StepDriver {
      $0.timeout = .seconds(1)
      $0.queueCapacity = 3
      $0.whenFull = .shed
    }
    let type = driver.register()
    let batch = driver.openBatch(failFast: true)
    let parent = try driver.add(type, .batch) { $0.batch = batch }
    let child = try driver.add(type, after: [parent])
    let grandchild = try driver.add(type, after: [child])
    switch end {
    case .cancelledWaiting: driver.cancel(parent)
    case .cancelledRunning:
      driver.start()
      driver.cancel(parent)
    case .failed:
      driver.start()
      try driver.finish(parent, .failed)
    case .failedPermanently:
      driver.start()
      try driver.finish(parent, .failedPermanently)
    case .timedOut:
      driver.start()
      driver.advance(by: .seconds(1))
    case .shed: _ = try driver.add(type, .critical)
    case .batchFailed:
      let other = try driver.add(type, .critical) {
        $0.batch = batch
        $0.pool = .thread
      }
      if driver.core.state(of: parent) == .available {
        driver.start()
        try driver.finish(other, .failed)
      }
    }
    #expect(driver.core.state(of: parent)?.isTerminal == true)
    for dependent in [child, grandchild] {
      #expect(driver.settlements[dependent] == .init(.cancelled, .dependencyFailed))
      #expect(driver.records(of: dependent).map(\.settles) == [true])
    }
  }

  @Test func aChainOfTenThousandIsCancelledFromItsRoot() throws {
    // Invariants look at every job after every event: the chain is driven without them.
    var core = try SchedulerCore(SchedulerConfiguration())
    let type = try core.register(JobTypeConfiguration(name: "job"))
    var outbox = Outbox()
    var chain: [JobID] = []
    for number in 0..<10_000 as Range<UInt64> {
      let submission = JobSubmission(
        type: type, number: number, intended: .zero, submitted: .zero, dependencies: chain.last.map { [$0] } ?? [])
      guard case .accepted(let id) = core.jobSubmitted(submission, at: .zero, into: &outbox) else {
        Issue.record("job \(number) was not admitted")
        return
      }
      chain.append(id)
    }
    #expect(core.cancelRequested(chain[0], at: .zero, into: &outbox))
    #expect(core.gauges.inSystem == 0)
    #expect(Array(outbox.records).map(\.number) == Array(0..<10_000))
    #expect(core.gauges.settledByCause[.dependencyFailed] == 9_999)
    #expect(core.violatedInvariants() == [])
  }

  @Test func dependenciesThatAreSettledAlready() throws {
    let driver = StepDriver()
    let type = driver.register()
    let completed = try driver.add(type)
    try driver.runAll()
    let failed = try driver.add(type)
    driver.start()
    try driver.finish(failed, .failed)
    let ready = try driver.add(type, after: [completed])
    #expect(driver.core.state(of: ready) == .available)
    for dependencies in [[failed], [completed, failed], [.refused], [ready, .refused]] {
      let doomed = try driver.add(type, after: dependencies)
      #expect(driver.settlements[doomed] == .init(.cancelled, .dependencyFailed))
    }
  }

  @Test func aDoomedJobKeepsItsIdentifierThoughForgottenAtOnce() throws {
    let driver = StepDriver { $0.retainedCount = 0 }
    let type = driver.register()
    let doomed = try driver.add(type, after: [.refused])
    #expect(driver.settlements[doomed] == .init(.cancelled, .dependencyFailed))
    #expect(driver.orders.contains(.forgetJob(doomed)))
  }

  @Test func aSubmitterWaitsForRoomWhileItsDependenciesSettle() throws {
    let driver = StepDriver {
      $0.queueCapacity = 2
      $0.whenFull = .block
      $0.asyncPool.workers = 2
    }
    let type = driver.register()
    let (good, bad) = (try driver.add(type), try driver.add(type))
    driver.start()
    for _ in 0..<2 { _ = try driver.add(type) }
    guard case .waiting(let ready) = driver.submit(type, .critical, { $0.dependencies = [good] }),
      case .waiting(let doomed) = driver.submit(type, .critical, { $0.dependencies = [good, bad] })
    else {
      Issue.record("the queue is full")
      return
    }
    try driver.end(good)
    try driver.end(bad, .failed)
    #expect(driver.core.state(of: ready) == .waitingForRoom)
    try driver.runAll()
    #expect(driver.settlements[ready] == .init(.completed, .succeeded))
    #expect(driver.settlements[doomed] == .init(.cancelled, .dependencyFailed))
    #expect(driver.released == [ready, doomed])
  }

  @Test func delayCountsFromAdmissionAlsoWhileBlocked() throws {
    let driver = StepDriver()
    let type = driver.register()
    let parent = try driver.add(type)
    let (short, long) = (
      try driver.add(type, after: [parent]) { $0.delay = .milliseconds(10) },
      try driver.add(type, after: [parent]) { $0.delay = .milliseconds(50) }
    )
    driver.start()
    driver.advance(by: .milliseconds(20))
    try driver.finish(parent)
    #expect(driver.core.state(of: short) == .running)
    try driver.finish(short)
    driver.advance(by: .milliseconds(29))
    #expect(driver.core.state(of: long) == .scheduled)
    driver.advance(by: .milliseconds(1))
    #expect(driver.core.state(of: long) == .running)
  }
}
