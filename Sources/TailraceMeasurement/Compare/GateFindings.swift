/// One thing that a gate checked.
package struct GateCheck: Sendable, Hashable, Codable {
  package enum Kind: String, Sendable, Codable { case target, regression }
  package enum Verdict: String, Sendable, Codable {
    case met
    case missed
    /// It was missed, and fresh rounds did not miss it again.
    case unconfirmed = "not confirmed"
    case unclear
    /// There is no value to check, so it fails.
    case noValue = "no value"
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
  /// Of a regression: the least change for the worse that these rounds would have called in four of five gates, as a
  /// relative change; nil: none, so nothing could have been seen.
  package var detectable: Double?
}

/// What a gate came to.
package struct GateFindings: Sendable, Hashable, Codable {
  package static let currentFormat = 1
  /// Of a gate that could show nothing either way.
  package static let inconclusiveStatus: Int32 = 5
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

  /// Why the figures cannot be trusted, or that there are none; empty: they can.
  package var invalid: [String] {
    let reasons = comparison.invalid + (confirmation?.invalid ?? [])
    let isBlank = checks.allSatisfy { $0.kind == .regression && $0.verdict == .unclear && $0.change == nil }
    guard reasons.isEmpty, isBlank else { return reasons }
    return ["nothing was checked: there is no target, and no metric with a value"]
  }
  package func count(_ kind: GateCheck.Kind, _ verdict: GateCheck.Verdict) -> Int {
    checks.count { $0.kind == kind && $0.verdict == verdict }
  }

  /// 4 invalid, 2 a target was missed or a bound has no value, 3 worse than the baseline, 5 nothing could have been
  /// seen, or asked to be strict something is unclear, 0 passed: the first that applies.
  package var exitStatus: Int32 {
    if !invalid.isEmpty { return 4 }
    if count(.target, .missed) > 0 || checks.contains(where: { $0.verdict == .noValue }) { return 2 }
    if count(.regression, .missed) > 0 { return 3 }
    if checks.sawNothing || !boundsInNoise.isEmpty { return Self.inconclusiveStatus }
    return isStrict && checks.contains { $0.verdict == .unclear } ? 5 : 0
  }

  /// Where the failed regressions of each scenario lie, by the rounds that decided: the fresh ones if there are some.
  package var explanations: [(scenario: String, explanation: Explanation)] {
    let failed = Set(checks.filter { $0.kind == .regression && $0.verdict == .missed }.map(\.scenario))
    let source = confirmation ?? comparison
    return failed.sorted().compactMap { scenario in
      source.explanation(of: 1, in: scenario).map { (scenario, $0) }
    }
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
  ///   - types: the job types of each scenario, by its name; of others those that were measured count.
  ///   - asked: metrics that the user named: one without a value fails, as a bound does.
  package static func checks(
    of comparison: Comparison, _ contrasts: [Contrast], regressions: [String], baseline: String,
    types: [String: [String]] = [:], asked: [String] = []
  ) -> [GateCheck] {
    guard let first = comparison.results.first else { return [] }
    let scenarios = first[1].scenarios
    let own = scenarios.map { scenario in contrasts.filter { $0.scenario == scenario.name } }
    let bounds = scenarios.map { Self.bounds(of: $0, regressions, baseline: baseline, types: types[$0.name]) }
    let bounded = zip(bounds, zip(scenarios, own)).flatMap { bounds, of in
      bounds.map { bound in
        BoundedContrast(
          bound: bound, contrast: of.1.first { $0.metric == bound.metric.name }, scenario: of.0.name)
      }
    }
    let judged = Self.checks(of: bounded, rules: comparison.rules)
    return scenarios.indices.flatMap { place -> [GateCheck] in
      let rounds = comparison.results.map { $0[1].scenarios[place] }
      let sides = comparison.results.map { ($0[0].scenarios[place], $0[1].scenarios[place]) }
      let measured = scenarios[place].primary?.measurement.classes.compactMap(\.key.type) ?? []
      let known = types[scenarios[place].name] ?? measured
      let targets = rounds[0].targets.indices.map { target in Self.target(rounds.map { $0.targets[target] }, rounds[0])
      }
      let regressions =
        bounds[place].isEmpty
        ? own[place].map { Self.worse($0, isAsked: Self.isAsked($0, asked, types: known)) }
        : judged.filter { $0.scenario == scenarios[place].name }
      return targets + regressions.map { $0.excusingLag(sides, types: measured) }
    }
  }

  /// The bounds that apply to a scenario, from flags and from its file.
  ///
  /// - Parameter types: the scenario's job types; nil: those that were measured.
  private static func bounds(
    of scenario: ScenarioResult, _ regressions: [String], baseline: String, types: [String]?
  ) -> [RegressionTarget] {
    let types = types ?? scenario.primary?.measurement.classes.compactMap(\.key.type) ?? []
    return (regressions + (scenario.regressions ?? []))
      .compactMap { try? RegressionTarget(parsing: $0, types: types) }
      .filter { $0.baseline == nil || $0.baseline == baseline }
  }

  private static func target(_ outcomes: [TargetOutcome], _ scenario: ScenarioResult) -> GateCheck {
    let missed = outcomes.count { $0.verdict != .met }
    let values = outcomes.compactMap(\.observed).sorted()
    let verdict: Verdict = values.isEmpty ? .noValue : missed * 2 > outcomes.count ? .missed : .met
    var check = GateCheck(
      kind: .target, scenario: scenario.name, expression: outcomes[0].expression, metric: outcomes[0].metric,
      unit: outcomes[0].unit, verdict: verdict, words: "met in \(outcomes.count - missed) of \(outcomes.count) rounds")
    if values.isEmpty { check.words += "; no samples" }
    check.low = values.first
    check.high = values.last
    return check
  }

  /// Whether the user named a contrast's metric, and the scenario has its job type.
  private static func isAsked(_ contrast: Contrast, _ asked: [String], types: [String]) -> Bool {
    asked.contains { (try? Metric(parsing: $0, types: types))?.name == contrast.metric }
  }

  private static func worse(_ contrast: Contrast, isAsked: Bool) -> GateCheck {
    let verdict: Verdict
    switch contrast.verdict {
    case .unclear where isAsked && contrast.logRatios.isEmpty: verdict = .noValue
    case .better, .same: verdict = .met
    case .worse: verdict = .missed
    case .unclear: verdict = .unclear
    }
    let interval = contrast.interval
    return GateCheck(
      kind: .regression, scenario: contrast.scenario, expression: contrast.metric, metric: contrast.metric,
      unit: contrast.unit, verdict: verdict,
      words: contrast.verdict.rawValue + (contrast.why.isEmpty ? "" : ": \(contrast.why)"),
      change: contrast.change, low: interval?.low, high: interval?.high,
      detectable: contrast.detectable.map { Contrast.change(contrast.lessIsBetter ? $0 : -$0) })
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
