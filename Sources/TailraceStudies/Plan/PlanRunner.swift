import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceSimulation
import TailraceWorkload

/// Plans, finds the bottleneck, and makes the result for the report.
package struct PlanRunner: Sendable {
  private let planner: Planner
  private let parts: StudyParts
  private let command: String

  /// - Parameter command: The command that repeats the search.
  package init(_ planner: Planner, parts: StudyParts, command: String) {
    self.planner = planner
    self.parts = parts
    self.command = command
  }

  /// Error messages that prevent a search; empty: there are none.
  package static func refusals(_ scenario: Scenario, parts: StudyParts) -> [String] {
    if scenario.targets.isEmpty {
      return [
        "scenario '\(scenario.name)' has no targets; add --target, such as --target 'response.p99 < 200ms'"
      ]
    }
    let types = scenario.jobs.map(\.name)
    var problems = scenario.targets.compactMap {
      TargetExpression.obstacle(toSearching: $0, types: types, isSimulated: true)
    }
    let lacks = scenario.lacksForVirtualTime
    if !lacks.isEmpty {
      problems.append("scenario '\(scenario.name)' cannot be simulated; it lacks \(lacks.joined(separator: ", "))")
    }
    guard problems.isEmpty else { return problems }
    return parts.needs([scenario], SimulatedSystem())
  }

  /// Searches.
  ///
  /// - Parameter plain: The scenario with the first configuration, for the report.
  /// - Throws: The error of making a scenario.
  package func run(
    of plain: Scenario, onProgress: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws -> PlanResult {
    let started = Date()
    let environment = RunEnvironment.capture(allocator: parts.allocator).entries.map { Setting($0.key, $0.value) }
    let (tried, failed) = try await planner.find(onProgress: onProgress)
    let binding = planner.interruption.isSet ? nil : try await binding(tried)
    var result = PlanResult(
      version: parts.version, started: started.formatted(.iso8601), environment: environment, command: command,
      seed: planner.seed, scenario: plain.name, summary: plain.summary, settings: plain.describedSettings,
      notes: try notes(plain), targets: plain.targets, varied: planner.dimensions.map(\.key), count: planner.count,
      replications: planner.replications, budget: planner.budget,
      length: plain.arrivalLength.flatMap { $0 > .zero ? Double($0.rawValue) : nil },
      candidates: tried.map(Self.candidate),
      binding: binding, isInterrupted: planner.interruption.isSet)
    if !failed.isEmpty {
      result.failures = failed.map { failure in
        let name = zip(planner.dimensions, failure.values).map { "\($0.key)=\($1)" }.joined(separator: " ")
        return "\(name): \(ErrorWords.line(of: failure.error))"
      }
    }
    return result
  }

  private func notes(_ scenario: Scenario) throws -> [String] {
    guard scenario.hasSteadyRate else {
      return [
        "The load changes by design, so the plan does not check whether the queue has settled or lengthen runs"
      ]
    }
    let bound = try planner.targets(of: scenario).filter { !$0.expression.isSteady }.map(\.text)
    guard !bound.isEmpty else { return [] }
    return [
      "\(bound.joined(separator: " and ")) depend on a run's length, so the plan does not check whether the queue has "
        + "settled, and does not lengthen runs"
    ]
  }

  private static func candidate(_ candidate: Planner.Candidate) -> PlanCandidate {
    let verdict: PlanCandidate.Verdict =
      switch candidate.verdict {
      case .met: .met
      case .missed: .missed
      case .unclear: .unclear
      }
    var plan = PlanCandidate(
      values: candidate.values, verdict: verdict, isOverloaded: candidate.isOverloaded,
      isUnsettled: candidate.isUnsettled, trouble: candidate.trouble ?? "",
      targets: candidate.outcomes.map { outcome in
        let half = outcome.halfWidth
        return CapacityTargetPoint(
          target: outcome.target, unit: outcome.unit, limit: outcome.limit,
          observed: outcome.mean.map { CapacityEstimate($0, low: $0 - half, high: $0 + half) },
          verdict: outcome.verdict)
      }, replications: candidate.replications, length: candidate.length.map { Double($0.rawValue) },
      jobs: candidate.jobs, isOutOfLooks: candidate.isOutOfLooks,
      pools: candidate.utilization.sorted { $0.key < $1.key }.map {
        CapacityPoolUse(pool: $0.key, utilization: $0.value)
      })
    plan.success = candidate.success
    return plan
  }

  // MARK: - What binds

  /// Finds the bottleneck of the answer or, if there is none, of the most expensive configuration. Margins of different
  /// metrics cannot be compared, so the binding target is the one that the next cheaper configuration misses. If that
  /// does not decide, margins are counted in steps: how many times the most helpful constraint would have to be widened
  /// to gain as much. Only a target that some constraint changes can be binding.
  private func binding(_ tried: [Planner.Candidate]) async throws -> PlanBinding? {
    let best = tried.firstIndex(where: \.isGood)
    guard let place = best ?? tried.indices.last else { return nil }
    let subject = tried[place]
    let sensitivities = try await planner.sensitivities(of: subject)
    let expressions = try planner.targets(of: planner.makeScenario(at: subject.place)).map(\.expression)
    guard sensitivities.count == subject.outcomes.count else { return nil }
    func margin(_ index: Int) -> Double? {
      let outcome = subject.outcomes[index]
      return outcome.mean.map { expressions[index].comparison.margin($0, outcome.limit) }
    }
    let movable = sensitivities.indices.filter { sensitivities[$0].first?.helps == true }
    let cheaper = best.flatMap { $0 > 0 ? tried[$0 - 1] : nil }
    let missedByCheaper = movable.filter { cheaper?.outcomes[$0].verdict == .missed }
    let missedHere = best == nil ? movable.filter { subject.outcomes[$0].verdict == .missed } : []
    func steps(_ index: Int) -> Double {
      (margin(index) ?? -.infinity) / max(abs(sensitivities[index][0].change), .leastNormalMagnitude)
    }
    let ground: PlanBinding.Ground
    let pool: [Int]
    switch (missedByCheaper.isEmpty, missedHere.isEmpty, movable.isEmpty) {
    case (false, _, _): (ground, pool) = (.cheaperMissesIt, missedByCheaper)
    case (_, false, _): (ground, pool) = (.isMissed, missedHere)
    case (_, _, false): (ground, pool) = (.hasLeastToSpare, movable)
    case (_, _, true): (ground, pool) = (.nothingMoves, [])
    }
    let chosen = pool.min { steps($0) < steps($1) }
    return PlanBinding(
      subject: place, ground: ground, target: chosen.map { subject.outcomes[$0].target },
      sensitivities: chosen.map { index in
        sensitivities[index].map {
          ConstraintSensitivity(
            constraint: $0.constraint,
            change: CapacityEstimate($0.change, low: $0.change - $0.halfWidth, high: $0.change + $0.halfWidth),
            unit: subject.outcomes[index].unit, helps: $0.helps)
        }
      } ?? [],
      spares: subject.outcomes.indices.map { index in
        PlanBinding.Spare(
          target: subject.outcomes[index].target, unit: subject.outcomes[index].unit, margin: margin(index),
          movedBy: movable.contains(index) ? String(sensitivities[index][0].constraint.prefix { $0 != ":" }) : nil)
      })
  }
}
