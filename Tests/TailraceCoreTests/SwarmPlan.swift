// Goal: draw random options and random events for the swarm test, all from one seed.
import TailraceCore

/// SplitMix64: the same numbers for the same seed on every machine.
struct SwarmRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x1234_5678 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
  mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }
  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[number(0...(choices.count - 1))]
  }
  mutating func maybe<Element>(_ percent: Int, _ make: (inout SwarmRandom) -> Element) -> Element? {
    chance(percent) ? make(&self) : nil
  }
}

/// One seed's options: each run has some abilities, few have all, so that rare combinations get room.
struct SwarmPlan {
  var configuration = SchedulerConfiguration()
  var types: [JobTypeConfiguration] = []
  var reportsStarts: Bool
  var hasDependencies: Bool
  var hasBatches: Bool
  /// Unique keys in use; 0: none.
  var uniqueKeys: Int
  /// Recurring schedules; 0: none.
  var schedules: Int
  /// Tenants in use; 0: none.
  var tenants: Int
  var hasDelays: Bool
  var cancelPercent: Int
  var failPercent: Int
  /// Share of steps in which attempts end; a low one stands for stalled handlers.
  var endPercent: Int
  /// Attempts that a worker may hold when it claims ahead; 1: nobody does.
  var claims: Int
  /// Share of steps in which a worker leaves or comes back; its attempts crash, or go on.
  var absencePercent: Int
  /// Share of steps in which a dead letter is replayed or purged.
  var deadLetterPercent: Int
  /// Share of jobs whose input is invalid.
  var invalidPercent: Int
  /// Share of steps in which a worker whose attempt was stopped is replaced.
  var replacePercent: Int
  /// Types that are parked at first, counted from the last one.
  var parkedTypes: Int
  var drains: Bool
  var stops: Bool
  var steps: Int

  init(_ random: inout SwarmRandom) {
    reportsStarts = random.chance(50)
    hasDependencies = random.chance(60)
    hasBatches = random.chance(40)
    uniqueKeys = random.pick([0, 0, 2, 8])
    tenants = random.pick([0, 0, 1, 3, 12])
    schedules = random.pick([0, 0, 1, 3])
    hasDelays = random.chance(50)
    cancelPercent = random.pick([0, 0, 5, 20])
    failPercent = random.pick([0, 10, 50])
    endPercent = random.pick([15, 40, 70])
    claims = random.pick([1, 1, 2, 4])
    absencePercent = random.pick([0, 0, 5, 20])
    deadLetterPercent = random.pick([0, 10, 40])
    invalidPercent = random.pick([0, 0, 5, 30])
    parkedTypes = random.pick([0, 0, 1, 2])
    replacePercent = random.pick([0, 0, 50])
    configuration.replacementLimit = replacePercent == 0 ? 0 : random.number(0...2)
    drains = random.chance(30)
    stops = random.chance(20)
    steps = random.number(40...160)
    configuration.policy = random.pick([
      .fifo, .priority, .aging(boost: .milliseconds(5)), .slopeAging(PrioritySlopes()), .deadline, .shortest,
      .fair(by: .jobType), .fair(by: .tenant),
    ])
    configuration.asyncPool = Self.pool(&random, workers: random.number(1...4))
    configuration.threadPool = Self.pool(&random, workers: random.number(0...3))
    configuration.queueCapacity = random.pick([1, 2, 5, 20, 1_000])
    configuration.whenFull = random.pick(OverflowPolicy.allCases)
    configuration.retry = Self.retry(&random)
    configuration.timeout = random.maybe(50) { .milliseconds(Int64($0.number(1...40))) }
    if random.chance(50) { configuration.tenants.each = Self.tenant(&random) }
    if random.chance(30) { configuration.tenants.named["t1"] = Self.tenant(&random) }
    configuration.memoryBudget = random.maybe(40) { _ in 100 << 10 }
    configuration.retainedCount = random.pick([0, 3, 1_000])
    configuration.retainedAge = random.pick([.zero, .milliseconds(20), .seconds(3_600)])
    configuration.deadLetterCount = random.pick([0, 2, 1_000])
    configuration.deadLetterAge = random.pick([.zero, .milliseconds(50), .seconds(3_600)])
    configuration.seed = random.next()
    for index in 0..<random.number(1...4) {
      types.append(
        JobTypeConfiguration(
          name: "type \(index)", priority: random.pick(Priority.allCases),
          pool: configuration.threadPool.workers > 0 ? random.pick(PoolID.allCases) : .async,
          retry: random.maybe(30, Self.retry), concurrency: random.maybe(30) { $0.number(1...3) },
          rate: random.maybe(25, Self.rate),
          memory: random.maybe(40) { $0.number(1...100) << 10 } ?? 0,
          deadline: random.maybe(50) { .milliseconds(Int64($0.number(1...50))) },
          expectedService: random.maybe(50) { .milliseconds(Int64($0.number(1...50))) },
          weight: random.pick([1, 1, 2, 4, 0.5])))
    }
  }

  private static func pool(_ random: inout SwarmRandom, workers: Int) -> PoolConfiguration {
    PoolConfiguration(
      workers: workers, concurrency: random.maybe(20) { $0.number(1...3) },
      rate: random.maybe(20, rate),
      adaptive: random.maybe(15) {
        AdaptiveConcurrency(
          $0.pick([.aimd(target: .milliseconds(5), backoff: 0.7), .gradient(tolerance: 1.5)]),
          initial: $0.number(1...4), least: $0.number(1...2))
      },
      autoscaling: random.maybe(15) {
        Autoscaling(
          least: $0.number(1...2), queueAge: .milliseconds(Int64($0.number(1...9))), cooldown: .milliseconds(5),
          step: $0.number(1...2))
      },
      codel: random.maybe(15) { _ in
        CoDelConfiguration(target: .milliseconds(2), interval: .milliseconds(5))
      })
  }

  private static func tenant(_ random: inout SwarmRandom) -> TenantSettings {
    TenantSettings(
      concurrency: random.maybe(60) { $0.number(1...3) }, rate: random.maybe(40, rate),
      weight: random.pick([1, 1, 2, 4, 0.5]))
  }

  private static func rate(_ random: inout SwarmRandom) -> RateLimit {
    RateLimit(rate: Rate(perSecond: random.pick([50, 333, 2_000])), burst: random.number(1...4))
  }

  private static func retry(_ random: inout SwarmRandom) -> RetryPolicy {
    RetryPolicy(
      limit: random.number(0...3),
      backoff: random.pick([
        .none, .fixed(.milliseconds(3)), .linear(base: .milliseconds(2)),
        .exponential(base: .milliseconds(1), factor: 3), .polynomial(base: .milliseconds(1), power: 2),
      ]),
      jitter: random.pick(Jitter.allCases), cap: .milliseconds(20), crashLimit: random.maybe(25) { $0.number(1...2) })
  }
}
