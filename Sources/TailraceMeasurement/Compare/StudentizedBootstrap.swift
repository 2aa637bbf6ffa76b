import Foundation

/// A confidence interval for the mean of independent samples by resampling.
///
/// The bootstrap is studentized (bootstrap-t): each resample gives t* = (mean* − mean) ÷ standard error*, and the
/// interval is mean − t*(1−α/2)·error … mean − t*(α/2)·error. Unlike the plain percentile bootstrap, which is far too
/// narrow for a dozen rounds, it keeps its level for few and for skewed samples. Source: B. Efron and
/// R. J. Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 12; P. Hall, *Theoretical Comparison of
/// Bootstrap Confidence Intervals*, Annals of Statistics 16 (1988).
package struct StudentizedBootstrap: Sendable {
  /// The mean of the samples.
  package let mean: Double
  /// The standard error of ``mean``: the samples' standard deviation ÷ √n.
  package let error: Double
  package let count: Int
  /// Resampled values of t, ascending; empty if the samples are equal or fewer than two.
  private let ratios: [Double]
  /// The samples minus their mean; empty likewise.
  private let centred: [Double]
  private let seed: UInt64
  /// The minimum standard error of a resample, as a share of that of the samples. Resamples of varied samples almost
  /// never reach it.
  private static let leastSpread = 0.2

  /// Resamples.
  ///
  /// - Parameters:
  ///   - samples: independent, at least one.
  ///   - resamples: more resamples distinguish finer levels: 1/(resamples + 1).
  ///   - seed: the same seed gives the same interval.
  package init(_ samples: [Double], resamples: Int = 9_999, seed: UInt64 = 1) {
    precondition(!samples.isEmpty, "an interval needs samples")
    count = samples.count
    self.seed = seed
    let (mean, error) = Student.moments(samples)
    self.mean = mean
    self.error = error
    // Differences in the last digits do not count as variance.
    guard samples.count > 1, error > 1e-12 * Swift.max(1e-3, abs(mean)) else {
      (ratios, centred) = ([], [])
      return
    }
    var random = ResamplingGenerator(seed: seed)
    let centred = samples.map { $0 - mean }
    ratios = (0..<resamples).map { _ in Self.resample(centred, error, &random) }.sorted()
    self.centred = centred
  }

  /// t of one resample.
  private static func resample(_ centred: [Double], _ error: Double, _ random: inout ResamplingGenerator) -> Double {
    let n = Double(centred.count)
    var (sum, squares) = (0.0, 0.0)
    for _ in 0..<centred.count {
      let value = centred[random.next(below: centred.count)]
      sum += value
      squares += value * value
    }
    let own = sum / n
    let variance = Swift.max(0, squares - n * own * own) / (n - 1)
    let ownError = (variance / n).squareRoot()
    // If one value is rare among equal ones, many resamples lack it and have no variance; without a minimum the
    // interval would be unbounded.
    return own / Swift.max(ownError, leastSpread * error)
  }

  /// Whether there are several different samples; otherwise an interval has no width.
  package var isVaried: Bool { !ratios.isEmpty }

  /// The interval that contains the true mean with a confidence `level` in 0..<1. For a single sample it is unbounded.
  /// For identical samples its width is zero.
  package func interval(level: Double) -> (low: Double, high: Double) {
    guard count > 1 else { return (-.infinity, .infinity) }
    guard !ratios.isEmpty else { return (mean, mean) }
    let tail = (1 - level) / 2
    return (mean - quantile(1 - tail) * error, mean - quantile(tail) * error)
  }

  /// The two-sided p-value: one minus the highest level at which ``interval(level:)`` excludes a value; at least
  /// 2/(resamples + 1).
  ///
  /// - Parameter resolution: if almost no resample is as extreme and p might be below this, more resamples are drawn,
  ///   up to a million; with many metrics only tiny p-values matter. 1: none.
  package func pValue(of value: Double = 0, resolution: Double = 1) -> Double {
    guard count > 1 else { return 1 }
    guard !ratios.isEmpty else { return mean == value ? 1 : 0 }
    let observed = (mean - value) / error
    var upper = ratios.count - firstIndex { $0 >= observed }
    var lower = firstIndex { $0 > observed }
    var drawn = ratios.count
    if Swift.min(upper, lower) < 4, Double(drawn + 1) * resolution < 2 {
      var random = ResamplingGenerator(seed: ~seed)
      let wanted = Int(Swift.min(1e6, 2 / resolution).rounded(.up))
      while drawn < wanted {
        let ratio = Self.resample(centred, error, &random)
        if ratio >= observed { upper += 1 }
        if ratio <= observed { lower += 1 }
        drawn += 1
      }
    }
    return Swift.min(1, 2 * Double(Swift.min(upper, lower) + 1) / Double(drawn + 1))
  }

  /// The order statistic at q·(B+1), which is exact for a bootstrap of B resamples.
  private func quantile(_ q: Double) -> Double {
    let rank = q * Double(ratios.count + 1)
    let index = Int((q > 0.5 ? rank.rounded(.up) : rank.rounded(.down))) - 1
    return ratios[Swift.min(Swift.max(index, 0), ratios.count - 1)]
  }

  /// Binary search for the first of the ascending ratios that satisfies a monotone condition.
  private func firstIndex(where holds: (Double) -> Bool) -> Int {
    var (low, high) = (0, ratios.count)
    while low < high {
      let middle = (low + high) / 2
      if holds(ratios[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// SplitMix64, so that intervals are reproducible. Source: G. L. Steele, D. Lea, C. H. Flood,
/// *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014.
struct ResamplingGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
  /// A whole number below a limit; the bias is below limit/2⁶⁴.
  mutating func next(below limit: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(limit)).high) }
}
