/// Sheds jobs once waiting has been too long for too long: a queue that only absorbs bursts is left alone, one that
/// stands is cut down to where it keeps up.
///
/// When every job that a worker came to take for a whole `interval` had waited longer than `target`, the job that comes
/// next is shed, and further ones after interval ÷ √2, interval ÷ √3, …, until one has waited less.
///
/// Source: K. Nichols, V. Jacobson, *Controlled Delay Active Queue Management*, RFC 8289 (2018), appendix.
public struct ControlledDelay: Hashable, Sendable, Codable {
  /// Waiting time that is acceptable as a standing one; above 0.
  public var target: Nanoseconds
  /// How long waiting may stay above it: longer than bursts last; above 0.
  public var interval: Nanoseconds
  /// Makes a rule for shedding by waiting time; RFC 8289 has 5 ms and 100 ms, for packets.
  public init(target: Nanoseconds, interval: Nanoseconds) {
    self.target = target
    self.interval = interval
  }
}

/// The state of a ``ControlledDelay``. Names in comments are those of RFC 8289.
struct DelayController {
  private let target: Nanoseconds
  private let interval: Nanoseconds
  /// first_above_time: when waiting will have been too long for an interval; nil: it is not too long.
  private var tooLongFrom: Instant?
  /// drop_next.
  private var nextShed = Instant(nanoseconds: .min / 2)
  private var count = 0
  private var lastCount = 0
  private var isShedding = false

  init(_ configuration: ControlledDelay) {
    target = configuration.target
    interval = configuration.interval
  }

  /// Whether the job that a worker came to take is to be shed.
  ///
  /// - Parameters:
  ///   - waited: since it became eligible.
  ///   - isLast: nothing waits behind it.
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
    // Soon after the last time it goes on at about the pace that it had reached.
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
