// Goal: one contract for everything that a tape can be handed to. Every intended job settles once or is counted, the
// parts of its time add up, no system runs more at once than it claims, and what it cannot do is refused. A new system
// is held to all of it once it is in `Systems.forTests`.

import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceWorkload
import Testing
@testable import TailracePlatform
@testable import TailraceReplay

@testable import TailraceHarness

/// A system, as the name of a test case shows it.
struct ContractSubject: Sendable, CustomTestStringConvertible {
  let system: any ReplaySystem
  var testDescription: String { system.bringsItsWork ? "a driver" : system.name }

  static let all = (Systems.forTests.all + [ContractDriver.system]).map(ContractSubject.init)
  static let inVirtualTime = all.filter { $0.system.runsInVirtualTime }
  static let inRealTime = all.filter { !$0.system.runsInVirtualTime }
}

/// A driver: first come, first served, by arithmetic. One job type named `endless` has it wait to be ended.
enum ContractDriver {
  static let system: any ReplaySystem = {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("contract-\(UUID().uuidString)")
    let file = folder.appendingPathComponent("driver")
    let script = """
      #!/bin/sh
      # Only for the tests that started it; nothing else names this folder.
      if grep -q ',endless,' "$1"; then exec sleep 600; fi
      awk -F, -v workers="$TAILRACE_WORKERS" '
        NR == 1 {
          print "job,job_type,priority,attempt,worker,intended_ns,submitted_ns,accepted_ns,eligible_ns,started_ns," \\
            "finished_ns,outcome"
          next
        }
        {
          best = 0
          for (worker = 1; worker < workers; worker++) if (free[worker] + 0 < free[best] + 0) best = worker
          eligible = $4 + 1000 + $5
          count = split($8, needed, " ")
          for (i = 1; i <= count; i++) if (done[needed[i]] > eligible) eligible = done[needed[i]]
          start = free[best] > eligible ? free[best] : eligible
          free[best] = done[$1] = start + $9
          outcome = $10 == "succeeds" ? "succeeded" : $10 == "fails" ? "failed" : "failed_permanently"
          printf "%s,%s,%s,1,async-%d,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%s\\n", $1, $2, $3, best, $4, $4 + 500, $4 + 1000,
            eligible, start, free[best], outcome
        }' "$1" > "$2"

      """
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(script.utf8).write(to: file)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    } catch {
      preconditionFailure("cannot write the driver '\(file.path)': \(error)")
    }
    return ExternalSystem(named: "exec:\(file.path)")!
  }()
}

/// What a system made of a tape.
private struct Replayed {
  var outcome: ReplayOutcome
  var measurement: RunMeasurement
  /// By job and attempt.
  var records: [TimelineRecord]
  var attempts: [TimelineRecord] { records.filter { $0.started != TimelineRecord.never } }

  /// The most attempts at once, of those that `isCounted` picks.
  func mostAtOnce(_ isCounted: (TimelineRecord) -> Bool = { _ in true }) -> Int {
    // Of one instant the ends come first.
    let changes = attempts.filter { isCounted($0) && $0.started < $0.finished }
      .flatMap { [($0.started, 1), ($0.finished, -1)] }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
    var (now, most) = (0, 0)
    for (_, change) in changes {
      now += change
      most = max(most, now)
    }
    return most
  }
}

@Suite(.timeLimit(.minutes(5)))
struct SystemContractTests {
  /// A mix that every system can replay.
  private static let plain = """
    name: plain
    jobs:
      quick: {service: 1ms}
      slow: {service: "exponential(mean: 4ms)"}
      fragile: {service: 1ms, failures: 30%}
    load: {poisson: 500/s, of: {quick: 3, slow: 2, fragile: 1}}
    duration: 300ms
    drain: 120s
    scheduler: {workers: 3, retries: 0}
    """

  /// Mixes that some systems refuse; a system that refuses none of one has to do it right.
  static let demanding: [(name: String, yaml: String)] = [
    (
      "dependencies", "jobs: {a: {service: 1ms}}\ngraphs: {g: {phases: [[a, a], [a, a, a]]}}\nload: [{batch: 2, of: g}]"
    ),
    ("priorities", "jobs: {a: {service: 1ms, priority: high}, b: {service: 1ms}}\nload: [{batch: [a, b, b, a]}]"),
    ("retries", "jobs: {a: {service: 1ms, failures: 50%}}\nload: [{batch: 20, of: a}]"),
    ("delays", "jobs: {a: {service: 1ms, delay: 5ms}}\nload: [{batch: 6, of: a}]"),
    ("cancellation", "jobs: {a: {service: 5ms, cancel: {share: 50%, after: 2ms}}}\nload: [{batch: 20, of: a}]"),
    ("unique keys", "jobs: {a: {service: 2ms, unique_keys: 2}}\nload: [{batch: 12, of: a}]"),
    ("clients", "jobs: {a: {service: 1ms}}\nload: [{closed: {clients: 2}, of: a, count: 10}]"),
    ("a limit", "jobs: {a: {service: 1ms, concurrency: 1}}\nload: [{batch: 8, of: a}]"),
    ("two pools", "jobs: {a: {service: 1ms}, b: {service: 1ms, pool: thread}}\nload: [{batch: [a, b, b, a]}]"),
    ("hangs", "jobs: {a: {service: 1ms, timeout: 10ms, failures: {hangs: 20%}}}\nload: [{batch: 10, of: a}]"),
    ("faults", "jobs: {a: {service: 1ms}}\nload: [{batch: 8, of: a}]\nfaults: [{lose: 50%}]"),
  ]

  private func scenario(_ yaml: String) throws -> Scenario {
    try ScenarioParser.parse(yaml: yaml, file: "contract.yaml").get()
  }

  private func replay(
    _ scenario: Scenario, on system: any ReplaySystem, seed: UInt64 = 5,
    changing change: (inout Replay) -> Void = { _ in }
  ) async throws -> Replayed {
    let log = AttemptLog()
    var replay = Replay(tape: Tape(scenario: scenario, seed: seed))
    replay.log = log
    change(&replay)
    let outcome = try await system.replay(replay)
    return Replayed(
      outcome: outcome, measurement: outcome.recorder.measurement(outcome.facts), records: log.take().records)
  }

  // MARK: - What holds of every replay

  private func expectContract(_ replayed: Replayed, _ scenario: Scenario, on system: any ReplaySystem) {
    let (facts, measurement) = (replayed.outcome.facts, replayed.measurement)
    // Jobs: each settles once, or is counted.
    let byJob = Dictionary(grouping: replayed.records, by: \.number)
    var settled = 0
    for (job, records) in byJob {
      let ends = records.count(where: \.settles)
      #expect(ends <= 1, "job \(job) settled \(ends) times")
      settled += ends
      expectChain(records)
    }
    #expect(settled + facts.unsettled == facts.intended)
    #expect(measurement[.lost] == 0 && measurement[.duplicated] == 0)
    // Time: the six parts add up in every class, as the recorder sums them.
    for jobs in measurement.classes {
      #expect(!jobs.parts.isComplete || jobs.parts.addUp, "\(jobs.key.name): \(jobs.parts.gap) ns are missing")
    }
    expectWorkers(replayed, scenario, on: system)
  }

  /// A job's stages follow each other, and so do its attempts.
  private func expectChain(_ records: [TimelineRecord]) {
    for record in records {
      let stages = [
        record.intended, record.submitted, record.accepted, record.eligible, record.started, record.finished,
      ].filter { $0 != TimelineRecord.never }
      #expect(stages == stages.sorted(), "job \(record.number): \(record)")
    }
    for (before, after) in zip(records, records.dropFirst()) {
      #expect(after.attempt == before.attempt + 1 && after.previousFinished == before.finished && !before.settles)
    }
  }

  /// No more runs at once than the system claims, and no worker runs two attempts.
  private func expectWorkers(_ replayed: Replayed, _ scenario: Scenario, on system: any ReplaySystem) {
    let numbered = replayed.attempts.filter { $0.worker != TimelineRecord.noWorker }
    for attempts in Dictionary(grouping: numbered, by: { [Int($0.pool.rawValue), Int($0.worker)] }).values {
      let inOrder = attempts.sorted { ($0.started, $0.finished) < ($1.started, $1.finished) }
      for (before, after) in zip(inOrder, inOrder.dropFirst()) {
        #expect(before.finished <= after.started, "one worker runs jobs \(before.number) and \(after.number) at once")
      }
    }
    // A program may number the workers of both pools as those of one.
    if system.bringsItsWork {
      #expect(replayed.mostAtOnce() <= ProgramPools(scenario).workers)
      return
    }
    let claimed = Dictionary(replayed.outcome.facts.workers.map { ($0.pool, $0.count) }) { $0 + $1 }
    let demand = system.demand(of: scenario)
    for pool in Set(replayed.attempts.map(\.pool)) {
      let most = replayed.mostAtOnce { $0.pool == pool }
      // Who does not number workers claims what it asks for, whatever the pool.
      let all = claimed.isEmpty ? demand.attempts.values.reduce(0, +) : claimed.values.reduce(0, +)
      let workers = claimed[pool] ?? all
      #expect(most <= workers, "\(most) attempts at once on \(pool); \(workers) workers are claimed")
    }
    if system.runsOneAtATime { #expect(replayed.mostAtOnce() <= 1) }
    guard !system.runsInVirtualTime else { return }
    #expect(replayed.mostAtOnce() <= demand.attempts.values.reduce(0, +), "more runs at once than was asked for")
  }

  @Test(arguments: ContractSubject.all) func aPlainMixIsReplayedWhole(_ subject: ContractSubject) async throws {
    let scenario = try scenario(Self.plain)
    try #require(subject.system.lacks(scenario).isEmpty)
    let replayed = try await replay(scenario, on: subject.system)
    expectContract(replayed, scenario, on: subject.system)
    var cursor = Tape(scenario: scenario, seed: 5).makeCursor()
    var intended = 0
    while cursor.next() != nil { intended += 1 }
    #expect(replayed.outcome.facts.intended == intended && replayed.outcome.facts.unsettled == 0)
    #expect(Set(replayed.records.map(\.number)).count == intended)
    #expect(replayed.measurement.all.parts.isComplete)
    #expect(!replayed.outcome.observations.isInterrupted)
    #expect(
      replayed.attempts.contains { $0.outcome == .failed } && replayed.attempts.contains { $0.outcome == .succeeded })
  }

  @Test(arguments: ContractSubject.all, demanding.indices)
  func whatIsNotRefusedIsDone(_ subject: ContractSubject, _ index: Int) async throws {
    let (name, yaml) = Self.demanding[index]
    let scenario = try scenario(
      "name: demanding\n\(yaml)\ndrain: 120s\nscheduler: {workers: 3, policy: priority, retries: 2}\n")
    let lacks = subject.system.lacks(scenario)
    guard lacks.isEmpty else {
      // What it lacks is refused before anything runs, in the words of the system.
      var options = SuiteOptions()
      options.systems = [subject.system.name]
      let refusals = SuiteRunner(options, parts: .forTests(), interruption: StopFlag()).refusals([scenario])
      let all = lacks.joined(separator: ", ")
      #expect(
        refusals.contains { $0.contains("'\(subject.system.name)', which lacks: \(all)") }, "\(name): \(refusals)")
      #expect(lacks.allSatisfy { !$0.isEmpty } && Set(lacks).count == lacks.count)
      return
    }
    let replayed = try await replay(scenario, on: subject.system)
    if scenario.faults.isEmpty { expectContract(replayed, scenario, on: subject.system) }
    #expect(replayed.outcome.facts.intended > 0, "\(name)")
  }

  // MARK: - Interruption and settings

  private static let endless = """
    name: endless
    jobs: {endless: {service: 600s}}
    load: [{batch: 4, of: endless}]
    duration: 1s
    drain: 900s
    scheduler: {workers: 2}
    """

  @Test(arguments: ContractSubject.inRealTime)
  func anInterruptionEndsARunningReplay(_ subject: ContractSubject) async throws {
    let scenario = try scenario(Self.endless)
    let interruption = StopFlag()
    let stop = Task {
      try await Task.sleep(for: .milliseconds(300))
      interruption.stop()
    }
    let began = MonotonicClock.now()
    let replayed = try await replay(scenario, on: subject.system) {
      $0.interruption = interruption
      $0.grace = .milliseconds(200)
    }
    try await stop.value
    // Jobs take ten minutes: whatever ends sooner was ended. The bound leaves room for a busy machine.
    #expect(MonotonicClock.now() - began < .seconds(60))
    #expect(replayed.outcome.observations.isInterrupted)
    expectContract(replayed, scenario, on: subject.system)
    #expect(!replayed.attempts.contains { $0.outcome == .succeeded })
  }

  @Test(arguments: ContractSubject.all)
  func oneThatIsInterruptedBeforehandEndsAtOnce(_ subject: ContractSubject) async throws {
    let scenario = try scenario(Self.endless)
    let interruption = StopFlag()
    interruption.stop()
    let began = MonotonicClock.now()
    let replayed = try await replay(scenario, on: subject.system) {
      $0.interruption = interruption
      $0.grace = .milliseconds(100)
    }
    #expect(MonotonicClock.now() - began < .seconds(60))
    #expect(replayed.outcome.observations.isInterrupted)
  }

  /// No job can be submitted as early as this asks, so that each is dropped where the setting is heeded.
  @Test(arguments: ContractSubject.all) func maxLagIsHeededWhereItIsSaidToBe(_ subject: ContractSubject) async throws {
    let scenario = try scenario(
      "name: late\njobs: {a: {service: 0ms}}\nload: [{batch: 5, of: a}]\nduration: 100ms\ndrain: 120s\n")
    let replayed = try await replay(scenario, on: subject.system) { $0.dropAfter = .seconds(-3_600) }
    let dropped = replayed.records.count { $0.settles && $0.cause == .dropped }
    #expect(dropped == (subject.system.heeds.contains(.maxLag) ? 5 : 0))
    expectContract(replayed, scenario, on: subject.system)
  }

  // MARK: - What it says of itself

  @Test(arguments: ContractSubject.all) func demandIsThatOfItsKind(_ subject: ContractSubject) throws {
    let system = subject.system
    let demand = system.demand(of: try scenario(Self.plain))
    if system.runsInVirtualTime { #expect(demand == RunDemand(), "nothing is started in virtual time") }
    #expect(demand.isOtherProgram == system.bringsItsWork)
    guard !system.runsInVirtualTime, !system.bringsItsWork else { return }
    #expect(demand.attempts.values.reduce(0, +) == (system.runsOneAtATime ? 1 : 3))
    #expect(demand.recorders > 0)
    let more = system.demand(of: try scenario(Self.plain.replacing("workers: 3", with: "workers: 30")))
    #expect(more.attempts.values.reduce(0, +) == (system.runsOneAtATime ? 1 : 30))
    #expect(more.workerThreads >= demand.workerThreads && demand.setting.hasPrefix("scheduler."))
  }

  @Test(arguments: ContractSubject.inVirtualTime)
  func virtualTimeIsTheSameEachTime(_ subject: ContractSubject) async throws {
    let scenario = try scenario(Self.plain)
    let first = try await replay(scenario, on: subject.system, seed: 9)
    let second = try await replay(scenario, on: subject.system, seed: 9)
    #expect(first.records == second.records && !first.records.isEmpty)
    #expect(first.measurement == second.measurement)
    #expect(first.outcome.observations == second.outcome.observations)
    #expect(subject.system.heeds.isDisjoint(with: [.pacer, .grace]), "no clock is waited for")
  }

  @Test func namesAndSummariesAreTold() throws {
    let systems = ContractSubject.all.map(\.system)
    #expect(Set(systems.map(\.name)).count == systems.count && Set(systems.map(\.summary)).count == systems.count)
    for system in systems {
      #expect(!system.name.isEmpty && !system.name.contains { $0 == "," || $0.isWhitespace }, "\(system.name)")
      #expect(system.summary.hasSuffix(".") && !system.summary.contains("\n"), "\(system.name): \(system.summary)")
      #expect(Systems.forTests.named(system.name)?.name == system.name)
      #expect(system.obstacle == nil)
      for other in systems {
        guard let baseline = system.baseline(for: other.name) else { continue }
        #expect(Systems.forTests.named(baseline)?.runsInVirtualTime == system.runsInVirtualTime)
      }
    }
    #expect(ExternalSystem(named: "live") == nil)
    #expect(ExternalSystem(named: "exec:/nowhere/at/all")?.obstacle?.contains("does not exist") == true)
  }
}
