// A scenario file says what its document says: forms, defaults, overrides and time scale.

import TailraceCore
import TailraceWorkload
import Testing

@Suite struct ScenarioParserTests {
  private func parse(_ yaml: String, _ overrides: [(key: String, value: String)] = []) throws -> Scenario {
    try ScenarioParser.parse(yaml: yaml, file: "test.yaml", overrides: overrides).get()
  }

  private static let small = """
    name: small
    jobs:
      a: {service: 10ms}
      b.c: {service: exponential(mean: 20ms), priority: critical}
    load: {poisson: 20/s, of: {a: 3, b.c: 1}}
    duration: 10s
    """

  @Test func readsTheDocumentedExample() throws {
    let scenario = try BuiltInTests.scenario("governance-five")
    #expect(scenario.jobs.map(\.name).first == "constitutional_compliance_check")
    #expect(scenario.jobs[0].priority == .high)
    #expect(scenario.jobs[1].service == .constant(.milliseconds(301)))
    #expect(scenario.streams.map(\.arrivals) == [.batch(failFast: false)])
    #expect(scenario.streams.map(\.mix) == [.sequence([0, 1, 2, 3, 4])])
    #expect(scenario.scheduler.workers == 3)
    #expect(scenario.scheduler.retry.limit == 3)
    #expect(scenario.scheduler.timeout == .seconds(300))
    #expect(scenario.targets.first == "submission.p99 < 500ms")
    #expect(scenario.published.first == PublishedFigure(metric: "service.mean", value: "0.231s"))
  }

  @Test func leavesWhatIsNotSaidToTheSchedulersDefaults() throws {
    let scenario = try parse(Self.small)
    let defaults = SchedulerConfiguration()
    #expect(scenario.scheduler.workers == defaults.asyncPool.workers)
    #expect(scenario.scheduler.retry == defaults.retry)
    #expect(scenario.scheduler.timeout?.duration == defaults.timeout)
    #expect(scenario.scheduler.queueCapacity == defaults.queueCapacity)
    #expect(scenario.warmup == .zero)
    #expect(scenario.drain == .seconds(30))
    #expect(scenario.jobs[0].priority == .normal)
  }

  @Test func distributionsNeedNoQuotes() throws {
    let yaml = """
      name: forms
      jobs:
        a: {service: lognormal(median: 40ms, p99: 900ms), priority: low}
        b:
          service: pareto(min: 1ms, alpha: 1.5, max: 10s)
          delay: uniform(min: 1ms, max: 2ms)
        c: {service: "bimodal(fast: 5ms, slow: 500ms, share: 10%)"}
      load: {closed: {clients: 2, think: exponential(mean: 5ms)}, count: 10}
      """
    let scenario = try parse(yaml)
    #expect(scenario.jobs[0].service == .lognormal(median: .milliseconds(40), p99: .milliseconds(900)))
    #expect(scenario.jobs[0].priority == .low)
    #expect(scenario.jobs[1].service == .pareto(min: .milliseconds(1), alpha: 1.5, max: .seconds(10)))
    #expect(scenario.jobs[1].delay == .uniform(min: .milliseconds(1), max: .milliseconds(2)))
    #expect(scenario.jobs[2].service == .bimodal(fast: .milliseconds(5), slow: .milliseconds(500), share: 0.1))
    #expect(scenario.streams[0].arrivals == .closed(clients: 2, think: .exponential(mean: .milliseconds(5))))
  }

  @Test func graphsAreSortedAndMayUseATypeTwice() throws {
    let yaml = """
      name: graphs
      jobs: {a: {service: 1ms}, b: {service: 1ms}}
      graphs:
        named: {last: {job: a, after: [first, b]}, first: {job: a}, b: {after: first}}
        phased: {phases: [[a, a], b, [a, b]]}
      load: [{batch: 2, of: named}, {poisson: 5/s, of: phased, count: 3}]
      """
    let scenario = try parse(yaml)
    guard case .graph(let named) = scenario.streams[0].mix, case .graph(let phased) = scenario.streams[1].mix else {
      Issue.record("not graphs: \(scenario.streams)")
      return
    }
    #expect(named.nodes.map(\.type) == [0, 1, 0])
    #expect(named.nodes.map(\.after) == [[], [0], [0, 1]])
    #expect(phased.nodes.map(\.after) == [[], [], [0, 1], [2], [2]])
    #expect(scenario.streams[0].count == 2)
  }

  @Test func overridesChangeSchedulerLoadAndJobs() throws {
    let scenario = try parse(
      Self.small,
      [
        ("scheduler.workers", "8"), ("scheduler.policy", "fifo"), ("scheduler.retries.limit", "7"),
        ("load.constant", "50/s"), ("jobs.a.service", "uniform(min: 1ms, max: 3ms)"), ("jobs.b.c.priority", "low"),
        ("duration", "5s"), ("warmup", "1s"), ("scheduler.queue.when_full", "shed"),
      ])
    #expect(scenario.scheduler.workers == 8)
    #expect(scenario.scheduler.policy == .fifo)
    #expect(scenario.scheduler.retry.limit == 7)
    #expect(scenario.scheduler.whenFull == .shed)
    #expect(scenario.streams[0].arrivals == .constant(Rate(perSecond: 50)))
    #expect(scenario.jobs[0].service == .uniform(min: .milliseconds(1), max: .milliseconds(3)))
    #expect(scenario.jobs[1].priority == .low)
    #expect(scenario.duration == .seconds(5))
    #expect(scenario.warmup == .seconds(1))
    let streams = try parse(try #require(BuiltIn.yaml(named: "audit-approvals")), [("load.1.constant", "9/s")]).streams
    #expect(streams[1].arrivals == .constant(Rate(perSecond: 9)))
  }

  @Test(arguments: [
    ("scheduler.wokers", "3", "unknown key 'wokers'"), ("shceduler.workers", "3", "did you mean 'scheduler'?"),
    ("scheduler.workers", "many", "not a whole number"), ("duration", "5", "has no unit"),
    ("load.7.poisson", "5/s", "no stream 7"), ("jobs.a.service", "", "the value is empty"),
    ("jobs.z.service", "5ms, x: [", "unknown"), ("..", "5", "not a path"),
    ("scheduler", "[1]", "write a mapping"), ("duration", "{", "not valid YAML"),
  ])
  func overridesAreBlamedForTheirProblems(_ key: String, _ value: String, _ reason: String) {
    switch ScenarioParser.parse(yaml: Self.small, file: "test.yaml", overrides: [(key, value)]) {
    case .success: if reason != "unknown" { Issue.record("\(key)=\(value) was taken") }
    case .failure(let problems):
      #expect(problems.description.contains(reason) || reason == "unknown")
      #expect(problems.problems.allSatisfy { $0.description.hasPrefix("--set \(key)=\(value): ") })
    }
  }

  @Test func targetsAreValidatedWhereTheyStand() throws {
    let yaml = Self.small + "\ntargets:\n  - good\n  - bad\npublished: {bad: 5}\n"
    let check = ExpressionCheck(
      target: { $0 == "bad" && $1 == ["a", "b.c"] ? "no; yes" : nil },
      published: { $0 == "bad" && $1 == "5" && $2.count == 2 ? "no; yes" : nil })
    let result = ScenarioParser.parse(yaml: yaml, file: "test.yaml", checking: check)
    #expect(throws: ScenarioProblems.self) { try result.get() }
    if case .failure(let problems) = result {
      #expect(problems.description == "test.yaml:9:5: no; yes\ntest.yaml:10:13: no; yes")
    }
  }

  @Test func scalingKeepsTheOfferedLoad() throws {
    let scenario = try BuiltInTests.scenario("companion-interactions")
    let scaled = scenario.scaled(by: 0.1)
    #expect(scaled.streams[0].arrivals == .poisson(Rate(perSecond: 12 / 0.1)))
    #expect(scaled.duration == .seconds(2))
    #expect(scaled.jobs[0].timeout == .seconds(3))
    #expect(scaled.jobs[0].service == .lognormal(median: .milliseconds(10), p99: .milliseconds(30)))
    #expect(scaled.scheduler.policy == .aging(boost: .milliseconds(500)))
    #expect(scaled.targets == scenario.targets)
    // The same jobs in the same order, ten times as fast.
    var (slow, fast) = (Tape(scenario: scenario, seed: 3).makeCursor(), Tape(scenario: scaled, seed: 3).makeCursor())
    while let job = slow.next() {
      let drawn = fast.next()
      let other = try #require(drawn)
      #expect(job.type == other.type && job.dependencies == other.dependencies)
      #expect(abs(job.intended.nanoseconds - 10 * other.intended.nanoseconds) < 100)
    }
    let rest = fast.next()
    #expect(rest == nil)
    let pipeline = try BuiltInTests.scenario("pipeline-phases").scaled(by: 0.5)
    #expect(pipeline.scheduler.rate == RateLimit(rate: Rate(perSecond: 10), burst: 1))
    let real = try BuiltInTests.scenario("swarm-database")
    #expect(!real.isScalable)
    #expect(real.scaled(by: 0.1) == real)
  }

  @Test func readsLimitsByTagAndThoseThatFindThemselves() throws {
    let yaml = """
      name: control
      jobs: {a: {service: 10ms, tenants: {gold: 1, free: 3}}, b: {service: 10ms, tenants: 2}}
      load: {batch: [a, b]}
      backend: {capacity: 8}
      scheduler:
        policy: {fair: {by: tenant}}
        tenants: {concurrency: 2, rate: {rate: 5/s, burst: 3}, named: {gold: {weight: 4}}}
        adaptive: {aimd: {target: 200ms}, initial: 5}
        autoscaling: {least: 2, queue_age: 1s}
        codel: {target: 50ms, interval: 500ms}
        retries: {limit: 5, backoff: polynomial, base: 1s, power: 4, jitter: decorrelated, crash_limit: 2}
      figures: [late, "waiting{type=a}.max"]
      """
    let scenario = try parse(yaml)
    let scheduler = scenario.scheduler
    #expect(scheduler.policy == .fair(by: .tenant))
    #expect(scheduler.tenants.each.concurrency == 2 && scheduler.tenants.each.rate?.burst == 3)
    #expect(scheduler.tenants.named["gold"] == TenantSettings(weight: 4))
    #expect(scheduler.adaptive == AdaptiveConcurrency(.aimd(target: .milliseconds(200), backoff: 0.9), initial: 5))
    #expect(scheduler.autoscaling == Autoscaling(least: 2, queueAge: .seconds(1)))
    #expect(scheduler.autoscaling?.interval == .seconds(1) && scheduler.autoscaling?.cooldown == .seconds(10))
    #expect(scheduler.codel == CoDelConfiguration(target: .milliseconds(50), interval: .milliseconds(500)))
    #expect(scheduler.retry.backoff == .polynomial(base: .seconds(1), power: 4) && scheduler.retry.crashLimit == 2)
    #expect(scenario.backendCapacity == 8 && scenario.figures == ["late", "waiting{type=a}.max"])
    #expect(scenario.jobs[0].tenants?.names == ["gold", "free"] && scenario.jobs[1].tenants?.names == ["k0", "k1"])
    let configuration = SchedulerConfiguration(scenario, seed: 1)
    #expect(configuration.tenants == scheduler.tenants && configuration.asyncPool.adaptive == scheduler.adaptive)
  }

  @Test func tagsAreDrawnByTheirWeightsAndMoveNothingElse() throws {
    func tape(_ tenants: String) throws -> Tape {
      let yaml = """
        name: tenants
        jobs: {a: {service: exponential(mean: 10ms), tenants: \(tenants)}}
        load: {poisson: 100/s, count: 4000}
        """
      return Tape(scenario: try parse(yaml), seed: 3)
    }
    let (mixed, even) = (try tape("{gold: 1, free: 3}"), try tape("4"))
    var (a, b) = (mixed.makeCursor(), even.makeCursor())
    var gold = 0
    while let job = a.next(), let other = b.next() {
      if job.tenant == "gold" { gold += 1 }
      #expect(job.tenant == mixed.tenant(of: job.number, type: 0))
      guard job.intended == other.intended else { return #expect(Bool(false), "the arrivals moved") }
    }
    #expect((900...1_100).contains(gold), "\(gold)")
    #expect(mixed.fingerprint() != even.fingerprint())
  }
}

extension ScenarioParserTests {
  @Test func formerNamesAreReadAndTold() throws {
    func yaml(_ names: [String]) -> String {
      """
      name: former
      jobs: {a: {service: 10ms, \(names[0]): {gold: 1, free: 3}}}
      load: {poisson: 10/s}
      duration: 1s
      scheduler:
        policy: {fair: {by: \(names[1])}}
        \(names[2]): {named: {gold: {weight: 4}}}
        \(names[3]): {least: 2, queue_age: 1s}
        retries: {limit: 5, \(names[4]): 2}
      """
    }
    var old = try ScenarioParser.parse(yaml: yaml(["tag", "tag", "tags", "autoscale", "crashes"]), file: "a").get()
    let new = try ScenarioParser.parse(
      yaml: yaml(["tenants", "tenant", "tenants", "autoscaling", "crash_limit"]), file: "a"
    ).get()
    #expect(
      old.formerNames == [
        "a:2:27: 'tag' is now called 'tenants'; the old name is still read",
        "a:6:23: 'tag' is now called 'tenant'; the old name is still read",
        "a:7:3: 'tags' is now called 'tenants'; the old name is still read",
        "a:8:3: 'autoscale' is now called 'autoscaling'; the old name is still read",
        "a:9:23: 'crashes' is now called 'crash_limit'; the old name is still read",
      ])
    old.formerNames = []
    #expect(old == new && new.formerNames.isEmpty)
    let changed = try ScenarioParser.parse(
      yaml: yaml(["tenants", "tenant", "tenants", "autoscaling", "crash_limit"]), file: "a",
      overrides: [("scheduler.autoscale.least", "1"), ("jobs.a.tag", "{gold: 1, free: 1}")]
    ).get()
    #expect(changed.scheduler.autoscaling?.least == 1 && changed.jobs[0].tenants?.shares == [0.5, 1])
    #expect(changed.formerNames.count == 2 && changed.formerNames[0].hasPrefix("--set "), "\(changed.formerNames)")
    let both = ScenarioParser.parse(
      yaml: yaml(["tag: 2, tenants", "tenant", "tags", "autoscale", "crashes"]), file: "a")
    guard case .failure(let failure) = both else {
      Issue.record("both names were read")
      return
    }
    #expect(failure.description.contains("'tag' and 'tenants' in jobs.a are the same key; remove 'tag'"))
  }
}
