import TailraceCore
import TailraceMeasurement

/// A target in a search: its value in one run, and its verdict over all runs at a rate.
struct CapacityTarget: Sendable {
  let text: String
  let expression: TargetExpression
  let kind: Kind

  enum Kind: Sendable {
    /// An upper limit on a percentile. It is met if the share of samples above the limit is below `1 − p`. A share is a
    /// mean, which runs estimate without bias, unlike a percentile of a short run.
    case share(Quantity, ClassKey, percentile: Double)
    /// Any other upper limit.
    case upper
    /// A lower limit on a share, such as `success >= 99%`. One minus the share grows with the load.
    case missingShare
    /// A figure that may not grow with the load. Its verdicts count, but its curve is not inverted.
    case other
  }

  init(_ text: String, _ expression: TargetExpression) {
    self.text = text
    self.expression = expression
    switch (expression.comparison, expression.metric.subject) {
    case (.below, .quantity(let quantity, .percentile(let p))), (.atMost, .quantity(let quantity, .percentile(let p))):
      kind = .share(quantity, expression.metric.key, percentile: p)
    case (.below, _), (.atMost, _): kind = .upper
    case (.above, _), (.atLeast, _): kind = expression.metric.unit == .ratio ? .missingShare : .other
    case (.equal, _): kind = .other
    }
  }

  /// The value of ``TargetReading/load`` at the limit; nil: the curve is not inverted.
  var crossingLimit: Double? {
    let limit =
      switch kind {
      case .share(_, _, let p): 1 - p / 100
      case .upper: expression.limit.value
      case .missingShare: 1 - expression.limit.value
      case .other: 0.0
      }
    return limit > 0 ? limit : nil
  }

  /// Whether it limits how many jobs may be turned away.
  var judgesTurnedAway: Bool {
    guard case .figure(let figure) = expression.metric.subject else { return false }
    return [.success, .rejected, .shed, .dropped, .completed].contains(figure)
  }

  /// The target's figures in one run.
  struct TargetReading: Sendable {
    /// The metric's value; nil: nothing was measured.
    var value: Double?
    /// The figure that grows with the load: a share of late samples, a mean, or a share of failures.
    var load: Double?
    /// The number of samples.
    var weight: Double
    /// Of a percentile.
    var samples: Distribution?
    /// The service times of the attempts of the target's class.
    var service: Distribution?
  }

  func reading(_ run: RunResult) -> TargetReading {
    var reading = figure(of: run)
    reading.service = run.measurement[expression.metric.key]?[.service]
    return reading
  }

  private func figure(of run: RunResult) -> TargetReading {
    if case .share(let quantity, let key, _) = kind {
      guard let samples = run.measurement[key]?[quantity], samples.count > 0 else { return TargetReading(weight: 0) }
      return TargetReading(
        load: samples.share(above: expression.limit.value), weight: Double(samples.count), samples: samples)
    }
    let outcome = TargetOutcome(expression, as: text, runs: [run], scale: 1)
    let load: Double? =
      switch kind {
      case .upper: outcome.observed
      case .missingShare: outcome.observed.map { max(0, 1 - $0) }
      case .share, .other: nil
      }
    return TargetReading(value: outcome.observed, load: load, weight: 1)
  }

  /// The verdict over all runs at one rate.
  func point(_ readings: [TargetReading]) -> CapacityTargetPoint {
    var point = CapacityTargetPoint(
      target: text, unit: expression.metric.unit, limit: expression.limit.value, observed: nil, verdict: .unclear)
    if case .share(_, _, let p) = kind {
      let present = readings.filter { $0.samples != nil }
      guard let samples = Distribution.merged(present.compactMap(\.samples)) else { return point }
      point.observed = samples.estimate(ofPercentile: p, from: present.compactMap(\.samples))
      guard samples.count >= Distribution.samplesNeeded(for: p) else { return point }
      let allowed = 1 - p / 100
      let (share, half) = Self.share(present.map { ($0.load ?? 0, $0.weight) })
      if let half {
        point.verdict = share + half < allowed ? .met : share - half > allowed ? .missed : .unclear
      }
      return point
    }
    let values = readings.compactMap(\.value)
    guard !values.isEmpty, values.count == readings.count else {
      // Without measurements the target is not met.
      point.verdict = .missed
      return point
    }
    let (mean, error) = Student.moments(values)
    guard values.count > 1 else {
      point.observed = CapacityEstimate(mean)
      return point
    }
    let half = Student.halfWidth95(error, count: values.count)
    point.observed = CapacityEstimate(mean, low: mean - half, high: mean + half)
    point.verdict = expression.comparison.verdict(mean, half, point.limit)
    return point
  }

  /// Whether the mean meets the limit, regardless of its interval.
  func leansGood(_ readings: [TargetReading]) -> Bool {
    if case .share(_, _, let p) = kind {
      let share = Self.share(readings.filter { $0.samples != nil }.map { ($0.load ?? 0, $0.weight) }).mean
      return share < 1 - p / 100
    }
    let values = readings.compactMap(\.value)
    guard !values.isEmpty, values.count == readings.count else { return false }
    let mean = values.reduce(0, +) / Double(values.count)
    return expression.comparison.holds(mean, expression.limit.value)
  }

  /// A share over runs of unequal length, and half of its confidence interval: the ratio estimator, W. G. Cochran,
  /// *Sampling Techniques*, 3rd ed., (6.13).
  ///
  /// - Parameter p: The probability below the interval's upper end.
  static func share(
    _ runs: [(share: Double, weight: Double)], upTo p: Double = 0.975
  ) -> (mean: Double, half: Double?) {
    let total = runs.reduce(0) { $0 + $1.weight }
    guard total > 0 else { return (0, nil) }
    let mean = runs.reduce(0) { $0 + $1.share * $1.weight } / total
    guard runs.count > 1 else { return (mean, nil) }
    let n = Double(runs.count)
    let residuals = runs.reduce(0) { sum, run in
      let residual = run.weight * (run.share - mean)
      return sum + residual * residual
    }
    let error = (residuals / (n * (n - 1))).squareRoot() / (total / n)
    return (mean, Student.quantile(p, degrees: runs.count - 1) * error)
  }
}

extension Distribution {
  /// The share of samples above a value in nanoseconds. A bin counts as above if its middle is.
  func share(above value: Double) -> Double {
    guard total > 0 else { return 0 }
    var above = above
    for bin in bins.reversed() {
      guard bin.middle > value else { break }
      above += bin.count
    }
    return Double(above) / Double(total)
  }

  static func merged(_ all: [Distribution]) -> Distribution? {
    guard var merged = all.first else { return nil }
    for other in all.dropFirst() { merged.merge(other) }
    return merged
  }

  /// A percentile of all runs' samples together (these), and its 95 % confidence interval: the percentiles at the ends
  /// of the interval of the share below it, which comes from the runs. Source: R. S. Woodruff, *Confidence Intervals
  /// for Medians and Other Position Measures*, JASA 47 (1952).
  func estimate(ofPercentile p: Double, from runs: [Distribution]) -> CapacityEstimate? {
    guard let value = samplePercentiles([p])[0] else { return nil }
    let shares = runs.map { ($0.share(above: Double(value.rawValue)), Double($0.total)) }
    guard let half = CapacityTarget.share(shares).half else { return CapacityEstimate(Double(value.rawValue)) }
    let ends = samplePercentiles([p - 100 * half, p + 100 * half])
    return CapacityEstimate(
      Double(value.rawValue), low: ends[0].map { Double($0.rawValue) }, high: ends[1].map { Double($0.rawValue) })
  }
}
