/// A point in time: nanoseconds since an origin that the driver chooses.
///
/// A live driver counts from the start of the monotonic clock or of the run, a simulated one from virtual zero. Two
/// instants are comparable only when the same driver made them.
public struct Instant: Hashable, Comparable, Sendable, Codable {
  /// Nanoseconds since the driver's origin.
  public var nanoseconds: Int64

  /// Makes an instant from nanoseconds since the driver's origin.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The driver's origin.
  @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }
  /// Later than every real instant.
  @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

  /// Whether `a` is earlier than `b`.
  @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
  /// The length of time from `b` to `a`; negative when `a` is earlier; saturates.
  @inlinable public static func - (a: Instant, b: Instant) -> Nanoseconds {
    Nanoseconds(saturatingDifference(a.nanoseconds, b.nanoseconds))
  }
  /// The instant `b` after `a`; saturates at ``distantFuture``.
  @inlinable public static func + (a: Instant, b: Nanoseconds) -> Instant {
    Instant(nanoseconds: saturatingSum(a.nanoseconds, b.rawValue))
  }
  /// The instant `b` before `a`; saturates.
  @inlinable public static func - (a: Instant, b: Nanoseconds) -> Instant {
    Instant(nanoseconds: saturatingDifference(a.nanoseconds, b.rawValue))
  }
}

/// The sum, or the end of the range that it lies beyond.
@inlinable @inline(__always) func saturatingSum(_ a: Int64, _ b: Int64) -> Int64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  // A branch that is foretold costs nothing; a choice of three values waits for all of them.
  if _fastPath(!overflow) { return sum }
  return b < 0 ? .min : .max
}

/// The difference, or the end of the range that it lies beyond.
@inlinable @inline(__always) func saturatingDifference(_ a: Int64, _ b: Int64) -> Int64 {
  let (difference, overflow) = a.subtractingReportingOverflow(b)
  if _fastPath(!overflow) { return difference }
  return b < 0 ? .max : .min
}

extension Nanoseconds {
  /// The longest length of time that a scenario, a flag or a trace may name, and the latest that a tape may reach: 100
  /// years of 365.25 days.
  package static var longest: Nanoseconds { Nanoseconds(3_155_760_000_000_000_000) }

  /// So many times as long; saturates at 292 years.
  package func times(_ count: Int) -> Nanoseconds { Nanoseconds(Self.product(rawValue, Int64(count))) }
}

extension Instant {
  /// Where virtual time ends: 200 years after the run's start. It has room for a tape and the time to drain, each of
  /// ``Nanoseconds/longest``; what has not settled by then is cut off.
  package static var horizon: Instant { Instant(nanoseconds: 2 * Nanoseconds.longest.rawValue) }
}

/// A length of time in nanoseconds; at most 292 years.
///
/// Eight bytes and one machine instruction to add, where `Duration` has sixteen bytes; convert at the edges.
public struct Nanoseconds: RawRepresentable, Hashable, Comparable, Sendable, Codable {
  /// The length in nanoseconds.
  public var rawValue: Int64

  /// Makes a length of time from a count of nanoseconds.
  @inlinable public init(rawValue: Int64) { self.rawValue = rawValue }
  /// Makes a length of time from a count of nanoseconds.
  @inlinable public init(_ nanoseconds: Int64) { rawValue = nanoseconds }
  /// Converts a `Duration`, dropping what is below a nanosecond; saturates at 292 years.
  @inlinable public init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflowed) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    rawValue = overflow || overflowed ? (seconds < 0 ? .min : .max) : sum
  }
  /// Converts seconds, rounding to the nearest nanosecond; saturates at 292 years, and NaN becomes zero.
  @inlinable public init(seconds: Double) {
    rawValue = Self.rounded(seconds * 1e9)
  }

  /// No time at all.
  @inlinable public static var zero: Nanoseconds { Nanoseconds(0) }
  /// `n` microseconds; saturates at 292 years.
  @inlinable public static func microseconds(_ n: Int64) -> Nanoseconds { Nanoseconds(product(n, 1_000)) }
  /// `n` milliseconds; saturates at 292 years.
  @inlinable public static func milliseconds(_ n: Int64) -> Nanoseconds { Nanoseconds(product(n, 1_000_000)) }
  /// `n` seconds; saturates at 292 years.
  @inlinable public static func seconds(_ n: Int64) -> Nanoseconds { Nanoseconds(product(n, 1_000_000_000)) }

  /// The length in seconds.
  @inlinable public var seconds: Double { Double(rawValue) / 1e9 }
  /// The same length as a `Duration`.
  @inlinable public var duration: Duration { .nanoseconds(rawValue) }

  /// Whether `a` is shorter than `b`.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  /// The two lengths together; saturates at 292 years.
  @inlinable public static func + (a: Self, b: Self) -> Self { Self(saturatingSum(a.rawValue, b.rawValue)) }
  /// How much longer `a` is than `b`; negative when it is shorter; saturates at 292 years.
  @inlinable public static func - (a: Self, b: Self) -> Self { Self(saturatingDifference(a.rawValue, b.rawValue)) }
  /// Lengthens `a` by `b`; saturates at 292 years.
  @inlinable public static func += (a: inout Self, b: Self) { a = a + b }
  /// The length multiplied by a factor, rounded to the nearest nanosecond; saturates.
  @inlinable public func scaled(by factor: Double) -> Self {
    Self(Self.rounded(Double(rawValue) * factor))
  }

  // Times come from programs and from clocks: no sum of them ends the process.

  @inlinable @inline(__always)
  static func product(_ a: Int64, _ b: Int64) -> Int64 {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? ((a < 0) == (b < 0) ? .max : .min) : product
  }

  /// To the nearest whole number, halves away from zero. Without `rounded()`, a call into libm, which programs without
  /// Foundation do not link.
  @usableFromInline static func rounded(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if value >= 9.2e18 { return .max }
    if value <= -9.2e18 { return .min }
    return Int64(value < 0 ? value - 0.5 : value + 0.5)
  }
}

/// How often something happens: events per second.
public struct Rate: Hashable, Comparable, Sendable, Codable {
  /// Events per second; finite, above zero where a limit or an arrival process asks for a rate.
  public var perSecond: Double
  /// Makes a rate from events per second.
  @inlinable public init(perSecond: Double) { self.perSecond = perSecond }
  /// Whether `a` is the lower rate.
  @inlinable public static func < (a: Rate, b: Rate) -> Bool { a.perSecond < b.perSecond }
  /// The mean time between two events.
  @inlinable public var interval: Nanoseconds { Nanoseconds(seconds: 1 / perSecond) }
}
