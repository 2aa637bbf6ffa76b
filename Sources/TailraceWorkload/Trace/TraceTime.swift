import TailraceCore

/// Parses durations and instants in logs.
enum TraceTime {
  /// The result of parsing a time.
  enum Parsed: Equatable {
    /// A time in nanoseconds.
    case value(Int64)
    /// The text means that the time is not known.
    case missing
    /// The text is not a time; describes what is allowed.
    case wrong(allowed: String)
  }

  static let lengthForms =
    "a number of seconds, a length such as 00:30:00, 1-02:03:04 or 250ms, or a unit: for the column"
  static let instantForms =
    "a date and time such as 2024-11-15 16:57:50.123 (T for the blank, Z or an offset from UTC after it), or a number "
    + "of seconds, milliseconds or microseconds"

  // MARK: - Durations

  /// A duration: a number in `unit`, `MM:SS`, `HH:MM:SS`, `D-HH:MM:SS`, `1 day, 2:03:04`, `1h2m`, or `PT1H2M`.
  ///
  /// - Parameter unit: of bare numbers; nil: seconds.
  static func length(_ bytes: UnsafeBufferPointer<UInt8>, _ unit: TraceUnit?, point: UInt8) -> Parsed {
    if TraceNumber.isMissing(bytes) { return .missing }
    if let value = TraceNumber.decimal(bytes, unit ?? .seconds, point: point) { return .value(value) }
    let text = String(decoding: bytes, as: UTF8.self).lowercased()
    let isNegative = text.hasPrefix("-")
    let plain = isNegative ? text.dropFirst() : Substring(text)
    if let value = plain.contains(":") || isDaysAndHours(plain) ? clock(plain) : units(plain) {
      return .value(isNegative ? -value : value)
    }
    let allowed = unit.map { "a number of \($0.rawValue), or a length such as 00:30:00 or 1-02:03:04" }
    return .wrong(allowed: allowed ?? lengthForms)
  }

  private static func isDaysAndHours(_ text: Substring) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
  }

  /// Optional days, then hours, minutes and seconds, as written by Slurm, PostgreSQL and Python.
  private static func clock(_ text: Substring) -> Int64? {
    var rest = text
    var days: Int64 = 0
    if let word = text.firstRange(of: "day") {
      guard let count = Int64(text[..<word.lowerBound].filter { $0 != " " }), count >= 0 else { return nil }
      days = count
      rest = text[word.upperBound...].drop { $0 == "s" || $0 == "," || $0 == " " }
    } else if let dash = text.firstIndex(of: "-") {
      guard let count = Int64(text[..<dash]), count >= 0 else { return nil }
      days = count
      rest = text[text.index(after: dash)...]
    }
    var parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...3).contains(parts.count), days <= 36_525 else { return nil }
    // After days the first number is hours; otherwise two numbers are minutes and seconds.
    if rest.startIndex != text.startIndex { while parts.count < 3 { parts.append("0") } }
    var total: Double = 0
    for (index, part) in parts.enumerated() {
      let isLast = index == parts.count - 1
      guard part.utf8.count >= 1, let first = part.utf8.first, (0x30...0x39).contains(first),
        let value = TraceNumber.decimal(part.utf8, .seconds), isLast || value % 1_000_000_000 == 0,
        index == 0 || value < 60_000_000_000
      else { return nil }
      total = total * 60 + Double(value) / 1e9
      if isLast {
        let whole = Int64(total) - value / 1_000_000_000
        guard Double(days) * 86_400 + total <= Nanoseconds.longest.seconds else { return nil }
        return (days * 86_400 + whole) * 1_000_000_000 + value
      }
    }
    return nil
  }

  /// A sequence of numbers with units.
  private static func units(_ text: Substring) -> Int64? {
    let known: [(String, Double)] = [
      ("d", 86_400e9), ("day", 86_400e9), ("days", 86_400e9), ("h", 3_600e9), ("hr", 3_600e9), ("hours", 3_600e9),
      ("hour", 3_600e9), ("m", 60e9), ("min", 60e9), ("mins", 60e9), ("minutes", 60e9), ("minute", 60e9), ("s", 1e9),
      ("sec", 1e9), ("secs", 1e9), ("seconds", 1e9), ("second", 1e9), ("ms", 1e6), ("us", 1e3), ("µs", 1e3),
      ("μs", 1e3), ("ns", 1),
    ]
    var rest = text
    // ISO 8601: months and years have no fixed length, and before the T an M means months.
    if rest.hasPrefix("p") {
      guard let time = rest.firstIndex(of: "t") else { return nil }
      guard !rest[..<time].contains(where: { "ymw".contains($0) }) else { return nil }
      rest = Substring(rest.dropFirst().filter { $0 != "t" })
    }
    var (total, seen) = (0.0, false)
    while true {
      rest = rest.drop { $0 == " " }
      if rest.isEmpty { break }
      let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
      rest = rest.dropFirst(number.count).drop { $0 == " " }
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let value = Double(number), let size = known.first(where: { $0.0 == unit })?.1 else { return nil }
      total += value * size
      seen = true
    }
    return seen && total < 9e18 ? Int64(total.rounded()) : nil
  }

  // MARK: - Instants

  /// An instant: a date and time, or a number in `unit`.
  ///
  /// - Parameter unit: nil: determined from the text. Numbers with 12 or more digits are milliseconds since 1970, with
  ///   15 or more microseconds, with 18 or more nanoseconds, all others seconds.
  static func instant(_ bytes: UnsafeBufferPointer<UInt8>, _ unit: TraceUnit?, point: UInt8) -> Parsed {
    if TraceNumber.isMissing(bytes) { return .missing }
    if unit != .datetime {
      if let value = TraceNumber.decimal(bytes, unit ?? magnitude(bytes), point: point) { return .value(value) }
      if let unit { return .wrong(allowed: "a number of \(unit.rawValue), or another unit: for the column") }
    }
    var reader = DateReader(bytes)
    switch reader.read() {
    case .instant(let value): return .value(value)
    case .noSuchDay: return .wrong(allowed: "a day that exists, such as 2024-02-29 16:57:50")
    case .none: return .wrong(allowed: unit == nil ? instantForms : "a date and time such as 2024-11-15 16:57:50")
    }
  }

  private static func magnitude(_ bytes: UnsafeBufferPointer<UInt8>) -> TraceUnit {
    switch bytes.prefix(while: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }).count {
    case ..<12: .seconds
    case ..<15: .milliseconds
    case ..<18: .microseconds
    default: .nanoseconds
    }
  }
}
