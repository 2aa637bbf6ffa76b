import TailraceMeasurement

/// Which change a comparison or a gate would have missed, in words for its first line.
package enum MissedChange {
  /// What was looked at and not called: how large a change would have been, as a relative change; nil: none would.
  private struct Look {
    var metric: String
    var detectable: Double?
    var isUnclear: Bool
  }

  /// Of one candidate's contrasts; empty: something is worse, or no change is too small to be seen.
  ///
  /// - Parameter metrics: how many are compared, those of all candidates: so many are corrected for.
  package static func words(_ contrasts: [Contrast], rules: ComparisonRules, metrics: Int) -> String {
    guard !contrasts.contains(where: { $0.verdict == .worse }) else { return "" }
    let looks = contrasts.filter { $0.verdict != .better && !$0.logRatios.isEmpty }
      .map {
        Look(metric: $0.metric, detectable: $0.detectable.map(Contrast.change), isUnclear: $0.verdict == .unclear)
      }
    return words(looks, sign: "±", rounds: contrasts.map(\.logRatios.count).max() ?? 0, rules: rules, metrics: metrics)
  }

  /// Of a gate's checks for regressions; empty likewise.
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
      // Where all are shown to be the same, that was seen.
      let blind =
        looks.contains(where: \.isUnclear) ? "nothing could have been seen" : "nothing could have been called worse"
      return "\(blind): \(HumanUnits.counted(rounds, "round")) \(rounds == 1 ? "is" : "are") too few for "
        + "\(HumanUnits.counted(metrics, "metric")), which need \(rules.roundsNeeded(metrics: metrics))"
    }
    // Of a metric that several scenarios have, the one that sees least.
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
