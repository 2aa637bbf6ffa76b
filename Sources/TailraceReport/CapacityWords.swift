import TailraceMeasurement

/// What a search for the highest rate came to, in words.
package enum CapacityWords {
  /// `318 /s`.
  package static func rate(_ perSecond: Double) -> String { HumanUnits.value(perSecond, .rate) }

  /// `312 to 324 /s`; `–` where nothing is known.
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
    let cut = search.failure != nil ? "; ended by a run that failed" : search.isCutShort ? "; cut short" : ""
    switch search.outcome {
    case .found:
      guard let limit = search.limit else { return "found nothing\(cut)" }
      return found(limit)
        + (search.failure != nil
          ? cut : search.isCutShort ? "; time ran out before that was as narrow as asked for" : "")
    case .none:
      guard let lowest = search.points.first, let highest = search.points.last else { return "no run was made\(cut)" }
      if let unmeetable = search.unmeetable, !unmeetable.isEmpty {
        let targets = unmeetable.map { "'\($0.target)' is missed at every rate, since \($0.reason)" }
        return "no arrival rate meets the targets (tried: \(rate(lowest.rate)) to \(rate(highest.rate))): "
          + targets.joined(separator: "; ") + cut
      }
      return "no rate is sustained: even at \(rate(lowest.rate)), \(ending(lowest.reason, lowest.verdict))\(cut)"
    case .beyond:
      guard let highest = search.points.last else { return "no run was made\(cut)" }
      return "\(rate(highest.rate)), the highest rate that was tried, is sustained; the limit lies above it\(cut)"
    case .inconclusive:
      guard let limit = search.limit else {
        let sustained = search.points.last { $0.verdict == .sustained }.map { "; \(rate($0.rate)) is sustained" } ?? ""
        return "the runs could not tell\(sustained)\(cut)"
      }
      return "about \(rate(limit.rate.value)), with no interval: too few rounds\(cut)"
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

  /// What ends a limit, in words.
  package static func reason(_ limit: CapacityLimit) -> String {
    let words = limit.reason.prefix { $0 != ":" }
    return words == "growing queue" || words == "full queue" ? "a \(words)" : limit.reason
  }

  private static func ending(_ reason: String, _ verdict: CapacityPoint.Verdict) -> String {
    switch verdict {
    case .missed: reason.contains(": ") ? reason : "the target '\(reason)' is missed"
    case .growing: "it ends in a \(reason)"
    case .unclear, .sustained: "the runs cannot tell of \(reason)"
    }
  }

  /// `growing queue` and the like, short enough for a column.
  package static func verdict(_ point: CapacityPoint) -> String {
    switch point.verdict {
    case .sustained: "sustained"
    case .missed: "missed"
    case .growing: "growing"
    case .unclear: "unclear"
    }
  }
}
