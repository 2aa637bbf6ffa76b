import TailraceCore

/// Generates the instants of a stream's arrivals in order.
///
/// The draw for arrival `n` is keyed by (seed, stream, n), so it is independent of other arrivals and streams.
struct ArrivalProcess: Sendable {
  /// The parameters of a law are stored separately, so that switching on the law copies nothing.
  private enum Law: Sendable { case constant, poisson, bursty, stages, atOnce, recorded, recurring, nothing }

  /// A stage that starts at `begin` nanoseconds, when `before` arrivals are expected.
  private struct Ramp: Sendable {
    var begin: Double
    var length: Double
    /// Arrivals per nanosecond at its start and end.
    var from: Double
    var to: Double
    var before: Double
    var expected: Double { length * (from + to) / 2 }
  }

  private let law: Law
  /// Arrivals per second, for `constant`.
  private var rate = 0.0
  /// Mean nanoseconds between arrivals during busy periods.
  private var meanGap = 0.0
  /// Mean lengths of the periods of `bursty`, in nanoseconds.
  private var on = 0.0
  private var off = 0.0
  private var ramps: [Ramp] = []
  private var recorded: ContiguousArray<Nanoseconds> = []
  private var recurring: RecurringArrivals?
  /// The slot of the last arrival; initially a time before the first.
  private var slot = UnixTime.epoch
  private let random: KeyedRandom
  private let start: Int64
  /// No arrival at or after this instant.
  private let end: Int64
  private let limit: UInt64
  private var number: UInt64 = 0
  /// The last arrival in nanoseconds since `start`; for stages, the expected number of arrivals up to it.
  private var clock: Double = 0
  /// The end of the current busy period of a bursty stream, nanoseconds since `start`, and its number.
  private var busyUntil: Double = 0
  private var period: UInt64 = 0
  /// Polled during long periods without arrivals; nil: no interruption.
  private let isInterrupted: (@Sendable () -> Bool)?

  /// - Parameters:
  ///   - total: At most this many arrivals; nil: no limit.
  ///   - random: Keyed by seed and stream.
  ///   - isInterrupted: Where it says so, the stream ends.
  init(
    _ stream: LoadStream, total: Int?, scenarioEnd: Nanoseconds?, random: KeyedRandom,
    isInterrupted: (@Sendable () -> Bool)? = nil
  ) {
    self.random = random
    self.isInterrupted = isInterrupted
    start = stream.start.rawValue
    var end = scenarioEnd?.rawValue ?? .max
    if let duration = stream.duration {
      let (sum, overflow) = start.addingReportingOverflow(duration.rawValue)
      end = min(end, overflow ? .max : sum)
    }
    self.end = end
    limit = total.map { UInt64(max(0, $0)) } ?? .max
    switch stream.arrivals {
    case .constant(let rate):
      law = .constant
      self.rate = rate.perSecond
    case .poisson(let rate):
      law = .poisson
      meanGap = 1e9 / rate.perSecond
    case .bursty(let rate, let on, let off):
      law = .bursty
      (meanGap, self.on, self.off) = (1e9 / rate.perSecond, Double(on.rawValue), Double(off.rawValue))
      busyUntil = self.on * Self.exponential(random.key(.period).key(0))
    case .stages(let stages):
      law = .stages
      ramps = Self.ramps(stages)
    case .batch: law = .atOnce
    case .trace(let trace):
      law = .recorded
      recorded = trace.submitted
    case .recurring(let arrivals):
      law = .recurring
      recurring = arrivals
      // Slightly early because scaling rounds; arrivals before the start are skipped.
      slot = arrivals.zero + stream.start.scaled(by: 1 / arrivals.scale) - .seconds(1)
    case .closed: law = .nothing
    }
  }

  private static func ramps(_ stages: [Stage]) -> [Ramp] {
    var ramps: [Ramp] = []
    var (begin, rate, before) = (0.0, 0.0, 0.0)
    for stage in stages {
      let ramp = Ramp(
        begin: begin, length: Double(stage.duration.rawValue), from: rate, to: stage.rate.perSecond / 1e9,
        before: before)
      ramps.append(ramp)
      begin += ramp.length
      rate = ramp.to
      before += ramp.expected
    }
    return ramps
  }

  /// A draw from the exponential distribution of mean 1.
  @inline(__always) private static func exponential(_ random: KeyedRandom) -> Double { -StableMath.log(random.uniform) }

  /// The next arrival and its number in the stream, from 0; nil: none.
  @inline(__always) mutating func next() -> (instant: Int64, number: UInt64)? {
    guard number < limit else { return nil }
    let instant: Int64
    switch law {
    case .atOnce: instant = start
    case .recorded: instant = start + recorded[Int(number)].rawValue
    case .nothing: return nil
    case .recurring:
      guard let next = nextSlot() else { return nil }
      instant = next
    case .constant: instant = instantAfter(Double(number) * 1e9 / rate)
    case .poisson, .bursty, .stages:
      guard let drawn = drawNext() else { return nil }
      instant = instantAfter(drawn)
    }
    guard instant < end else {
      number = limit
      return nil
    }
    defer { number += 1 }
    return (instant, number)
  }

  /// The next slot of a recurrence at or after the stream's start, in tape time.
  private mutating func nextSlot() -> Int64? {
    guard let recurring else { return nil }
    var passed = 0
    while let next = recurring.recurrence.next(after: slot) {
      slot = next
      passed += 1
      if passed & 0xffff == 0, isInterrupted?() == true { return nil }
      let time = next - recurring.zero
      let instant = recurring.scale == 1 ? time.rawValue : time.scaled(by: recurring.scale).rawValue
      if instant >= start { return instant }
    }
    return nil
  }

  /// Saturates far beyond any scenario, which ends the stream. Inlined, because a call would copy the whole process.
  @inline(__always)
  private func instantAfter(_ nanoseconds: Double) -> Int64 {
    nanoseconds < 4e18
      ? (Instant(nanoseconds: start) + Nanoseconds(Int64(nanoseconds + 0.5))).nanoseconds : .max
  }

  /// Nanoseconds from the stream's start to the next arrival of a random process.
  private mutating func drawNext() -> Double? {
    let step = Self.exponential(random.key(.arrival).key(number))
    switch law {
    case .poisson:
      clock += step * meanGap
      return clock
    case .bursty:
      // Time passes only during busy periods; a gap that exceeds one continues in the next.
      var gap = step * meanGap
      while clock + gap > busyUntil {
        guard busyUntil < 4e18 else { return nil }
        // The next arrival may be millions of periods away.
        if period & 0xffff == 0xffff, isInterrupted?() == true { return nil }
        gap -= busyUntil - clock
        period += 1
        let idle = off * Self.exponential(random.key(.period).key(2 * period - 1))
        clock = busyUntil + idle
        busyUntil = clock + max(1, on * Self.exponential(random.key(.period).key(2 * period)))
        if clock >= Double(end) - Double(start) { return nil }
      }
      clock += gap
      return clock
    case .stages:
      clock += step
      guard let ramp = ramps.first(where: { clock < $0.before + $0.expected }) else { return nil }
      return ramp.begin + Self.time(until: clock - ramp.before, in: ramp)
    case .constant, .atOnce, .recorded, .recurring, .nothing: return nil
    }
  }

  /// The time into a ramp at which `count` arrivals are expected: the inverse of `from·t + (to−from)·t²/(2·length)`, in
  /// a form that remains exact when the slope vanishes.
  private static func time(until count: Double, in ramp: Ramp) -> Double {
    let slope = (ramp.to - ramp.from) / ramp.length
    let root = max(0, ramp.from * ramp.from + 2 * slope * count).squareRoot()
    let sum = ramp.from + root
    return sum > 0 ? min(ramp.length, 2 * count / sum) : ramp.length
  }
}
