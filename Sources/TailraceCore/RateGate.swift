/// The generic cell rate algorithm for one rate limit, in its virtual scheduling form.
///
/// Source: ITU-T Recommendation I.371, annex A. With T the time between two starts at the rate, and τ = (burst − 1) ×
/// T, a start at `t` conforms if `t ≥ TAT − τ`; then `TAT = max(t, TAT) + T`.
struct RateGate {
  /// T.
  let interval: Nanoseconds
  /// τ.
  let tolerance: Nanoseconds
  let burst: Int
  /// TAT: when the next start would come if starts came exactly at the rate.
  private(set) var theoreticalArrival = Instant(nanoseconds: .min / 2)
  /// Starts granted whose real instant the driver has not reported yet.
  private(set) var unreported = 0
  /// Place of this gate's timer, or -1.
  var timerPosition: Int32 = -1

  init(_ limit: RateLimit) {
    // Rounded up: a limit may be missed by a fraction of a nanosecond only on its safe side.
    let exact = 1e9 / limit.rate.perSecond
    let whole = exact < 9.2e18 ? Int64(exact) : .max - 1
    interval = Nanoseconds(Double(whole) < exact ? whole + 1 : whole)
    burst = limit.burst
    tolerance = Nanoseconds(interval.rawValue.multipliedReportingOverflow(by: Int64(limit.burst - 1)).partialValue)
  }

  /// The earliest instant at which a start conforms.
  var earliest: Instant { theoreticalArrival - tolerance }

  /// Whether a start may be granted now.
  func isOpen(at now: Instant) -> Bool { now >= earliest && unreported < burst }

  /// Counts a start that was granted at `now`.
  mutating func grant(at now: Instant, reported: Bool) {
    theoreticalArrival = max(now, theoreticalArrival) + interval
    if !reported { unreported += 1 }
  }

  /// A granted start really happened, `lateness` after its grant: what follows moves by as much, so that the limit
  /// holds for real starts and not only for decisions.
  mutating func startReported(lateness: Nanoseconds) {
    theoreticalArrival = theoreticalArrival + max(lateness, .zero)
    unreported -= 1
  }

  /// A granted start will never happen: its attempt was stopped before.
  mutating func startAbandoned() { unreported -= 1 }
}
