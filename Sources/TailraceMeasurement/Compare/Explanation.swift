import TailraceCore

/// Explains a change of the mean response time by parts of the time and job types.
///
/// The mean time from intended arrival to settlement is a sum over job types and parts (``Quantity/parts``), exact to
/// the nanosecond. So is its change, because both sides replayed the same jobs.
package struct Explanation: Sendable, Hashable, Codable {
  /// The contribution of a job type in one part of its time.
  package struct Shift: Sendable, Hashable, Codable {
    package var type: String
    @ByName package var part: Quantity
    /// Mean of the part per job of the type, in nanoseconds.
    package var before: Double
    package var after: Double
    /// Its contribution to the mean over the jobs of all types, in nanoseconds; negative: an improvement.
    package var carried: Double
    /// The 99 % interval of ``carried``.
    package var low: Double
    package var high: Double
    /// Whether the interval excludes no change, and the change is not negligible relative to the part.
    package var isClear: Bool
    /// The relative change of the part; nil: it was zero.
    package var change: Double? { before > 0 ? after / before - 1 : nil }
  }

  /// The change of a percentile of a class's response time.
  package struct Quantile: Sendable, Hashable, Codable {
    package var percentile: Double
    /// In nanoseconds, over the merged runs.
    package var before: Double
    package var after: Double
    package var change: Double { before > 0 ? after / before - 1 : 0 }
  }

  package var scenario: String
  package var candidate: Int
  /// Mean from intended arrival to settlement over all jobs, in nanoseconds.
  package var before: Double
  package var after: Double
  /// Contributions by magnitude, largest first, including unclear ones.
  package var shifts: [Shift]
  /// The origin of the change: the largest clear contribution of a part other than waiting and submission lag;
  /// otherwise of waiting; otherwise of the lag. Waiting mostly follows from other jobs, and the lag is due to the load
  /// generator or to a full queue that blocked it. nil: nothing is clear.
  package var origin: Shift?
  /// The percentiles of response time of ``origin``'s type, or of all jobs if it is nil.
  package var quantiles: [Quantile]
  package var utilizationBefore: Double?
  package var utilizationAfter: Double?

  /// The job type of ``quantiles``; nil: all jobs.
  package var quantilesOf: String? { origin?.type }
  /// The change of the mean in nanoseconds.
  package var change: Double { after - before }
  /// The contribution of waiting to the change, over all types, in nanoseconds.
  package var waiting: Double { shifts.reduce(0) { $0 + ($1.part == .waiting ? $1.carried : 0) } }

  static let percentiles = [10.0, 25, 50, 75, 90, 95, 99, 99.9]
}

extension Explanation {
  /// nil if a side measured no jobs.
  init?(_ pairs: [(baseline: ScenarioResult, candidate: ScenarioResult)], candidate: Int, rules: ComparisonRules) {
    let before = pairs.compactMap(\.baseline.primary)
    let after = pairs.compactMap(\.candidate.primary)
    guard !pairs.isEmpty, before.count == pairs.count, after.count == pairs.count,
      (before + after).allSatisfy({ $0.measurement.all.parts.settled > 0 })
    else { return nil }
    let means = (
      Self.mean(before) { Double($0.all.parts.whole) / Double($0.all.parts.settled) },
      Self.mean(after) { Double($0.all.parts.whole) / Double($0.all.parts.settled) }
    )
    let types = before[0].measurement.classes.filter { $0.key.type != nil && $0.key.priority == nil }.map(\.key)
    let shifts = (types.isEmpty ? [ClassKey.all] : types).flatMap { key in
      Quantity.parts.compactMap { Self.shift(of: key, $0, before, after, rules: rules) }
    }.sorted { abs($0.carried) > abs($1.carried) }
    let clear = shifts.filter { $0.isClear && ($0.carried > 0) == (means.1 > means.0) }
    let origin =
      clear.first { $0.part != .waiting && $0.part != .submissionLag } ?? clear.first { $0.part == .waiting }
      ?? clear.first
    let key = ClassKey(type: types.isEmpty ? nil : origin?.type)
    self.init(
      scenario: pairs[0].baseline.name, candidate: candidate, before: means.0, after: means.1, shifts: shifts,
      origin: origin,
      quantiles: Self.quantiles(
        ClassMeasurement.merged(before.map(\.measurement.classes)).first { $0.key == key }?[.response],
        ClassMeasurement.merged(after.map(\.measurement.classes)).first { $0.key == key }?[.response]),
      utilizationBefore: before.meanUtilization, utilizationAfter: after.meanUtilization)
  }

  private static func mean(_ runs: [RunResult], of value: (RunMeasurement) -> Double) -> Double {
    runs.reduce(0) { $0 + value($1.measurement) } / Double(runs.count)
  }

  private static func shift(
    of key: ClassKey, _ part: Quantity, _ before: [RunResult], _ after: [RunResult], rules: ComparisonRules
  ) -> Shift? {
    func perJob(_ run: RunResult) -> (own: Double, ofAll: Double) {
      guard let parts = run.measurement[key]?.parts else { return (0, 0) }
      let sum = Double(parts[part])
      return (sum / Double(max(1, parts.settled)), sum / Double(max(1, run.measurement.all.parts.settled)))
    }
    let (a, b) = (before.map(perJob), after.map(perJob))
    guard a.contains(where: { $0.own > 0 }) || b.contains(where: { $0.own > 0 }) else { return nil }
    let carried = zip(a, b).map { $1.ofAll - $0.ofAll }
    let mean = MeanInterval(carried)
    let interval = mean.interval(level: 0.99)
    let n = Double(a.count)
    let (own, other) = (a.reduce(0) { $0 + $1.own } / n, b.reduce(0) { $0 + $1.own } / n)
    let isOutside = interval.low > 0 || interval.high < 0
    return Shift(
      type: key.type ?? "all", part: part, before: own, after: other, carried: mean.mean,
      low: interval.low.isFinite ? interval.low : -Double.greatestFiniteMagnitude,
      high: interval.high.isFinite ? interval.high : Double.greatestFiniteMagnitude,
      isClear: a.count > 1 && isOutside && (own == 0 || abs(other / own - 1) > rules.indifference / 2))
  }

  private static func quantiles(_ before: Distribution?, _ after: Distribution?) -> [Quantile] {
    guard let before, let after else { return [] }
    let values = zip(percentiles, zip(before.percentiles(percentiles), after.percentiles(percentiles)))
    return values.compactMap { percentile, pair in
      guard let a = pair.0, let b = pair.1 else { return nil }
      return Quantile(percentile: percentile, before: Double(a.rawValue), after: Double(b.rawValue))
    }
  }
}
