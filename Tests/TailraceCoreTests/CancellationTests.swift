// Goal: a job can be cancelled in every state, once, and leaves nothing behind.
import TailraceCore
import Testing

@Suite struct CancellationTests {
  @Test(arguments: [JobState.waitingForRoom, .blocked, .scheduled, .available, .running])
  func cancelsInEveryState(_ state: JobState) throws {
    let driver = StepDriver {
      $0.queueCapacity = 3
      $0.whenFull = .block
    }
    let type = driver.register()
    let parent = try driver.add(type, .critical)
    let id: JobID
    switch state {
    case .waitingForRoom:
      for _ in 0..<2 { _ = try driver.add(type) }
      guard case .waiting(let waiting) = driver.submit(type, nil, { $0.delay = .seconds(5) }) else {
        Issue.record("the queue is full")
        return
      }
      id = waiting
    case .blocked: id = try driver.add(type, after: [parent])
    case .scheduled: id = try driver.add(type) { $0.delay = .seconds(1) }
    case .available: id = try driver.add(type)
    case .running:
      id = parent
      driver.start()
    case .completed, .cancelled, .deadLettered:
      preconditionFailure("not a state to cancel in")
    }
    #expect(driver.core.state(of: id) == state)
    var dependents: [JobID] = []
    switch driver.submit(type, nil, { $0.dependencies = [id] }) {
    case .accepted(let child): dependents = [child]
    case .waiting: break
    case .refused(let refusal): Issue.record("refused: \(refusal)")
    }
    driver.advance(by: .milliseconds(3))
    #expect(driver.cancel(id))
    #expect(!driver.cancel(id), "it is settled already")
    #expect(driver.settlements[id] == .init(.cancelled, .cancelled))
    for dependent in dependents { #expect(driver.settlements[dependent] == .init(.cancelled, .dependencyFailed)) }
    let record = try #require(driver.records(of: id).first)
    #expect(record.settles && record.outcome == .cancelled && record.finished == driver.now)
    #expect((record.started == TimelineRecord.never) == (state != .running))
    #expect((record.eligible == TimelineRecord.never) == (state != .running && state != .available))
    #expect((record.accepted == TimelineRecord.never) == (state == .waitingForRoom))
    #expect(driver.stopped.map(\.job) == (state == .running ? [id] : []))
    if state == .running { try driver.end(id, .cancelled) }
    try driver.runAll()
    #expect(driver.core.gauges.inSystem == 0 && driver.core.gauges.abandoned == 0)
  }

  @Test func theOutcomeOfAStoppedAttemptIsIgnored() throws {
    let driver = StepDriver { $0.retry = RetryPolicy(limit: 3, backoff: .none) }
    let id = try driver.add(driver.register())
    driver.start()
    driver.cancel(id)
    try driver.finish(id, .succeeded)
    #expect(driver.records.count == 1 && driver.settlements[id] == .init(.cancelled, .cancelled))
  }

  @Test func unknownJobsAreNotCancelled() {
    let driver = StepDriver()
    #expect(!driver.cancel(.refused))
    #expect(!driver.cancel(JobID(rawValue: 0)))
  }

  /// A chain, a star and a lattice of 10,000 jobs in all: no stack grows with them.
  @Test func cancellingTheRootOfAGraphOfTenThousandSettlesAllOfThemAtOnce() throws {
    var configuration = SchedulerConfiguration()
    configuration.queueCapacity = 20_000
    configuration.retainedCount = 20_000
    var core = try SchedulerCore(configuration)
    let type = try core.register(JobTypeConfiguration(name: "job"))
    var outbox = Outbox()
    func add(after dependencies: [JobID]) throws -> JobID {
      let submission = JobSubmission(type: type, intended: .zero, submitted: .zero, dependencies: dependencies)
      guard case .accepted(let id) = core.jobSubmitted(submission, at: .zero, into: &outbox) else {
        throw StepDriver.Surprise.notRunning(.refused)
      }
      return id
    }
    let root = try add(after: [])
    var last = root
    for _ in 0..<4_000 { last = try add(after: [last]) }
    for _ in 0..<3_000 { _ = try add(after: [root]) }
    var row = [root, root]
    for _ in 0..<1_500 { row = [try add(after: row), try add(after: row)] }
    outbox.clear()
    core.cancelRequested(root, at: .zero + .seconds(1), into: &outbox)
    var settled: [SettlementCause: Int] = [:]
    for case .settleJob(_, let cause) in Array(outbox.orders) { settled[cause, default: 0] += 1 }
    #expect(settled == [.cancelled: 1, .dependencyFailed: 10_000])
    #expect(core.gauges.inSystem == 0 && core.violatedInvariants() == [])
  }
}
