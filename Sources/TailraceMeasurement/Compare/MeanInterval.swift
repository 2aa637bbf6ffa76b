/// A confidence interval for the mean of independent samples: the union of the studentized bootstrap and Student's t.
///
/// Each method fails where the other works. For skewed samples, Student's t is too narrow on one side. For heavy
/// symmetric tails, such as log ratios when other programs lengthen single runs, the bootstrap mistakes the few
/// observed outliers for skew and is too narrow. The interval is the union of both, and the p-value the greater one, so
/// both must agree before a change is reported.
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

  /// The interval that contains the true mean with a confidence `level` in 0..<1. For a single sample it is unbounded.
  /// For identical samples its width is zero.
  package func interval(level: Double) -> (low: Double, high: Double) {
    let resampled = bootstrap.interval(level: level)
    guard bootstrap.isVaried else { return resampled }
    let half = Student.quantile((1 + level) / 2, degrees: bootstrap.count - 1) * error
    return (min(resampled.low, mean - half), max(resampled.high, mean + half))
  }

  /// The two-sided p-value: one minus the highest level at which ``interval(level:)`` excludes a value.
  ///
  /// - Parameter resolution: see ``StudentizedBootstrap/pValue(of:resolution:)``.
  package func pValue(of value: Double = 0, resolution: Double = 1) -> Double {
    let resampled = bootstrap.pValue(of: value, resolution: resolution)
    guard bootstrap.isVaried else { return resampled }
    return max(resampled, Student.pValue((mean - value) / error, degrees: bootstrap.count - 1))
  }
}
