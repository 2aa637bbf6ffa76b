import Foundation

/// The verdict on a metric.
package enum ComparisonVerdict: String, Sendable, Codable, CaseIterable {
  case better
  case worse
  /// The interval lies within ±δ.
  case same
  /// Inconclusive: more rounds or a quieter machine are needed.
  case unclear
}

/// The statistical rules of a comparison.
package struct ComparisonRules: Sendable, Hashable, Codable {
  /// δ: relative changes up to this size are considered irrelevant; 0 < δ < 1.
  package var indifference: Double
  /// The confidence of the intervals, over all looks together; 0 < confidence < 1.
  package var confidence: Double
  /// α: the probability that a comparison of equals calls any of its metrics better or worse, over all metrics and
  /// looks; 0 < α < 1.
  package var falseAlarm: Double
  package var looks: LookPlan

  package init(
    indifference: Double = 0.01, confidence: Double = 0.95, falseAlarm: Double = 0.01,
    looks: LookPlan = LookPlan(least: 12, most: 24)
  ) {
    self.indifference = indifference
    self.confidence = confidence
    self.falseAlarm = falseAlarm
    self.looks = looks
  }

  /// The minimum number of rounds for a verdict of better or worse, however large the difference, due to the exact
  /// test. If it exceeds the plan, this many rounds with a single look suffice.
  package func roundsNeeded(metrics: Int) -> Int {
    func suffices(_ rounds: Int, _ share: Double) -> Bool {
      SignedRank.leastPValue(count: rounds) * Double(max(1, metrics)) <= falseAlarm * share
    }
    let planned = looks.looks.first { suffices($0, looks.share(after: $0, isLast: $0 == looks.looks.last)) }
    if let planned { return planned }
    var rounds = 1
    while !suffices(rounds, 1) { rounds += 1 }
    return rounds
  }
}

extension Metric {
  /// Whether smaller values are better; nil: neither.
  package var lessIsBetter: Bool? {
    switch subject {
    case .quantity(_, .count): nil
    case .quantity: true
    case .figure(let figure):
      switch figure {
      case .throughput, .success, .speedup, .timeSaved, .completed, .achievedRate: false
      case .makespan, .deadLettered, .cancelled, .rejected, .shed, .dropped, .retried, .late, .lost, .duplicated,
        .leftRunning, .earlyStarts, .queueDepthMax, .inversions, .shareError, .recovery, .jobsInSystem, .processorTime,
        .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd, .allocationsPerJob,
        .runTwice, .completedTwice, .recoveryP50, .recoveryP99, .recoveryMax:
        true
      case .utilization, .submitted, .concurrencyMax, .startsPerSecondMax, .offeredLoad, .offeredRate, .hostSteal,
        .wakeUpP50, .wakeUpP99, .otherPrograms, .runDelay, .spinSpeed:
        nil
      }
    }
  }

  /// The metrics compared by default: throughput, success, the mean and the supported percentiles of response time, and
  /// for the job types with most jobs the mean, which includes every job, and the median, which a few delayed jobs do
  /// not affect.
  package static func compared(in run: RunResult, types: Int = 4) -> [Metric] {
    func samples(_ jobs: ClassMeasurement) -> UInt64 { jobs[.response]?.count ?? 0 }
    func holds(_ percentile: Double, _ jobs: ClassMeasurement) -> Bool {
      // Twice the required samples, so that rounds with slightly fewer jobs qualify too.
      2 * Distribution.samplesNeeded(for: percentile) <= samples(jobs)
    }
    var metrics = [Metric(.figure(.throughput)), Metric(.figure(.success)), Metric(.quantity(.response, .mean))]
    for percentile in [50.0, 99] where holds(percentile, run.measurement.all) {
      metrics.append(Metric(.quantity(.response, .percentile(percentile))))
    }
    let ofTypes = run.measurement.classes.filter { $0.key.type != nil && $0.key.priority == nil }
    guard ofTypes.count > 1 else { return metrics }
    let busiest = ofTypes.sorted { (samples($0), $1.key.name) > (samples($1), $0.key.name) }
    let kept = Set(busiest.prefix(types).map(\.key))
    return metrics
      + ofTypes.filter { kept.contains($0.key) }.flatMap { jobs in
        [Metric(.quantity(.response, .mean), of: jobs.key)]
          + (holds(50, jobs) ? [Metric(.quantity(.response, .percentile(50)), of: jobs.key)] : [])
      }
  }
}
