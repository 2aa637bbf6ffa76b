// Goal: each tenant has its own limits and its own share, stops nobody else, and leaves nothing behind.
import TailraceCore
import Testing

@Suite struct TenantTests {
  private func driver(
    _ keys: TenantConfiguration, workers: Int = 8,
    _ adjust: (inout SchedulerConfiguration) -> Void = {
      _ in
    }
  ) -> StepDriver {
    StepDriver {
      $0.asyncPool.workers = workers
      $0.tenants = keys
      adjust(&$0)
    }
  }

  @Test func eachKeyRunsAsManyAsItMayAndHoldsUpNobodyElse() throws {
    let driver = driver(
      TenantConfiguration(each: TenantSettings(concurrency: 2), named: ["gold": TenantSettings(concurrency: 3)]))
    let type = driver.register()
    for key in ["a", "gold", nil, "b"] { for _ in 0..<4 { _ = try driver.add(type) { $0.tenant = key } } }
    driver.start()
    #expect(driver.startedNumbers == [1, 2, 5, 6, 7, 9, 10, 11], "the fourth without a key has no worker left")
    try driver.finish(try #require(driver.running.first).job)
    #expect(driver.startedNumbers.last == 3, "a has room again, and its third came before what else waits")
  }

  @Test func aKeysLimitHoldsAcrossTypesPrioritiesAndPools() throws {
    let driver = driver(TenantConfiguration(each: TenantSettings(concurrency: 1)))
    let types = [driver.register("a", concurrency: 5), driver.register("b", priority: .high, pool: .thread)]
    let jobs = try (0..<6).map { index in try driver.add(types[index % 2]) { $0.tenant = "k" } }
    driver.start()
    for done in 1...6 {
      #expect(driver.running.count == 1, "after \(done - 1)")
      try driver.finish(driver.running[0].job)
    }
    #expect(jobs.allSatisfy { driver.settlements[$0] == .init(.completed, .succeeded) })
    #expect(driver.core.tenantsInUse == 0)
  }

  @Test func aKeysRateHoldsForEachKeyAlone() throws {
    let rate = RateLimit(rate: Rate(perSecond: 100), burst: 2)
    let driver = driver(TenantConfiguration(each: TenantSettings(rate: rate)))
    let type = driver.register()
    for key in ["a", "b"] { for _ in 0..<4 { _ = try driver.add(type) { $0.tenant = key } } }
    driver.start()
    while driver.core.gauges.inSystem > 0 {
      if let token = driver.running.first { try driver.finish(token.job) } else { driver.advance(to: driver.timer!) }
    }
    for numbers in [1...4, 5...8] as [ClosedRange<UInt64>] {
      let starts = driver.records.filter { numbers.contains($0.number) }.map { $0.started.nanoseconds / 1_000_000 }
      #expect(starts == [0, 0, 10, 20])
    }
  }

  @Test func aHandlerThatIgnoresItsTimeoutKeepsItsPlaceUnderTheKey() throws {
    let driver = driver(TenantConfiguration(each: TenantSettings(concurrency: 1))) { $0.timeout = .milliseconds(10) }
    let type = driver.register()
    let stuck = try driver.add(type) { $0.tenant = "k" }
    _ = try driver.add(type) { $0.tenant = "k" }
    driver.start()
    driver.advance(by: .milliseconds(10))
    #expect(driver.settlements[stuck] == .init(.deadLettered, .timedOut) && driver.running.count == 1)
    try driver.finish(stuck)
    #expect(driver.startedNumbers == [1, 2])
  }

  // MARK: - Shares

  @Test func saturatedKeysStartByTheirWeights() throws {
    let weights = ["one": 1.0, "two": 2, "four": 4]
    let driver = driver(TenantConfiguration(named: weights.mapValues { TenantSettings(weight: $0) }), workers: 2) {
      $0.policy = .fair(by: .tenant)
      $0.queueCapacity = 1_000_000
      $0.retainedCount = 0
    }
    // Types do not matter, not even one with a limit, which has lanes of its own.
    let types = [driver.register("free"), driver.register("limited", priority: .high, concurrency: 2)]
    var keys: [UInt64: String] = [:]
    var number: UInt64 = 0
    func add(_ key: String) throws {
      number += 1
      keys[number] = key
      _ = try driver.add(types[Int(number) % 2]) { $0.tenant = key }
    }
    for key in ["one", "two", "four"] { for _ in 0..<40 { try add(key) } }
    driver.start()
    var starts: [String: Int] = [:]
    for _ in 0..<7_000 {
      let token = driver.running[0]
      starts[keys[token.number]!, default: 0] += 1
      try add(keys[token.number]!)
      try driver.finish(token.job)
    }
    #expect(abs(starts["one"]! - 1_000) <= 3 && abs(starts["four"]! - 4_000) <= 3, "\(starts)")
  }

  @Test func jobsWithoutAKeyShareOneAccount() throws {
    let driver = driver(TenantConfiguration(), workers: 1) { $0.policy = .fair(by: .tenant) }
    let type = driver.register()
    for _ in 0..<4 { _ = try driver.add(type) }
    for _ in 0..<4 { _ = try driver.add(type) { $0.tenant = "k" } }
    #expect(try driver.runAll() == [1, 5, 2, 6, 3, 7, 4, 8])
  }

  @Test func theKeyWithMostWaitingMakesRoom() throws {
    let driver = driver(TenantConfiguration(), workers: 1) {
      $0.policy = .fair(by: .tenant)
      $0.queueCapacity = 4
      $0.whenFull = .shed
    }
    let type = driver.register()
    _ = try driver.add(type)
    driver.start()
    let greedy = try (0..<4).map { _ in try driver.add(type) { $0.tenant = "greedy" } }
    _ = try driver.add(type) { $0.tenant = "modest" }
    #expect(driver.settlements[greedy[3]] == .init(.cancelled, .shed))
    guard case .refused = driver.submit(type, nil, { $0.tenant = "greedy" }) else {
      return #expect(Bool(false), "its own key has most")
    }
  }

  // MARK: - Many keys

  @Test func keysThatNobodyHasAreForgotten() throws {
    let rate = RateLimit(rate: Rate(perSecond: 1_000), burst: 1)
    let driver = driver(TenantConfiguration(each: TenantSettings(concurrency: 1, rate: rate)), workers: 1) {
      $0.retainedCount = 0
    }
    let type = driver.register()
    // More keys than could ever be told apart at once.
    for number in 0..<2_000 {
      let id = try driver.add(type) { $0.tenant = "key \(number)" }
      driver.start()
      driver.advance(by: .milliseconds(2))
      try driver.finish(id)
    }
    #expect(driver.core.tenantsInUse == 0 && driver.core.tenantsKnown < 600)
  }

  @Test func moreKeysAtOnceThanCanBeToldApartAreRefused() throws {
    var configuration = SchedulerConfiguration()
    configuration.tenants.each.concurrency = 1
    configuration.queueCapacity = 100_000
    var core = try SchedulerCore(configuration)
    let type = try core.register(JobTypeConfiguration(name: "job"))
    var outbox = Outbox()
    func admission(_ number: Int) -> Admission {
      core.jobSubmitted(
        JobSubmission(type: type, intended: .zero, submitted: .zero, tenant: "\(number)"), at: .zero, into: &outbox)
    }
    for number in 0..<60_000 {
      guard case .accepted = admission(number) else { return #expect(Bool(false), "\(number)") }
    }
    #expect(admission(60_000) == .refused(.tooManyTenants(most: 60_000)))
    guard case .accepted = admission(7) else { return #expect(Bool(false), "a known key") }
  }
}
