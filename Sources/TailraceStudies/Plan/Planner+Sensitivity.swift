import TailraceCore
import TailraceMeasurement
import TailraceWorkload

extension Planner {
  /// A target's gain if one constraint is widened a little, with the same seeds.
  package struct Sensitivity: Sendable, Equatable {
    /// The constraint and the change: `workers of the pool async: 3 → 4`.
    package var constraint: String
    /// The mean change of the target's figure over the replications, in its unit.
    package var change: Double
    /// The half-width of its 95 % confidence interval.
    package var halfWidth: Double
    /// Whether it improves the figure significantly.
    package var helps: Bool
  }

  /// Widens each constraint of a configuration separately, and measures the effect on each target. A constraint whose
  /// widening helps is a bottleneck.
  ///
  /// - Returns: The effects by target, the most helpful first. The intervals hold for all of them together.
  /// - Throws: The error of making the scenario.
  package func sensitivities(of candidate: Candidate) async throws -> [[Sensitivity]] {
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
      let sensitivities = zip(wider, runs).compactMap { wider, runs -> Sensitivity? in
        let values = runs.compactMap {
          TargetOutcome(target.expression, as: target.text, runs: [$0], scale: 1).observed
        }
        guard count > 1, values.count == count, base.count == count else { return nil }
        let (change, error) = Student.moments(zip(values, base).map { $0 - $1 })
        let halfWidth = Student.quantile(level, degrees: count - 1) * error
        let gain = target.expression.comparison.gain(from: outcome.limit, base, to: values)
        return Sensitivity(
          constraint: wider.constraint, change: change, halfWidth: halfWidth, helps: gain > halfWidth && gain > 0)
      }
      let sign: Double = target.expression.comparison.isUpper ? 1 : -1
      return sensitivities.sorted { $0.change * sign < $1.change * sign }
    }
  }

  /// The effect of widening each constraint on one of the targets.
  ///
  /// - Throws: The error of making the scenario.
  package func sensitivities(of candidate: Candidate, target outcome: Outcome) async throws -> [Sensitivity] {
    guard let index = candidate.outcomes.firstIndex(where: { $0.target == outcome.target }) else { return [] }
    return try await sensitivities(of: candidate)[index]
  }
}

extension TargetExpression.Comparison {
  /// Whether lower is better.
  fileprivate var isUpper: Bool {
    switch self {
    case .below, .atMost: true
    case .above, .atLeast, .equal: false
    }
  }

  /// The improvement of the mean.
  fileprivate func gain(from limit: Double, _ before: ArraySlice<Double>, to after: [Double]) -> Double {
    let (old, new) = (Student.moments(Array(before)).mean, Student.moments(after).mean)
    return self == .equal ? abs(old - limit) - abs(new - limit) : isUpper ? old - new : new - old
  }
}
