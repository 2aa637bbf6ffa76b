import TailraceMeasurement

/// Formats numbers for people: three significant digits and a unit.
package enum HumanUnits {
  /// `1.23 ms`.
  package static func time(_ nanoseconds: Double) -> String {
    let size = nanoseconds.magnitude
    if size == 0 || !size.isFinite { return digits(nanoseconds) }
    if size < 999.5 { return "\(digits(nanoseconds)) ns" }
    if size < 999_500 { return "\(digits(nanoseconds / 1e3)) µs" }
    if size < 999_500_000 { return "\(digits(nanoseconds / 1e6)) ms" }
    if size < 120e9 { return "\(digits(nanoseconds / 1e9)) s" }
    if size < 7_200e9 { return "\(digits(nanoseconds / 60e9)) min" }
    return "\(digits(nanoseconds / 3_600e9)) h"
  }

  /// An instant of a range, in one unit and with as many decimals as tell instants of the range apart: `12.3456 s`.
  static func instant(_ nanoseconds: Double, in range: ClosedRange<Double>) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")]
    let (size, unit) = units.first { range.upperBound >= $0.0 } ?? (1, "ns")
    let step = max(1, (range.upperBound - range.lowerBound) / 1_000)
    var (decimals, digit) = (0, size)
    while digit > step * 1.001 {
      decimals += 1
      digit /= 10
    }
    return "\(fixed(nanoseconds / size, decimals: decimals)) \(unit)"
  }

  /// `64.0 MiB`.
  package static func bytes(_ count: Double) -> String {
    let size = count.magnitude
    guard size.isFinite else { return digits(count) }
    if size < 1_024 { return "\(digits(count)) B" }
    if size < 1_048_576 { return "\(digits(count / 1_024)) KiB" }
    if size < 1_073_741_824 { return "\(digits(count / 1_048_576)) MiB" }
    if size < 1_099_511_627_776 { return "\(digits(count / 1_073_741_824)) GiB" }
    return "\(digits(count / 1_099_511_627_776)) TiB"
  }

  /// `99.5 %`.
  package static func share(_ ratio: Double) -> String {
    let percent = ratio * 100
    guard percent.isFinite else { return digits(percent) }
    // A share below 1 is never rounded to 100 %.
    if percent < 100, percent >= 99.95 {
      return "\(fixed(min(99.99, (percent * 100).rounded(.down) / 100), decimals: 2)) %"
    }
    return "\(digits(percent)) %"
  }

  /// A value in the unit of a figure.
  package static func value(_ value: Double, _ unit: FigureUnit) -> String {
    switch unit {
    case .time: time(value)
    case .rate: "\(digits(value)) /s"
    case .ratio: share(value)
    case .count: count(value)
    case .bytes: bytes(value)
    case .factor: digits(value)
    }
  }

  /// A difference between two values; differences of shares are in percentage points.
  package static func difference(_ value: Double, _ unit: FigureUnit) -> String {
    unit == .ratio ? "\(digits(value * 100)) points" : Self.value(value, unit)
  }

  /// A value that may be missing, shown as `–`.
  package static func value(_ value: Double?, _ unit: FigureUnit) -> String {
    value.map { Self.value($0, unit) } ?? "–"
  }

  /// A whole number with its thousands separated: `12,345`; from 1e15 on three significant digits: `1.23e15`.
  package static func count(_ value: Double) -> String {
    value.magnitude < 1e15 ? grouped(value) : scientific(value)
  }

  /// Rounds a number below 1e15 to a whole one and separates its thousands.
  private static func grouped(_ value: Double) -> String {
    let whole = Int64(value.rounded())
    let text = "\(whole.magnitude)"
    var grouped = ""
    for (index, digit) in text.enumerated() {
      if index > 0, (text.count - index) % 3 == 0 { grouped += "," }
      grouped.append(digit)
    }
    return whole < 0 ? "-\(grouped)" : grouped
  }

  /// A number that is too large or too small for plain digits: `1.23e15`. Infinities and NaN are named.
  private static func scientific(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "not a number" : value < 0 ? "-∞" : "∞" }
    var (digits, exponent) = (value.magnitude, 0)
    while digits >= 9.995 { (digits, exponent) = (digits / 10, exponent + 1) }
    while digits < 0.9995, digits > 0 { (digits, exponent) = (digits * 10, exponent - 1) }
    return "\(value < 0 ? "-" : "")\(fixed(digits, decimals: 2))e\(exponent)"
  }

  /// `12 rounds`, `1 round`.
  package static func counted(_ count: Int, _ noun: String) -> String {
    "\(Self.count(Double(count))) \(noun)\(count == 1 ? "" : "s")"
  }

  /// Three significant digits, at most four decimals; whole numbers from 100 on, with thousands separated. Numbers too
  /// small or too large for that are written with an exponent: `1.23e-5`, `1.23e15`.
  package static func digits(_ value: Double) -> String {
    let size = value.magnitude
    if size == 0 { return "0" }
    if !(size < 1e15) || size < 0.0005 { return scientific(value) }
    if size >= 99.95 { return grouped(value) }
    return fixed(value, decimals: size >= 9.995 ? 1 : size >= 0.9995 ? 2 : size >= 0.0995 ? 3 : 4)
  }

  /// A number with this many decimals, rounded half away from zero.
  static func fixed(_ value: Double, decimals: Int) -> String {
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    let scaled = (value * factor).rounded()
    guard scaled.magnitude < 9e15 else { return "\(value)" }
    let number = Int64(scaled)
    let digits = "\(number.magnitude)"
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = number < 0 ? "-" : ""
    if decimals == 0 { return sign + padded }
    return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
  }

  /// A number for files: exact, and whole numbers without a fraction.
  static func exact(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 9e15 ? "\(Int64(value))" : "\(value)"
  }
}
