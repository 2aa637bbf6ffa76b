/// A concurrency limit that adapts to observed service times.
public struct AdaptiveConcurrency: Hashable, Sendable, Codable {
  /// The algorithm that adjusts the limit.
  public enum Rule: Hashable, Sendable, Codable {
    /// Additive increase, multiplicative decrease. An attempt that times out, crashes or takes longer than `target`
    /// multiplies the limit by `backoff` (0.5 to below 1). Any other attempt adds 1 ÷ limit while at least half of the
    /// limit is in use, so the limit grows by 1 per round of attempts.
    ///
    /// Source: D.-M. Chiu, R. Jain, *Analysis of the Increase and Decrease Algorithms for Congestion Avoidance*, 1989;
    /// `AIMDLimit` in Netflix's concurrency-limits, which adds 1 per attempt.
    case aimd(target: Duration, backoff: Double)
    /// Follows the gradient: unloaded ÷ current service time. A window ends after as many attempts as the limit, at
    /// least
    /// 10. Target limit = limit × max(0.5, min(1, `tolerance` × unloaded ÷ current)) + √limit; the limit moves halfway
    ///     to it. `current` is the mean of the window and `unloaded` the smallest such mean. Every 50 windows (first
    ///     after 10), two windows run with the square root of the limit to measure `unloaded` again. A `tolerance` of
    ///     1.5 (minimum 1) allows service times 50 % above `unloaded` before the limit falls.
    ///
    /// Source: `GradientLimit` in Netflix's concurrency-limits, with means instead of single times, because jobs differ
    /// even without load. Its successor `Gradient2Limit` compares with a long-term mean, which drifts upward with the
    /// limit.
    case gradient(tolerance: Double)
  }
  /// The algorithm that adjusts the limit.
  public var rule: Rule
  /// The limit at the start, between ``least`` and the pool's workers and concurrency.
  public var initial: Int
  /// The minimum of the limit; 1 or more.
  public var least: Int
  /// Creates an adaptive limit. It never exceeds the pool's workers and concurrency.
  public init(_ rule: Rule, initial: Int = 20, least: Int = 1) {
    self.rule = rule
    self.initial = initial
    self.least = least
  }
}

/// The state of an adaptive limit.
struct AdaptiveLimiter {
  private enum Rule {
    case aimd(target: Nanoseconds, backoff: Double)
    case gradient(tolerance: Double)
  }

  private let rule: Rule
  private let least: Double
  private let most: Double
  /// The limit with its fraction; the effective limit is rounded down.
  private(set) var exact: Double
  /// The current window: attempts, the sum of their service times in nanoseconds, and whether the limit was in use.
  private var attempts = 0
  private var sum = 0.0
  private var wasUsed = false
  /// The smallest mean of a window, in nanoseconds; nil: being measured.
  private var unloaded: Double?
  /// Windows since the last measurement of `unloaded`. The first value may be measured under load, so it expires
  /// sooner.
  private var age = 40
  /// The limit to restore after measuring `unloaded`.
  private var resume: Double?
  /// Windows to skip, because their attempts began under another limit.
  private var toSkip = 0

  var limit: Int { Int(exact) }

  init(_ configuration: AdaptiveConcurrency, most: Int) {
    rule =
      switch configuration.rule {
      case .aimd(let target, let backoff): .aimd(target: Nanoseconds(target), backoff: backoff)
      case .gradient(let tolerance): .gradient(tolerance: tolerance)
      }
    self.most = Double(max(1, most))
    least = min(Double(max(1, configuration.least)), self.most)
    exact = min(max(Double(configuration.initial), least), self.most)
  }

  /// Records the end of an attempt.
  ///
  /// - Parameters:
  ///   - service: how long it took.
  ///   - running: attempts that ran at once, including this one.
  ///   - wasLost: whether it timed out or crashed; `service` is then only a lower bound.
  mutating func attemptEnded(service: Nanoseconds, running: Int, wasLost: Bool) {
    switch rule {
    case .aimd(let target, let backoff):
      if wasLost || service > target {
        exact *= backoff
      } else if Double(running) * 2 >= exact {
        exact += 1 / max(1, exact)
      }
    case .gradient(let tolerance):
      // Attempts that began under a larger limit are still running.
      guard resume == nil || running <= limit else { return }
      attempts += 1
      // The time of a lost attempt is only a lower bound.
      let time = Double(max(1, service.rawValue))
      sum += wasLost ? max(time, 2 * (unloaded ?? time)) : time
      if Double(running) * 2 >= exact { wasUsed = true }
      if attempts >= max(10, limit) { endWindow(tolerance) }
    }
    exact = min(max(exact, least), most)
  }

  private mutating func endWindow(_ tolerance: Double) {
    let mean = sum / Double(attempts)
    let isUsed = wasUsed
    (attempts, sum, wasUsed) = (0, 0, false)
    if toSkip > 0 {
      toSkip -= 1
      return
    }
    if let limit = resume {
      (unloaded, resume, exact, toSkip) = (mean, nil, limit, 1)
      return
    }
    age += 1
    unloaded = min(unloaded ?? mean, mean)
    if age >= 50 {
      (resume, age, toSkip) = (exact, 0, 1)
      exact = exact.approximateSquareRoot
      return
    }
    // If the limit is not in use, service times carry no information about it.
    guard isUsed else { return }
    let gradient = max(0.5, min(1, tolerance * unloaded! / mean))
    exact += (exact * gradient + exact.approximateSquareRoot - exact) / 2
  }
}
