import Foundation
import TailraceCore
import TailraceText

/// Parses numbers in logs.
enum TraceNumber {
  /// A duration or an instant in nanoseconds. Exact, because it does not use binary fractions.
  ///
  /// - Parameter point: a decimal separator in addition to `.`.
  /// - Returns: nil if it is not a decimal number, or out of range.
  static func decimal(_ bytes: some Collection<UInt8>, _ unit: TraceUnit, point: UInt8 = UInt8(ascii: ".")) -> Int64? {
    let (digits, factor) = unit.scale
    var value: Int64 = 0
    var (seen, places, inFraction, isNegative, isFirst) = (false, 0, false, false, true)
    for byte in bytes {
      defer { isFirst = false }
      switch byte {
      case UInt8(ascii: "-") where isFirst: isNegative = true
      case UInt8(ascii: "+") where isFirst: break
      case UInt8(ascii: "."), point:
        if inFraction { return nil }
        inFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"): return seen ? power(bytes, unit) : nil
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        seen = true
        if inFraction {
          if places == digits { continue }
          places += 1
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflowed) = product.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
        if overflow || overflowed { return nil }
        value = sum
      default: return nil
      }
    }
    guard seen else { return nil }
    for _ in places..<digits {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    return overflow ? nil : isNegative ? -product : product
  }

  /// Handles exponents, which are rare and come from programs that have already rounded.
  private static func power(_ bytes: some Collection<UInt8>, _ unit: TraceUnit) -> Int64? {
    guard NumberText.isNumber(bytes), let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else {
      return nil
    }
    let (digits, factor) = unit.scale
    let scaled = value * pow(10, Double(digits)) * Double(factor)
    return abs(scaled) < 9e18 ? Int64(scaled.rounded()) : nil
  }

  private static let missing: Set<String> = [
    "", "-", "null", "(null)", "\\n", "nan", "-nan", "none", "na", "n/a", "<na>", "nat", "nil", "unknown", "undefined",
  ]

  /// Whether a text means that a time is not known.
  static func isMissing(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = bytes.first else { return true }
    // Databases write this for a missing date.
    if first == UInt8(ascii: "0") { return bytes.starts(with: "0000-00-00".utf8) }
    if (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(first) || bytes.count > 9 { return false }
    return missing.contains(String(decoding: bytes, as: UTF8.self).lowercased())
  }
}
