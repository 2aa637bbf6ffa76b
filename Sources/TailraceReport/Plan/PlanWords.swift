import TailraceMeasurement

/// Sentences about a plan's results.
package struct PlanWords {
  private let result: PlanResult

  package init(_ result: PlanResult) { self.result = result }

  /// `scheduler.workers=3`.
  package func name(_ candidate: PlanCandidate) -> String {
    zip(result.varied, candidate.values).map { "\($0)=\($1)" }.joined(separator: " ")
  }

  /// The answer in one sentence.
  package var answer: String {
    if !result.isWhole { return unfinished }
    if let best = result.best {
      let known = result.undecided.isEmpty ? "Cheapest that meets" : "Cheapest known to meet"
      return "\(known) every target with 95 % confidence: \(name(result.candidates[best]))"
    }
    let count = HumanUnits.counted(result.count, "configuration")
    let known = result.undecided.isEmpty ? "meets" : "is known to meet"
    return "None of the \(count) \(known) every target with 95 % confidence"
  }

  /// The answer of an incomplete search: there is none, plus the tried configurations that meet the targets.
  private var unfinished: String {
    let tried =
      "\(HumanUnits.count(Double(result.candidates.count))) of "
      + HumanUnits.counted(result.count, "configuration")
    let met = result.candidates.first { $0.verdict == .met }
    return "Not finished: the cheapest configuration that meets every target is not known. "
      + (met.map { "Of the \(tried) tried, \(name($0)) meets them" }
        ?? "None of the \(tried) tried is known to meet them")
  }

  /// Configurations that could not be tried, and why.
  package var failures: [String] { (result.failures ?? []).map { "This configuration failed: \($0)" } }

  /// The number of configurations tried, and of replications.
  package var effort: String {
    let tried = HumanUnits.count(Double(result.candidates.count))
    let most = result.candidates.map(\.replications).max() ?? result.replications
    let added = most > result.replications ? ", up to \(HumanUnits.count(Double(most))) for unclear ones" : ""
    return
      "\(tried) of \(HumanUnits.counted(result.count, "configuration")) tried, \(result.replications) replications "
      + "each\(added), with the same seeds."
  }

  /// The length of runs; nil: that of the scenario.
  package var lengthening: String? {
    guard let own = result.length else { return nil }
    let longer = result.candidates.filter { ($0.length ?? own) > own }
    guard let most = longer.compactMap(\.length).max() else { return nil }
    let count = HumanUnits.counted(longer.count, "configuration")
    return "The queue had not settled within \(HumanUnits.time(own)), so runs of \(count) were lengthened, up to "
      + "\(HumanUnits.time(most)), a fifth of which is warm-up."
  }

  /// Why cheaper configurations are not the answer.
  package var shortfalls: [String] {
    // After an interruption, undecided configurations say nothing about the budget.
    guard result.isWhole else { return [] }
    var lines: [String] = []
    if let best = result.best, best > 0 {
      let cheaper = result.candidates[best - 1]
      if cheaper.verdict == .missed { lines.append("The next cheaper, \(name(cheaper)), \(failure(cheaper)).") }
    }
    for index in result.undecided.prefix(3) {
      let candidate = result.candidates[index]
      lines.append("\(name(candidate)) is undecided: \(doubt(candidate)).")
    }
    if result.undecided.count > 3 { lines.append("\(result.undecided.count - 3) more are undecided.") }
    if result.undecided.contains(where: { !result.candidates[$0].isOutOfLooks }) {
      lines.append(
        result.budget == 0
          ? "The budget for undecided configurations is 0; raise it with --budget."
          : "The budget of \(HumanUnits.count(Double(result.budget))) jobs is used up; raise it with --budget.")
    } else if !result.undecided.isEmpty {
      lines.append(
        "Figures this close to their limits need longer runs (--duration) or more initial --replications.")
    }
    return lines
  }

  private func failure(_ candidate: PlanCandidate) -> String {
    if candidate.isOverloaded { return "does not keep up: \(candidate.trouble)" }
    let missed = candidate.targets.filter { $0.verdict == .missed }.map { point in
      "\(point.target) (\(HumanUnits.value(point.observed?.value, point.unit)))"
    }
    let words = missed.isEmpty ? [] : ["fails \(missed.joined(separator: " and "))"]
    return (words + (candidate.trouble.isEmpty ? [] : [candidate.trouble])).joined(separator: "; ")
  }

  private func doubt(_ candidate: PlanCandidate) -> String {
    var parts = candidate.targets.filter { $0.verdict == .unclear }.map { "\($0.target): \(Self.value($0))" }
    if candidate.isUnsettled {
      let length = candidate.length.map { " in runs of \(HumanUnits.time($0))" } ?? ""
      parts.append("its queue had not settled\(length)")
    }
    return parts.joined(separator: "; ")
  }

  /// A target's figure with half of its interval: `48.2 ms ± 1.3 ms`.
  package static func value(_ point: CapacityTargetPoint) -> String {
    guard let observed = point.observed else { return "–" }
    let value = HumanUnits.value(observed.value, point.unit)
    guard let low = observed.low, let high = observed.high, high > low else { return value }
    return "\(value) ± \(HumanUnits.difference((high - low) / 2, point.unit))"
  }

  /// The verdict on the configuration at a place, and why.
  package func verdict(at place: Int) -> String { label(at: place).plain }

  func label(at place: Int) -> VerdictLabel {
    let candidate = result.candidates[place]
    switch candidate.verdict {
    case .met: return VerdictLabel(candidate.verdict)
    case .missed:
      if candidate.isOverloaded { return VerdictLabel(candidate.verdict, note: ": queue grows") }
      let missed = candidate.targets.filter { $0.verdict == .missed }.map(\.target)
      let why = missed.isEmpty ? candidate.trouble : missed.joined(separator: ", ")
      return VerdictLabel(candidate.verdict, note: ": \(why)")
    case .unclear:
      if let best = result.best, place > best {
        return VerdictLabel(candidate.verdict, note: ": not pursued, because it is more expensive")
      }
      let unclear = candidate.targets.filter { $0.verdict == .unclear }.map(\.target)
      let why = candidate.isUnsettled ? "queue not settled" : unclear.joined(separator: ", ")
      return VerdictLabel(candidate.verdict, note: ": \(why)")
    }
  }

  /// Sentences about the bottleneck.
  package var binding: [String] {
    guard let binding = result.binding, result.candidates.indices.contains(binding.subject) else { return [] }
    let subject = result.candidates[binding.subject]
    var lines: [String] = []
    if let target = binding.target, let constraint = binding.constraint {
      let reason =
        switch binding.ground {
        case .cheaperMissesIt: "which the next cheaper configuration misses"
        case .isMissed: "which even this configuration misses"
        case .hasLeastToSpare, .nothingMoves: "which has the smallest margin"
        }
      lines.append("The bottleneck of \(name(subject)) is \(constraint), judged by \(target), \(reason).")
    } else {
      lines.append(
        "\(name(subject)) has no bottleneck: widening any constraint changes no target significantly.")
    }
    if let busiest = subject.pools.max(by: { $0.utilization < $1.utilization }) {
      lines.append("Busiest pool: \(busiest.pool), \(HumanUnits.share(busiest.utilization)) of its workers' time.")
    }
    lines += binding.spares.map(Self.spare)
    return lines
  }

  private static func spare(_ spare: PlanBinding.Spare) -> String {
    guard let margin = spare.margin else { return "\(spare.target): nothing was measured." }
    let distance = HumanUnits.difference(abs(margin), spare.unit)
    let side = margin < 0 ? "beyond its limit" : "to spare"
    let moved = spare.movedBy.map { "; changed by \($0)" } ?? "; no constraint changes it"
    return "\(spare.target): \(distance) \(side)\(moved)."
  }

  /// A target's metric, without comparison and limit.
  package static func metric(_ target: String) -> String {
    String(target.replacing(/\s*[<>=]=?\s*[^<>={}]*$/, with: ""))
  }

  /// Whether widening a constraint helps, as one word.
  package static func verdict(_ sensitivity: ConstraintSensitivity) -> String { VerdictLabel(sensitivity).plain }

  /// The effect of a wider constraint: `-3.2 ms ± 0.4 ms`.
  package static func change(_ sensitivity: ConstraintSensitivity) -> String {
    let sign = sensitivity.change.value > 0 ? "+" : ""
    let change = HumanUnits.difference(sensitivity.change.value, sensitivity.unit)
    let half = ((sensitivity.change.high ?? 0) - (sensitivity.change.low ?? 0)) / 2
    return "\(sign)\(change) ± \(HumanUnits.difference(half, sensitivity.unit))"
  }
}
