import CPlatform
import TailraceCore

/// The wall clock, CLOCK_REALTIME: it may be set while it is read.
enum WallClock {
  /// How long it stays unread, at most, while there are schedules.
  static let longestUnread = Nanoseconds.seconds(30)
  /// By how much it may differ from what was expected without having been set.
  static let tolerance = Nanoseconds.milliseconds(1)

  static func now() -> UnixTime { UnixTime(nanoseconds: cplatform_realtime_ns()) }
}
