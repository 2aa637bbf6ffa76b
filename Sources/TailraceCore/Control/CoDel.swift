/// Sheds jobs when waiting time stays too long. Bursts pass unshed; a standing queue is cut until it keeps up.
///
/// If every job dequeued during `interval` waited longer than `target`, the next job is shed, then further ones after
/// interval ÷ √2, interval ÷ √3, …, until a job has waited less than `target`.
///
/// Source: K. Nichols, V. Jacobson, *Controlled Delay Active Queue Management*, RFC 8289 (2018), appendix.
public struct CoDelConfiguration: Hashable, Sendable, Codable {
  /// The acceptable standing waiting time; above 0.
  public var target: Duration
  /// How long waiting may exceed ``target`` before jobs are shed. Longer than typical bursts; above 0.
  public var interval: Duration
  /// Creates a rule. RFC 8289 uses 5 ms and 100 ms, for packets.
  public init(target: Duration, interval: Duration) {
    self.target = target
    self.interval = interval
  }
}

/// The state of a ``CoDelConfiguration``. Comments use the names of RFC 8289.
struct CoDelController {
  private let target: Nanoseconds
  private let interval: Nanoseconds
  /// first_above_time: when waiting will have been above target for an interval; nil: it is below target.
  private var tooLongFrom: Instant?
  /// drop_next.
  private var nextShed = Instant(nanoseconds: .min / 2)
  private var count = 0
  private var lastCount = 0
  private var isShedding = false

  init(_ configuration: CoDelConfiguration) {
    target = Nanoseconds(configuration.target)
    interval = Nanoseconds(configuration.interval)
  }

  /// Whether to shed the job that a worker is about to take.
  ///
  /// - Parameters:
  ///   - waited: the time since it became eligible.
  ///   - isLast: whether no other job waits behind it.
  mutating func sheds(waited: Nanoseconds, isLast: Bool, at now: Instant) -> Bool {
    let isTooLong = standsTooLong(waited, isLast, now)
    if isShedding {
      guard isTooLong else {
        isShedding = false
        return false
      }
      guard now >= nextShed else { return false }
      count += 1
      nextShed = next(after: nextShed)
      return true
    }
    guard isTooLong else { return false }
    isShedding = true
    // If shedding stopped only recently, resume near the rate it had reached.
    let reached = count - lastCount
    count = reached > 1 && now - nextShed < interval.scaled(by: 16) ? reached : 1
    lastCount = count
    nextShed = next(after: now)
    return true
  }

  private mutating func standsTooLong(_ waited: Nanoseconds, _ isLast: Bool, _ now: Instant) -> Bool {
    guard waited >= target, !isLast else {
      tooLongFrom = nil
      return false
    }
    guard let from = tooLongFrom else {
      tooLongFrom = now + interval
      return false
    }
    return now >= from
  }

  /// control_law.
  private func next(after instant: Instant) -> Instant {
    instant + interval.scaled(by: 1 / Double(count).approximateSquareRoot)
  }
}
