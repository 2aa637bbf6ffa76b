import Foundation

/// A bound on how much worse a metric may be, and its measured change.
struct BoundedContrast {
  var bound: RegressionTarget
  /// nil: the metric was not compared.
  var contrast: Contrast?
  var scenario: String

  /// The bound as a log ratio.
  var limit: Double {
    bound.metric.lessIsBetter == true ? log1p(bound.allowance) : log1p(-bound.allowance)
  }

  /// The p-value for a true change equal to the bound, by the interval and by the rank test.
  ///
  /// - Parameter resolution: the p-value that matters, for the bootstrap.
  func pValue(resolution: Double) -> Double {
    guard let ratios = contrast?.logRatios, !ratios.isEmpty else { return 1 }
    return max(
      MeanInterval(ratios).pValue(of: limit, resolution: resolution), SignedRank.pValue(ratios.map { $0 - limit }))
  }
}

extension GateCheck {
  /// Evaluates all bounds of a gate together.
  ///
  /// A bound is missed only if its whole interval is beyond it and its p-value, corrected for all bounds (Holm), is
  /// significant. If changes exactly equal their bounds, at most a share α of gates reports any miss. That a bound is
  /// met needs no correction, because every bound must be met on its own (an intersection–union test; R. L. Berger,
  /// Technometrics 24, 1982).
  static func checks(of all: [BoundedContrast], rules: ComparisonRules) -> [GateCheck] {
    // The share of the error for this look, derived from the level of the intervals.
    let shares = all.map { $0.contrast.map { (1 - $0.level) / (1 - rules.confidence) } ?? 1 }
    let alphas = shares.map { rules.falseAlarm * $0 }
    let pValues = zip(all, alphas).map { $0.pValue(resolution: $1 / Double(all.count) / 4) }
    return zip(zip(all, alphas), Holm.adjusted(pValues)).map {
      check(of: $0.0, adjusted: $1, allowed: $0.1, bounds: all.count, rules: rules)
    }
  }

  private static func check(
    of bounded: BoundedContrast, adjusted: Double, allowed: Double, bounds: Int, rules: ComparisonRules
  ) -> GateCheck {
    let bound = bounded.bound
    var check = GateCheck(
      kind: .regression, scenario: bounded.scenario, expression: bound.text, metric: bound.metric.name,
      unit: bound.metric.unit, verdict: .unclear, words: "", allowance: bound.allowance)
    check.change = bounded.contrast?.change
    guard let contrast = bounded.contrast, !contrast.logRatios.isEmpty else {
      check.verdict = .noValue
      check.words = bounded.contrast.flatMap { $0.note.isEmpty ? nil : $0.note } ?? "nothing was measured of it"
      return check
    }
    guard let interval = contrast.interval else {
      check.words = "too few rounds"
      return check
    }
    (check.low, check.high) = (interval.low, interval.high)
    let rounds = contrast.logRatios.count
    if SignedRank.leastPValue(count: rounds) <= allowed / Double(bounds) {
      let (_, error) = Student.moments(contrast.logRatios)
      let effect = Student.detectableEffect(error: error, count: rounds, alpha: allowed / Double(bounds))
      check.detectable = Contrast.change(bounded.limit + (bound.metric.lessIsBetter == true ? effect : -effect))
    }
    check.verdict = bound.verdict(low: interval.low, high: interval.high)
    switch check.verdict {
    case .met: check.words = "the whole interval is within the bound"
    case .missed where adjusted <= allowed:
      check.words = "the whole interval is beyond the bound; p is \(Contrast.digits(adjusted))"
    case .missed where check.detectable == nil:
      check.verdict = .unclear
      check.words =
        "the whole interval is beyond the bound, but \(rounds) rounds are too few to call any of \(bounds) bounds "
        + "missed: that takes \(rules.roundsNeeded(metrics: bounds))"
    case .missed:
      check.verdict = .unclear
      check.words =
        "the whole interval is beyond the bound, but not significantly among \(bounds) bounds: p is "
        + "\(Contrast.digits(adjusted)) corrected for them, at most \(Contrast.digits(allowed)) counts"
    case .unclear, .unconfirmed, .noValue: check.words = "the interval includes the bound"
    }
    return check
  }
}

extension [GateCheck] {
  /// Whether none of the comparisons had the power to call anything worse, however large the change, and some did not
  /// show that nothing is. Metrics that are shown to be the same need no such power.
  package var sawNothing: Bool {
    let compared = filter { $0.kind == .regression && $0.change != nil }
    return compared.contains { $0.verdict == .unclear }
      && compared.allSatisfy { ($0.verdict == .unclear || $0.verdict == .met) && $0.detectable == nil }
  }
}

extension GateFindings {
  /// A bound that is tighter than the rounds could detect.
  package struct BoundInNoise: Sendable, Hashable {
    package var expression: String
    package var allowance: Double
    /// The smallest relative change that this many rounds detect in four of five comparisons of this metric alone.
    package var floor: Double
    package var rounds: Int
    package init(expression: String, allowance: Double, floor: Double, rounds: Int) {
      self.expression = expression
      self.allowance = allowance
      self.floor = floor
      self.rounds = rounds
    }
    /// The number of rounds with this variance that would detect the allowance.
    package var roundsNeeded: Int {
      Int((Double(rounds) * (floor / allowance) * (floor / allowance)).rounded(.up))
    }
  }

  /// Bounds that remain unclear because the noise of the rounds exceeds them.
  package var boundsInNoise: [BoundInNoise] {
    let noise = NoiseFloor(comparison)
    return checks.compactMap { check in
      guard check.kind == .regression, check.verdict == .unclear, let allowance = check.allowance,
        let floor = noise.floor(of: check.metric, in: check.scenario, rounds: noise.rounds), allowance < floor
      else { return nil }
      return BoundInNoise(expression: check.expression, allowance: allowance, floor: floor, rounds: noise.rounds)
    }
  }
}
