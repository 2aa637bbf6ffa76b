import CPlatform
import TailraceCore

/// The clock of every live measurement: CLOCK_MONOTONIC, whose origin is the start of the machine.
public enum MonotonicClock {
  /// The present instant; about 20 ns to read.
  @inline(__always)
  public static func now() -> Instant { Instant(nanoseconds: cplatform_monotonic_ns()) }
}
