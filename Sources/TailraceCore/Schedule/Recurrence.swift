/// A recurrence: a set of slots, each a point in time.
///
/// # Clock changes
/// A cron expression refers to the local time of its zone.
/// - If it fires in every hour of the day (its hour field is `*` or lists all 24), it follows the local clock: a
///   skipped slot does not exist, and a repeated one fires twice. So `*/15 * * * *` fires every 15 minutes of elapsed
///   time.
/// - Otherwise each slot fires once: a skipped slot fires at the first instant after the gap, a repeated one at its
///   first occurrence.
///
/// Slots that fall on the same instant are one slot.
public enum Recurrence: Hashable, Sendable {
  /// At the anchor and after each further interval of elapsed time; never before the anchor. With the anchor at the
  /// epoch, intervals that divide a day fall on round times in UTC. An interval of zero or less has no slots, and
  /// schedulers reject it.
  case every(Duration, anchor: UnixTime = .epoch)
  /// Whenever the local time of a zone matches the expression, until the end of ``UnixTime``.
  case cron(CronExpression, TimeZoneOffsets)

  /// The first slot after a time, or nil if there is none.
  ///
  /// - Complexity: for cron, a few steps per month without a match; an expression that fires on one day in eight years
  ///   takes about ten.
  public func next(after time: UnixTime) -> UnixTime? {
    switch self {
    case .every(let interval, let anchor): Self.next(after: time, Nanoseconds(interval), anchor)
    case .cron(let expression, let zone):
      expression.coversEveryHour
        ? Self.nextShown(after: time, expression, zone) : Self.nextOnce(after: time, expression, zone)
    }
  }

  private static func next(after time: UnixTime, _ interval: Nanoseconds, _ anchor: UnixTime) -> UnixTime? {
    guard interval > .zero else { return nil }
    guard time >= anchor else { return anchor }
    // The difference of two Int64 may overflow an Int64.
    let distance = UInt64(bitPattern: time.nanoseconds &- anchor.nanoseconds)
    let left = UInt64(interval.rawValue) - distance % UInt64(interval.rawValue)
    let (next, overflow) = time.nanoseconds.addingReportingOverflow(Int64(left))
    return overflow ? nil : UnixTime(nanoseconds: next)
  }

  /// Iterates over local times. The instant of first occurrence never decreases as local time increases.
  private static func nextOnce(
    after time: UnixTime, _ expression: CronExpression, _ zone: TimeZoneOffsets
  ) -> UnixTime? {
    let seconds = time.wholeSeconds
    // Every local time up to the current one has already occurred.
    var reading = seconds + Int64(zone.offsets[zone.period(at: seconds)])
    while true {
      reading = expression.first(atOrAfter: reading + 1)
      guard let slot = UnixTime(wholeSeconds: zone.firstInstant(showing: reading)) else { return nil }
      if slot > time { return slot }
    }
  }

  /// Iterates over the periods between clock changes.
  private static func nextShown(
    after time: UnixTime, _ expression: CronExpression, _ zone: TimeZoneOffsets
  ) -> UnixTime? {
    var period = zone.period(at: time.wholeSeconds)
    /// The first candidate second.
    var from = time.wholeSeconds + 1
    while true {
      let offset = Int64(zone.offsets[period])
      let reading = expression.first(atOrAfter: from + offset)
      guard let end = zone.end(of: period), reading - offset >= end else {
        return UnixTime(wholeSeconds: reading - offset)
      }
      period += 1
      from = end
    }
  }

  /// The last slot after `low` and not after `high`, or nil.
  ///
  /// - Complexity: about sixty calls of ``next(after:)``.
  func last(after low: UnixTime, through high: UnixTime) -> UnixTime? {
    if case .every(let duration, let anchor) = self {
      let interval = Nanoseconds(duration)
      guard interval > .zero, high >= anchor, high > low else { return nil }
      let distance = UInt64(bitPattern: high.nanoseconds &- anchor.nanoseconds)
      let slot = UnixTime(nanoseconds: high.nanoseconds &- Int64(distance % UInt64(interval.rawValue)))
      return slot > low ? slot : nil
    }
    guard var slot = next(after: low), slot <= high else { return nil }
    // Invariant: there is no slot between `empty` and `high`.
    var empty = high
    while slot < empty {
      let half = UInt64(bitPattern: empty.nanoseconds &- slot.nanoseconds) / 2
      let middle = UnixTime(nanoseconds: slot.nanoseconds &+ Int64(half))
      if let later = next(after: middle), later <= high { slot = later } else { empty = middle }
    }
    return slot
  }

  /// The number of slots after `low` and not after `high`, up to `limit`.
  func count(after low: UnixTime, through high: UnixTime, limit: Int) -> Int {
    if case .every(let interval, _) = self {
      guard let first = next(after: low), let last = last(after: low, through: high) else { return 0 }
      let distance = UInt64(bitPattern: last.nanoseconds &- first.nanoseconds)
      return Int(min(distance / UInt64(Nanoseconds(interval).rawValue), UInt64(limit) - 1)) + 1
    }
    var (count, time) = (0, low)
    while count < limit, let slot = next(after: time), slot <= high { (count, time) = (count + 1, slot) }
    return count
  }
}
