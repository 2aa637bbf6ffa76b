/// One thing that a gate checked.
package struct GateCheck: Sendable, Hashable, Codable {
  package enum Kind: String, Sendable, Codable { case target, regression }
  package enum Verdict: String, Sendable, Codable {
    case met
    case missed
    /// It was missed, and fresh rounds did not miss it again.
    case unconfirmed = "not confirmed"
    case unclear
  }
  package var kind: Kind
  package var scenario: String
  /// As written; for a regression without a bound of its own the metric, which must not be called worse.
  package var expression: String
  package var metric: String
  package var unit: FigureUnit
  package var verdict: Verdict
  /// In words: what was seen, and what would have been enough.
  package var words: String
  /// Of a regression: the change as a share, with its interval; nil: nothing to compare.
  package var change: Double?
  package var low: Double?
  package var high: Double?
  /// Of a regression: how much worse was allowed; nil: what the comparison calls worse.
  package var allowance: Double?
}

/// What a gate came to.
package struct GateFindings: Sendable, Hashable, Codable {
  package static let currentFormat = 1
  package var format = GateFindings.currentFormat
  /// The rounds that the checks were first made on.
  package var comparison: ComparisonFindings
  /// Fresh rounds, where something was missed; nil: nothing was.
  package var confirmation: ComparisonFindings?
  package var checks: [GateCheck]
  /// Whether it was asked that what is unclear does not pass.
  package var isStrict: Bool

  package init(
    comparison: ComparisonFindings, confirmation: ComparisonFindings?, checks: [GateCheck], isStrict: Bool = false
  ) {
    self.comparison = comparison
    self.confirmation = confirmation
    self.checks = checks
    self.isStrict = isStrict
  }

  /// Why the figures cannot be trusted; empty: they can.
  package var invalid: [String] { comparison.invalid + (confirmation?.invalid ?? []) }
  package func count(_ kind: GateCheck.Kind, _ verdict: GateCheck.Verdict) -> Int {
    checks.count { $0.kind == kind && $0.verdict == verdict }
  }

  /// 4 invalid, 2 a target was missed, 3 worse than the baseline, 5 something is unclear, 0 passed: the first that
  /// applies.
  package var exitStatus: Int32 {
    if !invalid.isEmpty { return 4 }
    if count(.target, .missed) > 0 { return 2 }
    if count(.regression, .missed) > 0 { return 3 }
    return isStrict && checks.contains { $0.verdict == .unclear } ? 5 : 0
  }

  /// The word at the head of a report.
  package var word: String {
    switch exitStatus {
    case 0: "PASSED"
    case 2: "MISSED"
    case 3: "WORSE"
    case 5: "INCONCLUSIVE"
    default: "INVALID"
    }
  }
}

extension GateCheck {
  /// Makes every check on the rounds of a comparison of two: the candidate's targets, then regressions.
  ///
  /// - Parameters:
  ///   - contrasts: of the last look.
  ///   - regressions: bounds from flags, for every scenario whose job types they know; those that a scenario names
  ///     itself are added. Where a scenario has none, its usual metrics must not be called worse.
  ///   - baseline: the name by which `vs(…)` may mean it.
  package static func checks(
    of comparison: Comparison, _ contrasts: [Contrast], regressions: [String], baseline: String
  ) -> [GateCheck] {
    guard let first = comparison.results.first else { return [] }
    return first[1].scenarios.indices.flatMap { place -> [GateCheck] in
      let rounds = comparison.results.map { $0[1].scenarios[place] }
      let own = contrasts.filter { $0.scenario == rounds[0].name }
      let targets = rounds[0].targets.indices.map { target in Self.target(rounds.map { $0.targets[target] }, rounds[0])
      }
      let bounds = Self.bounds(of: rounds[0], regressions, baseline: baseline)
      if bounds.isEmpty { return targets + own.map { Self.worse($0) } }
      return targets
        + bounds.map { bound in
          Self.bound(bound, own.first { $0.metric == bound.metric.name }, scenario: rounds[0].name)
        }
    }
  }

  /// The bounds that apply to a scenario, from flags and from its file.
  package static func bounds(
    of scenario: ScenarioResult, _ regressions: [String], baseline: String
  ) -> [RegressionTarget] {
    let types = scenario.primary?.measurement.classes.compactMap(\.key.type) ?? []
    return (regressions + (scenario.regressions ?? []))
      .compactMap { try? RegressionTarget(parsing: $0, types: types) }
      .filter { $0.baseline == nil || $0.baseline == baseline }
  }

  private static func target(_ outcomes: [TargetOutcome], _ scenario: ScenarioResult) -> GateCheck {
    let missed = outcomes.count { $0.verdict != .met }
    let values = outcomes.compactMap(\.observed).sorted()
    let verdict: Verdict = missed * 2 > outcomes.count ? .missed : .met
    var check = GateCheck(
      kind: .target, scenario: scenario.name, expression: outcomes[0].expression, metric: outcomes[0].metric,
      unit: outcomes[0].unit, verdict: verdict, words: "met in \(outcomes.count - missed) of \(outcomes.count) rounds")
    if values.isEmpty { check.words += "; no samples" }
    check.change = nil
    check.low = values.first
    check.high = values.last
    return check
  }

  private static func worse(_ contrast: Contrast) -> GateCheck {
    let verdict: Verdict
    switch contrast.verdict {
    case .better, .same: verdict = .met
    case .worse: verdict = .missed
    case .unclear: verdict = .unclear
    }
    let interval = contrast.interval
    return GateCheck(
      kind: .regression, scenario: contrast.scenario, expression: contrast.metric, metric: contrast.metric,
      unit: contrast.unit, verdict: verdict,
      words: contrast.verdict.rawValue + (contrast.note.isEmpty ? "" : ": \(contrast.note)"),
      change: contrast.change, low: interval?.low, high: interval?.high)
  }

  private static func bound(_ bound: RegressionTarget, _ contrast: Contrast?, scenario: String) -> GateCheck {
    var check = GateCheck(
      kind: .regression, scenario: scenario, expression: bound.text, metric: bound.metric.name,
      unit: bound.metric.unit, verdict: .unclear, words: "", allowance: bound.allowance)
    guard let contrast, let interval = contrast.interval else {
      check.words = contrast.map { $0.note.isEmpty ? "too few rounds" : $0.note } ?? "nothing was measured of it"
      return check
    }
    (check.change, check.low, check.high) = (contrast.change, interval.low, interval.high)
    check.verdict = bound.verdict(low: interval.low, high: interval.high)
    switch check.verdict {
    case .met: check.words = "the whole interval keeps the bound"
    case .missed: check.words = "the whole interval lies beyond the bound"
    case .unclear, .unconfirmed: check.words = "the bound lies within the interval"
    }
    return check
  }

  /// What is left of failures once fresh rounds were looked at: only those that fail again count.
  package static func confirmed(_ checks: [GateCheck], by fresh: [GateCheck]) -> [GateCheck] {
    checks.map { check in
      guard check.verdict == .missed else { return check }
      let again = fresh.first {
        $0.kind == check.kind && $0.scenario == check.scenario && $0.expression == check.expression
      }
      var check = check
      if again?.verdict == .missed {
        check.words += "; fresh rounds say the same"
      } else {
        check.verdict = .unconfirmed
        check.words += "; fresh rounds do not (\(again?.words ?? "nothing was measured"))"
      }
      return check
    }
  }
}
