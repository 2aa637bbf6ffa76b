import TailraceCore
import TailraceMeasurement
import TailraceReplay
import TailraceWorkload

/// What the search keeps of one run.
struct CapacityRun: Sendable {
  /// Asked for, in jobs per second.
  var rate: Double
  /// The number of its seed, from 0.
  var round: Int
  /// In the order of the targets.
  var targets: [CapacityTarget.Reading]
  var response: Distribution?
  /// Of the attempts: sum in nanoseconds, and how many.
  var service: (sum: Double, count: Double)
  /// Jobs done per second.
  var throughput: Double
  /// By how many jobs a second the number of jobs due and not done grows from the window's first half to its second.
  var growth: Double
  /// By how many jobs the number of jobs due and not done is greater in the window's second half than in its first, in
  /// the mean, and how many there are in the second.
  var drift: Double
  var level: Double
  /// The same of those that wait: where it is above 0 there is a queue, not only workers that fill up.
  var queueDrift: Double
  /// Jobs refused, shed or dropped, and those that were due.
  var turnedAway: Int
  var intended: Int
  /// Jobs that succeeded, and those that could have.
  var succeeded: Int
  var possible: Int
  var cutOff: Int
  /// Whether jobs were still waiting when the run ended: then those that were cut off are a queue.
  var endsWaiting: Bool
  /// Jobs that the run had, warm-up included.
  var jobs: Int
  var pools: [String: Double]
  /// Why its figures are not to be trusted; empty: they are.
  var invalidity: [String]

  init(_ run: RunResult, rate: Double, round: Int, targets: [CapacityTarget]) {
    self.rate = rate
    self.round = round
    self.targets = targets.map { $0.reading(run) }
    let all = run.measurement.all
    response = all[.response]
    service = all[.service].map { (Double($0.sum), Double($0.total)) } ?? (0, 0)
    throughput = run.measurement[.throughput] ?? 0
    let change = run.measurement.change
    growth = change.perSecond
    drift = change.jobs
    level = change.level
    queueDrift = change.queue
    turnedAway = all.causes[.rejected] + all.causes[.shed] + all.causes[.dropped]
    intended = run.measurement.intendedInWindow
    succeeded = all.causes[.succeeded]
    possible = all.causes.possible
    cutOff = run.observations.cutOff ?? 0
    endsWaiting = (run.measurement.queueDepth.values.last ?? 0) >= 0.5
    jobs = all.causes.total + run.measurement.unmeasured.total
    pools = [:]
    for pool in PoolID.allCases {
      let shares = run.measurement.workers.filter { $0.pool == pool }.map(\.utilization)
      if !shares.isEmpty { pools[pool.name] = shares.reduce(0, +) / Double(shares.count) }
    }
    invalidity = Self.invalidity(of: run)
  }

  /// What the certificate holds against the run, without what overload alone explains: jobs that were cut off, and jobs
  /// that a punctual generator could not hand over. Those count against the rate, not against the run.
  private static func invalidity(of run: RunResult) -> [String] {
    let isLate = run.validity.contains { $0.name == "generator_lateness" && $0.verdict == .failed }
    let isOverloaded = (run.observations.cutOff ?? 0) > 0 && !run.observations.isInterrupted
    return run.validity.filter { check in
      guard check.verdict == .failed else { return false }
      switch check.name {
      case "ran_to_end": return !isOverloaded
      case "offered_vs_achieved": return isLate || run.measurement.intendedInWindow == 0
      default: return true
      }
    }.map { "\($0.name): \($0.words)" }
  }
}

extension RunMeasurement {
  /// How the number of jobs that are due and not done changes within the window: the mean of those waiting or running
  /// in its second half less that in its first, over the time between the middles of the two; and those that were due
  /// within the window and could not be submitted in it, over its length. Zero on average for a queue in balance.
  fileprivate var change: (jobs: Double, level: Double, queue: Double, perSecond: Double) {
    let window = (windowEnd - windowStart).seconds
    guard window > 0 else { return (0, 0, 0, 0) }
    let middle = windowStart.seconds + window / 2
    func halves(_ series: Series) -> (Double, Double) {
      (
        series.mean(from: windowStart.seconds, to: middle), series.mean(from: middle, to: windowEnd.seconds)
      )
    }
    let (waiting, busy) = (halves(queueDepth), halves(running))
    let (first, second) = (waiting.0 + busy.0, waiting.1 + busy.1)
    let behind = Double(max(0, intendedInWindow - submittedInWindow - all.causes[.dropped]))
    return (
      second - first + behind / 2, second, waiting.1 - waiting.0 + behind / 2,
      (second - first) / (window / 2) + behind / window
    )
  }
}

extension Series {
  /// The mean over a stretch of the run, in seconds from its start.
  fileprivate func mean(from start: Double, to end: Double) -> Double {
    var covered = 0.0
    for (slot, value) in values.enumerated() {
      let overlap = min(end, Double(slot + 1) * width.seconds) - max(start, Double(slot) * width.seconds)
      if overlap > 0 { covered += overlap * value }
    }
    return covered / (end - start)
  }
}

/// All valid runs at one rate.
struct CapacityRate {
  /// Share of jobs turned away up to which a rate may still count as sustained, where no target says otherwise.
  static let turnedAwayLimit = 0.01
  /// Growth, as a share of the rate, from which a queue that grows beyond chance counts as growing…
  static let growthNoticed = 0.01
  /// … and up to which chance must leave it for the rate to count as sustained.
  static let growthAllowed = 0.02

  let rate: Double
  let runs: [CapacityRun]
  let targets: [CapacityTarget]
  /// Whether a longer queue in the second half of a run means growth.
  let judgesGrowth: Bool

  private var growth: CapacityEstimate { Self.estimate(runs.map(\.growth)) }

  private var turnedAway: Double {
    let intended = runs.reduce(0) { $0 + $1.intended }
    return intended > 0 ? Double(runs.reduce(0) { $0 + $1.turnedAway }) / Double(intended) : 0
  }

  /// Whether jobs that were turned away count against the rate: not where a target says how many may be.
  private var judgesTurnedAway: Bool {
    !targets.contains(where: \.judgesTurnedAway)
  }

  static func estimate(_ values: [Double]) -> CapacityEstimate {
    let (mean, error) = Student.moments(values)
    guard values.count > 1 else { return CapacityEstimate(mean) }
    let half = Student.halfWidth95(error, count: values.count)
    return CapacityEstimate(mean, low: mean - half, high: mean + half)
  }

  /// Busy share of a pool's workers; nil: it has none.
  func utilization(of pool: String) -> Double? {
    let shares = runs.compactMap { $0.pools[pool] }
    return shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
  }

  private var cutOff: Int { runs.reduce(0) { $0 + $1.cutOff } }

  /// Whether the queue grows, and why that is said.
  private var growthReason: String? {
    if cutOff > 0, runs.contains(where: \.endsWaiting) {
      return "growing queue: \(cutOff) jobs were left when the time to drain was over"
    }
    // A handful of jobs is sometimes one more, and workers fill up at first: that is no queue.
    let queue = Self.estimate(runs.map(\.queueDrift))
    guard judgesGrowth, queue.value >= 1, (queue.low ?? 0) > 0, let low = growth.low, low > 0,
      growth.value >= Self.growthNoticed * rate
    else { return nil }
    return "growing queue: \(Nanoseconds.short(growth.value)) jobs longer each second"
  }

  /// Where the means lie, however uncertain they are; what steers the search.
  var leansGood: Bool {
    if runs.isEmpty || growthReason != nil || cutOff > 0 || judgesTurnedAway && turnedAway > Self.turnedAwayLimit {
      return false
    }
    if judgesGrowth, growth.value > 5 * Self.growthNoticed * rate { return false }
    return targets.indices.allSatisfy { index in targets[index].leansGood(runs.map { $0.targets[index] }) }
  }

  var point: CapacityPoint {
    let outcomes = targets.indices.map { index in targets[index].point(runs.map { $0.targets[index] }) }
    var (verdict, reason) = (CapacityPoint.Verdict.sustained, "")
    if let growing = growthReason {
      (verdict, reason) = (.growing, growing)
    } else if cutOff > 0 {
      (verdict, reason) = (
        .missed, "jobs longer than the time to drain: \(cutOff) were still running when it was over; raise 'drain'"
      )
    } else if judgesTurnedAway, turnedAway > Self.turnedAwayLimit {
      (verdict, reason) = (.missed, "full queue: \(Nanoseconds.short(turnedAway * 100)) % of the jobs were turned away")
    } else if let missed = outcomes.first(where: { $0.verdict == .missed }) {
      (verdict, reason) = (.missed, missed.target)
    } else if runs.count < 2 {
      (verdict, reason) = (.unclear, "one run says nothing of chance")
    } else if let unclear = outcomes.first(where: { $0.verdict == .unclear }) {
      (verdict, reason) = (.unclear, unclear.target)
    } else if judgesGrowth, let high = growth.high, high > Self.growthAllowed * rate {
      (verdict, reason) = (.unclear, "whether the queue grows: longer runs would tell (--duration)")
    }
    let responses = runs.compactMap(\.response)
    let merged = Distribution.merged(responses)
    func response(_ p: Double) -> CapacityEstimate? {
      guard let merged, merged.count >= Distribution.samplesNeeded(for: p) else { return nil }
      return merged.estimate(ofPercentile: p, from: responses)
    }
    let pools = PoolID.allCases.compactMap { pool in
      utilization(of: pool.name).map { CapacityPoolUse(pool: pool.name, utilization: $0) }
    }
    var point = CapacityPoint(
      rate: rate, runs: runs.count, verdict: verdict, reason: reason, targets: outcomes, responseP50: response(50),
      responseP99: response(99), throughput: Self.estimate(runs.map(\.throughput)), growth: growth,
      turnedAway: turnedAway, cutOff: cutOff, pools: pools)
    let possible = runs.reduce(0) { $0 + $1.possible }
    point.success = possible > 0 ? Double(runs.reduce(0) { $0 + $1.succeeded }) / Double(possible) : nil
    return point
  }
}
