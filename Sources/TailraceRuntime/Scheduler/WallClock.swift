import CPlatform
import TailraceCore

/// The wall clock, CLOCK_REALTIME. It may be set at any time.
enum WallClock {
  /// The maximum interval between readings while there are schedules.
  static let longestUnread = Nanoseconds.seconds(30)
  /// The maximum deviation from the expected value that does not count as a change.
  static let tolerance = Nanoseconds.milliseconds(1)

  static func now() -> UnixTime { UnixTime(nanoseconds: cplatform_realtime_ns()) }

  /// The wall-clock time at an instant of the monotonic clock, according to the current offset.
  static func at(_ instant: Instant) -> UnixTime { UnixTime(nanoseconds: instant.nanoseconds &+ offset()) }

  /// Wall-clock minus monotonic time, in nanoseconds.
  ///
  /// The two clocks are read one after the other. If the thread was preempted in between, they are read again, because
  /// the delay would shift the schedules.
  static func offset(
    monotonic: () -> Int64 = { cplatform_monotonic_ns() }, wall: () -> Int64 = { cplatform_realtime_ns() }
  ) -> Int64 {
    var (narrowest, offset) = (Int64.max, Int64(0))
    for _ in 0..<8 where narrowest > 2_000 {
      let before = monotonic()
      let time = wall()
      let gap = monotonic() - before
      if gap < narrowest { (narrowest, offset) = (gap, time - before - gap / 2) }
    }
    return offset
  }
}
