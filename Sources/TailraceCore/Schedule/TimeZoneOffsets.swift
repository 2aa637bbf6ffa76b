/// How far a place's clocks are from UTC, and when that changes: a value without any look at the machine's own zone.
///
/// Transitions reach as far as its source says them, and rules that go on for ever to the end of ``UnixTime``, 2262.
public struct TimeZoneOffsets: Hashable, Sendable, CustomStringConvertible {
  /// As it was asked for, such as `Europe/Berlin`.
  public let name: String
  /// Its name.
  public var description: String { name }
  /// Unix seconds, ascending: from each on, the offset of the next place in ``offsets`` holds.
  let transitions: [Int64]
  /// Seconds east of UTC; one more than transitions: the first holds before all of them.
  let offsets: [Int32]

  /// The furthest that any offset may be from UTC, in seconds.
  static var furthest: Int64 { 26 * 3_600 }

  /// Coordinated Universal Time.
  public static let utc = TimeZoneOffsets(name: "UTC", first: 0, later: [])

  /// A zone whose clocks are never changed.
  ///
  /// - Parameters:
  ///   - name: what it is called.
  ///   - fixed: seconds east of UTC, -93,600 to 93,600.
  /// - Throws: an offset that is out of range.
  public init(name: String, fixed: Int) throws(InvalidValues) {
    try self.init(name: name, initial: fixed, transitions: [])
  }

  /// A zone from its table.
  ///
  /// - Parameters:
  ///   - name: what it is called.
  ///   - initial: seconds east of UTC before the first transition.
  ///   - transitions: Unix seconds, in ascending order, and the offset from then on. Those that change nothing are
  ///     left out.
  /// - Throws: offsets beyond 26 hours, and transitions that do not ascend.
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

  /// Of what is in range.
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

  /// Looks at the name only where the tables are the same.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(transitions.count)
  }

  /// Seconds east of UTC at a time.
  public func offset(at time: UnixTime) -> Int { Int(offsets[period(at: time.wholeSeconds)]) }

  // MARK: - Periods of one offset

  /// The number of the period in which a second lies: how many transitions are at or before it.
  func period(at seconds: Int64) -> Int {
    var (low, high) = (0, transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The first second after a period; nil: it goes on for ever.
  func end(of period: Int) -> Int64? { period < transitions.count ? transitions[period] : nil }

  /// When clocks first show a reading, or, if they skip it, the first instant after the gap. Readings are seconds since
  /// 1970 as if in UTC.
  func firstInstant(showing reading: Int64) -> Int64 {
    var period = period(at: reading - Self.furthest)
    while let end = end(of: period), reading - Int64(offsets[period]) >= end { period += 1 }
    let seconds = reading - Int64(offsets[period])
    // Skipped: too late for the period before and too early for this one.
    return period > 0 ? max(seconds, transitions[period - 1]) : seconds
  }
}
