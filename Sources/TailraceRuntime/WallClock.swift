import CPlatform
import TailraceCore

/// The wall clock, CLOCK_REALTIME: it may be set while it is read.
enum WallClock {
  /// How long it stays unread, at most, while there are schedules.
  static let longestUnread = Nanoseconds.seconds(30)
  /// By how much it may differ from what was expected without having been set.
  static let tolerance = Nanoseconds.milliseconds(1)

  static func now() -> UnixTime { UnixTime(nanoseconds: cplatform_realtime_ns()) }

  /// What it shows at an instant of the monotonic clock, if it is not set in between.
  static func at(_ instant: Instant) -> UnixTime { UnixTime(nanoseconds: instant.nanoseconds &+ offset()) }

  /// Its time less that of the monotonic clock, in nanoseconds.
  ///
  /// The two are read one after the other. Where a thread lost its processor in between, they are read again: schedules
  /// would be off by as much.
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
