import Foundation

/// Statistics of a mean: moments, and quantiles of Student's t and of the normal distribution.
package enum Student {
  /// The mean of independent samples and its standard error; the error of a single sample is 0.
  package static func moments(_ samples: [Double]) -> (mean: Double, error: Double) {
    let n = Double(samples.count)
    let mean = samples.reduce(0, +) / n
    guard samples.count > 1 else { return (mean, 0) }
    let spread = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (spread / (n - 1) / n).squareRoot())
  }

  /// Half the width of the 95 % confidence interval of a mean.
  ///
  /// - Parameters:
  ///   - error: the mean's standard error.
  ///   - count: the number of samples, at least 2.
  package static func halfWidth95(_ error: Double, count: Int) -> Double { quantile(0.975, degrees: count - 1) * error }

  /// The quantile of Student's t, by bisection on its distribution function: exact to nine digits for p from 1e−6 to
  /// 1 − 1e−6. Sources: M. Abramowitz, I. A. Stegun, *Handbook of Mathematical Functions*, 26.7.3 and 26.7.4; beyond
  /// 200 degrees of freedom the expansion 26.7.5.
  ///
  /// - Parameters:
  ///   - p: in 0 < p < 1.
  ///   - degrees: of freedom, at least 1.
  package static func quantile(_ p: Double, degrees: Int) -> Double {
    precondition(degrees >= 1, "Student's t with \(degrees) degrees of freedom")
    if p == 0.5 { return 0 }
    if p < 0.5 { return -quantile(1 - p, degrees: degrees) }
    let n = Double(degrees)
    guard degrees <= 200 else { return expandedQuantile(p, degrees: n) }
    var (low, high) = (0.0, Double.pi / 2)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if (1 + centralShare(angle: middle, degrees: degrees)) / 2 < p { low = middle } else { high = middle }
    }
    return n.squareRoot() * tan((low + high) / 2)
  }

  /// The probability that t lies within ±√n·tan(angle).
  private static func centralShare(angle: Double, degrees: Int) -> Double {
    let (sine, cosine) = (sin(angle), cos(angle))
    let isOdd = degrees % 2 == 1
    // The series' terms: cos, 2/3·cos³, … and 1, 1/2·cos², ….
    var (sum, term) = (0.0, isOdd ? cosine : 1)
    for power in stride(from: isOdd ? 3 : 2, through: degrees, by: 2) {
      sum += term
      term *= cosine * cosine * Double(power - 1) / Double(power)
    }
    return isOdd ? 2 / .pi * (angle + sine * sum) : sine * sum
  }

  /// The two-sided p-value of a t value: the probability of one at least as far from zero under the null hypothesis.
  ///
  /// - Parameter degrees: of freedom, at least 1.
  package static func pValue(_ t: Double, degrees: Int) -> Double {
    precondition(degrees >= 1, "Student's t with \(degrees) degrees of freedom")
    guard t.isFinite else { return t.isNaN ? 1 : 0 }
    guard degrees <= 200 else { return erfc(abs(t) / 2.0.squareRoot()) }
    return max(0, min(1, 1 - centralShare(angle: atan(abs(t) / Double(degrees).squareRoot()), degrees: degrees)))
  }

  private static func expandedQuantile(_ p: Double, degrees n: Double) -> Double {
    let x = normalQuantile(p)
    let (x3, x5, x7) = (x * x * x, x * x * x * x * x, x * x * x * x * x * x * x)
    let g1 = (x3 + x) / 4
    let g2 = (5 * x5 + 16 * x3 + 3 * x) / 96
    let g3 = (3 * x7 + 19 * x5 + 17 * x3 - 15 * x) / 384
    return x + g1 / n + g2 / (n * n) + g3 / (n * n * n)
  }

  /// The quantile of the standard normal distribution, by bisection on its distribution function: exact to twelve
  /// digits for p from 1e−15 to 1 − 1e−15.
  package static func normalQuantile(_ p: Double) -> Double {
    precondition(p > 0 && p < 1, "a quantile requires 0 < p < 1, not \(p)")
    if p > 0.5 { return -normalQuantile(1 - p) }
    var (low, high) = (-8.5, 0.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The smallest effect that this many rounds with this variance detect: a two-sided test at level `alpha` finds it
  /// with probability `power`. (t(1−α/2) + t(power)) × standard error; J. Cohen, *Statistical Power Analysis for the
  /// Behavioral Sciences* (1988), chapter 2.
  ///
  /// - Returns: in the samples' unit; infinite for fewer than two.
  package static func detectableEffect(error: Double, count: Int, alpha: Double, power: Double = 0.8) -> Double {
    guard count > 1 else { return .infinity }
    return (quantile(1 - alpha / 2, degrees: count - 1) + quantile(power, degrees: count - 1)) * error
  }
}

/// The plan of interim looks at a sequence of rounds, and how much of the allowed error each look may spend.
///
/// Looking repeatedly until something shows would report noise as a difference. The error α is spent gradually: after a
/// share t of the rounds α·t is spent, and a look may spend what earlier looks left. The errors of the looks are simply
/// added, so the total holds for any dependence between them. Source: K. K. G. Lan, D. L. DeMets, *Discrete
/// Sequential Boundaries for Clinical Trials*, Biometrika 70 (1983), with the first of the power functions of
/// K. Kim and D. L. DeMets, Biometrika 74 (1987).
package struct LookPlan: Sendable, Hashable, Codable {
  /// The rounds after which a verdict may fall, ascending.
  package private(set) var looks: [Int]

  /// - Parameters:
  ///   - least: rounds before the first look.
  ///   - most: the maximum number of rounds, at least `least`.
  ///
  /// Besides the first and the last look there is one between them if it is worthwhile; each further one would leave
  /// less error to the others. It comes after an even number of rounds, so that each order of the candidates occurs
  /// equally often.
  package init(least: Int, most: Int) {
    let middle = (least + most) / 4 * 2
    looks = (most - least >= 8 ? [least, middle, most] : least < most ? [least, most] : [most])
  }

  /// The share of the error that a look after this many rounds may spend; the whole remainder if it `isLast`. Zero if
  /// no look is planned.
  package func share(after rounds: Int, isLast: Bool) -> Double {
    let most = Double(looks[looks.count - 1])
    let earlier = looks.last { $0 < rounds }.map { Self.spent(Double($0) / most) } ?? 0
    if isLast { return 1 - earlier }
    guard looks.contains(rounds) else { return 0 }
    return Self.spent(Double(rounds) / most) - earlier
  }

  private static func spent(_ share: Double) -> Double { min(1, share) }
}
