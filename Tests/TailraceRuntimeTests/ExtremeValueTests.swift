// Goal: no value that a program gives ends the process or hangs it: it is refused by an error with its name and range,
// or it works.

import Logging
import Testing

@testable import TailraceRuntime

/// The ends of each kind of value, and what lies just beside them.
private enum Extremes {
  static let ints = [Int.min, Int.min + 1, -1, 0, 1, 2, 65_534, 65_535, 65_536, 70_000, Int.max - 1, Int.max]
  static let doubles = [
    -Double.infinity, -.greatestFiniteMagnitude, -1, -0.0, 0, .leastNonzeroMagnitude, 0.5, 1, 1e300, .infinity, .nan,
  ]
  static let lengths = [Int64.min, -1_000_000_000, -1, 0, 1, 1_000_000_000, .max - 1, .max]
    .map { Duration.nanoseconds($0) }
  static let durations: [Duration] = [
    Duration(secondsComponent: .min, attosecondsComponent: 0), .seconds(-1_000_000_000_000_000_000), .seconds(-1),
    .nanoseconds(-1), Duration(secondsComponent: 0, attosecondsComponent: -1), .zero,
    Duration(secondsComponent: 0, attosecondsComponent: 1), .nanoseconds(1), .seconds(1),
    .seconds(1_000_000_000_000_000_000), Duration(secondsComponent: .max, attosecondsComponent: 0),
  ]
  static let texts = ["", "a", "ä\u{0}", String(repeating: "x", count: 1_000), String(repeating: "é", count: 100_000)]
  static let times = [Int64.min, -1, 0, 1, .max - 1, .max].map { UnixTime(nanoseconds: $0) }
  static let identifiers: [UInt64] = [0, 1, 0x7fff_ffff, 0xffff_ffff, 1 << 32, .max >> 1, .max - 1, .max]
}

/// A value with one of its parts set to an extreme.
private struct Variant<Value: Sendable>: Sendable {
  var name: String
  var value: Value

  /// Every extreme of one part.
  static func all<Part>(
    _ base: Value, _ name: String, _ parts: [Part], _ set: (inout Value, Part) -> Void
  ) -> [Variant] {
    parts.map { part in
      var value = base
      set(&value, part)
      return Variant(name: "\(name) = \("\(part)".prefix(60))", value: value)
    }
  }
}

@Suite(.serialized, .timeLimit(.minutes(10)))
struct ExtremeValueTests {
  private static let retries: [Variant<RetryPolicy>] = {
    let base = RetryPolicy(limit: 2, backoff: .fixed(.milliseconds(1)), jitter: .none)
    var all = Variant.all(base, "limit", Extremes.ints) { $0.limit = $1 }
    all += Variant.all(base, "crashLimit", Extremes.ints) { $0.crashLimit = $1 }
    for jitter in Jitter.allCases {
      var jittered = base
      jittered.jitter = jitter
      all += Variant.all(jittered, "\(jitter) cap", Extremes.lengths) { $0.cap = $1 }
      all += Variant.all(jittered, "\(jitter) fixed", Extremes.lengths) { $0.backoff = .fixed($1) }
      all += Variant.all(jittered, "\(jitter) linear", Extremes.lengths) { $0.backoff = .linear(base: $1) }
    }
    all += Variant.all(base, "exponential", Extremes.lengths) { $0.backoff = .exponential(base: $1, factor: 1e300) }
    all += Variant.all(base, "factor", Extremes.doubles) { $0.backoff = .exponential(base: .seconds(1), factor: $1) }
    all += Variant.all(base, "power", Extremes.ints) {
      $0.backoff = .polynomial(base: .nanoseconds(Int64.max), power: $1)
    }
    all += Variant.all(base, "made", Extremes.lengths) { $0 = RetryPolicy(limit: 1, backoff: .linear(base: $1)) }
    return all
  }()

  private static let rates: [Variant<RateLimit>] = {
    let base = RateLimit(rate: Rate(perSecond: 5), burst: 2)
    return Variant.all(base, "rate", Extremes.doubles) { $0.rate = Rate(perSecond: $1) }
      + Variant.all(base, "burst", Extremes.ints) { $0.burst = $1 }
      + Variant.all(RateLimit(rate: Rate(perSecond: 1e-300)), "slow burst", Extremes.ints) { $0.burst = $1 }
  }()

  // MARK: - Configuration

  private static var pools: [Variant<PoolConfiguration>] {
    let base = PoolConfiguration(workers: 2)
    // A pool of 65,534 workers is made in a test of its own.
    var all = Variant.all(base, "workers", Extremes.ints.filter { $0 != 65_534 }) { $0.workers = $1 }
    all += Variant.all(base, "concurrency", Extremes.ints) { $0.concurrency = $1 }
    for rate in rates { all += Variant.all(base, "pool \(rate.name)", [rate.value]) { $0.rate = $1 } }
    let adaptive = AdaptiveConcurrency(.gradient(tolerance: 1.5))
    var controlled = base
    controlled.adaptive = adaptive
    all += Variant.all(controlled, "adaptive.initial", Extremes.ints) { $0.adaptive!.initial = $1 }
    all += Variant.all(controlled, "adaptive.least", Extremes.ints) { $0.adaptive!.least = $1 }
    all += Variant.all(controlled, "tolerance", Extremes.doubles) { $0.adaptive!.rule = .gradient(tolerance: $1) }
    all += Variant.all(controlled, "backoff", Extremes.doubles) {
      $0.adaptive!.rule = .aimd(target: .seconds(1), backoff: $1)
    }
    all += Variant.all(controlled, "target", Extremes.lengths) { $0.adaptive!.rule = .aimd(target: $1, backoff: 0.5) }
    var scaling = base
    scaling.autoscaling = Autoscaling(least: 1, queueAge: .milliseconds(10))
    all += Variant.all(scaling, "least", Extremes.ints) { $0.autoscaling!.least = $1 }
    all += Variant.all(scaling, "step", Extremes.ints) { $0.autoscaling!.step = $1 }
    all += Variant.all(scaling, "queueAge", Extremes.lengths) { $0.autoscaling!.queueAge = $1 }
    all += Variant.all(scaling, "interval", Extremes.lengths.filter { $0 != .nanoseconds(1) }) {
      $0.autoscaling!.interval = $1
    }
    all += Variant.all(scaling, "cooldown", Extremes.lengths) { $0.autoscaling!.cooldown = $1 }
    all += Variant.all(base, "codel target", Extremes.lengths) {
      $0.codel = CoDelConfiguration(target: $1, interval: .milliseconds(100))
    }
    all += Variant.all(base, "codel interval", Extremes.lengths) {
      $0.codel = CoDelConfiguration(target: .milliseconds(5), interval: $1)
    }
    return all
  }

  private static var configurations: [Variant<SchedulerConfiguration>] {
    var base = SchedulerConfiguration()
    base.asyncPool.workers = 1
    base.threadPool.workers = 1
    var all: [Variant<SchedulerConfiguration>] = []
    let ints: [(String, (inout SchedulerConfiguration, Int) -> Void)] = [
      ("queueCapacity", { $0.queueCapacity = $1 }), ("memoryBudget", { $0.memoryBudget = $1 }),
      ("retainedCount", { $0.retainedCount = $1 }), ("deadLetterCount", { $0.deadLetterCount = $1 }),
      ("replacementLimit", { $0.replacementLimit = $1 }), ("handlerReserve", { $0.handlerReserve = $1 }),
      ("each.concurrency", { $0.tenants.each.concurrency = $1 }),
    ]
    // As many workers are made in a test of its own.
    for (name, set) in ints { all += Variant.all(base, name, Extremes.ints.filter { $0 != 65_534 }, set) }
    let lengths: [(String, (inout SchedulerConfiguration, Duration) -> Void)] = [
      ("timeout", { $0.timeout = $1 }), ("retainedAge", { $0.retainedAge = $1 }),
      ("deadLetterAge", { $0.deadLetterAge = $1 }), ("stuckAfter", { $0.stuckAfter = $1 }),
      ("boost", { $0.policy = .aging(boost: $1) }),
    ]
    for (name, set) in lengths { all += Variant.all(base, name, Extremes.lengths, set) }
    all += Variant.all(base, "each.weight", Extremes.doubles) {
      $0.policy = .fair(by: .tenant)
      $0.tenants.each.weight = $1
    }
    all += Variant.all(base, "named.weight", Extremes.doubles) { $0.tenants.named["a"] = TenantSettings(weight: $1) }
    all += Variant.all(base, "named", Extremes.texts) { $0.tenants.named[$1] = TenantSettings(concurrency: 1) }
    for priority in Priority.allCases {
      all += Variant.all(base, "slope", Extremes.doubles) {
        var slopes = PrioritySlopes()
        slopes[priority] = $1
        $0.policy = .slopeAging(slopes)
      }
    }
    for retry in retries { all += Variant.all(base, "retry \(retry.name)", [retry.value]) { $0.retry = $1 } }
    for pool in pools { all += Variant.all(base, "pool \(pool.name)", [pool.value]) { $0.asyncPool = $1 } }
    for rate in rates { all += Variant.all(base, "each \(rate.name)", [rate.value]) { $0.tenants.each.rate = $1 } }
    return all
  }

  @Test func everyConfigurationIsRefusedOrWorks() async throws {
    var (refused, worked) = (0, 0)
    for variant in Self.configurations {
      let time = VirtualTime()
      do throws(InvalidValues) {
        let scheduler = try Scheduler(variant.value, logger: Scheduler.silentLogger, time: time)
        worked += 1
        try await exercise(scheduler, time, variant.name)
      } catch {
        refused += 1
        check(error, variant.name)
        #expect(throws: InvalidValues.self) { try variant.value.validate() }
      }
    }
    #expect(refused > 100 && worked > 100, "\(refused) refused, \(worked) worked")
  }

  /// Runs some jobs, one of which fails.
  private func exercise(_ scheduler: Scheduler, _ time: VirtualTime, _ name: String) async throws(InvalidValues) {
    do {
      try scheduler.register("works") { _ in 1 }
      try scheduler.register("fails") { _ in throw Broken() }
      scheduler.start()
      for type in ["works", "fails", "works"] {
        _ = try? await scheduler.submitOrGiveUp(JobRequest(type, tenant: "a"))
      }
      try await time.advance(by: .milliseconds(50))
      #expect(scheduler.violatedInvariants == [], "\(name)")
      _ = scheduler.health()
      _ = scheduler.metrics()
      await scheduler.shutdown(grace: .zero)
    } catch {
      Issue.record("\(name): \(error)")
    }
  }

  private func check(_ error: InvalidValues, _ name: String) {
    #expect(!error.values.isEmpty, "\(name)")
    for value in error.values {
      #expect(!value.name.isEmpty && !value.value.isEmpty && !value.range.isEmpty, "\(name): \(value)")
    }
  }

  @Test func allThatIsWrongIsSaidAtOnce() throws {
    var configuration = SchedulerConfiguration()
    configuration.threadPool.workers = -1
    configuration.queueCapacity = -5
    configuration.retry = RetryPolicy(limit: 70_000, crashLimit: 0)
    configuration.asyncPool.rate = RateLimit(rate: Rate(perSecond: .nan), burst: 0)
    do throws(InvalidValues) {
      _ = try Scheduler(configuration, observers: [], attemptsRemembered: -3)
      Issue.record("it was taken")
    } catch {
      #expect(
        error.values.map(\.name) == [
          "asyncPool.rate.rate.perSecond", "asyncPool.rate.burst", "threadPool.workers", "queueCapacity", "retry.limit",
          "retry.crashLimit", "attemptsRemembered",
        ])
      #expect(error.description.contains("retry.limit is 70,000; allowed: 0 to 65,534"))
    }
  }

  @Test func asManyWorkersAsThereCanBeAreMade() throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 65_534
    let scheduler = try Scheduler(configuration, logger: Scheduler.silentLogger)
    #expect(scheduler.shardCount == 1 + 65_534 + 2)
    configuration.replacementLimit = 1
    #expect(throws: InvalidValues.self) { try Scheduler(configuration) }
  }

  @Test func noMoreTagKeysAreNamedThanThereCanBe() throws {
    var configuration = SchedulerConfiguration()
    for index in 0...60_000 { configuration.tenants.named["\(index)"] = TenantSettings(concurrency: 1) }
    #expect(throws: InvalidValues.self) { try configuration.validate() }
    configuration.tenants.named["0"] = nil
    try configuration.validate()
  }

  // MARK: - Job types

  @Test func everyJobTypeIsRefusedOrWorks() async throws {
    let base = JobTypeConfiguration(name: "job")
    var all = Variant.all(base, "name", Extremes.texts) { $0.name = $1 }
    all += Variant.all(base, "concurrency", Extremes.ints) { $0.concurrency = $1 }
    all += Variant.all(base, "memory", Extremes.ints) { $0.memory = $1 }
    all += Variant.all(base, "timeout", Extremes.lengths) { $0.timeout = $1 }
    all += Variant.all(base, "deadline", Extremes.lengths) { $0.deadline = $1 }
    all += Variant.all(base, "expectedService", Extremes.lengths) { $0.expectedService = $1 }
    all += Variant.all(base, "weight", Extremes.doubles) { $0.weight = $1 }
    for retry in Self.retries { all += Variant.all(base, retry.name, [retry.value]) { $0.retry = $1 } }
    for rate in Self.rates { all += Variant.all(base, rate.name, [rate.value]) { $0.rate = $1 } }
    for (place, policy) in [DispatchPolicy.deadline, .shortest, .fair(by: .jobType)].enumerated() {
      let time = VirtualTime()
      var configuration = SchedulerConfiguration()
      configuration.policy = policy
      configuration.memoryBudget = 1 << 30
      let scheduler = try Scheduler(configuration, logger: Scheduler.silentLogger, time: time)
      scheduler.start()
      for (number, variant) in all.enumerated() {
        var type = variant.value
        if !variant.name.hasPrefix("name") { type.name = "job \(place) \(number)" }
        do {
          // Half of them have jobs before they are registered.
          let early = number % 2 == 0 ? try? await scheduler.submitOrGiveUp(JobRequest(type.name)) : nil
          try scheduler.register(type) { _ in throw Broken() }
          try type.validate()
          _ = early
          _ = try? await scheduler.submitOrGiveUp(JobRequest(type.name))
        } catch let error as InvalidValues {
          check(error, variant.name)
        }
        try await time.advance(by: .milliseconds(2))
        #expect(scheduler.violatedInvariants == [], "\(variant.name)")
      }
      await scheduler.shutdown(grace: .zero)
    }
  }

  // MARK: - Jobs

  private static var requests: [Variant<JobRequest>] {
    let base = JobRequest("job")
    var all = Variant.all(base, "type", Extremes.texts) { $0.type = $1 }
    all += Variant.all(base, "delay", Extremes.durations) { $0.delay = $1 }
    all += Variant.all(base, "timeout", Extremes.durations) { $0.timeout = $1 }
    all += Variant.all(base, "deadline", Extremes.durations) { $0.deadline = $1 }
    all += Variant.all(base, "expectedService", Extremes.durations) { $0.expectedService = $1 }
    all += Variant.all(base, "startAt", Extremes.times) { $0.startAt = $1 }
    all += Variant.all(base, "memory", Extremes.ints) { $0.memory = $1 }
    all += Variant.all(base, "uniqueKey", Extremes.texts) { $0.uniqueKey = $1 }
    all += Variant.all(base, "tenant", Extremes.texts) { $0.tenant = $1 }
    all += Variant.all(base, "labels", Extremes.texts) { $0.labels = [$1] }
    all += Variant.all(base, "labels.count", [0, 100, 101, 100_000]) { $0.labels = Array(repeating: "t", count: $1) }
    all += Variant.all(base, "dependency", Extremes.identifiers) { $0.dependencies = [JobID(rawValue: $1)] }
    all += Variant.all(base, "batch", Extremes.identifiers) { $0.batch = BatchID(rawValue: UInt32(clamping: $1)) }
    for retry in retries { all += Variant.all(base, "retry \(retry.name)", [retry.value]) { $0.retry = $1 } }
    return all
  }

  @Test(arguments: [DispatchPolicy.priority, .aging(boost: .seconds(1)), .deadline, .shortest, .fair(by: .tenant)])
  func everyJobIsRefusedOrWorks(policy: DispatchPolicy) async throws {
    let time = VirtualTime()
    var configuration = SchedulerConfiguration()
    configuration.policy = policy
    configuration.memoryBudget = 1 << 40
    let scheduler = try Scheduler(configuration, logger: Scheduler.silentLogger, time: time)
    try scheduler.register("job") { _ in throw Broken() }
    scheduler.start()
    var refused = 0
    for variant in Self.requests {
      do {
        try await scheduler.submitOrGiveUp(variant.value)
        try variant.value.validate()
      } catch let error as InvalidValues {
        refused += 1
        check(error, variant.name)
      } catch is SchedulerError {
      }
      try await time.advance(by: .milliseconds(2))
    }
    #expect(scheduler.violatedInvariants == [])
    #expect(refused > 40)
    let ordinary = try await scheduler.submit(JobRequest("job", retry: .never))
    try await time.advance(by: .milliseconds(2))
    #expect(scheduler.status(of: ordinary)?.state == .deadLettered)
    await scheduler.shutdown(grace: .zero)
  }
}

extension Scheduler {
  /// Submits a job without waiting for room.
  @discardableResult
  fileprivate func submitOrGiveUp(_ request: JobRequest) async throws -> JobID? {
    switch try offer(request) {
    case .accepted(let id), .waiting(let id): id
    case .refused(let refusal): throw SchedulerError.refused(refusal)
    }
  }
}
