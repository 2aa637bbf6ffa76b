/// A value that lies outside of its range.
public struct InvalidValue: Hashable, Sendable, CustomStringConvertible {
  /// Which value, as the program names it: `threadPool.workers`.
  public var name: String
  /// What was given.
  public var value: String
  /// What is allowed, in words: `0 to 65,534`.
  public var range: String

  /// Names a value, what was given and what is allowed.
  public init(name: String, value: String, range: String) {
    self.name = name
    self.value = value
    self.range = range
  }

  /// The name, the value and the range.
  public var description: String { "\(name) is \(value); allowed: \(range)" }
}

/// Everything that is wrong with what was given: nothing of it was taken.
public struct InvalidValues: Error, Hashable, Sendable, CustomStringConvertible {
  /// Each invalid value; at least one.
  public var values: [InvalidValue]

  /// Makes an error of at least one invalid value.
  public init(_ values: [InvalidValue]) { self.values = values }

  /// All of them, in their order.
  public var description: String { values.map(\.description).joined(separator: "\n") }
}

/// As many of something are in use as there can be at once.
public struct LimitReached: Error, Hashable, Sendable, CustomStringConvertible {
  /// What there are too many of: `job types`.
  public var what: String
  /// How many are in use.
  public var count: Int
  /// How many there can be.
  public var limit: Int
  /// What to do.
  public var remedy: String

  /// Names what there are too many of, and what to do.
  public init(_ what: String, count: Int, limit: Int, remedy: String) {
    self.what = what
    self.count = count
    self.limit = limit
    self.remedy = remedy
  }

  /// What happened, with the count and the limit, and what to do.
  public var description: String {
    "\(grouped(count)) \(what) are in use, and the limit is \(grouped(limit)); \(remedy)"
  }
}

/// Compares values with their ranges and collects those that lie outside.
package struct ValueCheck {
  /// Those that lie outside.
  package private(set) var found: [InvalidValue] = []
  /// What stands before each name.
  private let prefix: String

  /// - Parameter prefix: what the values belong to, with the dot that follows; empty: nothing.
  package init(_ prefix: String = "") { self.prefix = prefix }

  /// Notes what another check found.
  package mutating func add(_ others: [InvalidValue]) {
    guard !others.isEmpty else { return }
    found += others.map { InvalidValue(name: prefix + $0.name, value: $0.value, range: $0.range) }
  }

  /// Notes a value that fails a condition.
  @inline(__always)
  package mutating func require(
    _ holds: Bool, _ name: @autoclosure () -> String, _ value: @autoclosure () -> String,
    _ range: @autoclosure () -> String
  ) {
    if !holds { add([InvalidValue(name: name(), value: value(), range: range())]) }
  }

  /// A whole number in a range.
  @inline(__always)
  package mutating func check(_ name: @autoclosure () -> String, _ value: Int, in range: ClosedRange<Int>) {
    require(
      range.contains(value), name(), grouped(value),
      range.upperBound == .max
        ? "\(grouped(range.lowerBound)) or more" : "\(grouped(range.lowerBound)) to \(grouped(range.upperBound))")
  }

  /// A length of time, zero or longer.
  @inline(__always)
  package mutating func checkNotNegative(_ name: @autoclosure () -> String, _ value: Nanoseconds) {
    require(value >= .zero, name(), "\(value.duration)", "0 s or longer")
  }

  /// A length of time above zero.
  @inline(__always)
  package mutating func checkPositive(_ name: @autoclosure () -> String, _ value: Nanoseconds) {
    require(value > .zero, name(), "\(value.duration)", "1 ns or longer")
  }

  /// A text of a bounded length, counted as UTF-8.
  @inline(__always)
  package mutating func check(_ name: @autoclosure () -> String, length text: String, in range: ClosedRange<Int>) {
    require(
      range.contains(text.utf8.count), name(), "a text of \(grouped(text.utf8.count)) bytes",
      "\(grouped(range.lowerBound)) to \(grouped(range.upperBound)) bytes of UTF-8")
  }

  /// Throws what was found, if anything was.
  package func throwFound() throws(InvalidValues) {
    if !found.isEmpty { throw InvalidValues(found) }
  }
}

/// A number with a comma between thousands.
package func grouped(_ number: Int) -> String {
  let digits = Array(String(number.magnitude))
  var text = number < 0 ? "-" : ""
  for (place, digit) in digits.enumerated() {
    if place > 0, (digits.count - place) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}

/// Ends the process for a mistake of the library's own, in release with the text too, which preconditions lose there.
@inline(never)
package func invariantViolated(
  _ what: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError("Tailrace has a mistake: \(what())", file: file, line: line)
}
