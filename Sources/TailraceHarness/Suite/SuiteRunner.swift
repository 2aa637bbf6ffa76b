import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceSpelling
import TailraceWorkload

/// Runs scenarios one after another, each on its systems, and makes the results.
package struct SuiteRunner: Sendable {
  private let options: SuiteOptions
  private let parts: SuiteParts
  private let interruption: StopFlag

  /// - Parameter interruption: Set it to end the suite early. The result then has what was measured so far.
  package init(_ options: SuiteOptions, parts: SuiteParts, interruption: StopFlag) {
    self.options = options
    self.parts = parts
    self.interruption = interruption
  }

  /// The machine's speed before the first run.
  private struct MachineState {
    var wakeUp: ProbeQuantiles?
    var spin: SpinCalibration

    func note(in observations: inout Observations) {
      observations.spinSpeed = Reading(spin.iterationsPerNanosecond)
      guard let wakeUp else { return }
      observations.wakeUpP50 = Reading(Double(wakeUp.p50.rawValue))
      observations.wakeUpP99 = Reading(Double(wakeUp.p99.rawValue))
    }
  }

  /// A planned replay.
  private struct Plan {
    var scenario: Scenario
    var system: any ReplaySystem
    /// Its declared length, for the time left.
    var length: Nanoseconds
    /// The targets evaluated while it runs.
    var targets: [WatchedTarget] = []
    /// Whether the scenario's targets apply to it.
    var isPrimary = true
    /// Whether this process really does the jobs.
    var worksHere: Bool { !system.runsInVirtualTime && !system.bringsItsWork }
  }

  /// Error messages that prevent the run: unknown systems, and scenarios with requirements that a system lacks.
  package func refusals(_ scenarios: [Scenario]) -> [String] {
    var problems: [String] = []
    let known = parts.systems.names
    for name in options.systems {
      guard let system = parts.systems.named(name) else {
        // A program's path without what it begins with.
        let isPath = name.contains("/") && FileManager.default.isExecutableFile(atPath: name)
        let hint = isPath ? "did you mean 'exec:\(name)'? " : didYouMean(name, among: known)
        problems.append("unknown system '\(name)'; \(hint)systems: \(known.joined(separator: ", "))")
        continue
      }
      if let obstacle = system.obstacle { problems.append(obstacle) }
    }
    for type in options.slowdowns.keys.sorted()
    where !scenarios.contains(where: { $0.jobs.contains { $0.name == type && $0.service != nil } }) {
      problems.append("no scenario has a job type '\(type)' with a declared service time that could be made slower")
    }
    for scenario in scenarios {
      for name in systems(of: scenario) {
        guard let lacks = parts.systems.named(name)?.lacks(scenario, interruption: interruption), !lacks.isEmpty else {
          continue
        }
        problems.append(
          "scenario '\(scenario.name)' cannot be replayed on '\(name)', which lacks: \(lacks.joined(separator: ", "))")
      }
    }
    // A run that cannot start needs nothing.
    return problems.isEmpty ? needsRefused(scenarios) : problems
  }

  /// Error messages for resources that the machine lacks.
  private func needsRefused(_ scenarios: [Scenario]) -> [String] {
    let rehearsal = Rehearsal(of: scenarios)
    return NeedCheck(options.limits, inChildren: options.runsInChildren).problems(
      scenarios.flatMap { scenario in
        systems(of: scenario).compactMap { name in parts.systems.named(name).map { (scenario, $0) } }
      }, rehearsal: rehearsal)
  }

  /// The systems by name; those that were asked for bring the baselines that the scenario compares with.
  private func systems(of scenario: Scenario) -> [String] {
    guard !options.systems.isEmpty else { return [parts.systems.main.name] + scenario.compare }
    var names = options.systems
    for system in options.systems.compactMap({ parts.systems.named($0) }) {
      for name in scenario.compare.compactMap(system.baseline) where !names.contains(name) { names.append(name) }
    }
    return names
  }

  /// Runs everything. A failed replay is recorded in its scenario's failures and does not affect others.
  ///
  /// - Parameter onProgress: Called about five times per second, from a dedicated thread.
  /// - Throws: ``RefusedSuite`` before anything runs.
  package func run(
    _ scenarios: [Scenario], onProgress: @escaping @Sendable (SuiteProgress) -> Void
  ) async throws -> SuiteRun {
    let refusals = refusals(scenarios)
    guard refusals.isEmpty else { throw RefusedSuite(problems: refusals) }
    let started = Date()
    let environment = RunEnvironment.capture(allocator: parts.allocator).entries.map { Setting($0.key, $0.value) }
    let scaled = scenarios.map { $0.isScalable ? $0.scaled(by: options.timeScale) : $0 }
    let plans = try scaled.flatMap { try makePlans(for: $0) }
    let calibration =
      !interruption.isSet
        && plans.contains { plan in plan.worksHere && plan.scenario.jobs.contains { $0.work == .spin } }
      ? SpinCalibration.measure() : SpinCalibration(iterationsPerNanosecond: 1)
    let rehearsal = Rehearsal(of: scaled)
    var rehearsed: Set<String> = []
    var failures = Failures()
    for plan in plans where !interruption.isSet && plan.worksHere && rehearsed.insert(plan.system.name).inserted {
      do {
        try await rehearsal.run(on: plan.system, parts: parts, interruption: interruption)
      } catch {
        failures.unprepared[plan.system.name] = ErrorWords.of(error)
      }
    }
    let isVirtual = plans.allSatisfy(\.system.runsInVirtualTime)
    let machine =
      isVirtual || interruption.isSet
      ? nil : MachineState(wakeUp: WakeUpCalibration.measure(), spin: SpinCalibration.measure())
    var runs: [String: [MadeRun]] = [:]
    var jobs: [SuiteRun.Jobs] = []
    for (index, plan) in plans.enumerated() where !interruption.isSet && !failures.note(unprepared: plan) {
      let interruption = interruption
      let tape = Tape(scenario: plan.scenario, seed: options.seed) { interruption.isSet }
      // Before the run: what is drawn after an interruption is no whole tape.
      let identity = tape.identity()
      guard !interruption.isSet else { break }
      var blank = SuiteProgress(
        scenario: plan.scenario.name, system: plan.system.name, index: index + 1, count: plans.count, jobs: 0,
        elapsed: .zero, left: plans[(index + 1)...].reduce(.zero) { $0 + $1.length })
      blank.virtualTime = plan.system.runsInVirtualTime ? .zero : nil
      let progress = ProgressThread(
        blank, length: plan.length, virtualLength: plan.scenario.duration, targets: plan.targets,
        scale: plan.scenario.isScalable ? options.timeScale : 1, isWatched: options.watches, onProgress)
      let log = options.keepsJobs || options.recordsTape ? AttemptLog() : nil
      // Also when the replay throws, so that no progress of a finished run is reported.
      defer { progress.end() }
      var made: MadeRun
      do {
        made = try await replay(plan, tape, identity, calibration, machine, log, progress.progress)
      } catch {
        failures.note(ErrorWords.of(error), of: plan)
        continue
      }
      if let log {
        let kept = Self.jobs(log, plan.scenario, plan.system.name)
        if kept.leftOut > 0 { made.result.observations.attemptsLeftOut = kept.leftOut }
        jobs.append(kept)
      }
      runs[plan.scenario.name, default: []].append(made)
    }
    let results = try scaled.compactMap { scenario in
      try sum(scenario, runs[scenario.name] ?? [], failures.byScenario[scenario.name] ?? [])
    }
    let suite = SuiteResult(
      version: parts.version, suite: options.suite, started: started.formatted(.iso8601), environment: environment,
      command: options.command, seed: options.seed, timeScale: options.timeScale, scenarios: results,
      isInterrupted: interruption.isSet)
    return SuiteRun(
      result: suite, jobs: jobs, writesJobs: options.keepsJobs, writesTape: options.recordsTape)
  }

  private func makePlans(for scenario: Scenario) throws -> [Plan] {
    let types = scenario.jobs.map(\.name)
    let targets =
      try options.watches
      ? scenario.targets.map {
        WatchedTarget(text: $0, expression: try TargetExpression(parsing: $0, types: types))
      } : []
    return systems(of: scenario).enumerated().map { index, name in
      let system = parts.systems.named(name)!
      return Plan(
        scenario: scenario, system: system,
        length: system.runsInVirtualTime ? .zero : length(scenario, on: system),
        // A scenario's targets are about its first run.
        targets: index == 0 ? targets : [], isPrimary: index == 0)
    }
  }

  /// A run's result, and the slow jobs behind each missed target about time.
  private typealias MadeRun = (result: RunResult, slow: [String: SlowJobs])

  private func replay(
    _ plan: Plan, _ tape: Tape, _ identity: TapeIdentity, _ calibration: SpinCalibration, _ machine: MachineState?,
    _ log: AttemptLog?,
    _ progress: RunProgress
  ) async throws -> MadeRun {
    let needsDatabase =
      plan.worksHere
      && plan.scenario.jobs.contains { if case .sqlite = $0.work { true } else { false } }
    let database = needsDatabase ? try parts.makeDatabase(max(1, plan.scenario.scheduler.workers)) : nil
    defer { database?.close() }
    let scale = plan.scenario.isScalable ? options.timeScale : 1
    var replay = Replay(
      tape: slowed(tape), pacing: options.pacing, dropAfter: options.dropAfter, grace: options.grace,
      calibration: calibration, database: database, meter: parts.meter, interruption: interruption, log: log,
      progress: progress)
    replay.startsWindow = Nanoseconds.seconds(1).scaled(by: scale)
    let outcome = try await plan.system.replay(replay)
    var observations = outcome.observations
    if let machine, !plan.system.runsInVirtualTime { machine.note(in: &observations) }
    if plan.system.name == parts.systems.main.name, let allocations = options.allocationsPerJob[plan.scenario.name] {
      observations.allocationsPerJob = allocations
    }
    let result = RunResult(
      system: plan.system.name, seed: options.seed, timeScale: scale, fingerprint: identity.whole,
      tape: TapeParts(arrivals: identity.arrivals, types: identity.types.map { Setting($0.name, $0.print) }),
      measurement: outcome.recorder.measurement(outcome.facts), observations: observations)
    let slow =
      plan.isPrimary
      ? outcome.recorder.slowJobs(behind: plan.scenario.targets, of: result, workers: outcome.facts.workers) : [:]
    return (result, slow)
  }

  private func slowed(_ tape: Tape) -> Tape {
    guard !options.slowdowns.isEmpty else { return tape }
    var factors: [Int: Double] = [:]
    for (type, job) in tape.scenario.jobs.enumerated() { factors[type] = options.slowdowns[job.name] }
    return tape.slowed(factors)
  }

  /// Failed replays.
  private struct Failures {
    /// Why systems could not even rehearse, by their names.
    var unprepared: [String: String] = [:]
    private(set) var byScenario: [String: [RunFailure]] = [:]

    mutating func note(_ words: String, of plan: Plan) {
      byScenario[plan.scenario.name, default: []].append(
        RunFailure(system: plan.system.name, words: words, isPrimary: plan.isPrimary))
    }

    /// Notes a failure where the system could not rehearse; returns whether it could not.
    mutating func note(unprepared plan: Plan) -> Bool {
      guard let words = unprepared[plan.system.name] else { return false }
      note(words, of: plan)
      return true
    }
  }

  /// A scenario's runs in one result; nil when the suite was cut short before its first.
  private func sum(
    _ scenario: Scenario, _ runs: [MadeRun], _ failures: [RunFailure]
  ) throws -> ScenarioResult? {
    guard !runs.isEmpty || !failures.isEmpty else { return nil }
    return try ScenarioResult(
      name: scenario.name, summary: scenario.summary, source: scenario.source, notes: scenario.notes,
      settings: scenario.describedSettings + plantedSlowdowns(in: scenario), runs: runs.map(\.result),
      targets: scenario.targets,
      published: scenario.published.map { ($0.metric, $0.value) }, figures: scenario.figures,
      types: scenario.jobs.map(\.name), trace: scenario.trace.map { ReplayedTrace($0) }, failures: failures,
      slow: runs.first?.slow ?? [:])
  }

  private func plantedSlowdowns(in scenario: Scenario) -> [Setting] {
    scenario.jobs.compactMap { job in
      options.slowdowns[job.name].map { Setting(Setting.plantedSlowdown, "\(job.name) × \(Nanoseconds.short($0))") }
    }
  }

  private static func jobs(_ log: AttemptLog, _ scenario: Scenario, _ system: String) -> SuiteRun.Jobs {
    let (records, leftOut) = log.take()
    return SuiteRun.Jobs(
      scenario: scenario.name, system: system, types: scenario.jobs.map(\.name), names: scenario.trace?.names,
      origin: log.start,
      records: records, leftOut: leftOut)
  }

  /// How long a replay is expected to take: its declared duration, or for batches the work over the workers.
  private func length(_ scenario: Scenario, on system: any ReplaySystem) -> Nanoseconds {
    if let duration = scenario.duration, !system.runsOneAtATime { return duration }
    let interruption = interruption
    let tape = Tape(scenario: scenario, seed: 1) { interruption.isSet }
    var cursor = tape.makeCursor()
    var work = Nanoseconds.zero
    var last = Nanoseconds.zero
    var count = 0
    while count < 10_000, let job = cursor.next() {
      work += tape.attempt(job: job.number, type: job.type, attempt: 1).service
      last = Nanoseconds(job.intended.nanoseconds)
      count += 1
    }
    let workers = system.runsOneAtATime ? 1 : max(1, scenario.scheduler.workers)
    return max(last, Nanoseconds(work.rawValue / Int64(workers))) + .milliseconds(100)
  }
}

extension ReplayedTrace {
  package init(_ trace: Trace) {
    self.init(
      file: trace.file, rows: trace.rows, jobs: trace.count, leftOut: trace.leftOut, renamed: trace.renamed,
      remarks: trace.remarks)
  }
}

/// A suite that cannot run as requested.
package struct RefusedSuite: Error, CustomStringConvertible {
  /// One line each.
  package var problems: [String]
  package var description: String { problems.joined(separator: "\n") }
}
