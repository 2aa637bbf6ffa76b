import TailraceCore

/// A few order statistics of a few hundred probe samples.
package struct ProbeQuantiles: Hashable, Sendable, Codable {
  package var p50: Nanoseconds
  package var p99: Nanoseconds
  package var max: Nanoseconds
  /// How many samples stand behind them.
  package var count: Int

  /// Takes the nearest-rank quantiles of `samples`; nil when there are none.
  package init?(_ samples: [Nanoseconds]) {
    guard !samples.isEmpty else { return nil }
    let sorted = samples.sorted()
    func quantile(_ q: Double) -> Nanoseconds {
      let rank = Int((q * Double(sorted.count)).rounded(.up))
      return sorted[Swift.max(rank, 1) - 1]
    }
    p50 = quantile(0.5)
    p99 = quantile(0.99)
    max = sorted[sorted.count - 1]
    count = sorted.count
  }
}
