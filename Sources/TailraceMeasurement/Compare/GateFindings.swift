/// A check of a gate.
package struct GateCheck: Sendable, Hashable, Codable {
  package enum Kind: String, Sendable, Codable { case target, regression }
  package enum Verdict: String, Sendable, Codable {
    case met
    case missed
    /// It failed first, but not in fresh rounds.
    case unconfirmed = "not confirmed"
    case unclear
    /// There is no value to check, so it fails.
    case noValue = "no value"
  }
  package var kind: Kind
  package var scenario: String
  /// As written. For a regression without its own bound, the metric, which must not be called worse.
  package var expression: String
  package var metric: String
  package var unit: FigureUnit
  package var verdict: Verdict
  /// The observation and the requirement, in words.
  package var words: String
  /// For a regression: the relative change with its interval; nil: not compared.
  package var change: Double?
  package var low: Double?
  package var high: Double?
  /// For a regression: the allowed change for the worse; nil: the comparison's rules apply.
  package var allowance: Double?
  /// For a regression: the smallest relative change for the worse that these rounds detect in four of five gates; nil:
  /// no change could have been detected.
  package var detectable: Double?
}

/// The findings of a gate.
package struct GateFindings: Sendable, Hashable, Codable, ResultDocument {
  package static let currentFormat = 2
  /// The exit status of a gate without a conclusive result.
  package static let inconclusiveStatus: Int32 = 5
  package var format = GateFindings.currentFormat
  /// The rounds of the first checks.
  package var comparison: ComparisonFindings
  /// Fresh rounds, run if a check failed; nil: none did.
  package var confirmation: ComparisonFindings?
  package var checks: [GateCheck]
  /// Whether `--strict` was given, so that unclear checks do not pass.
  package var isStrict: Bool

  package init(
    comparison: ComparisonFindings, confirmation: ComparisonFindings?, checks: [GateCheck], isStrict: Bool = false
  ) {
    self.comparison = comparison
    self.confirmation = confirmation
    self.checks = checks
    self.isStrict = isStrict
  }

  /// Why the figures cannot be trusted, or why there are none; empty: they can.
  package var invalid: [String] {
    let reasons = comparison.invalid + (confirmation?.invalid ?? [])
    let isBlank = checks.allSatisfy { $0.kind == .regression && $0.verdict == .unclear && $0.change == nil }
    guard reasons.isEmpty, isBlank else { return reasons }
    return ["nothing was checked: there is no target, and no metric with a value"]
  }
  package func count(_ kind: GateCheck.Kind, _ verdict: GateCheck.Verdict) -> Int {
    checks.count { $0.kind == kind && $0.verdict == verdict }
  }

  /// The first that applies: 4 invalid; 2 a target was missed or a bound has no value; 3 worse than the baseline; 5 no
  /// change could have been detected, or something is unclear with `--strict`; 0 passed.
  package var exitStatus: Int32 {
    if !invalid.isEmpty { return 4 }
    if count(.target, .missed) > 0 || checks.contains(where: { $0.verdict == .noValue }) { return 2 }
    if count(.regression, .missed) > 0 { return 3 }
    if checks.sawNothing || !boundsInNoise.isEmpty { return Self.inconclusiveStatus }
    return isStrict && checks.contains { $0.verdict == .unclear } ? 5 : 0
  }

  /// Explanations of the failed regressions of each scenario, from the fresh rounds if there are any.
  package var explanations: [(scenario: String, explanation: Explanation)] {
    let failed = Set(checks.filter { $0.kind == .regression && $0.verdict == .missed }.map(\.scenario))
    let source = confirmation ?? comparison
    return failed.sorted().compactMap { scenario in
      source.explanation(of: 1, in: scenario).map { (scenario, $0) }
    }
  }

  /// The verdict in one word.
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
  /// Makes all checks on the rounds of a comparison of two candidates: the candidate's targets, then regressions.
  ///
  /// - Parameters:
  ///   - contrasts: those of the last look.
  ///   - regressions: bounds from flags, for every scenario that has their job types. Bounds in the scenario are added.
  ///     In a scenario without bounds, the default metrics must not be called worse.
  ///   - baseline: the name that `vs(…)` may use for it.
  ///   - types: the job types of each scenario by name; for other scenarios, the measured ones.
  ///   - asked: metrics that the user named. One without a value fails, like a bound.
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
  /// - Parameter types: the scenario's job types; nil: the measured ones.
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

  /// Whether the user named a contrast's metric and the scenario has its job type.
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

  /// Confirms failures with fresh rounds: only checks that fail again remain failures.
  package static func confirmed(_ checks: [GateCheck], by fresh: [GateCheck]) -> [GateCheck] {
    checks.map { check in
      guard check.verdict == .missed else { return check }
      let again = fresh.first {
        $0.kind == check.kind && $0.scenario == check.scenario && $0.expression == check.expression
      }
      var check = check
      if again?.verdict == .missed {
        check.words += "; confirmed in fresh rounds"
      } else {
        check.verdict = .unconfirmed
        check.words += "; not confirmed in fresh rounds (\(again?.words ?? "nothing was measured"))"
      }
      return check
    }
  }
}
