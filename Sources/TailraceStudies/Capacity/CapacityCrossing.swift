import Foundation
import TailraceMeasurement

/// Estimates the arrival rate at which a growing figure reaches a limit, from runs at rates around it.
///
/// # Model
/// Near the crossing the expected figure `m(r)` is taken as log-linear in the rate: `ln m(r) = a + b·x`, `x = (r −
/// c)/c` with `c` the middle of the rates. For M/M/c this is nearly exact for the share of waits above a limit,
/// `C(r)·e^{−(cμ−r)t}`, and in a stretch of a few per cent for any smooth figure. `a` and `b` solve the
/// quasi-likelihood equations of a Poisson model with log link, `Σ w·(y − m)·(1, x) = 0` (R. W. M. Wedderburn,
/// *Quasi-likelihood functions…*, Biometrika 61, 1974), which need nothing but the mean to be right: a run without a
/// single late job takes part like any other, and correlation between the jobs of a run does no harm. The crossing is
/// where `m` is the limit.
///
/// # Interval
/// The unit of replication is the round: all runs of one seed. The crossing's logarithm is estimated with each round
/// omitted in turn; the pseudo-values `n·θ − (n−1)·θ₍₋ⱼ₎` are treated as independent (J. W. Tukey 1958; R. G. Miller,
/// *The jackknife – a review*, Biometrika 61, 1974). Late jobs come in rare clusters, so pseudo-values are skewed:
/// rounds without a cluster give a high limit and, at the same time, little scatter. The interval is Student's, with
/// `n − 1` degrees of freedom, after the transformation that removes the skewness (P. Hall, *On the Removal of
/// Skewness by Transformation*, J. R. Statist. Soc. B 54, 1992). Rates of one round face the same luck, which the
/// rounds, being independent, account for.
struct CapacityCrossing {
  /// The figure of one run at one rate.
  struct Sample {
    /// The run's round, which is its seed's number.
    var round: Int
    /// Jobs per second.
    var rate: Double
    /// At least 0; its mean grows with the rate.
    var figure: Double
    /// The weight, such as the number of jobs.
    var weight: Double
  }

  /// Natural logarithm of the rate at which the figure reaches the limit.
  var logRate: Double
  /// The standard error of ``logRate``; nil: fewer than three rounds, or the fit fails without one of them.
  var error: Double?
  var rounds: Int
  /// Pseudo-values of the rounds, in ascending order.
  var pseudoValues: [Double]

  /// Fits and inverts the model; nil if the figure does not rise, or is zero at all rates but one.
  init?(_ samples: [Sample], limit: Double) {
    guard limit > 0, let logRate = Self.solve(samples, limit: limit) else { return nil }
    self.logRate = logRate
    let numbers = Set(samples.map(\.round)).sorted()
    rounds = numbers.count
    pseudoValues = []
    guard rounds >= 3 else { return }
    let n = Double(rounds)
    for number in numbers {
      guard let without = Self.solve(samples.filter { $0.round != number }, limit: limit) else {
        pseudoValues = []
        return
      }
      pseudoValues.append(n * logRate - (n - 1) * without)
    }
    error = Student.moments(pseudoValues).error
  }

  var rate: Double { exp(logRate) }

  /// The 95 % confidence interval of the rate; nil: unknown.
  var interval: (low: Double, high: Double)? {
    guard let error, rounds >= 3 else { return nil }
    let ends = Statistics.studentEnds975(pseudoValues)
    return (exp(logRate - ends.below * error), exp(logRate + ends.above * error))
  }

  /// The logarithm of the crossing, by Newton's method.
  private static func solve(_ samples: [Sample], limit: Double) -> Double? {
    let rates = Set(samples.filter { $0.figure > 0 }.map(\.rate))
    guard rates.count > 1, let low = samples.map(\.rate).min(), let high = samples.map(\.rate).max() else { return nil }
    let middle = (low + high) / 2
    let weight = samples.reduce(0) { $0 + $1.weight }
    let mean = samples.reduce(0) { $0 + $1.weight * $1.figure } / weight
    guard mean > 0, mean.isFinite else { return nil }
    var (a, b) = (log(mean), 0.0)
    for _ in 0..<100 {
      var (s0, s1, h00, h01, h11) = (0.0, 0.0, 0.0, 0.0, 0.0)
      for sample in samples {
        let x = (sample.rate - middle) / middle
        let expected = exp(min(50, a + b * x))
        let residual = sample.weight * (sample.figure / mean - expected / mean)
        let slope = sample.weight * expected / mean
        s0 += residual
        s1 += residual * x
        h00 += slope
        h01 += slope * x
        h11 += slope * x * x
      }
      let determinant = h00 * h11 - h01 * h01
      guard determinant > 0 else { return nil }
      // Limit the step length, so that the first steps cannot overshoot.
      let da = max(-2, min(2, (h11 * s0 - h01 * s1) / determinant))
      let db = max(-100, min(100, (h00 * s1 - h01 * s0) / determinant))
      a += da
      b += db
      if abs(da) < 1e-10, abs(db) < 1e-8 { break }
    }
    guard b > 0, a.isFinite, b.isFinite else { return nil }
    let x = (log(limit) - a) / b
    // The linear model is not valid far from the tried rates.
    guard x > -0.9, x < 9 else { return nil }
    return log(middle * (1 + x))
  }
}
