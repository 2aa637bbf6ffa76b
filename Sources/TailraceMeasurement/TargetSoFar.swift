/// What a run that is not over says of a target.
package struct TargetSoFar: Sendable, Hashable {
  package enum Verdict: String, Sendable, CaseIterable {
    /// What was measured so far meets it; more may turn it.
    case met
    /// What was measured so far misses it; more may turn it, unless it is about something that only grows.
    case missed
    /// Nothing was measured yet that it is about.
    case noSamples = "no samples"
    /// Only the whole run can say.
    case atTheEnd = "at the end"
  }
  /// As written.
  package var expression: String
  package var verdict: Verdict
  /// In ``unit``; nil: nothing yet.
  package var observed: Double?
  package var unit: FigureUnit

  package init(expression: String, verdict: Verdict, observed: Double? = nil, unit: FigureUnit) {
    self.expression = expression
    self.verdict = verdict
    self.observed = observed
    self.unit = unit
  }

  /// Evaluates a target as ``TargetOutcome`` will when the run is over.
  ///
  /// - Parameters:
  ///   - expression: the target.
  ///   - text: as it was written.
  ///   - run: what was measured so far; nil: nothing.
  ///   - scale: the factor on every duration of the scenario.
  ///   - isWhole: whether every record so far was measured, rather than a part of them.
  package init(
    _ expression: TargetExpression, as text: String, run: RunResult?, scale: Double, isWhole: Bool = true
  ) {
    let growth = expression.metric.subject.growth
    self.init(expression: text, verdict: .noSamples, unit: expression.metric.unit)
    guard growth != .unknown, isWhole || expression.metric.subject.isSeenInAPart else {
      verdict = .atTheEnd
      return
    }
    guard let run else { return }
    let outcome = TargetOutcome(expression, as: text, runs: [run], scale: scale)
    observed = outcome.observed
    switch outcome.verdict {
    case .noSamples: verdict = .noSamples
    case .met: verdict = growth == .up && expression.comparison == .equal ? .atTheEnd : .met
    case .missed: verdict = outcome.mayYetBeMet(growing: growth == .up) ? .atTheEnd : .missed
    }
  }
}

extension TargetOutcome {
  /// Whether a value that only grows has yet to reach the limit, which says nothing against it.
  fileprivate func mayYetBeMet(growing: Bool) -> Bool {
    guard growing, let observed else { return false }
    return switch comparison {
    case .above, .atLeast: true
    case .equal: observed < limit
    case .below, .atMost: false
    }
  }
}

extension Metric.Subject {
  /// Whether a part of the jobs says it of all: times and shares, but no counts.
  fileprivate var isSeenInAPart: Bool {
    switch self {
    case .quantity(_, let statistic): statistic != .count
    case .figure(let figure): figure.unit == .ratio
    }
  }

  /// How the value of a metric moves while the run goes on.
  fileprivate enum Growth {
    case up
    case either
    /// It is known when the run is over.
    case unknown
  }

  fileprivate var growth: Growth {
    switch self {
    case .quantity(_, .count), .quantity(_, .max): .up
    case .quantity(_, .mean), .quantity(_, .min), .quantity(_, .stddev), .quantity(_, .percentile): .either
    case .figure(let figure):
      switch figure {
      case .throughput, .success, .utilization, .offeredLoad, .offeredRate, .achievedRate, .shareError: .either
      case .makespan, .submitted, .completed, .deadLettered, .cancelled, .rejected, .shed, .dropped, .retried, .late,
        .duplicated:
        .up
      case .speedup, .timeSaved, .lost, .leftRunning, .earlyStarts, .concurrencyMax, .startsPerSecondMax,
        .queueDepthMax, .inversions, .recovery, .jobsInSystem, .processorTime, .peakMemory, .bytesPerJob,
        .liveBytesWarm, .liveBytesEnd, .allocationsPerJob, .hostSteal, .wakeUpP50, .wakeUpP99,
        .otherPrograms, .runDelay, .spinSpeed:
        .unknown
      }
    }
  }
}
