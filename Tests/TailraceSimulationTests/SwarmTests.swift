// Goal: whatever the settings, a simulated run is possible: an auditor that shares no code with the core finds nothing.
// Every seed turns other options on and off; the seed and its scenario are printed before anything is checked.

import Foundation
import TailraceCore
import TailraceSimulation
import TailraceWorkload
import Testing

/// Draws of one seed, the same on every machine.
private struct Draws {
  private var key: KeyedRandom
  private var number: UInt64 = 0
  init(seed: UInt64) { key = KeyedRandom(seed: seed) }
  mutating func below(_ count: Int) -> Int {
    number += 1
    return Int(key.key(number).uniform * Double(count))
  }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
}

struct SwarmTests {
  /// Fixed seeds, and those from outside: `TAILRACE_SWARM_SEED=n` or `n-m`.
  private static let seeds: [UInt64] = Array(1...1000) + seedsFromOutside

  private static let seedsFromOutside: [UInt64] = {
    let text = ProcessInfo.processInfo.environment["TAILRACE_SWARM_SEED"] ?? ""
    let ends = text.split(separator: "-").compactMap { UInt64($0) }
    return ends.isEmpty ? [] : Array(ends[0]...max(ends[0], ends[ends.count - 1]))
  }()

  /// Where the scenario of a seed lies while it is replayed: what brings the process down is left there.
  private static let folder: URL = {
    let folder = URL.temporaryDirectory.appending(path: "tailrace-swarm-\(ProcessInfo.processInfo.processIdentifier)")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    print("swarm: scenarios of the seeds under test lie in \(folder.path) until they pass")
    print("swarm: TAILRACE_SWARM_SEED=n repeats one; `tailrace run FILE --system simulated --seed n` does so too")
    return folder
  }()

  private static func job(_ draws: inout Draws, hasBudget: Bool) -> String {
    var fields = [
      "service: "
        + draws.pick(["0ms", "5ms", "20ms", "\"exponential(mean: 10ms)\"", "\"uniform(min: 0ms, max: 30ms)\""]),
      "priority: " + draws.pick(["critical", "high", "normal", "low", "batch"]),
    ]
    if draws.chance(25) { fields.append("pool: thread") }
    if draws.chance(25) { fields.append("concurrency: \(1 + draws.below(3))") }
    if draws.chance(20) { fields.append("rate: {rate: \(20 + draws.below(80))/s, burst: \(1 + draws.below(4))}") }
    if hasBudget, draws.chance(50) { fields.append("memory: \(1 + draws.below(6))MiB") }
    if draws.chance(20) { fields.append("delay: \"uniform(min: 0ms, max: 50ms)\"") }
    if draws.chance(20) { fields.append("cancel: {share: 40%, after: \"uniform(min: 0ms, max: 60ms)\"}") }
    if draws.chance(30) { fields.append(draws.pick(["tenants: 3", "tenants: {k0: 1, gold: 3}", "tenants: 40"])) }
    if draws.chance(15) { fields.append("unique_keys: \(1 + draws.below(6))") }
    if draws.chance(40) {
      fields.append("failures: {attempts: 20%, hangs: 5%, always: 5%, permanent: 3%}")
      fields.append("timeout: \(10 + draws.below(40))ms")
    }
    if draws.chance(30) {
      let backoff = draws.pick(["none", "fixed", "linear", "polynomial", "exponential"])
      let base = backoff == "none" ? "" : ", base: 5ms"
      let jitter = draws.pick(["none", "full", "equal", "decorrelated"])
      let crashes = draws.chance(20) ? ", crash_limit: 1" : ""
      fields.append("retries: {limit: \(draws.below(4)), backoff: \(backoff)\(base), jitter: \(jitter)\(crashes)}")
    }
    return "{\(fields.joined(separator: ", "))}"
  }

  private static func scenario(_ seed: UInt64) -> String {
    var draws = Draws(seed: seed)
    let hasBudget = draws.chance(30)
    let names = (0...draws.below(4)).map { "j\($0)" }
    var lines = ["name: swarm", "jobs:"] + names.map { "  \($0): \(job(&draws, hasBudget: hasBudget))" }
    var streams = [
      draws.pick(["poisson: 100/s", "constant: 80/s", "poisson: 300/s"]) + ", count: \(20 + draws.below(80))"
    ]
    if draws.chance(40) {
      lines.append("graphs: {pair: {a: {job: j0}, b: {job: \(names.last!), after: a}, c: {job: j0, after: [a, b]}}}")
      streams.append("constant: 10/s, of: pair, count: 8")
    }
    if draws.chance(30) {
      streams.append("batch: 15, of: [j0], on_failure: \(draws.pick(["collect", "fail-fast"])), start: 30ms")
    }
    if draws.chance(20) { streams.append("interval: \(20 + draws.below(60))ms, of: j0, count: \(5 + draws.below(10))") }
    if draws.chance(25) { streams.append("closed: {clients: 3, think: 5ms}, count: 30") }
    lines += ["load:"] + streams.map { "  - {\($0)}" }
    let policy = draws.pick([
      "fifo", "priority", "aging", "{aging: {boost: 10ms}}", "slope-aging", "deadline", "shortest", "fair",
      "{fair: {by: tenant}}",
    ])
    let full = draws.pick(["reject", "block", "shed"])
    var settings = [
      "workers: \(1 + draws.below(5))", "thread_workers: \(1 + draws.below(3))", "policy: \(policy)",
      "queue: {capacity: \(draws.pick([0, 1, 2, 5, 20, 1_000])), when_full: \(full)}", "retries: \(draws.below(3))",
    ]
    if draws.chance(20) { settings.append("concurrency: \(1 + draws.below(3))") }
    if draws.chance(15) { settings.append("rate: {rate: \(30 + draws.below(100))/s, burst: \(1 + draws.below(5))}") }
    if hasBudget { settings.append("memory_budget: 8MiB") }
    if draws.chance(30) {
      // Only a tenant that some job has can be named.
      let isNamed = draws.chance(50) && lines.contains { $0.contains("gold") }
      let named = isNamed ? ", named: {gold: {weight: 3, concurrency: 2}}" : ""
      let limit = draws.pick(["concurrency: 1", "rate: {rate: 40/s, burst: 2}", "weight: 2"])
      settings.append("tenants: {\(limit)\(named)}")
    }
    if draws.chance(15) {
      let rule = draws.pick(["aimd: {target: 15ms}", "gradient: {}"])
      settings.append("adaptive: {\(rule), initial: \(1 + draws.below(4)), least: \(1 + draws.below(2))}")
    }
    if draws.chance(15) {
      settings.append("autoscaling: {least: 1, queue_age: \(5 + draws.below(40))ms, cooldown: 30ms}")
    }
    if draws.chance(15) { settings.append("codel: {target: 5ms, interval: \(20 + draws.below(80))ms}") }
    if draws.chance(15) { lines.append("backend: {capacity: \(1 + draws.below(4))}") }
    let hasFaults = draws.chance(50)
    // What a fault makes hang must end.
    if hasFaults { settings.append("timeout: \(50 + draws.below(300))ms") }
    lines.append("scheduler: {\(settings.joined(separator: ", "))}")
    if hasFaults { lines += ["faults:"] + faults(&draws).map { "  - {\($0)}" } }
    return lines.joined(separator: "\n") + "\ndrain: 100s\n"
  }

  private static func faults(_ draws: inout Draws) -> [String] {
    let kinds: [(inout Draws) -> String] = [
      { "fail: \(5 + $0.below(30))%, of: j0" }, { _ in "hang: 5%, from: 50ms, until: 400ms" }, { _ in "lose: 3%" },
      { _ in "double: 3%" }, { "crash: \(1 + $0.below(3)), every: 60ms, restart: \"exponential(mean: 40ms)\"" },
      { "crash: 1, pool: async, at: [\($0.below(200))ms, 300ms], restart: 100ms" },
      { "stall: \"uniform(min: 1ms, max: 80ms)\", every: \(100 + $0.below(200))ms" },
      { "step_clock: +\(1 + $0.below(200))ms, at: \($0.below(400))ms" },
      { "step_clock: -\(1 + $0.below(200))ms, at: \($0.below(400))ms" },
    ]
    return (0...draws.below(3)).map { _ in draws.pick(kinds)(&draws) }
  }

  @Test(arguments: seeds) func nothingImpossibleHappens(seed: UInt64) throws {
    let yaml = Self.scenario(seed)
    if Self.seedsFromOutside == [seed] { print("swarm seed \(seed)\n\(yaml)") }
    let file = Self.folder.appending(path: "seed-\(seed).yaml")
    try Data(yaml.utf8).write(to: file)
    let scenario = try ScenarioParser.parse(yaml: yaml, file: "seed-\(seed).yaml").get()
    let tape = Tape(scenario: scenario, seed: seed)
    var records: [TimelineRecord] = []
    var faults: [InjectedFault] = []
    let summary = Simulation(tape).run(injected: { faults.append($0) }, record: { records += $0 })
    var auditor = RecordAuditor(tape, records: records, dependencies: summary.dependencies, faults: faults)
    let problems = auditor.audit()
    #expect(problems.isEmpty, "seed \(seed):\n\(problems.prefix(5).joined(separator: "\n"))\n\(yaml)")
    // Flow is conserved: each intended job settles, unless it is still there at the end.
    let (lost, doubled) = (summary.faults[.jobLost] ?? 0, summary.faults[.jobDoubled] ?? 0)
    #expect(
      records.count(where: \.settles) + summary.unsettled + lost - doubled == summary.intended, "seed \(seed)\n\(yaml)")
    #expect(summary.cutOff == 0, "seed \(seed): \(summary.cutOff) jobs never came to an end\n\(yaml)")
    if problems.isEmpty, summary.cutOff == 0 { try FileManager.default.removeItem(at: file) }
  }

  /// A swarm that never gets anywhere proves nothing.
  @Test func theSwarmReachesEveryEnd() throws {
    var causes: Set<SettlementCause> = []
    var outcomes: Set<AttemptOutcome> = []
    var (count, retries, heldBack) = (0, 0, 0)
    var kinds: Set<InjectedFault.Kind> = []
    for seed in Self.seeds.prefix(150) {
      let run = try Simulated(Self.scenario(seed), seed: seed)
      count += run.records.count
      retries += run.records.filter { $0.attempt > 1 && $0.started != TimelineRecord.never }.count
      heldBack += run.summary.heldBack > .zero ? 1 : 0
      kinds.formUnion(run.summary.faults.keys)
      causes.formUnion(run.records.filter(\.settles).map(\.cause))
      outcomes.formUnion(run.records.map(\.outcome))
    }
    #expect(count > 10_000 && retries > 300 && heldBack > 10, "\(count) \(retries) \(heldBack)")
    let never: Set<SettlementCause> = [.stopped, .dropped, .invalid]
    #expect(causes == Set(SettlementCause.allCases).subtracting(never), "\(causes)")
    #expect(kinds == Set(InjectedFault.Kind.allCases), "\(kinds)")
    #expect(outcomes == Set(AttemptOutcome.allCases), "\(outcomes)")
  }

  @Test func theAuditorSeesWhatIsWrong() throws {
    let yaml = """
      name: t
      jobs: {a: {service: 10ms, concurrency: 1}, b: {service: 10ms, priority: high}, c: {service: 10ms, priority: low}}
      load: [{batch: [a, a, b, b, b, c]}]
      scheduler: {workers: 2, rate: {rate: 1000/s, burst: 6}, retries: 0}
      """
    let run = try Simulated(yaml)
    func problems(_ change: (inout [TimelineRecord]) -> Void) -> [String] {
      var records = run.records
      change(&records)
      var auditor = RecordAuditor(run.tape, records: records, dependencies: run.summary.dependencies)
      return auditor.audit()
    }
    #expect(problems { _ in }.isEmpty)
    #expect(problems { $0.append($0[0]) }.contains { $0.contains("settles 2 times") })
    #expect(problems { $0[0].settles = false }.contains { $0.contains("settles 0 times") })
    #expect(problems { $0[0].started = $0[0].started - .milliseconds(1) }.contains { $0.contains("out of order") })
    #expect(problems { for index in $0.indices { $0[index].worker = 0 } }.contains { $0.contains("at once") })
    #expect(problems { $0[0].worker = 7 }.contains { $0.contains("has not") })
    #expect(
      problems { records in
        for index in records.indices {
          (records[index].started, records[index].finished) = (.zero, Instant.zero + .milliseconds(10))
        }
      }.contains { $0.contains("of a, which allows 1") })
    // The urgent ones last.
    #expect(
      problems { records in
        let urgent = records.indices.filter { records[$0].priority == .high }
        for index in urgent {
          records[index].started = Instant.zero + .seconds(Int64(1 + index))
          records[index].finished = records[index].started + .milliseconds(10)
        }
      }.contains { $0.contains("comes first under the policy") })
  }
}
