/// A point in time: nanoseconds since an origin that the driver chooses.
///
/// A live driver counts from the origin of the monotonic clock or the start of the run, a simulated one from virtual
/// zero. Compare two instants only if the same driver made them.
public struct Instant: Hashable, Comparable, Sendable, Codable {
  /// Nanoseconds since the driver's origin.
  public var nanoseconds: Int64

  /// Makes an instant from nanoseconds since the driver's origin.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The driver's origin.
  @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }
  /// The largest value, later than every real instant.
  @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

  /// Whether `a` is earlier than `b`.
  @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
  /// The duration from `b` to `a`; negative if `a` is earlier; saturates.
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

/// The sum, clamped to the range of `Int64`.
@inlinable @inline(__always) func saturatingSum(_ a: Int64, _ b: Int64) -> Int64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  // A predictable branch is free, whereas a select waits for all three values.
  if _fastPath(!overflow) { return sum }
  return b < 0 ? .min : .max
}

/// The difference, clamped to the range of `Int64`.
@inlinable @inline(__always) func saturatingDifference(_ a: Int64, _ b: Int64) -> Int64 {
  let (difference, overflow) = a.subtractingReportingOverflow(b)
  if _fastPath(!overflow) { return difference }
  return b < 0 ? .max : .min
}

extension Instant: CustomStringConvertible {
  /// The seconds since the driver's origin: `12.5 s`.
  public var description: String { "\(Double(nanoseconds) / 1e9) s" }
}

extension Nanoseconds {
  /// The maximum duration in a scenario, flag or trace, and the latest instant of a tape: 100 years of 365.25 days.
  package static var longest: Nanoseconds { Nanoseconds(3_155_760_000_000_000_000) }

  /// The duration multiplied by a count; saturates at 292 years.
  package func times(_ count: Int) -> Nanoseconds { Nanoseconds(Self.product(rawValue, Int64(count))) }
}

extension Duration {
  /// The duration in seconds.
  package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

  /// The duration multiplied by a factor, rounded to the nearest nanosecond; saturates at 292 years.
  package func scaled(by factor: Double) -> Duration { Nanoseconds(self).scaled(by: factor).duration }
}

extension Instant: InstantProtocol {
  /// The instant after a duration; saturates.
  public func advanced(by duration: Duration) -> Instant { self + Nanoseconds(duration) }
  /// The duration from this instant to another; negative if that is earlier.
  public func duration(to other: Instant) -> Duration { (other - self).duration }
}

extension Instant {
  /// The end of virtual time: 200 years after the run's start. This leaves room for a tape and for draining, each up to
  /// ``Nanoseconds/longest``. Jobs that have not settled by then are cut off.
  package static var horizon: Instant { Instant(nanoseconds: 2 * Nanoseconds.longest.rawValue) }
}

/// A duration in nanoseconds; at most 292 years.
///
/// It takes eight bytes and one machine instruction to add, whereas `Duration` takes sixteen bytes. Convert at API
/// boundaries.
public struct Nanoseconds: RawRepresentable, Hashable, Comparable, Sendable, Codable {
  /// The number of nanoseconds.
  public var rawValue: Int64

  /// Creates a duration from nanoseconds.
  @inlinable public init(rawValue: Int64) { self.rawValue = rawValue }
  /// Creates a duration from nanoseconds.
  @inlinable public init(_ nanoseconds: Int64) { rawValue = nanoseconds }
  /// Converts a `Duration`, truncated to whole nanoseconds; saturates at 292 years.
  @inlinable public init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflowed) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    rawValue = overflow || overflowed ? (seconds < 0 ? .min : .max) : sum
  }
  /// Converts seconds, rounded to the nearest nanosecond; saturates at 292 years. NaN converts to zero.
  @inlinable public init(seconds: Double) {
    rawValue = Self.rounded(seconds * 1e9)
  }

  /// A duration of zero.
  @inlinable public static var zero: Nanoseconds { Nanoseconds(0) }
  /// `n` microseconds; saturates at 292 years.
  @inlinable public static func microseconds(_ n: Int64) -> Nanoseconds { Nanoseconds(product(n, 1_000)) }
  /// `n` milliseconds; saturates at 292 years.
  @inlinable public static func milliseconds(_ n: Int64) -> Nanoseconds { Nanoseconds(product(n, 1_000_000)) }
  /// `n` seconds; saturates at 292 years.
  @inlinable public static func seconds(_ n: Int64) -> Nanoseconds { Nanoseconds(product(n, 1_000_000_000)) }

  /// The duration in seconds.
  @inlinable public var seconds: Double { Double(rawValue) / 1e9 }
  /// The same duration as a `Duration`.
  @inlinable public var duration: Duration { .nanoseconds(rawValue) }

  /// Whether `a` is shorter than `b`.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  /// The sum of two durations; saturates at 292 years.
  @inlinable public static func + (a: Self, b: Self) -> Self { Self(saturatingSum(a.rawValue, b.rawValue)) }
  /// The difference of two durations; may be negative; saturates at 292 years.
  @inlinable public static func - (a: Self, b: Self) -> Self { Self(saturatingDifference(a.rawValue, b.rawValue)) }
  /// Adds `b` to `a`; saturates at 292 years.
  @inlinable public static func += (a: inout Self, b: Self) { a = a + b }
  /// The duration multiplied by a factor, rounded to the nearest nanosecond; saturates.
  @inlinable public func scaled(by factor: Double) -> Self {
    Self(Self.rounded(Double(rawValue) * factor))
  }

  // Durations come from programs and clocks, so sums saturate instead of trapping.

  @inlinable @inline(__always)
  static func product(_ a: Int64, _ b: Int64) -> Int64 {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? ((a < 0) == (b < 0) ? .max : .min) : product
  }

  /// Rounds to the nearest whole number, halves away from zero. Avoids `rounded()`, which may call into libm; programs
  /// without Foundation do not link libm.
  @usableFromInline static func rounded(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if value >= 9.2e18 { return .max }
    if value <= -9.2e18 { return .min }
    return Int64(value < 0 ? value - 0.5 : value + 0.5)
  }
}

/// A frequency in events per second.
public struct Rate: Hashable, Comparable, Sendable, Codable {
  /// Events per second; finite, and above zero for limits and arrival processes.
  public var perSecond: Double
  /// Creates a rate from events per second.
  @inlinable public init(perSecond: Double) { self.perSecond = perSecond }
  /// Whether `a` is lower than `b`.
  @inlinable public static func < (a: Rate, b: Rate) -> Bool { a.perSecond < b.perSecond }
  /// The mean time between two events.
  @inlinable public var interval: Nanoseconds { Nanoseconds(seconds: 1 / perSecond) }
}
