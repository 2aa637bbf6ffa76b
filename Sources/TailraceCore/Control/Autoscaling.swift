/// Scales a pool's active workers by how long jobs wait.
///
/// Every ``interval`` the scheduler checks the oldest waiting job. If it has waited longer than ``queueAge`` and all
/// active workers are busy, ``step`` more workers become active, up to the pool's size. If nothing has waited for
/// ``cooldown`` and workers are idle, ``step`` workers become inactive, down to ``least``. Running attempts are not
/// affected.
public struct Autoscaling: Hashable, Sendable, Codable {
  /// Initial and minimum number of active workers; 1 or more.
  public var least: Int
  /// How long a job may wait before workers are added; above 0.
  public var queueAge: Duration
  /// The interval between checks; above 0.
  public var interval: Duration
  /// How long nothing must have waited before workers are removed.
  public var cooldown: Duration
  /// Workers added or removed at a time; 1 or more.
  public var step: Int
  /// Creates a rule. By default `interval` equals `queueAge` and `cooldown` is ten intervals.
  public init(
    least: Int, queueAge: Duration, interval: Duration? = nil, cooldown: Duration? = nil, step: Int = 1
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
  let interval: Nanoseconds
  private let queueAge: Nanoseconds
  private let cooldown: Nanoseconds
  /// Active workers.
  private(set) var active: Int
  /// The instant since which nothing has waited.
  private var calmSince: Instant?
  /// Whether a check is scheduled.
  var isWaiting = false

  init(_ rule: Autoscaling, most: Int) {
    self.rule = rule
    self.most = most
    interval = Nanoseconds(rule.interval)
    queueAge = Nanoseconds(rule.queueAge)
    cooldown = Nanoseconds(rule.cooldown)
    active = min(max(1, rule.least), most)
  }

  /// Whether checks must continue although nothing waits.
  var isAboveLeast: Bool { active > min(max(1, rule.least), most) }

  /// Checks the queue and adjusts the active workers.
  ///
  /// - Parameters:
  ///   - age: how long the oldest eligible job has waited; nil: none waits.
  ///   - running: attempts that occupy workers.
  mutating func look(age: Nanoseconds?, running: Int, at now: Instant) {
    guard age == nil else {
      calmSince = nil
      // While active workers are idle, something other than their number delays the jobs.
      if age! > queueAge, running >= active { active = min(most, active + rule.step) }
      return
    }
    let calm = calmSince ?? now
    calmSince = calm
    guard now - calm >= cooldown, running < active else { return }
    active = max(min(max(1, rule.least), most), max(running, active - rule.step))
  }
}
