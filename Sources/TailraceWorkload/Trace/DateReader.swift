/// Parses a date and time as written by ISO 8601, databases, programming languages and log files: year, month, day in
/// this order.
///
/// A blank or a `T` separates date and time. The time and the seconds are optional, and a fraction follows a point or a
/// comma. `Z`, `UTC` or an offset may follow; without one, the time is in UTC.
struct DateReader {
  enum Answer: Equatable {
    /// Nanoseconds since 1970 in UTC.
    case instant(Int64)
    case noSuchDay
    case none
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func read() -> Answer {
    guard let (year, month, day) = readDate(), (1_900...2_200).contains(year), (1...12).contains(month) else {
      return .none
    }
    guard day >= 1, day <= Self.days(in: month, year) else { return .noSuchDay }
    var seconds = Int64(Self.daysSince1970(year, month, day)) * 86_400
    var fraction: Int64 = 0
    if place < bytes.count {
      guard take("T") || take("t") || skipBlanks(), let time = readTime() else { return .none }
      fraction = readFraction()
      guard let hour = readHalfOfDay(time.hour), let offset = readOffset(), place == bytes.count else { return .none }
      seconds += Int64(hour * 3_600 + time.minute * 60 + time.second) - offset
    }
    return .instant(seconds * 1_000_000_000 + fraction)
  }

  // MARK: - Parts

  private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func skipBlanks() -> Bool {
    let start = place
    while take(" ") {}
    return place > start
  }

  private mutating func digits(_ count: ClosedRange<Int>) -> Int? {
    let start = place
    var value = 0
    while place - start < count.upperBound, let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
      place += 1
    }
    return place - start >= count.lowerBound ? value : nil
  }

  private mutating func readDate() -> (Int, Int, Int)? {
    guard let year = digits(4...4) else { return nil }
    let separator: Unicode.Scalar? = peek == UInt8(ascii: "-") ? "-" : peek == UInt8(ascii: "/") ? "/" : nil
    guard let separator else {
      guard let month = digits(2...2), let day = digits(2...2) else { return nil }
      return (year, month, day)
    }
    guard take(separator), let month = digits(1...2), take(separator), let day = digits(1...2) else { return nil }
    return (year, month, day)
  }

  private mutating func readTime() -> (hour: Int, minute: Int, second: Int)? {
    guard let hour = digits(1...2), hour < 24 else { return nil }
    let hasColons = take(":")
    guard let minute = digits(2...2), minute < 60 else { return nil }
    var second = 0
    if hasColons ? take(":") : peek.map({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) ?? false {
      // 60: a leap second.
      guard let value = digits(2...2), value <= 60 else { return nil }
      second = value
    }
    return (hour, minute, second)
  }

  private mutating func readFraction() -> Int64 {
    let start = place
    guard take(".") || take(",") else { return 0 }
    var (value, scale) = (Int64(0), Int64(100_000_000))
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      value += Int64(byte - UInt8(ascii: "0")) * scale
      scale /= 10
      place += 1
    }
    // A point without digits is not part of the time and is then invalid.
    if place == start + 1 { place = start }
    return value
  }

  /// The hour of the day, where AM or PM may follow.
  private mutating func readHalfOfDay(_ hour: Int) -> Int? {
    let start = place
    _ = skipBlanks()
    guard let first = peek.map({ $0 | 0x20 }), first == UInt8(ascii: "a") || first == UInt8(ascii: "p"),
      place + 1 < bytes.count, bytes[place + 1] | 0x20 == UInt8(ascii: "m")
    else {
      place = start
      return hour
    }
    place += 2
    guard (1...12).contains(hour) else { return nil }
    return hour % 12 + (first == UInt8(ascii: "p") ? 12 : 0)
  }

  /// Seconds east of UTC.
  private mutating func readOffset() -> Int64? {
    _ = skipBlanks()
    if place == bytes.count { return 0 }
    var offset: Int64 = 0
    if let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      place += 1
      guard let hours = digits(2...2), hours < 24 else { return nil }
      _ = take(":")
      let minutes = digits(2...2) ?? 0
      let seconds = take(":") ? digits(2...2) ?? 60 : 0
      guard minutes < 60, seconds < 60 else { return nil }
      offset = Int64(hours * 3_600 + minutes * 60 + seconds) * (sign == UInt8(ascii: "-") ? -1 : 1)
      // Skip the name of the zone after its offset.
      if skipBlanks() { while let byte = peek, (0x41...0x5a).contains(byte) { place += 1 } }
    } else if !take("Z"), !take("z") {
      let names = ["UTC", "GMT"]
      guard let name = names.first(where: { bytes[place...].starts(with: $0.utf8) }) else { return nil }
      place += name.utf8.count
    }
    if take("[") {
      while let byte = peek, byte != UInt8(ascii: "]") { place += 1 }
      guard take("]") else { return nil }
    }
    return offset
  }

  // MARK: - Calendar

  static func days(in month: Int, _ year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Days from 1970-01-01 in the Gregorian calendar. Source: H. Hinnant, *chrono-Compatible Low-Level Date Algorithms*,
  /// `days_from_civil`.
  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
