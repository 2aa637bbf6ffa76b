/// The generic cell rate algorithm for one rate limit, in its virtual scheduling form.
///
/// Source: ITU-T Recommendation I.371, annex A. With T the interval between starts at the rate and
/// τ = (burst − 1) × T, a start at `t` conforms if `t ≥ TAT − τ`; then `TAT = max(t, TAT) + T`.
///
/// A granted start that has not been reported yet may happen at any later instant, so it counts as happening now: with
/// `u` unreported starts another is granted if `t ≥ max(t, TAT) + u × T − τ`. The limit then holds for actual starts,
/// however late and in whatever order they are reported.
struct RateGate {
  /// T.
  let interval: Nanoseconds
  /// τ.
  let tolerance: Nanoseconds
  /// TAT (theoretical arrival time): when the next start is due at exactly the rate.
  private(set) var theoreticalArrival = Instant(nanoseconds: .min / 2)
  /// Granted starts whose actual instant the driver has not reported yet.
  private(set) var unreported = 0
  /// The tenant of the limit, if any.
  var tenant = TenantTable.none
  /// The job type of the limit, if any.
  var type = Lane.shared
  /// Position of this gate's timer, or -1.
  var timerPosition: Int32 = -1

  /// The maximum of any time in here, 73 years, so that sums stay in range.
  private static var longest: Double { 0x1p61 }

  init(_ limit: RateLimit) {
    // Rounded up, so that rounding never exceeds the limit.
    let exact = min(1e9 / limit.rate.perSecond, Self.longest)
    let whole = Int64(exact)
    interval = Nanoseconds(Double(whole) < exact ? whole + 1 : whole)
    let tolerated = Double(interval.rawValue) * Double(limit.burst - 1)
    tolerance = Nanoseconds(
      tolerated < Self.longest ? interval.rawValue * Int64(limit.burst - 1) : Int64(Self.longest))
  }

  /// The earliest instant at which another start conforms, given what is known `now`.
  func earliest(at now: Instant) -> Instant {
    guard unreported > 0 else { return theoreticalArrival - tolerance }
    let (pending, overflow) = interval.rawValue.multipliedReportingOverflow(by: Int64(unreported))
    return max(now, theoreticalArrival) + Nanoseconds(overflow ? .max : pending) - tolerance
  }

  /// Whether a start may be granted now.
  @inline(__always)
  func isOpen(at now: Instant) -> Bool { now >= earliest(at: now) }

  /// Counts a start granted at `now`. With `isReported`, its actual instant will be reported.
  mutating func grant(at now: Instant, isReported: Bool) {
    if isReported { unreported += 1 } else { theoreticalArrival = max(now, theoreticalArrival) + interval }
  }

  /// Reports the actual instant of a granted start.
  mutating func startReported(at instant: Instant) {
    theoreticalArrival = max(instant, theoreticalArrival) + interval
    unreported -= 1
  }

  /// Cancels a granted start: its attempt was stopped before it began.
  mutating func startAbandoned() { unreported -= 1 }
}
