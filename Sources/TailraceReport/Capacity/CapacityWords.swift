import TailraceMeasurement

/// Sentences about a capacity search's results.
package enum CapacityWords {
  /// `318 /s`.
  package static func rate(_ perSecond: Double) -> String { HumanUnits.value(perSecond, .rate) }

  /// `312 to 324 /s`; `–` if unknown.
  package static func interval(_ estimate: CapacityEstimate) -> String {
    guard let low = estimate.low, let high = estimate.high else { return "–" }
    return "\(HumanUnits.digits(low)) to \(rate(high))"
  }

  /// A value with its interval, in a unit: `48.2 ms (45.1 ms to 52.0 ms)`.
  package static func estimate(_ estimate: CapacityEstimate?, _ unit: FigureUnit) -> String {
    guard let estimate else { return "–" }
    let value = HumanUnits.value(estimate.value, unit)
    guard let low = estimate.low, let high = estimate.high, low != high else { return value }
    return "\(value) (\(HumanUnits.value(low, unit)) to \(HumanUnits.value(high, unit)))"
  }

  /// A search's answer in one sentence, without the configuration's name.
  package static func answer(_ search: CapacitySearch) -> String {
    let cut = search.failure != nil ? "; stopped by a failed run" : search.isCutShort ? "; cut short" : ""
    switch search.outcome {
    case .found:
      guard let limit = search.limit else { return "nothing found\(cut)" }
      return found(limit)
        + (search.failure != nil
          ? cut : search.isCutShort ? "; the budget ran out before the interval was narrow enough" : "")
    case .none:
      guard let lowest = search.points.first, let highest = search.points.last else { return "no run was made\(cut)" }
      if let unmeetable = search.unmeetable, !unmeetable.isEmpty {
        let targets = unmeetable.map { "'\($0.target)' is missed at every rate, because \($0.reason)" }
        return "no arrival rate meets the targets (tried: \(rate(lowest.rate)) to \(rate(highest.rate))): "
          + targets.joined(separator: "; ") + cut
      }
      return "no rate is sustained: even at \(rate(lowest.rate)), \(ending(lowest.reason, lowest.verdict))\(cut)"
    case .beyond:
      guard let highest = search.points.last else { return "no run was made\(cut)" }
      return "\(rate(highest.rate)), the highest rate tried, is sustained; the limit is higher\(cut)"
    case .inconclusive:
      guard let limit = search.limit else {
        let sustained = search.points.last { $0.verdict == .sustained }.map { "; \(rate($0.rate)) is sustained" } ?? ""
        return "inconclusive\(sustained)\(cut)"
      }
      return "about \(rate(limit.rate.value)), without an interval: too few rounds\(cut)"
    }
  }

  private static func found(_ limit: CapacityLimit) -> String {
    let ends = reason(limit)
    switch limit.method {
    case .crossing: return "\(rate(limit.rate.value)) (95 % interval \(interval(limit.rate))); \(ends) ends it"
    case .bracket:
      return
        "\(rate(limit.rate.value)) is sustained, \(rate(limit.rate.high ?? limit.rate.value)) is not; \(ends) ends it"
    }
  }

  /// What determines a limit.
  package static func reason(_ limit: CapacityLimit) -> String {
    let words = limit.reason.prefix { $0 != ":" }
    return words == "growing queue" || words == "full queue" ? "a \(words)" : limit.reason
  }

  private static func ending(_ reason: String, _ verdict: CapacityPoint.Verdict) -> String {
    switch verdict {
    case .missed: reason.contains(": ") ? reason : "the target '\(reason)' is missed"
    case .growing: "there is a \(reason)"
    case .unclear, .sustained: "unclear: \(reason)"
    }
  }

  /// The verdict of a point, short enough for a column.
  package static func verdict(_ point: CapacityPoint) -> String { VerdictLabel(point.verdict).plain }
}
