import TailraceCore
import TailraceSpelling

/// The error for a text that is not a valid quantity: what is wrong and what is allowed.
package struct QuantityProblem: Error, Hashable, CustomStringConvertible {
  /// In the form `what is wrong; what is allowed`.
  package var description: String
  /// Creates a problem from its two halves.
  package init(_ wrong: Message, allowed: String) { description = "\(wrong.text); \(allowed)" }
  /// Creates a problem from a complete message.
  init(words: String) { description = words }
  /// The same problem with a prefix that names its location.
  init(prefix: String, _ problem: QuantityProblem) { description = prefix + problem.description }
}

/// Parses quantities with units in scenario files, flags and targets.
///
/// A duration, rate or size needs a unit; a bare number is an error. Numbers are decimal, with an optional fraction
/// (`1.5s`) or exponent (`1e3/s`). A space may separate number and unit. A duration may have several parts, larger
/// units first: `1m30s`.
package enum QuantityText {
  static let durationForms = "write a duration such as 100ms, 1.5s or 1m30s (units: ns, us, ms, s, m, h, d)"
  static let rateForms = "write a rate such as 20/s, 100/min or 5/h"
  static let byteForms = "write a size such as 512B, 64KiB, 16MiB or 1GB"
  static let shareForms = "write a share between 0% and 100%, or between 0 and 1"

  /// Nanoseconds in each unit of time.
  private static let timeUnits: [(name: String, nanoseconds: Double)] = [
    ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("min", 60e9),
    ("h", 3_600e9), ("d", 86_400e9),
  ]
  /// Bytes in each unit of size.
  private static let sizeUnits: [(name: String, bytes: Double)] = [
    ("B", 1), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("KiB", 1_024), ("MiB", 1_048_576),
    ("GiB", 1_073_741_824),
  ]

  /// Parses a duration from 0 to 100 years, rounded to the nearest nanosecond.
  package static func duration(_ text: some StringProtocol) throws(QuantityProblem) -> Nanoseconds {
    let parts = parts(of: text)
    let value = parts.count > 1 ? try compound(parts, text) : try single(text)
    guard value <= Double(Nanoseconds.longest.rawValue) else {
      throw QuantityProblem("'\(text)' is too long", allowed: "a duration is at most 100 years (36525d)")
    }
    guard value == 0 || value >= 0.5 else {
      throw QuantityProblem("'\(text)' is too short", allowed: "the shortest duration above zero is 1ns")
    }
    return Nanoseconds(Int64(value.rounded()))
  }

  /// Parses a number with its unit, in nanoseconds.
  private static func single(_ text: some StringProtocol) throws(QuantityProblem) -> Double {
    if let clock = clockForm(of: text) {
      throw QuantityProblem("'\(text)' is a time with colons", allowed: "write \(clock); \(durationForms)")
    }
    let (number, unit) = try split(text, kind: "a duration", forms: durationForms)
    guard let scale = timeUnits.first(where: { $0.name == unit })?.nanoseconds else {
      throw unknownUnit(unit, in: text, among: timeUnits.map(\.name), durationForms)
    }
    guard number >= 0 else { throw QuantityProblem("'\(text)' is negative", allowed: "a duration is 0 or more") }
    return number * scale
  }

  /// Splits `1m30s` into its parts, `1m` and `30s`: each ends with the letters of its unit.
  private static func parts(of text: some StringProtocol) -> [String] {
    var parts = [""]
    var hasUnit = false
    for character in text where character != " " && character != "\t" {
      if hasUnit, !character.isLetter {
        parts.append("")
        hasUnit = false
      }
      // An exponent's `e` stands between digits, and no unit begins with it.
      if character.isLetter, character != "e", character != "E" { hasUnit = true }
      parts[parts.count - 1].append(character)
    }
    return parts
  }

  /// The sum of several parts, each with a smaller unit than the previous one.
  private static func compound(_ parts: [String], _ text: some StringProtocol) throws(QuantityProblem) -> Double {
    var (sum, last) = (0.0, Double.infinity)
    for part in parts {
      let (number, unit): (Double, String)
      do {
        (number, unit) = try split(part, kind: "a duration", forms: durationForms)
      } catch {
        throw QuantityProblem(prefix: "'\(VisibleText.quoted(String(text)))': ", error)
      }
      guard let scale = timeUnits.first(where: { $0.name == unit })?.nanoseconds else {
        throw unknownUnit(unit, in: text, among: timeUnits.map(\.name), durationForms)
      }
      guard scale < last else {
        throw QuantityProblem(
          "'\(text)' has '\(unit)' after a unit that is not larger",
          allowed: "write each unit once, the larger first: 1m30s")
      }
      guard number >= 0 else { throw QuantityProblem("'\(text)' is negative", allowed: "a duration is 0 or more") }
      (sum, last) = (sum + number * scale, scale)
    }
    return sum
  }

  /// Converts `00:01:30` to `1m30s`; nil: it is not a clock time.
  private static func clockForm(of text: some StringProtocol) -> String? {
    let numbers = trim(text).split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(numbers.count), numbers.allSatisfy({ number(String($0)) != nil }) else { return nil }
    let named = zip(numbers, numbers.count == 3 ? ["h", "m", "s"] : ["m", "s"]).compactMap { number, unit in
      let digits = number.drop { $0 == "0" }
      return digits.isEmpty ? nil : "\(digits.first == "." ? "0" : "")\(digits)\(unit)"
    }
    return named.isEmpty ? "0s" : named.joined()
  }

  private static func unknownUnit(
    _ unit: String, in text: some StringProtocol, among known: [String], _ forms: String
  ) -> QuantityProblem {
    QuantityProblem("'\(text)' has the unknown unit '\(unit)'", allowed: didYouMean(unit, among: known) + forms)
  }

  /// Parses a rate above zero, at most one per nanosecond.
  package static func rate(_ text: some StringProtocol) throws(QuantityProblem) -> Rate {
    let trimmed = trim(text)
    guard let slash = trimmed.firstIndex(of: "/") else {
      let wrong: Message = number(trimmed) == nil ? "'\(text)' is not a rate" : "'\(text)' has no unit"
      let unit = String(trimmed.drop { !$0.isLetter })
      throw QuantityProblem(
        wrong, allowed: didYouMean(unit, among: ["/s", "/min", "/h"]) + rateForms)
    }
    guard let count = number(trim(trimmed[..<slash])) else {
      throw QuantityProblem("'\(text)' is not a rate", allowed: rateForms)
    }
    let unit = trim(trimmed[trimmed.index(after: slash)...])
    let known = timeUnits.first { $0.name == unit }
    guard let known else {
      throw QuantityProblem(
        "'\(text)' has the unknown unit '/\(unit)'",
        allowed: didYouMean("/\(unit)", among: timeUnits.map { "/\($0.name)" }) + rateForms)
    }
    guard count > 0 else { throw QuantityProblem("'\(text)' is not above zero", allowed: rateForms) }
    let perSecond = count * 1e9 / known.nanoseconds
    guard perSecond <= 1e9, perSecond >= 1e-9 else {
      throw QuantityProblem("'\(text)' is out of range", allowed: "a rate lies between 1e-9/s and 1e9/s")
    }
    return Rate(perSecond: perSecond)
  }

  /// Parses a size from 0 bytes to 1 PiB.
  package static func bytes(_ text: some StringProtocol) throws(QuantityProblem) -> Int {
    let (number, unit) = try split(text, kind: "a size", forms: byteForms)
    guard let scale = sizeUnits.first(where: { $0.name == unit })?.bytes else {
      throw unknownUnit(unit, in: text, among: sizeUnits.map(\.name), byteForms)
    }
    guard number >= 0 else { throw QuantityProblem("'\(text)' is negative", allowed: "a size is 0B or more") }
    guard number * scale <= 1_125_899_906_842_624 else {
      throw QuantityProblem("'\(text)' is too large", allowed: "a size is at most 1048576GiB")
    }
    return Int((number * scale).rounded())
  }

  /// Parses a share from 0 to 1: a percentage (`5%`) or a bare number.
  package static func share(_ text: some StringProtocol) throws(QuantityProblem) -> Double {
    let trimmed = trim(text)
    let isPercentage = trimmed.hasSuffix("%")
    guard let number = number(isPercentage ? trim(trimmed.dropLast()) : trimmed) else {
      throw QuantityProblem("'\(text)' is not a share", allowed: shareForms)
    }
    let share = isPercentage ? number / 100 : number
    guard (0...1).contains(share) else {
      throw QuantityProblem("'\(text)' lies outside 0% to 100%", allowed: shareForms)
    }
    return share
  }

  /// Parses a whole number within a range; underscores may group its digits (`1_000_000`).
  package static func count(
    _ text: some StringProtocol, in range: ClosedRange<Int> = 0...Int.max
  ) throws(QuantityProblem) -> Int {
    let allowed = "write a whole number \(describe(range))"
    let digits = trim(text).filter { $0 != "_" }
    guard let count = Int(digits) else {
      throw QuantityProblem("'\(text)' is not a whole number", allowed: allowed)
    }
    guard range.contains(count) else { throw QuantityProblem("'\(text)' is out of range", allowed: allowed) }
    return count
  }

  /// Parses a bare finite number within a range.
  package static func number(
    _ text: some StringProtocol, in range: ClosedRange<Double>
  ) throws(QuantityProblem) -> Double {
    let allowed = "write a number from \(shortest(range.lowerBound)) to \(shortest(range.upperBound))"
    guard let value = number(trim(text)) else { throw QuantityProblem("'\(text)' is not a number", allowed: allowed) }
    guard range.contains(value) else { throw QuantityProblem("'\(text)' is out of range", allowed: allowed) }
    return value
  }

  private static func shortest(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }

  private static func describe(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max
      ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
  }

  /// Splits a text into its number and its unit.
  private static func split(
    _ text: some StringProtocol, kind: String, forms: String
  ) throws(QuantityProblem) -> (number: Double, unit: String) {
    let trimmed = trim(text)
    if number(trimmed) != nil { throw QuantityProblem("'\(text)' has no unit", allowed: forms) }
    // The unit is the trailing run of letters; an exponent's `e` is followed by a digit and so never part of it.
    var start = trimmed.endIndex
    while start > trimmed.startIndex, trimmed[trimmed.index(before: start)].isLetter {
      start = trimmed.index(before: start)
    }
    guard start < trimmed.endIndex, let value = number(trim(trimmed[..<start])) else {
      throw QuantityProblem("'\(text)' is not \(kind)", allowed: forms)
    }
    return (value, String(trimmed[start...]))
  }

  /// Parses a finite decimal number. Rejects other forms that `Double` accepts (hexadecimal, `nan`, `inf`).
  private static func number(_ text: some StringProtocol) -> Double? {
    guard !text.isEmpty, text.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) }) else { return nil }
    guard let value = Double(String(text)), value.isFinite else { return nil }
    return value
  }

  private static func trim(_ text: some StringProtocol) -> String {
    var slice = Substring(text)
    while let first = slice.first, first == " " || first == "\t" { slice.removeFirst() }
    while let last = slice.last, last == " " || last == "\t" { slice.removeLast() }
    return String(slice)
  }
}
