/// A point in time by the wall clock: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Reaches from 1677 to 2262. Unlike an ``Instant`` it means the same in every process, and it may jump when the clock
/// is set.
public struct UnixTime: Hashable, Comparable, Sendable, Codable {
  /// Nanoseconds since the beginning of 1970, UTC; negative before.
  public var nanoseconds: Int64

  /// Makes a time from nanoseconds since the beginning of 1970, UTC.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Makes a time from seconds since the beginning of 1970, UTC, such as `Date.timeIntervalSince1970`; rounded to the
  /// nearest nanosecond that a `Double` can tell, saturating.
  public init(seconds: Double) { nanoseconds = Nanoseconds(seconds: seconds).rawValue }

  /// The beginning of 1970, UTC.
  @inlinable public static var epoch: UnixTime { UnixTime(nanoseconds: 0) }
  /// Later than every real time.
  @inlinable public static var distantFuture: UnixTime { UnixTime(nanoseconds: .max) }

  /// Whether `a` is earlier than `b`.
  @inlinable public static func < (a: UnixTime, b: UnixTime) -> Bool { a.nanoseconds < b.nanoseconds }
  /// The length of time from `b` to `a`; negative when `a` is earlier; saturates.
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

  /// nil: beyond 1677 to 2262.
  init?(wholeSeconds: Int64) {
    let (product, overflow) = wholeSeconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return nil }
    nanoseconds = product
  }
}

extension UnixTime: CustomStringConvertible {
  /// In UTC, as ISO 8601 writes it: `2026-03-29T01:00:00Z`, with a fraction where there is one.
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

  /// Reads a time in UTC as ISO 8601 writes it: `2026-03-29T01:00:00Z`, the seconds may be left out, and nothing else.
  /// nil: it is not one, or names a day or an hour that does not exist.
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
    // The last is what follows the Z: nothing.
    let second = characters.count == 20 ? numbers[5] : 0
    let (year, month, day, hour, minute) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
    guard (1...12).contains(month), (1...CivilDate.days(inMonth: month, of: year)).contains(day),
      (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
    else { return nil }
    let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
    self.init(wholeSeconds: days * 86_400 + Int64(hour * 3_600 + minute * 60 + second))
  }
}
