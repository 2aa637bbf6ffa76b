import TailraceCore

// Programs that embed the scheduler use `Duration`. Where the core's operators are visible too, its nanoseconds are
// preferred.

extension Instant {
  /// The duration from `b` to `a`; negative if `a` is earlier; saturates.
  @_disfavoredOverload public static func - (a: Instant, b: Instant) -> Duration { b.duration(to: a) }
  /// The instant `b` after `a`; saturates.
  @_disfavoredOverload public static func + (a: Instant, b: Duration) -> Instant { a.advanced(by: b) }
  /// The instant `b` before `a`; saturates.
  @_disfavoredOverload public static func - (a: Instant, b: Duration) -> Instant { a - Nanoseconds(b) }
}

extension UnixTime {
  /// The duration from `b` to `a`; negative if `a` is earlier; saturates.
  @_disfavoredOverload public static func - (a: UnixTime, b: UnixTime) -> Duration { (a - b as Nanoseconds).duration }
  /// The time `b` after `a`; saturates.
  @_disfavoredOverload public static func + (a: UnixTime, b: Duration) -> UnixTime { a + Nanoseconds(b) }
  /// The time `b` before `a`; saturates.
  @_disfavoredOverload public static func - (a: UnixTime, b: Duration) -> UnixTime { a - Nanoseconds(b) }
}
