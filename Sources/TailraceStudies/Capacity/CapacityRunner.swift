import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceSimulation
import TailraceWorkload

/// Options of a capacity search.
package struct CapacityOptions: Sendable {
  package var seed: UInt64 = 1
  /// `live` or `simulated`.
  package var system = "simulated"
  /// The initial number of seeds, at least 3.
  package var rounds = 8
  package var precision = 0.02
  package var lowest: Double?
  package var highest: Double?
  /// The time limit of the whole search; nil: none.
  package var budget: Nanoseconds?
  /// The command that repeats the search.
  package var command = ""
  package init() {}
}

/// Finds the highest arrival rate that each configuration sustains.
package struct CapacityRunner: Sendable {
  private let options: CapacityOptions
  private let parts: StudyParts
  private let interruption: StopFlag
  private let onProgress: @Sendable (CapacityProgress) -> Void

  private var isLive: Bool { options.system == "live" }

  /// A configuration: its scenario, and the settings that vary.
  package struct Candidate: Sendable {
    package var varied: [Setting]
    package var scenario: Scenario
    package init(varied: [Setting], scenario: Scenario) {
      self.varied = varied
      self.scenario = scenario
    }
  }

  /// - Parameter interruption: Set it to end the search early. The result then has what is known so far.
  package init(
    _ options: CapacityOptions, parts: StudyParts, interruption: StopFlag = StopFlag(),
    onProgress: @escaping @Sendable (CapacityProgress) -> Void = { _ in }
  ) {
    self.options = options
    self.parts = parts
    self.interruption = interruption
    self.onProgress = onProgress
  }

  /// Error messages that prevent a search; empty: there are none.
  package func refusals(_ candidates: [Candidate]) -> [String] {
    var problems: [String] = []
    func add(_ words: String) { if !problems.contains(words) { problems.append(words) } }
    for scenario in candidates.map(\.scenario) {
      do {
        _ = try scenario.withArrivalRate(options.lowest ?? max(1e-3, scenario.arrivalRate))
      } catch {
        add("\(error.description)")
      }
      if scenario.targets.isEmpty {
        add("scenario '\(scenario.name)' has no targets; add --target, such as --target 'waiting.p99 < 50ms'")
      }
      let types = scenario.jobs.map(\.name)
      for target in scenario.targets {
        TargetExpression.obstacle(toSearching: target, types: types, isSimulated: options.system == "simulated")
          .map(add)
      }
      let lacks = isLive ? parts.live.system.lacks(scenario) : scenario.lacksForVirtualTime
      if !lacks.isEmpty {
        add(
          "scenario '\(scenario.name)' cannot be replayed on '\(options.system)', which lacks: "
            + lacks.joined(separator: ", "))
      }
    }
    guard problems.isEmpty else { return problems }
    parts.needs(candidates.map(\.scenario), isLive ? parts.live.system : SimulatedSystem()).forEach(add)
    return problems
  }

  /// Finds the limits of the configurations, one after another.
  ///
  /// - Parameters:
  ///   - plain: The scenario without variation, for the report.
  /// - Throws: The error of a system's preparation, or of a target that cannot be parsed.
  package func run(_ candidates: [Candidate], of plain: Scenario) async throws -> CapacityResult {
    let begun = MonotonicClock.now()
    let started = Date()
    let environment = RunEnvironment.capture(allocator: parts.allocator).entries.map { Setting($0.key, $0.value) }
    var configurations: [CapacityConfiguration] = []
    for (index, candidate) in candidates.enumerated() where !interruption.isSet {
      // Share the remaining time among the remaining configurations.
      let deadline = options.budget.map { budget -> Instant in
        let now = MonotonicClock.now()
        let left = max(0, Double((begun + budget - now).rawValue)) / Double(candidates.count - index)
        return now + Nanoseconds(Int64(left))
      }
      configurations.append(try await configuration(candidate, until: deadline))
    }
    let targets = plain.targets
    let window = (plain.arrivalLength ?? .zero) - plain.warmup
    return CapacityResult(
      version: parts.version, started: started.formatted(.iso8601), environment: environment, command: options.command,
      seed: options.seed, scenario: plain.name, summary: plain.summary, settings: plain.describedSettings,
      notes: notes(plain), system: options.system, targets: targets, precision: options.precision,
      lowestRate: options.lowest, highestRate: options.highest, window: Double(window.rawValue),
      configurations: configurations, isInterrupted: interruption.isSet)
  }

  private func notes(_ scenario: Scenario) -> [String] {
    var notes: [String] = []
    let fixed = scenario.streamsWithoutRate
    if !fixed.isEmpty {
      notes.append(
        "Only streams with a rate are scaled and counted; not scaled: \(fixed.joined(separator: ", "))")
    }
    if !scenario.hasSteadyRate {
      notes.append(
        "The load changes by design, so a queue that is longer later in a run does not count as growing, but jobs "
          + "that are unfinished at the end of the drain time do")
    }
    if scenario.warmup == .zero {
      notes.append(
        "The scenario has no warm-up: runs start with an empty queue, so short runs look better than they are")
    }
    return notes
  }

  private func configuration(_ candidate: Candidate, until deadline: Instant?) async throws -> CapacityConfiguration {
    let scenario = candidate.scenario
    let types = scenario.jobs.map(\.name)
    let targets = try scenario.targets.map { CapacityTarget($0, try TargetExpression(parsing: $0, types: types)) }
    let expressions = targets.map { (text: $0.text, expression: $0.expression) }
    var theory = scenario.capacityTheory(targets: expressions)
    var settings = CapacitySearcher.SearchSettings()
    settings.seed = options.seed
    settings.rounds = options.rounds
    settings.scouts = options.rounds
    settings.precision = options.precision
    settings.lowest = options.lowest
    settings.highest = options.highest
    settings.bound = theory.bounds.first?.rate
    let canSimulate = scenario.lacksForVirtualTime.isEmpty
    var simulation: CapacitySearch?
    var scatter: Double?
    if !isLive || canSimulate {
      // With a live search, the simulation may take a fifth of the time.
      let now = MonotonicClock.now()
      let until = isLive ? deadline.map { now + ($0 - now).scaled(by: 0.2) } : deadline
      let probe = SimulatedProbe(
        keepsAttempts: targets.contains(where: \.expression.needsAttempts), interruption: interruption, deadline: until)
      (simulation, scatter) = try await search(candidate, targets, probe, settings)
    }
    var live: CapacitySearch?
    if isLive {
      settings.guess = simulation?.limit?.rate.value
      settings.scouts = min(settings.rounds, 2)
      settings.mostRounds = options.budget == nil ? options.rounds : settings.mostRounds
      settings.roundSpread = scatter
      let probe = parts.live.probe(interruption, deadline)
      live = try await search(candidate, targets, probe, settings).search
    }
    let answer = live ?? simulation!
    theory.exactAsMeasured = live?.meanService.flatMap { scenario.exactRates(targets: expressions, service: $0) }
    // A constraint that cannot be widened does not affect the answer.
    let sensitivities = canSimulate ? (try? await sensitivities(scenario, of: answer)) ?? [] : []
    return CapacityConfiguration(
      varied: candidate.varied, theory: theory, search: answer, simulation: isLive ? simulation : nil,
      sensitivities: sensitivities, firstToGiveOut: firstToGiveOut(answer, sensitivities, theory))
  }

  private func search(
    _ candidate: Candidate, _ targets: [CapacityTarget], _ probe: any CapacityProbe,
    _ settings: CapacitySearcher.SearchSettings
  ) async throws -> (search: CapacitySearch, scatter: Double?) {
    let name = candidate.varied.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    let onProgress = onProgress
    var searcher = CapacitySearcher(candidate.scenario, targets: targets, probe: probe, settings: settings) {
      progress in
      var progress = progress
      progress.configuration = name
      onProgress(progress)
    }
    let found = try await searcher.search()
    return (found, searcher.settings.roundSpread)
  }

  // MARK: - What gives out first

  /// Widens each constraint a little at the limit, in simulation, and measures the effect on the limiting target.
  private func sensitivities(_ scenario: Scenario, of search: CapacitySearch) async throws -> [ConstraintSensitivity] {
    guard let limit = search.limit, !interruption.isSet else { return [] }
    var rate = limit.rate.value
    var target = limit.reason
    if !scenario.targets.contains(target) {
      // Above the limit throughput falls behind; the bottleneck is the constraint whose widening lets it catch up.
      rate = (limit.rate.high ?? rate) * 1.1
      target = "throughput >= \(CapacitySearcher.rounded(rate))/s"
    }
    let replications = max(16, options.rounds)
    var loaded = try scenario.withArrivalRate(rate)
    loaded.targets = [target]
    let planner = Planner(
      [Planner.Dimension(key: "rate", values: ["\(rate)"], isRange: false)], seed: options.seed,
      replications: replications, budget: 0, interruption: interruption
    ) { [loaded] _ in loaded }
    guard let candidate = try await planner.search().first, let outcome = candidate.outcomes.first,
      outcome.values.count == replications
    else { return [] }
    return try await planner.sensitivities(of: candidate, target: outcome).map { sensitivity in
      ConstraintSensitivity(
        constraint: sensitivity.constraint,
        change: CapacityEstimate(
          sensitivity.change, low: sensitivity.change - sensitivity.halfWidth,
          high: sensitivity.change + sensitivity.halfWidth),
        unit: outcome.unit, helps: sensitivity.helps)
    }
  }

  private func firstToGiveOut(
    _ search: CapacitySearch, _ sensitivities: [ConstraintSensitivity], _ theory: CapacityTheory
  ) -> String {
    if let first = search.unmeetable?.first { return "nothing: '\(first.target)' is missed at every rate" }
    guard let limit = search.limit else { return "unknown: no limit was found" }
    if let first = sensitivities.first, first.helps { return String(first.constraint.prefix { $0 != ":" }) }
    if let first = sensitivities.first {
      return first.change.value == 0
        ? "none: \(sensitivities.count) constraints were widened, and none changes the limit"
        : "not significant; most likely \(first.constraint.prefix { $0 != ":" })"
    }
    // Without a simulation, report the busiest pool.
    let nearest = search.points.min { abs($0.rate - limit.rate.value) < abs($1.rate - limit.rate.value) }
    if let busiest = nearest?.pools.max(by: { $0.utilization < $1.utilization }) {
      return "busiest pool: \(busiest.pool)"
    }
    return theory.bounds.first.map { "according to theory, \($0.resource)" } ?? "unknown"
  }
}
