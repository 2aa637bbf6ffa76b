import TailraceCore

/// The change of a class's mean time in the system, and how much of it is submission lag caused by the load generator.
struct LagChange {
  /// In nanoseconds per job.
  var whole: Double
  var lag: Double

  /// nil: nothing was measured.
  init?(_ rounds: [(baseline: ScenarioResult, candidate: ScenarioResult)], of key: ClassKey) {
    let sides = rounds.compactMap { round -> (RunResult, RunResult)? in
      guard let a = round.baseline.primary, let b = round.candidate.primary else { return nil }
      return (a, b)
    }
    guard !sides.isEmpty else { return nil }
    func mean(_ value: (RunResult) -> Double) -> Double {
      sides.reduce(0) { $0 + value($1.1) - value($1.0) } / Double(sides.count)
    }
    func perJob(_ run: RunResult) -> (whole: Double, lag: Double) {
      guard let parts = run.measurement[key]?.parts, parts.settled > 0 else { return (0, 0) }
      let jobs = Double(parts.settled)
      return (Double(parts.whole) / jobs, Double(parts[.submissionLag]) / jobs)
    }
    whole = mean { perJob($0).whole }
    let all = mean { perJob($0).lag }
    // Lag due to a full queue is the system's.
    let heldBack = mean { Double($0.observations.heldBack.rawValue) / Double(max(1, $0.measurement.intendedInWindow)) }
    lag = heldBack >= all / 2 ? 0 : all
  }
}

extension GateCheck {
  /// The check, but not a regression if more than half of the change is submission lag caused by the load generator.
  func excusingLag(_ rounds: [(baseline: ScenarioResult, candidate: ScenarioResult)], types: [String]) -> GateCheck {
    guard kind == .regression, verdict == .missed, let metric = try? Metric(parsing: metric, types: types),
      case .quantity(let quantity, _) = metric.subject, quantity == .response || quantity == .submissionLag,
      let change = LagChange(rounds, of: metric.key)
    else { return self }
    let isLag = quantity == .submissionLag ? change.lag > 0 : change.whole > 0 && change.lag > change.whole / 2
    guard isLag else { return self }
    var check = self
    check.verdict = .unclear
    check.words +=
      "; but \(quantity == .submissionLag ? "all" : "more than half") of it is submission lag caused by the load "
      + "generator, not a regression of the program: check what else runs on the machine"
    return check
  }
}
