/// The provisional outcome of a target during a run.
package struct TargetSoFar: Sendable, Hashable {
  package enum Verdict: String, Sendable, CaseIterable {
    /// Met so far; this may change.
    case met
    /// Missed so far; this may change, unless the figure can only grow.
    case missed
    /// No samples yet.
    case noSamples = "no samples"
    /// Known only at the end of the run.
    case atTheEnd = "at the end"
  }
  /// The target as written.
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

  /// Evaluates a target as ``TargetOutcome`` does at the end of the run.
  ///
  /// - Parameters:
  ///   - expression: the target.
  ///   - text: as written.
  ///   - run: the measurements so far; nil: none.
  ///   - scale: the factor on every duration of the scenario.
  ///   - isWhole: whether every record so far was measured, not just a sample of them.
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
  /// Whether a growing value has not reached the limit yet and the target may still be met.
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
  /// Whether a sample of the jobs represents all: times and shares, but not counts.
  fileprivate var isSeenInAPart: Bool {
    switch self {
    case .quantity(_, let statistic): statistic != .count
    case .figure(let figure): figure.unit == .ratio
    }
  }

  /// How the value of a metric changes during a run.
  fileprivate enum Growth {
    case up
    case either
    /// Known at the end of the run.
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
        .otherPrograms, .runDelay, .spinSpeed, .runTwice, .completedTwice, .recoveryP50, .recoveryP99, .recoveryMax:
        .unknown
      }
    }
  }
}
