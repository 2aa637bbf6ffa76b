/// The generic cell rate algorithm for one rate limit, in its virtual scheduling form.
///
/// Source: ITU-T Recommendation I.371, annex A. With T the time between two starts at the rate, and τ = (burst − 1) ×
/// T, a start at `t` conforms if `t ≥ TAT − τ`; then `TAT = max(t, TAT) + T`.
///
/// A start that was granted and not reported yet may happen at any later instant. So each such start counts as one
/// that happens now: with `u` of them another is granted if `t ≥ max(t, TAT) + u × T − τ`. The limit then holds for
/// real starts and not only for decisions, however late they come and in whatever order they are reported.
struct RateGate {
  /// T.
  let interval: Nanoseconds
  /// τ.
  let tolerance: Nanoseconds
  /// TAT: when the next start would come if starts came exactly at the rate.
  private(set) var theoreticalArrival = Instant(nanoseconds: .min / 2)
  /// Starts granted whose real instant the driver has not reported yet.
  private(set) var unreported = 0
  /// The tag key whose limit it is, if it is one's.
  var tagKey = TagKeys.none
  /// The job type whose limit it is, if it is one's.
  var type = Lane.shared
  /// Place of this gate's timer, or -1.
  var timerPosition: Int32 = -1

  /// No time in here is longer, 73 years, so that sums stay in range.
  private static var longest: Double { 0x1p61 }

  init(_ limit: RateLimit) {
    // Rounded up: a limit may be missed by a fraction of a nanosecond only on its safe side.
    let exact = min(1e9 / limit.rate.perSecond, Self.longest)
    let whole = Int64(exact)
    interval = Nanoseconds(Double(whole) < exact ? whole + 1 : whole)
    let tolerated = Double(interval.rawValue) * Double(limit.burst - 1)
    tolerance = Nanoseconds(
      tolerated < Self.longest ? interval.rawValue * Int64(limit.burst - 1) : Int64(Self.longest))
  }

  /// The earliest instant at which another start conforms, for all that is known `now`.
  func earliest(at now: Instant) -> Instant {
    guard unreported > 0 else { return theoreticalArrival - tolerance }
    let (pending, overflow) = interval.rawValue.multipliedReportingOverflow(by: Int64(unreported))
    return max(now, theoreticalArrival) + Nanoseconds(overflow ? .max : pending) - tolerance
  }

  /// Whether a start may be granted now.
  @inline(__always)
  func isOpen(at now: Instant) -> Bool { now >= earliest(at: now) }

  /// Counts a start that was granted at `now`; with `isReported` its real instant will be told.
  mutating func grant(at now: Instant, isReported: Bool) {
    if isReported { unreported += 1 } else { theoreticalArrival = max(now, theoreticalArrival) + interval }
  }

  /// A granted start really happened.
  mutating func startReported(at instant: Instant) {
    theoreticalArrival = max(instant, theoreticalArrival) + interval
    unreported -= 1
  }

  /// A granted start will never happen: its attempt was stopped before.
  mutating func startAbandoned() { unreported -= 1 }
}
