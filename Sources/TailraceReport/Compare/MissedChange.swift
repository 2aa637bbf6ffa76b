import TailraceMeasurement

/// The change that a comparison or a gate would have missed, as text for its first line.
package enum MissedChange {
  /// For a metric that was not called: the smallest detectable relative change; nil: none is detectable.
  private struct Look {
    var metric: String
    var detectable: Double?
    var isUnclear: Bool
  }

  /// For one candidate's contrasts; empty: something is worse, or every change is detectable.
  ///
  /// - Parameter metrics: The number of compared metrics of all candidates, for the correction.
  package static func words(_ contrasts: [Contrast], rules: ComparisonRules, metrics: Int) -> String {
    guard !contrasts.contains(where: { $0.verdict == .worse }) else { return "" }
    let looks = contrasts.filter { $0.verdict != .better && !$0.logRatios.isEmpty }
      .map {
        Look(metric: $0.metric, detectable: $0.detectable.map(Contrast.change), isUnclear: $0.verdict == .unclear)
      }
    return words(looks, sign: "±", rounds: contrasts.map(\.logRatios.count).max() ?? 0, rules: rules, metrics: metrics)
  }

  /// For a gate's regression checks; empty in the same cases.
  package static func words(_ checks: [GateCheck], rounds: Int, rules: ComparisonRules) -> String {
    let regressions = checks.filter { $0.kind == .regression }
    guard !regressions.contains(where: { $0.verdict == .missed }) else { return "" }
    let looks = regressions.filter { $0.change != nil || $0.detectable != nil }
      .map { Look(metric: $0.metric, detectable: $0.detectable, isUnclear: $0.verdict == .unclear) }
    return words(looks, sign: "", rounds: rounds, rules: rules, metrics: looks.count)
  }

  private static func words(
    _ looks: [Look], sign: String, rounds: Int, rules: ComparisonRules, metrics: Int
  ) -> String {
    guard !looks.isEmpty else { return "" }
    if looks.allSatisfy({ $0.detectable == nil }) {
      // A *same* verdict shows that a change would have been detected.
      let blind =
        looks.contains(where: \.isUnclear)
        ? "no change could have been detected" : "nothing could have been called worse"
      return "\(blind): \(HumanUnits.counted(rounds, "round")) \(rounds == 1 ? "is" : "are") too few for "
        + "\(HumanUnits.counted(metrics, "metric")), which need \(rules.roundsNeeded(metrics: metrics))"
    }
    // If several scenarios have the metric, use the least sensitive one.
    var worst: [(metric: String, change: Double)] = []
    for look in looks {
      guard let change = look.detectable, change != 0 else { continue }
      if let place = worst.firstIndex(where: { $0.metric == look.metric }) {
        if abs(change) > abs(worst[place].change) { worst[place].change = change }
      } else {
        worst.append((look.metric, change))
      }
    }
    let usual = worst.filter { ["response.mean", "throughput"].contains($0.metric) }
    let shown = (usual.isEmpty ? worst : usual).sorted { abs($0.change) > abs($1.change) }.prefix(2)
    guard !shown.isEmpty else { return "" }
    return "smaller changes would have been missed: "
      + shown.map { "\($0.metric) below \(sign)\(text($0.change, sign))" }.joined(separator: ", ")
  }

  private static func text(_ change: Double, _ sign: String) -> String {
    sign.isEmpty ? ExplanationWords.signed(change) : HumanUnits.share(abs(change))
  }
}
