/// How a pool finds out by itself how many jobs it should run at once.
public struct AdaptiveConcurrency: Hashable, Sendable, Codable {
  /// The rule by which the limit moves.
  public enum Rule: Hashable, Sendable, Codable {
    /// Additive increase, multiplicative decrease: an attempt that times out, crashes or takes longer than `target`
    /// multiplies the limit by `backoff` (0.5 up to below 1); any other raises it by 1 ÷ limit, so by 1 in a round of
    /// attempts, while at least half of it is in use.
    ///
    /// Source: D.-M. Chiu, R. Jain, *Analysis of the Increase and Decrease Algorithms for Congestion Avoidance*, 1989;
    /// as `AIMDLimit` in Netflix's concurrency-limits, whose increase is by 1 an attempt.
    case aimd(target: Nanoseconds, backoff: Double)
    /// Follows the gradient unloaded ÷ present service time. After each window of as many attempts as the limit (10 at
    /// least): new limit = limit × max(0.5, min(1, `tolerance` × unloaded ÷ present)) + √limit, of which half is taken
    /// on. Present is the window's mean, unloaded the least of these means; every 50 windows, the first time after 10,
    /// two windows are run with the root of the limit, and what is unloaded is found anew. A `tolerance` of 1.5 (1 or
    /// more) lets attempts take half as long again before the limit falls.
    ///
    /// Source: `GradientLimit` in Netflix's concurrency-limits, with means in place of single times, since jobs differ
    /// from each other even where nothing is loaded. Its successor `Gradient2Limit` compares with a long-term mean
    /// instead, which follows a limit that creeps up.
    case gradient(tolerance: Double)
  }
  /// How the limit moves.
  public var rule: Rule
  /// The limit at the start; between ``least`` and what the pool's workers and concurrency allow.
  public var initial: Int
  /// It never falls below this; 1 or more.
  public var least: Int
  /// Makes an adaptive limit, which never rises above what the pool's workers and concurrency allow.
  public init(_ rule: Rule, initial: Int = 20, least: Int = 1) {
    self.rule = rule
    self.initial = initial
    self.least = least
  }
}

/// The state of an adaptive limit.
struct AdaptiveLimiter {
  private let rule: AdaptiveConcurrency.Rule
  private let least: Double
  private let most: Double
  /// Fractions count: the limit itself is the whole number below.
  private(set) var exact: Double
  /// The window: attempts, the sum of what they took in nanoseconds, and whether the limit was in use.
  private var attempts = 0
  private var sum = 0.0
  private var wasUsed = false
  /// The least mean of a window, in nanoseconds; nil: to be found.
  private var unloaded: Double?
  /// Windows since it was looked for; what is seen at first may be loaded already, and is doubted sooner.
  private var age = 40
  /// The limit to go back to, while what is unloaded is being looked for.
  private var resume: Double?
  /// Windows to leave out: what runs in them began under another limit.
  private var toSkip = 0

  var limit: Int { Int(exact) }

  init(_ configuration: AdaptiveConcurrency, most: Int) {
    rule = configuration.rule
    self.most = Double(max(1, most))
    least = min(Double(max(1, configuration.least)), self.most)
    exact = min(max(Double(configuration.initial), least), self.most)
  }

  /// An attempt ended.
  ///
  /// - Parameters:
  ///   - service: how long it took.
  ///   - running: attempts that ran at once, this one included.
  ///   - wasLost: it timed out or crashed: the time says nothing but that it was too long.
  mutating func attemptEnded(service: Nanoseconds, running: Int, wasLost: Bool) {
    switch rule {
    case .aimd(let target, let backoff):
      if wasLost || service > target {
        exact *= backoff
      } else if Double(running) * 2 >= exact {
        exact += 1 / max(1, exact)
      }
    case .gradient(let tolerance):
      // What began under a larger limit has yet to come down to this one.
      guard resume == nil || running <= limit else { return }
      attempts += 1
      // What became of a lost attempt is not known, only that it was too long.
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
    // An application that does not use its limit says nothing about it.
    guard isUsed else { return }
    let gradient = max(0.5, min(1, tolerance * unloaded! / mean))
    exact += (exact * gradient + exact.approximateSquareRoot - exact) / 2
  }
}
