/// Where the mean of independent samples lies: the studentized bootstrap and Student's t together.
///
/// Each of the two fails where the other holds. Where the samples are skewed, Student's t is too narrow on one side.
/// Where their tails are heavy and symmetric, as log ratios are when other programs lengthen single runs of either
/// side, the bootstrap takes the few that it saw for skew and is too narrow. The interval reaches as far as either of
/// them, and the p-value is the greater one, so both must agree before anything is called a change.
package struct MeanInterval: Sendable {
  private let bootstrap: StudentizedBootstrap

  /// - Parameters:
  ///   - samples: independent, at least one.
  ///   - resamples: of the bootstrap.
  ///   - seed: the same seed gives the same interval.
  package init(_ samples: [Double], resamples: Int = 9_999, seed: UInt64 = 1) {
    bootstrap = StudentizedBootstrap(samples, resamples: resamples, seed: seed)
  }

  /// Of the samples.
  package var mean: Double { bootstrap.mean }
  /// The standard error of ``mean``.
  package var error: Double { bootstrap.error }

  /// The interval that holds the true mean with a level of confidence in 0..<1. A single sample says nothing: the
  /// interval is then everything. Samples that do not vary at all give an interval of no width.
  package func interval(level: Double) -> (low: Double, high: Double) {
    let resampled = bootstrap.interval(level: level)
    guard bootstrap.isVaried else { return resampled }
    let half = Student.quantile((1 + level) / 2, degrees: bootstrap.count - 1) * error
    return (min(resampled.low, mean - half), max(resampled.high, mean + half))
  }

  /// The least level at which ``interval(level:)`` leaves a value out, as a two-sided p-value.
  ///
  /// - Parameter resolution: see ``StudentizedBootstrap/pValue(of:resolution:)``.
  package func pValue(of value: Double = 0, resolution: Double = 1) -> Double {
    let resampled = bootstrap.pValue(of: value, resolution: resolution)
    guard bootstrap.isVaried else { return resampled }
    return max(resampled, Student.pValue((mean - value) / error, degrees: bootstrap.count - 1))
  }
}
