import Foundation
import TailraceMeasurement
import TailracePlatform

/// Statistics for comparing replications.
enum Statistics {
  /// The distances, in standard errors, from a mean to the ends of its 95 % confidence interval: Student's quantile,
  /// corrected for the samples' skewness γ by the inverse of `g(t) = t + γt²/(3√n) + γ²t³/(27n) + γ/(6√n)`. Source: P.
  /// Hall, *On the Removal of Skewness by Transformation*, J. R. Statist. Soc. B 54 (1992).
  static func studentEnds975(_ samples: [Double]) -> (below: Double, above: Double) {
    let n = Double(samples.count)
    let t = Student.quantile(0.975, degrees: samples.count - 1)
    let mean = samples.reduce(0, +) / n
    let second = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    let third = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) } / n
    guard second > 0 else { return (t, t) }
    let skew = third / (second * second.squareRoot()) / n.squareRoot()
    guard abs(skew) > 1e-3 else { return (t, t) }
    func inverse(_ u: Double) -> Double { 3 / skew * (cbrt(1 + skew * (u - skew / 6)) - 1) }
    return (inverse(t), -inverse(-t))
  }

  /// The normal score with the tail of a Student's t. Source: D. L. Wallace, *Bounds on Normal Approximations to
  /// Student's and the Chi-Square Distributions*, Annals of Mathematical Statistics 30 (1959).
  static func normalScore(t: Double, degrees n: Double) -> Double {
    guard t.isFinite else { return .infinity }
    let score = (8 * n + 1) / (8 * n + 3) * (n * log1p(t * t / n)).squareRoot()
    return t < 0 ? -score : score
  }
}

extension TargetExpression.Comparison {
  /// The verdict of a mean's confidence interval (`half` on either side) on a limit: met or missed if all of it is.
  func verdict(_ mean: Double, _ half: Double, _ limit: Double) -> CapacityTargetPoint.Verdict {
    let margin = margin(mean, limit)
    let touches = self != .below && self != .above
    if margin > half || touches && margin == half { return .met }
    return margin < -half ? .missed : .unclear
  }
}

extension DedicatedThread {
  /// Calls `body` for each number below `count`, on one dedicated thread per processor, because long computations must
  /// not block the cooperative pool. If the system refuses a thread, the calling task computes. Numbers are started in
  /// order; the function returns when all are done.
  ///
  /// - Parameter body: Returns whether to go on; after it returns false, no further number is started.
  static func forEach(below count: Int, _ body: @escaping @Sendable (Int) -> Bool) async {
    let next = Locked(0)
    @Sendable func work() {
      while true {
        let number = next.withLock { next in
          defer { next += 1 }
          return next
        }
        guard number < count else { return }
        if !body(number) { next.withLock { $0 = count } }
      }
    }
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount) {
        group.addTask {
          do {
            try await run { work() }
          } catch {
            work()
          }
        }
      }
    }
  }
}
