import TailraceMeasurement

/// Numbers as people read them: three significant digits and a unit.
package enum HumanUnits {
  /// `1.23 ms`.
  package static func time(_ nanoseconds: Double) -> String {
    let size = abs(nanoseconds)
    if size == 0 { return "0" }
    if size < 999.5 { return "\(digits(nanoseconds)) ns" }
    if size < 999_500 { return "\(digits(nanoseconds / 1e3)) µs" }
    if size < 999_500_000 { return "\(digits(nanoseconds / 1e6)) ms" }
    if size < 120e9 { return "\(digits(nanoseconds / 1e9)) s" }
    if size < 7_200e9 { return "\(digits(nanoseconds / 60e9)) min" }
    return "\(digits(nanoseconds / 3_600e9)) h"
  }

  /// `64.0 MiB`.
  package static func bytes(_ count: Double) -> String {
    let size = abs(count)
    if size < 1_024 { return "\(digits(count)) B" }
    if size < 1_048_576 { return "\(digits(count / 1_024)) KiB" }
    if size < 1_073_741_824 { return "\(digits(count / 1_048_576)) MiB" }
    return "\(digits(count / 1_073_741_824)) GiB"
  }

  /// `99.5 %`.
  package static func share(_ ratio: Double) -> String { "\(digits(ratio * 100)) %" }

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

  /// A difference between two values: of shares in percentage points.
  package static func difference(_ value: Double, _ unit: FigureUnit) -> String {
    unit == .ratio ? "\(digits(value * 100)) points" : Self.value(value, unit)
  }

  /// A value that may be missing: `–` stands for it.
  package static func value(_ value: Double?, _ unit: FigureUnit) -> String {
    value.map { Self.value($0, unit) } ?? "–"
  }

  /// A whole number, its thousands set apart: `12,345`.
  package static func count(_ value: Double) -> String {
    guard value.magnitude < 1e15 else { return digits(value) }
    let whole = Int64(value.rounded())
    let text = "\(whole.magnitude)"
    var grouped = ""
    for (index, digit) in text.enumerated() {
      if index > 0, (text.count - index) % 3 == 0 { grouped += "," }
      grouped.append(digit)
    }
    return whole < 0 ? "-\(grouped)" : grouped
  }

  /// `12 rounds`, `1 round`.
  package static func counted(_ count: Int, _ noun: String) -> String {
    "\(Self.count(Double(count))) \(noun)\(count == 1 ? "" : "s")"
  }

  /// Three significant digits, whole numbers from 100 on with thousands set apart.
  package static func digits(_ value: Double) -> String {
    let size = abs(value)
    if value == 0 || !value.isFinite { return "0" }
    if size >= 99.95 { return count(value) }
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
