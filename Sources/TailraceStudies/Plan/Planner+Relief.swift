import TailraceCore
import TailraceMeasurement
import TailraceWorkload

extension Planner {
  /// What a target would gain if one constraint were a little wider, all else and all luck being the same.
  package struct Relief: Sendable, Equatable {
    /// Which constraint, and how much wider: `workers of the pool async: 3 → 4`.
    package var constraint: String
    /// Mean change of the target's figure over the replications, in its unit.
    package var change: Double
    /// Half of its 95 % confidence interval.
    package var halfWidth: Double
    /// Whether it changes the figure for the better, beyond chance.
    package var helps: Bool
  }

  /// Widens each constraint of a configuration on its own, and says what that does to each of its targets: a constraint
  /// whose widening helps is one that binds.
  ///
  /// - Returns: by target; the greatest help comes first. The intervals hold for all of them together.
  /// - Throws: what making the scenario threw.
  package func reliefs(of candidate: Candidate) async throws -> [[Relief]] {
    var scenario = try makeScenario(at: candidate.place)
    if let length = candidate.length, length != scenario.arrivalLength {
      scenario = scenario.lengthened(to: length) ?? scenario
    }
    let wider = scenario.widened
    let count = min(replications, candidate.replications)
    let targets = try targets(of: scenario)
    let runs = await replay(wider.map(\.scenario), 0..<count)
    let level = 1 - 0.025 / Double(max(1, wider.count * targets.count))
    return zip(targets, candidate.outcomes).map { target, outcome in
      let base = outcome.values.prefix(count)
      let reliefs = zip(wider, runs).compactMap { wider, runs -> Relief? in
        let values = runs.compactMap {
          TargetOutcome(target.expression, as: target.text, runs: [$0], scale: 1).observed
        }
        guard count > 1, values.count == count, base.count == count else { return nil }
        let (change, error) = Student.moments(zip(values, base).map { $0 - $1 })
        let halfWidth = Student.quantile(level, degrees: count - 1) * error
        let gain = target.expression.comparison.gain(from: outcome.limit, base, to: values)
        return Relief(
          constraint: wider.constraint, change: change, halfWidth: halfWidth, helps: gain > halfWidth && gain > 0)
      }
      let sign: Double = target.expression.comparison.isUpper ? 1 : -1
      return reliefs.sorted { $0.change * sign < $1.change * sign }
    }
  }

  /// What widening each constraint does to one of the targets.
  ///
  /// - Throws: what making the scenario threw.
  package func reliefs(of candidate: Candidate, target outcome: Outcome) async throws -> [Relief] {
    guard let index = candidate.outcomes.firstIndex(where: { $0.target == outcome.target }) else { return [] }
    return try await reliefs(of: candidate)[index]
  }
}

extension TargetExpression.Comparison {
  /// Whether less is better.
  fileprivate var isUpper: Bool {
    switch self {
    case .below, .atMost: true
    case .above, .atLeast, .equal: false
    }
  }

  /// By how much the mean comes nearer to the right side.
  fileprivate func gain(from limit: Double, _ before: ArraySlice<Double>, to after: [Double]) -> Double {
    let (old, new) = (Student.moments(Array(before)).mean, Student.moments(after).mean)
    return self == .equal ? abs(old - limit) - abs(new - limit) : isUpper ? old - new : new - old
  }
}
