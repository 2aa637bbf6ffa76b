import TailraceCore
import TailraceMeasurement
import TailraceReplay
import TailraceWorkload

/// The figures of one run that the search keeps.
struct CapacityRun: Sendable {
  /// The requested rate, in jobs per second.
  var rate: Double
  /// The seed's number, from 0.
  var round: Int
  /// Readings, in the order of the targets.
  var targets: [CapacityTarget.TargetReading]
  var response: Distribution?
  /// Service time of the attempts: sum in nanoseconds, and count.
  var service: (sum: Double, count: Double)
  /// Completed jobs per second.
  var throughput: Double
  /// Growth of the number of due but unfinished jobs, from the window's first half to its second, in jobs per second.
  var growth: Double
  /// The increase of the mean number of due but unfinished jobs from the window's first half to its second, and the
  /// mean in the second.
  var drift: Double
  var level: Double
  /// The same for waiting jobs. If it is above 0, a queue is growing; otherwise only workers are filling up.
  var queueDrift: Double
  /// The number of rejected, shed or dropped jobs, and of due jobs.
  var turnedAway: Int
  var intended: Int
  /// The number of jobs that succeeded, and that could have.
  var succeeded: Int
  var possible: Int
  var cutOff: Int
  /// Whether jobs were still waiting when the run ended; then the truncated jobs are a queue.
  var endsWaiting: Bool
  /// The run's jobs, including warm-up.
  var jobs: Int
  var pools: [String: Double]
  /// Why the run is invalid; empty: it is valid.
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

  /// The certificate's failures, except those that overload explains: truncated jobs, and jobs that a punctual
  /// generator could not submit. Those count against the rate, not against the run.
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
  /// The growth of due but unfinished jobs within the window: the mean number of waiting or running jobs in its second
  /// half minus that in its first, over the time between the halves' middles; plus jobs that were due within the window
  /// but could not be submitted in it, over its length. It averages zero for a queue in balance.
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
  /// The mean over part of the run, in seconds from its start.
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
  /// The largest share of jobs turned away at which a rate still counts as sustained, unless a target sets a limit.
  static let turnedAwayLimit = 0.01
  /// A queue counts as growing from this significant growth, as a share of the rate …
  static let growthNoticed = 0.01
  /// … and the rate counts as sustained if the interval of the growth lies below this.
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

  /// Whether jobs that were turned away count against the rate. They do not if a target limits their number.
  private var judgesTurnedAway: Bool {
    !targets.contains(where: \.judgesTurnedAway)
  }

  static func estimate(_ values: [Double]) -> CapacityEstimate {
    let (mean, error) = Student.moments(values)
    guard values.count > 1 else { return CapacityEstimate(mean) }
    let half = Student.halfWidth95(error, count: values.count)
    return CapacityEstimate(mean, low: mean - half, high: mean + half)
  }

  /// The utilization of a pool's workers; nil: it has none.
  func utilization(of pool: String) -> Double? {
    let shares = runs.compactMap { $0.pools[pool] }
    return shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
  }

  private var cutOff: Int { runs.reduce(0) { $0 + $1.cutOff } }

  /// Whether the queue grows, and the reason.
  private var growthReason: String? {
    if cutOff > 0, runs.contains(where: \.endsWaiting) {
      return "growing queue: \(cutOff) jobs were left at the end of the drain time"
    }
    // A few more jobs, or workers that fill up at first, are not a queue.
    let queue = Self.estimate(runs.map(\.queueDrift))
    guard judgesGrowth, queue.value >= 1, (queue.low ?? 0) > 0, let low = growth.low, low > 0,
      growth.value >= Self.growthNoticed * rate
    else { return nil }
    return "growing queue: by \(Nanoseconds.short(growth.value)) jobs per second"
  }

  /// The verdict of the means alone, without intervals; it steers the search.
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
        .missed, "jobs longer than the drain time: \(cutOff) were still running at its end; raise 'drain'"
      )
    } else if judgesTurnedAway, turnedAway > Self.turnedAwayLimit {
      (verdict, reason) = (.missed, "full queue: \(Nanoseconds.short(turnedAway * 100)) % of the jobs were turned away")
    } else if let missed = outcomes.first(where: { $0.verdict == .missed }) {
      (verdict, reason) = (.missed, missed.target)
    } else if runs.count < 2 {
      (verdict, reason) = (.unclear, "one run is not enough")
    } else if let unclear = outcomes.first(where: { $0.verdict == .unclear }) {
      (verdict, reason) = (.unclear, unclear.target)
    } else if judgesGrowth, let high = growth.high, high > Self.growthAllowed * rate {
      (verdict, reason) = (.unclear, "whether the queue grows; use longer runs (--duration)")
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
