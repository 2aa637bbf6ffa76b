/// A point in time by the wall clock: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// The range is 1677 to 2262. Unlike an ``Instant`` it has the same meaning in every process, and it may jump when the
/// clock is set.
public struct UnixTime: Hashable, Comparable, Sendable, Codable {
  /// Nanoseconds since 1970-01-01T00:00:00Z; negative before.
  public var nanoseconds: Int64

  /// Creates a time from nanoseconds since 1970-01-01T00:00:00Z.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Creates a time from seconds since 1970-01-01T00:00:00Z, such as `Date.timeIntervalSince1970`. Rounds to the
  /// nearest nanosecond that a `Double` can represent; saturates.
  public init(seconds: Double) { nanoseconds = Nanoseconds(seconds: seconds).rawValue }

  /// 1970-01-01T00:00:00Z.
  @inlinable public static var epoch: UnixTime { UnixTime(nanoseconds: 0) }
  /// The largest value, later than every real time.
  @inlinable public static var distantFuture: UnixTime { UnixTime(nanoseconds: .max) }

  /// Whether `a` is earlier than `b`.
  @inlinable public static func < (a: UnixTime, b: UnixTime) -> Bool { a.nanoseconds < b.nanoseconds }
  /// The duration from `b` to `a`; negative if `a` is earlier; saturates.
  @inlinable public static func - (a: UnixTime, b: UnixTime) -> Nanoseconds {
    let (difference, overflow) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
    return Nanoseconds(overflow ? (a < b ? .min : .max) : difference)
  }
  /// The time `b` after `a`; saturates.
  @inlinable public static func + (a: UnixTime, b: Nanoseconds) -> UnixTime {
    let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.rawValue)
    return UnixTime(nanoseconds: overflow ? (b < .zero ? .min : .max) : sum)
  }
  /// The time `b` before `a`; saturates.
  @inlinable public static func - (a: UnixTime, b: Nanoseconds) -> UnixTime {
    let (difference, overflow) = a.nanoseconds.subtractingReportingOverflow(b.rawValue)
    return UnixTime(nanoseconds: overflow ? (b < .zero ? .max : .min) : difference)
  }

  /// Whole seconds since 1970, rounded down.
  var wholeSeconds: Int64 { flooredDivision(nanoseconds, 1_000_000_000).quotient }

  /// nil: outside 1677 to 2262.
  init?(wholeSeconds: Int64) {
    let (product, overflow) = wholeSeconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return nil }
    nanoseconds = product
  }
}

extension UnixTime: CustomStringConvertible {
  /// The time in UTC in ISO 8601 format: `2026-03-29T01:00:00Z`, with a fraction if nonzero.
  public var description: String {
    let (seconds, fraction) = flooredDivision(nanoseconds, 1_000_000_000)
    let (days, second) = flooredDivision(seconds, 86_400)
    let date = CivilDate(daysSinceEpoch: days)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    var text = "\(date.year)-\(two(Int64(date.month)))-\(two(Int64(date.day)))"
    text += "T\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))"
    if fraction > 0 {
      var digits = String(fraction + 1_000_000_000).dropFirst()
      while digits.last == "0" { digits.removeLast() }
      text += ".\(digits)"
    }
    return text + "Z"
  }

  /// Parses a time in UTC in ISO 8601 format, `2026-03-29T01:00:00Z`; the seconds are optional. Returns nil for any
  /// other text, and for days or hours that do not exist.
  public init?(_ text: some StringProtocol) {
    let characters = Array(text.utf8)
    guard characters.count == 20 || characters.count == 17, characters.last == UInt8(ascii: "Z") else { return nil }
    let form = Array((characters.count == 20 ? "0000-00-00T00:00:00Z" : "0000-00-00T00:00Z").utf8)
    var numbers: [Int] = [0]
    for (character, expected) in zip(characters, form) {
      if expected == UInt8(ascii: "0") {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else { return nil }
        numbers[numbers.count - 1] = numbers[numbers.count - 1] * 10 + Int(character - UInt8(ascii: "0"))
      } else {
        guard character == expected else { return nil }
        numbers.append(0)
      }
    }
    // The last component is the text after the Z, which is empty.
    let second = characters.count == 20 ? numbers[5] : 0
    let (year, month, day, hour, minute) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
    guard (1...12).contains(month), (1...CivilDate.days(inMonth: month, of: year)).contains(day),
      (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
    else { return nil }
    let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
    self.init(wholeSeconds: days * 86_400 + Int64(hour * 3_600 + minute * 60 + second))
  }
}
