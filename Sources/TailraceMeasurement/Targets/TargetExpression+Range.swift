/// The possible values of a metric.
package struct MetricRange: Sendable, Hashable {
  package var low: Double
  package var high: Double
  /// Whether the metric can be ``low`` itself.
  package var includesLow = true
  /// Whether the metric can be ``high`` itself.
  package var includesHigh = true
}

extension Metric {
  /// The possible values of the metric, in its unit.
  package var range: MetricRange {
    guard case .figure(let figure) = subject else { return MetricRange(low: 0, high: .infinity, includesHigh: false) }
    switch figure {
    case .success, .utilization, .hostSteal, .otherPrograms, .shareError: return MetricRange(low: 0, high: 1)
    // 1 minus a ratio of two durations, neither of which is 0.
    case .timeSaved: return MetricRange(low: -.infinity, high: 1, includesLow: false, includesHigh: false)
    case .speedup: return MetricRange(low: 0, high: .infinity, includesLow: false, includesHigh: false)
    case .throughput, .makespan, .submitted, .completed, .deadLettered, .cancelled, .rejected, .shed, .dropped,
      .retried, .late, .lost, .duplicated, .leftRunning, .earlyStarts, .concurrencyMax, .startsPerSecondMax,
      .queueDepthMax, .inversions, .recovery, .offeredLoad, .offeredRate, .achievedRate, .jobsInSystem,
      .processorTime, .peakMemory, .bytesPerJob, .liveBytesWarm, .liveBytesEnd, .allocationsPerJob, .wakeUpP50,
      .wakeUpP99, .runDelay, .spinSpeed, .runTwice, .completedTwice, .recoveryP50, .recoveryP99, .recoveryMax:
      return MetricRange(low: 0, high: .infinity, includesHigh: false)
    }
  }

  /// A number without unnecessary decimals.
  static func plain(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? "\(Int(value))" : "\(value)"
  }
}

extension TargetExpression {
  /// Whether every possible value meets the limit, or none does; nil: it depends on the value.
  package var foregone: Bool? {
    let range = metric.range
    let value = limit.value
    // Whether all values are on the lower, or on the upper, side of the limit.
    let allBelow = value > range.high || (value == range.high && !range.includesHigh)
    let allAtMost = value >= range.high
    let allAbove = value < range.low || (value == range.low && !range.includesLow)
    let allAtLeast = value <= range.low
    switch comparison {
    case .below: return allBelow ? true : allAtLeast ? false : nil
    case .atMost: return allAtMost ? true : allAbove ? false : nil
    case .above: return allAbove ? true : allAtMost ? false : nil
    case .atLeast: return allAtLeast ? true : allBelow ? false : nil
    case .equal: return allBelow || allAbove ? false : nil
    }
  }

  /// A message for a limit that is always or never met; nil: neither.
  ///
  /// - Parameter text: the limit as written.
  func rangeProblem(value text: String) -> String? {
    guard let foregone else { return nil }
    let what = foregone ? "always met" : "never met"
    let advice = suggestion(text).map { "did you mean '\(metric.name) \($0)'?" } ?? "write a limit within this range"
    return "\(what): \(metric.name) is \(rangeWords); \(advice)"
  }

  private var rangeWords: String {
    let range = metric.range
    if range.high == 1 { return range.low == 0 ? "0 % to 100 %" : "less than 100 %" }
    return range.includesLow ? "never less than 0" : "always more than 0"
  }

  /// The comparison and limit that were probably meant.
  private func suggestion(_ text: String) -> String? {
    let sign = comparison.rawValue
    switch metric.unit {
    case .ratio:
      guard !text.hasSuffix("%"), limit.value > 1, limit.value <= 100 else { return nil }
      return "\(sign) \(Metric.plain(limit.value))%"
    case .count:
      // "No more than none."
      return comparison == .below || comparison == .atMost || comparison == .equal ? "== 0" : nil
    case .time, .rate, .bytes, .factor:
      return text.hasPrefix("-") && limit.value < 0 ? "\(sign) \(text.dropFirst())" : nil
    }
  }
}
