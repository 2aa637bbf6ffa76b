import TailraceMeasurement

/// Where a change lies, in sentences.
package enum ExplanationWords {
  /// The sentences, the most important first; empty: nothing clear happened to the response time.
  package static func lines(_ explanation: Explanation) -> [String] {
    guard let origin = explanation.origin else { return [] }
    let whole = explanation.change
    var lines = [
      "The mean response time \(whole > 0 ? "rose" : "fell") by \(relative(explanation.after / explanation.before - 1)) "
        + "(\(times(explanation.before, explanation.after)) over all jobs)."
    ]
    let own = origin.change.map { ", \(signed($0))" } ?? ""
    lines.append(
      "It begins in the **\(name(origin.part))** of `\(origin.type)`: \(times(origin.before, origin.after)) a job\(own). "
        + "That part carries \(share(origin.carried, of: whole)) of the change.")
    lines += waiting(explanation, origin)
    lines += others(explanation, origin)
    if let words = quantiles(explanation) { lines.append(words) }
    return lines
  }

  private static func waiting(_ explanation: Explanation, _ origin: Explanation.Shift) -> [String] {
    guard origin.part != .waiting, share(explanation.waiting, explanation.change) >= 0.02 else { return [] }
    let most = explanation.shifts.filter { $0.part == .waiting }.max {
      $0.carried.magnitude < $1.carried.magnitude
    }
    var words = "Waiting carries \(share(explanation.waiting, of: explanation.change))"
    if let most { words += ", most of it that of `\(most.type)` (\(times(most.before, most.after)) a job)" }
    if let a = explanation.utilizationBefore, let b = explanation.utilizationAfter, abs(b - a) >= 0.002 {
      words += ": workers went from \(HumanUnits.share(a)) busy to \(HumanUnits.share(b))"
    }
    return [words + "."]
  }

  /// Further parts that moved on their own.
  private static func others(_ explanation: Explanation, _ origin: Explanation.Shift) -> [String] {
    let rest = explanation.shifts.filter {
      $0.isClear && $0 != origin && (origin.part == .waiting || $0.part != .waiting)
        && abs($0.carried) >= 0.02 * abs(explanation.change)
    }
    guard !rest.isEmpty else { return [] }
    let words = rest.prefix(4).map { shift in
      "\(name(shift.part)) of `\(shift.type)` \(HumanUnits.time(shift.before)) → \(HumanUnits.time(shift.after)) "
        + "(\(share(shift.carried, of: explanation.change)))"
    }
    return ["Besides: \(words.joined(separator: "; "))."]
  }

  /// Whether the whole distribution moved, or one end of it.
  private static func quantiles(_ explanation: Explanation) -> String? {
    let all = explanation.quantiles
    guard let low = all.first(where: { $0.percentile == 50 }) ?? all.first, let high = all.last, all.count > 1 else {
      return nil
    }
    let list = all.filter { [50, 90, 99, 99.9].contains($0.percentile) }
      .map { "\(Statistic.percentile($0.percentile).name) \(signed($0.change))" }.joined(separator: ", ")
    let of = explanation.quantilesOf.map { "`\($0)`" } ?? "all jobs"
    let (middle, tail) = (low.change, high.change)
    let kind: String
    if abs(tail) > 2 * abs(middle) + 0.01 {
      kind = "Its tail moved more than its middle"
    } else if abs(middle) > 2 * abs(tail) + 0.01 {
      kind = "Its middle moved more than its tail"
    } else {
      kind = "The whole distribution moved"
    }
    return "\(kind): response time of \(of): \(list)."
  }

  /// The part as people say it.
  package static func name(_ part: Quantity) -> String {
    switch part {
    case .submissionLag: "submission lag"
    case .submission: "submission time"
    case .dependencyWait: "dependency wait"
    case .waiting: "waiting time"
    case .service: "service time"
    case .backoff: "backoff"
    case .response: "response time"
    case .responseUncorrected: "uncorrected response time"
    }
  }

  private static func share(_ part: Double, _ whole: Double) -> Double { whole == 0 ? 0 : part / whole }
  private static func share(_ part: Double, of whole: Double) -> String {
    HumanUnits.share(share(part, whole))
  }
  private static func times(_ before: Double, _ after: Double) -> String {
    "\(HumanUnits.time(before)) → \(HumanUnits.time(after))"
  }
  /// `8.1 %`, whatever the sign.
  private static func relative(_ change: Double) -> String { HumanUnits.share(abs(change)) }
  /// `+8.1 %`.
  package static func signed(_ change: Double) -> String {
    // Less than can be told apart from nothing is nothing.
    if abs(change) < 0.000_05 { return "0 %" }
    return (change > 0 ? "+" : "") + HumanUnits.share(change)
  }
}
