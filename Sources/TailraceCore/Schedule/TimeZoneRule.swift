/// The yearly rule of a zone's clock changes, from the footer of a time zone file.
///
/// Source: IEEE Std 1003.1-2017, 8.3 "TZ", extended by RFC 9636, section 3.3.1: hours of a change may be -167 to 167.
/// Examples: `CET-1CEST,M3.5.0,M10.5.0/3`, `<+0530>-5:30`.
struct TimeZoneRule: Hashable {
  /// A day of every year.
  enum Day: Hashable {
    /// 1 to 365; 29 February is never counted.
    case julian(Int)
    /// 0 to 365; 29 February is counted.
    case ordinal(Int)
    /// The nth weekday of a month; week 5 is the last.
    case weekday(month: Int, week: Int, weekday: Int)

    func daysSinceEpoch(in year: Int) -> Int64 {
      let newYear = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
      switch self {
      case .julian(let day): return newYear + Int64(day - 1) + (day >= 60 && CivilDate.isLeap(year) ? 1 : 0)
      case .ordinal(let day): return newYear + Int64(day)
      case .weekday(let month, let week, let weekday):
        let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
        var day = (weekday - CivilDate.weekday(daysSinceEpoch: first) + 7) % 7 + (week - 1) * 7
        while day >= CivilDate.days(inMonth: month, of: year) { day -= 7 }
        return first + Int64(day)
      }
    }
  }

  struct Change: Hashable {
    var day: Day
    /// Seconds after midnight, in local time before the change.
    var time: Int
  }

  /// Daylight saving time.
  struct Daylight: Hashable {
    /// Seconds east of UTC.
    var offset: Int
    var begins: Change
    var ends: Change
  }

  /// Seconds east of UTC.
  var standard: Int
  /// The daylight saving offset and when it begins and ends; nil: clocks never change.
  var daylight: Daylight?

  /// The changes within a range of years, in order.
  func transitions(in years: ClosedRange<Int>) -> [(at: Int64, offset: Int)] {
    guard let daylight else { return [] }
    var changes: [(at: Int64, offset: Int)] = []
    for year in years {
      let begins = daylight.begins.day.daysSinceEpoch(in: year) * 86_400 + Int64(daylight.begins.time - standard)
      let ends = daylight.ends.day.daysSinceEpoch(in: year) * 86_400 + Int64(daylight.ends.time - daylight.offset)
      changes += [(begins, daylight.offset), (ends, standard)]
    }
    changes.sort { $0.at != $1.at ? $0.at < $1.at : $0.offset != standard && $1.offset == standard }
    // An end and a beginning at the same instant cancel out.
    var kept: [(at: Int64, offset: Int)] = []
    for change in changes {
      if kept.last?.at == change.at { continue }
      kept.append(change)
    }
    return kept
  }

  /// Parses a rule; nil: it is not valid, or an offset is out of range.
  init?(_ text: some StringProtocol) {
    var reader = Reader(rest: Array(text.utf8)[...])
    guard reader.name(), let west = reader.time(), abs(west) <= TimeZoneOffsets.furthest else { return nil }
    standard = -west
    guard !reader.rest.isEmpty else { return }
    guard reader.name() else { return nil }
    var offset = min(standard + 3_600, Int(TimeZoneOffsets.furthest))
    if reader.rest.first != UInt8(ascii: ",") {
      guard let west = reader.time(), abs(west) <= TimeZoneOffsets.furthest else { return nil }
      offset = -west
    }
    guard reader.take(","), let begins = reader.change(), reader.take(","), let ends = reader.change(),
      reader.rest.isEmpty
    else { return nil }
    daylight = Daylight(offset: offset, begins: begins, ends: ends)
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest.removeFirst()
      return true
    }

    /// Parses letters, or any text in angle brackets.
    mutating func name() -> Bool {
      let start = rest.count
      if take("<") {
        while let next = rest.first, next != UInt8(ascii: ">") { rest.removeFirst() }
        return take(">") && start > 2
      }
      while let next = rest.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(next | 0x20) { rest.removeFirst() }
      return rest.count < start
    }

    mutating func number(in range: ClosedRange<Int>) -> Int? {
      var (value, count) = (0, 0)
      while let next = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next), count < 4 {
        value = value * 10 + Int(next - UInt8(ascii: "0"))
        count += 1
        rest.removeFirst()
      }
      return count > 0 && range.contains(value) ? value : nil
    }

    /// Parses `[+-]hh[:mm[:ss]]` into seconds.
    mutating func time() -> Int? {
      let isNegative = take("-")
      if !isNegative { _ = take("+") }
      guard let hours = number(in: 0...167) else { return nil }
      var seconds = hours * 3_600
      for unit in [60, 1] {
        guard take(":") else { break }
        guard let part = number(in: 0...59) else { return nil }
        seconds += part * unit
      }
      return isNegative ? -seconds : seconds
    }

    mutating func change() -> Change? {
      let day: Day
      if take("M") {
        guard let month = number(in: 1...12), take("."), let week = number(in: 1...5), take("."),
          let weekday = number(in: 0...6)
        else { return nil }
        day = .weekday(month: month, week: week, weekday: weekday)
      } else if take("J") {
        guard let number = number(in: 1...365) else { return nil }
        day = .julian(number)
      } else {
        guard let number = number(in: 0...365) else { return nil }
        day = .ordinal(number)
      }
      guard take("/") else { return Change(day: day, time: 7_200) }
      return time().map { Change(day: day, time: $0) }
    }
  }
}

extension TimeZoneOffsets {
  /// The last year that ``UnixTime`` can represent.
  static var lastYear: Int { 2262 }

  /// Creates a zone from a rule in the form of the environment variable TZ, such as `CET-1CEST,M3.5.0,M10.5.0/3`; it
  /// applies from 1970 to 2262. Offsets in the rule are west of UTC. nil: the text is not a valid rule.
  public init?(name: String, rule: some StringProtocol) {
    guard let rule = TimeZoneRule(rule) else { return nil }
    self.init(
      name: name, first: Int32(rule.standard),
      later: rule.transitions(in: 1970...Self.lastYear).map { ($0.at, Int32($0.offset)) })
  }
}
