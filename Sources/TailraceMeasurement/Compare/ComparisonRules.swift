import Foundation

/// What a comparison may say of a metric.
package enum ComparisonVerdict: String, Sendable, Codable, CaseIterable {
  case better
  case worse
  /// The interval lies within ±δ.
  case same
  /// Neither could be shown: more rounds, or a quieter machine, would be needed.
  case unclear
}

/// How a comparison reaches its verdicts.
package struct ComparisonRules: Sendable, Hashable, Codable {
  /// δ: relative changes up to this size make no difference to anybody; 0 < δ < 1.
  package var indifference: Double
  /// Of the intervals, over all looks together; 0 < confidence < 1.
  package var confidence: Double
  /// α: the chance that a comparison of equals calls any of its metrics better or worse, all metrics and all looks
  /// together.
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

  /// Rounds below which no verdict of better or worse can fall, however large the difference: the exact test needs
  /// them. Where that is more than the plan allows, so many in a single look would do.
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
  /// Whether a smaller value is the better one; nil: neither is.
  package var lessIsBetter: Bool? {
    switch subject {
    case .quantity(_, .count): nil
    case .quantity: true
    case .figure(let figure):
      switch figure {
      case .throughput, .success, .speedup, .timeSaved, .completed, .achievedRate: false
      case .makespan, .deadLettered, .cancelled, .rejected, .shed, .dropped, .retried, .late, .lost, .duplicated,
        .leftRunning, .earlyStarts, .queueDepthMax, .inversions, .shareError, .recovery, .jobsInSystem, .processorTime,
        .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd, .allocationsPerJob:
        true
      case .utilization, .submitted, .concurrencyMax, .startsPerSecondMax, .offeredLoad, .offeredRate, .hostSteal,
        .wakeUpP50, .wakeUpP99, .otherPrograms, .runDelay, .spinSpeed:
        nil
      }
    }
  }

  /// What a scenario's runs are compared by where nobody says: throughput, success, the mean and the percentiles of
  /// response time that its samples hold, and of each job type, those with most jobs first, the mean, which sees
  /// everything, and the median, which a few delayed jobs do not move.
  package static func compared(in run: RunResult, types: Int = 4) -> [Metric] {
    func samples(_ jobs: ClassMeasurement) -> UInt64 { jobs[.response]?.count ?? 0 }
    func holds(_ percentile: Double, _ jobs: ClassMeasurement) -> Bool {
      // Twice what it needs, so that a round with a few jobs fewer has it too.
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
