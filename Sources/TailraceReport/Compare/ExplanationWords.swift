import TailraceMeasurement

/// Sentences that explain the cause of a change.
package enum ExplanationWords {
  /// The sentences, most important first; empty: the response time did not clearly change.
  package static func lines(_ explanation: Explanation) -> [String] {
    guard let origin = explanation.origin else { return [] }
    let whole = explanation.change
    var lines = [
      "The mean response time \(whole > 0 ? "rose" : "fell") by \(relative(explanation.after / explanation.before - 1)) "
        + "(\(times(explanation.before, explanation.after)) over all jobs)."
    ]
    lines.append(
      "The cause is the **\(name(origin.part))** of `\(origin.type)`: \(moved(origin)) per job. "
        + "That \(contribution(origin.carried, to: whole)).")
    if origin.part == .submissionLag {
      lines.append(
        "Submission lag is the load generator's own delay, or the time for which a full queue blocked it. Check the "
          + "machine and the queue before the program's handlers.")
    }
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
    var words = "Waiting \(contribution(explanation.waiting, to: explanation.change))"
    if let most { words += ", most of it in `\(most.type)`: \(moved(most)) per job" }
    if let a = explanation.utilizationBefore, let b = explanation.utilizationAfter, abs(b - a) >= 0.002 {
      words += "; workers went from \(HumanUnits.share(a)) busy to \(HumanUnits.share(b))"
    }
    return [words + "."]
  }

  /// Other parts that changed independently.
  private static func others(_ explanation: Explanation, _ origin: Explanation.Shift) -> [String] {
    let rest = explanation.shifts.filter {
      $0.isClear && $0 != origin && (origin.part == .waiting || $0.part != .waiting)
        && abs($0.carried) >= 0.02 * abs(explanation.change)
    }
    guard !rest.isEmpty else { return [] }
    let words = rest.prefix(4).map { shift in
      "\(name(shift.part)) of `\(shift.type)` \(moved(shift)) per job, which "
        + contribution(shift.carried, to: explanation.change)
    }
    return ["Besides: \(words.joined(separator: "; "))."]
  }

  /// Whether the whole distribution changed, or only one end of it.
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
      kind = "The tail changed more than the middle"
    } else if abs(middle) > 2 * abs(tail) + 0.01 {
      kind = "The middle changed more than the tail"
    } else {
      kind = "The whole distribution changed"
    }
    return "\(kind): response time of \(of): \(list)."
  }

  /// The part's name.
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
  /// A part's contribution to the change of the mean over all jobs: a time, and its share if meaningful.
  private static func contribution(_ carried: Double, to change: Double) -> String {
    let time = HumanUnits.time(abs(carried))
    let verb = carried < 0 ? "takes \(time) from" : "adds \(time) to"
    let share = share(carried, change)
    let words = "\(verb) the mean over all jobs"
    if share < 0 { return "\(words), against its change" }
    // A part can change by more than the whole if another part changes in the opposite direction.
    return share > 1.005
      ? "\(words), more than the whole change of \(HumanUnits.time(change)); other parts compensate for the rest"
      : "\(words), \(HumanUnits.share(min(1, share))) of its change"
  }
  /// A part's share of the mean's change, if meaningful. Parts that change in opposite directions have no share.
  package static func share(_ carried: Double, ofChange change: Double) -> String {
    let share = share(carried, change)
    return share < 0 ? "against it" : share > 1.005 ? "more than all of it" : HumanUnits.share(min(1, share))
  }
  /// `19.0 ms → 3.37 ms (-82.3 %)`: the percentage is that of the two times.
  private static func moved(_ shift: Explanation.Shift) -> String {
    times(shift.before, shift.after) + (shift.change.map { " (\(signed($0)))" } ?? "")
  }
  private static func times(_ before: Double, _ after: Double) -> String {
    "\(HumanUnits.time(before)) → \(HumanUnits.time(after))"
  }
  /// `8.1 %`, without a sign.
  private static func relative(_ change: Double) -> String { HumanUnits.share(abs(change)) }
  /// `+8.1 %`.
  package static func signed(_ change: Double) -> String {
    // Treat a change that is indistinguishable from zero as zero.
    if abs(change) < 0.000_05 { return "0 %" }
    return (change > 0 ? "+" : "") + HumanUnits.share(change)
  }
}
