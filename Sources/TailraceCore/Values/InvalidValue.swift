/// A value outside its allowed range.
public struct InvalidValue: Hashable, Sendable, CustomStringConvertible {
  /// The name of the value in the API: `threadPool.workers`.
  public var name: String
  /// The value that was given.
  public var value: String
  /// The allowed range, in words: `0 to 65,534`.
  public var range: String

  /// Creates a description of an invalid value.
  public init(name: String, value: String, range: String) {
    self.name = name
    self.value = value
    self.range = range
  }

  /// The name, the value and the allowed range.
  public var description: String { "\(name) is \(value); allowed: \(range)" }
}

/// All invalid values of a request. Nothing of the request was applied.
public struct InvalidValues: Error, Hashable, Sendable, CustomStringConvertible {
  /// Each invalid value; at least one.
  public var values: [InvalidValue]

  /// Creates an error from at least one invalid value.
  public init(_ values: [InvalidValue]) { self.values = values }

  /// All descriptions, one per line.
  public var description: String { values.map(\.description).joined(separator: "\n") }
}

/// A limit on the number of live objects was reached.
public struct LimitReached: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of object: `job types`.
  public var what: String
  /// How many exist.
  public var count: Int
  /// How many may exist.
  public var limit: Int
  /// How to avoid the limit.
  public var remedy: String

  /// Creates an error for a kind of object, with the remedy.
  public init(_ what: String, count: Int, limit: Int, remedy: String) {
    self.what = what
    self.count = count
    self.limit = limit
    self.remedy = remedy
  }

  /// The count, the limit and the remedy.
  public var description: String {
    "\(grouped(count)) \(what) are in use, and the limit is \(grouped(limit)); \(remedy)"
  }
}

/// Checks values against ranges and collects the violations.
package struct ValueCheck {
  /// The invalid values found so far.
  package private(set) var found: [InvalidValue] = []
  /// A prefix for each name.
  private let prefix: String

  /// - Parameter prefix: the containing value followed by a dot, such as `retry.`; empty: none.
  package init(_ prefix: String = "") { self.prefix = prefix }

  /// Adds the findings of another check.
  package mutating func add(_ others: [InvalidValue]) {
    guard !others.isEmpty else { return }
    found += others.map { InvalidValue(name: prefix + $0.name, value: $0.value, range: $0.range) }
  }

  /// Records a value that fails a condition.
  @inline(__always)
  package mutating func require(
    _ holds: Bool, _ name: @autoclosure () -> String, _ value: @autoclosure () -> String,
    _ range: @autoclosure () -> String
  ) {
    if !holds { add([InvalidValue(name: name(), value: value(), range: range())]) }
  }

  /// Checks that a whole number is in a range.
  @inline(__always)
  package mutating func check(_ name: @autoclosure () -> String, _ value: Int, in range: ClosedRange<Int>) {
    require(
      range.contains(value), name(), grouped(value),
      range.upperBound == .max
        ? "\(grouped(range.lowerBound)) or more" : "\(grouped(range.lowerBound)) to \(grouped(range.upperBound))")
  }

  /// Checks that a duration is not negative.
  @inline(__always)
  package mutating func checkNotNegative(_ name: @autoclosure () -> String, _ value: Nanoseconds) {
    require(value >= .zero, name(), "\(value.duration)", "0 s or longer")
  }

  /// Checks that a duration is above zero.
  @inline(__always)
  package mutating func checkPositive(_ name: @autoclosure () -> String, _ value: Nanoseconds) {
    require(value > .zero, name(), "\(value.duration)", "1 ns or longer")
  }

  /// Checks that a duration is not negative.
  @inline(__always)
  package mutating func checkNotNegative(_ name: @autoclosure () -> String, _ value: Duration) {
    require(value >= .zero, name(), "\(value)", "0 s or longer")
  }

  /// Checks that a duration is at least a nanosecond.
  @inline(__always)
  package mutating func checkPositive(_ name: @autoclosure () -> String, _ value: Duration) {
    require(value >= .nanoseconds(1), name(), "\(value)", "1 ns or longer")
  }

  /// Checks the length of a text in bytes of UTF-8.
  @inline(__always)
  package mutating func check(_ name: @autoclosure () -> String, length text: String, in range: ClosedRange<Int>) {
    require(
      range.contains(text.utf8.count), name(), "a text of \(grouped(text.utf8.count)) bytes",
      "\(grouped(range.lowerBound)) to \(grouped(range.upperBound)) bytes of UTF-8")
  }

  /// Throws if any value was invalid.
  package func throwFound() throws(InvalidValues) {
    if !found.isEmpty { throw InvalidValues(found) }
  }
}

/// A number with commas between thousands.
package func grouped(_ number: Int) -> String {
  let digits = Array(String(number.magnitude))
  var text = number < 0 ? "-" : ""
  for (place, digit) in digits.enumerated() {
    if place > 0, (digits.count - place) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}

/// Ends the process because of a bug in this library. Prints the text in release builds too, unlike preconditions.
@inline(never)
package func invariantViolated(
  _ what: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError("internal error in Tailrace: \(what())", file: file, line: line)
}
