// Goal: jobs of a type that nobody knows yet wait, and go on as its jobs once it is known.
import TailraceCore
import Testing

@Suite struct ParkingTests {
  @Test func jobsWaitUntilTheirTypeIsOpenedAndKeepTheirOrder() throws {
    let driver = StepDriver { $0.policy = .fifo }
    let known = driver.register()
    let parked = try! driver.core.registerParked("later")
    let ids = try (0..<3).map { _ in try driver.add(parked) }
    let other = try driver.add(known)
    let last = try driver.add(parked)
    driver.start()
    #expect(driver.running.map(\.job) == [other] && driver.isParked(ids[0]))
    try driver.finish(other)
    #expect(driver.running.isEmpty)
    driver.open(parked, JobTypeConfiguration(name: "later"))
    #expect(!driver.isParked(ids[0]))
    #expect(try driver.runAll() == [4, 1, 2, 3, 5])
    #expect(driver.settlements[last] == .init(.completed, .succeeded))
  }

  @Test func theyTakeFromTheTypeWhatTheirSubmittersLeftOpen() throws {
    let driver = StepDriver { $0.memoryBudget = 10 << 20 }
    let parked = try! driver.core.registerParked("later")
    let plain = try driver.add(parked)
    let own = try driver.add(parked, .low) {
      $0.pool = .async
      $0.retry = .never
    }
    let delayed = try driver.add(parked) { $0.delay = .seconds(1) }
    driver.open(
      parked,
      JobTypeConfiguration(
        name: "later", priority: .critical, pool: .thread, timeout: .seconds(5),
        retry: RetryPolicy(limit: 1, backoff: .none), concurrency: 2, memory: 6 << 20))
    #expect(driver.core.description(of: plain)?.priority == .critical && driver.core.pool(of: plain) == .thread)
    #expect(driver.core.description(of: own)?.priority == .low && driver.core.pool(of: own) == .async)
    driver.start()
    // The memory of both does not fit.
    #expect(driver.running.map(\.job) == [own])
    try driver.finish(own, .failed)
    #expect(driver.settlements[own] == .init(.deadLettered, .failed))
    try driver.finish(plain, .failed)
    #expect(driver.core.state(of: plain) == .running)
    try driver.finish(plain)
    driver.advance(by: .seconds(1))
    #expect(driver.core.pool(of: delayed) == .thread)
    driver.advance(by: .seconds(5))
    #expect(driver.stopped.map(\.job) == [delayed])
  }

  @Test func whatTheTypeMakesImpossibleIsRejected() throws {
    let driver = StepDriver {
      $0.threadPool.workers = 0
      $0.memoryBudget = 1 << 20
    }
    let (first, second) = (try! driver.core.registerParked("a"), try! driver.core.registerParked("b"))
    let (blocking, large) = (try driver.add(first), try driver.add(second))
    let dependent = try driver.add(second, nil, after: [blocking]) { $0.memory = 0 }
    driver.open(first, JobTypeConfiguration(name: "a", pool: .thread))
    driver.open(second, JobTypeConfiguration(name: "b", memory: 2 << 20))
    #expect(driver.settlements[blocking] == .init(.cancelled, .rejected))
    #expect(driver.settlements[large] == .init(.cancelled, .rejected))
    #expect(driver.settlements[dependent] == .init(.cancelled, .dependencyFailed))
  }

  @Test(arguments: [
    DispatchPolicy.fifo, .priority, .deadline, .shortest, .fair(by: .jobType), .fair(by: .tenant),
  ])
  func everyPolicyHasItsJobsBack(policy: DispatchPolicy) throws {
    let driver = StepDriver {
      $0.policy = policy
      $0.tenants.each.concurrency = 2
    }
    let known = driver.register()
    let parked = try! driver.core.registerParked("later")
    for number in 0..<12 {
      _ = try driver.add(number % 3 == 0 ? known : parked) { $0.tenant = number % 2 == 0 ? "even" : nil }
    }
    #expect(try driver.runAll().count == 4)
    driver.open(parked, JobTypeConfiguration(name: "later", deadline: .seconds(1), weight: 2))
    _ = try driver.add(parked)
    #expect(try driver.runAll().count == 13)
  }

  @Test func aParkedJobCanBeCancelledAndStopped() throws {
    let driver = StepDriver()
    let parked = try! driver.core.registerParked("later")
    let (first, second) = (try driver.add(parked), try driver.add(parked))
    driver.start()
    driver.cancel(first)
    #expect(driver.settlements[first] == .init(.cancelled, .cancelled))
    driver.stop()
    #expect(driver.settlements[second] == .init(.cancelled, .stopped))
  }
}

extension StepDriver {
  func isParked(_ id: JobID) -> Bool { core.isParked(id) }
  func open(_ type: JobTypeID, _ configuration: JobTypeConfiguration) {
    fact { core, now, _, outbox in try! core.typeOpened(type, as: configuration, at: now, into: &outbox) }
  }
}

// A handler is stuck, and another worker takes its worker's place.
@Suite struct ReplacementTests {
  @Test func aSpareWorkerRunsWhatTheStuckOneCannot() throws {
    let driver = StepDriver {
      $0.timeout = .seconds(1)
      $0.replacementLimit = 1
    }
    let type = driver.register()
    let ids = try (0..<3).map { _ in try driver.add(type) }
    driver.start()
    #expect(driver.running.map(\.worker) == [0])
    driver.advance(by: .seconds(1))
    #expect(driver.running.count == 1, "the pool has one worker, which is stuck")
    driver.replace(0, by: 1)
    driver.start()
    #expect(driver.running.map(\.worker) == [0, 1])
    try driver.finish(ids[1])
    #expect(driver.running.map(\.job) == [ids[0], ids[2]])
    // It returns after all: its worker is the spare one now.
    try driver.finish(ids[0])
    try driver.finish(ids[2])
    let later = try driver.add(type)
    driver.start()
    #expect(driver.running.map(\.worker) == [1])
    driver.advance(by: .seconds(1))
    driver.replace(1, by: 0)
    let last = try driver.add(type)
    driver.start()
    #expect(driver.running.map(\.worker) == [1, 0])
    for id in [later, last] { try driver.finish(id) }
  }

  @Test func theStuckAttemptKeepsItsTypesLimitButNotThePools() throws {
    let driver = StepDriver {
      $0.asyncPool = PoolConfiguration(workers: 2, concurrency: 1)
      $0.timeout = .seconds(1)
      $0.replacementLimit = 1
    }
    let (limited, free) = (driver.register("limited", concurrency: 1), driver.register("free"))
    let stuck = try driver.add(limited)
    driver.start()
    driver.advance(by: .seconds(1))
    let (same, other, third) = (try driver.add(limited), try driver.add(free), try driver.add(free))
    driver.start()
    #expect(driver.running.map(\.job) == [stuck])
    driver.replace(driver.running[0].worker, by: 2)
    driver.start()
    #expect(driver.running.map(\.job) == [stuck, other], "one of the pool at once, and none of the type")
    try driver.finish(stuck)
    try driver.finish(other)
    for id in [third, same] where driver.running.contains(where: { $0.job == id }) { try driver.finish(id) }
    try driver.runAll()
    #expect(driver.settlements[same] == .init(.completed, .succeeded))
  }
}

extension StepDriver {
  func replace(_ worker: UInt16, by spare: UInt16) {
    fact { core, now, _, _ in core.workerReplaced(worker, by: spare, pool: .async, at: now) }
  }
}
