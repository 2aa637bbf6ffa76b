import TailraceCore

extension Distribution {
  /// One step of HdrHistogram's percentile distribution.
  package struct PercentileStep: Sendable, Hashable {
    /// The greatest value of the bin, or the maximum sample if smaller, in nanoseconds.
    package var value: UInt64
    /// 0…100.
    package var percentile: Double
    /// Samples at or below ``value``.
    package var count: UInt64
  }

  /// Percentiles at steps that halve, `ticks` per halving of the distance to 100 %, as HdrHistogram's
  /// `PercentileIterator` has them.
  package func percentileSteps(ticks: Int = 5) -> [PercentileStep] {
    guard count > 0 else { return [] }
    var steps: [PercentileStep] = []
    var level = 0.0
    var seen: UInt64 = 0
    let greatest = UInt64(Swift.max(max.rawValue, 0))
    for bin in bins {
      seen += bin.count
      let reached = 100 * Double(seen) / Double(count)
      while level <= reached, level < 100 {
        steps.append(PercentileStep(value: Swift.min(bin.highest, greatest), percentile: level, count: seen))
        if seen == count { break }
        var halvings = 0
        var distance = 100 / (100 - level)
        while distance >= 2 {
          distance /= 2
          halvings += 1
        }
        level += 100 / (Double(ticks) * Double(UInt64(1) << UInt64(Swift.min(halvings + 1, 50))))
      }
    }
    if let last = bins.last {
      steps.append(PercentileStep(value: Swift.min(last.highest, greatest), percentile: 100, count: count))
    }
    return steps
  }
}
