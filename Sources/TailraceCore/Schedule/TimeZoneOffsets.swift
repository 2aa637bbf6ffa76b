/// A time zone as a table of UTC offsets. It is independent of the system's time zone settings.
///
/// Transitions cover the range of the source data; recurring rules are expanded to the end of ``UnixTime``, 2262.
public struct TimeZoneOffsets: Hashable, Sendable, CustomStringConvertible {
  /// The name that was requested, such as `Europe/Berlin`.
  public let name: String
  /// The name.
  public var description: String { name }
  /// Unix seconds, ascending. From `transitions[i]` on, `offsets[i + 1]` applies.
  let transitions: [Int64]
  /// Seconds east of UTC; one more than transitions: the first applies before all of them.
  let offsets: [Int32]

  /// The maximum absolute offset from UTC, in seconds.
  static var furthest: Int64 { 26 * 3_600 }

  /// Coordinated Universal Time.
  public static let utc = TimeZoneOffsets(name: "UTC", first: 0, later: [])

  /// Creates a zone with a fixed offset.
  ///
  /// - Parameters:
  ///   - name: the name of the zone.
  ///   - fixed: seconds east of UTC, -93,600 to 93,600.
  /// - Throws: ``InvalidValues`` if the offset is out of range.
  public init(name: String, fixed: Int) throws(InvalidValues) {
    try self.init(name: name, initial: fixed, transitions: [])
  }

  /// Creates a zone from a table.
  ///
  /// - Parameters:
  ///   - name: the name of the zone.
  ///   - initial: seconds east of UTC before the first transition.
  ///   - transitions: Unix seconds, ascending, with the offset from then on. Transitions that change nothing are
  ///     dropped.
  /// - Throws: ``InvalidValues`` for offsets beyond 26 hours or transitions that do not ascend.
  public init(name: String, initial: Int, transitions: [(at: Int64, offset: Int)]) throws(InvalidValues) {
    var check = ValueCheck()
    let furthest = Int(Self.furthest)
    check.check("initial", initial, in: -furthest...furthest)
    for (place, transition) in transitions.enumerated() {
      check.check("transitions[\(place)].offset", transition.offset, in: -furthest...furthest)
      check.require(
        place == 0 || transitions[place - 1].at < transition.at, "transitions[\(place)].at", "\(transition.at)",
        "later than the one before")
    }
    try check.throwFound()
    self.init(name: name, first: Int32(initial), later: transitions.map { ($0.at, Int32($0.offset)) })
  }

  /// Creates a zone from values that are in range.
  init(name: String, first: Int32, later: [(at: Int64, offset: Int32)]) {
    var times: [Int64] = []
    var offsets = [first]
    for (at, offset) in later where offsets.last != offset {
      times.append(at)
      offsets.append(offset)
    }
    self.name = name
    self.transitions = times
    self.offsets = offsets
  }

  /// Hashes the name; equal tables can share a hash.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(transitions.count)
  }

  /// The offset at a time, in seconds east of UTC.
  public func offset(at time: UnixTime) -> Int { Int(offsets[period(at: time.wholeSeconds)]) }

  // MARK: - Periods of constant offset

  /// The index of the period that contains a second: the number of transitions at or before it.
  func period(at seconds: Int64) -> Int {
    var (low, high) = (0, transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The first second after a period; nil: the period has no end.
  func end(of period: Int) -> Int64? { period < transitions.count ? transitions[period] : nil }

  /// The instant at which local clocks first show `reading`, or the first instant after the gap if they skip it.
  /// Readings are in seconds since 1970, as if in UTC.
  func firstInstant(showing reading: Int64) -> Int64 {
    var period = period(at: reading - Self.furthest)
    while let end = end(of: period), reading - Int64(offsets[period]) >= end { period += 1 }
    let seconds = reading - Int64(offsets[period])
    // Skipped: after the end of the previous period and before the start of this one.
    return period > 0 ? max(seconds, transitions[period - 1]) : seconds
  }
}
