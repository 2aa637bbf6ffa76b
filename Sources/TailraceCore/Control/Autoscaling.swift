/// How many of a pool's workers are put to use, by how long jobs wait.
///
/// Every ``interval`` the scheduler looks at the job that has waited longest. If it has waited longer than
/// ``queueAge``, ``step`` more workers are put to use, up to the pool's number. If nothing has waited at all for
/// ``cooldown``, and workers are idle, as many are laid off, down to ``least``; what they run is never touched.
public struct Autoscaling: Hashable, Sendable, Codable {
  /// Workers in use at the start and at least; 1 or more.
  public var least: Int
  /// How long a job may wait before workers are added; above 0.
  public var queueAge: Nanoseconds
  /// How often it looks; above 0.
  public var interval: Nanoseconds
  /// How long nothing must have waited before workers are laid off.
  public var cooldown: Nanoseconds
  /// Workers added or laid off at a time; 1 or more.
  public var step: Int
  /// Makes a rule that looks every `interval`, by default as often as `queueAge`, and cools down for ten of them.
  public init(
    least: Int, queueAge: Nanoseconds, interval: Nanoseconds? = nil, cooldown: Nanoseconds? = nil, step: Int = 1
  ) {
    self.least = least
    self.queueAge = queueAge
    self.interval = interval ?? queueAge
    self.cooldown = cooldown ?? (interval ?? queueAge).scaled(by: 10)
    self.step = step
  }
}

/// The state of an ``Autoscaling``.
struct Autoscaler {
  private let rule: Autoscaling
  private let most: Int
  /// Workers in use.
  private(set) var active: Int
  /// Since when nothing has waited.
  private var calmSince: Instant?
  /// Whether a look is due at some instant.
  var isWaiting = false

  init(_ rule: Autoscaling, most: Int) {
    self.rule = rule
    self.most = most
    active = min(max(1, rule.least), most)
  }

  var interval: Nanoseconds { rule.interval }

  /// Whether it must look again although nothing waits.
  var isAboveLeast: Bool { active > min(max(1, rule.least), most) }

  /// Looks.
  ///
  /// - Parameters:
  ///   - age: how long the oldest eligible job has waited; nil: none waits.
  ///   - running: attempts that occupy workers.
  mutating func look(age: Nanoseconds?, running: Int, at now: Instant) {
    guard age == nil else {
      calmSince = nil
      // While workers in use are idle it is something else that holds jobs up.
      if age! > rule.queueAge, running >= active { active = min(most, active + rule.step) }
      return
    }
    let calm = calmSince ?? now
    calmSince = calm
    guard now - calm >= rule.cooldown, running < active else { return }
    active = max(min(max(1, rule.least), most), max(running, active - rule.step))
  }
}
