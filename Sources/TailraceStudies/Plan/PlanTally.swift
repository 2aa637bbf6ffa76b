import TailraceCore
import TailraceMeasurement
import TailraceReplay
import TailraceWorkload

/// The combined results of one configuration's runs, which are added in the order of their seeds.
struct PlanTally: Sendable {
  /// Whether the queue of a steady load has settled.
  enum Queue: Sendable, Equatable {
    /// Not judged: the load changes by design, or a target depends on the run's length.
    case notJudged
    /// The second half of a run is like the first.
    case settled
    /// The halves differ, or the runs are too short.
    case unsettled
    /// More jobs arrive than complete.
    case growing
  }

  let targets: [CapacityTarget]
  /// The duration of arrivals in its runs; nil: unknown.
  let length: Nanoseconds?
  /// Whether the load is steady, so that runs can be lengthened.
  let isSteady: Bool
  /// Jobs per second of the load.
  let rate: Double
  private(set) var runs = 0
  /// The number of simulated jobs, over all runs.
  private(set) var jobs = 0
  /// Values by target, then replication; nil: not measured.
  private(set) var values: [[Double?]]
  /// By target: the share of samples above the limit in each run, and the number of samples.
  private var shares: [[(share: Double, weight: Double)]]
  private var samples: [Distribution?]
  private var drifts: [Double] = []
  private var growths: [Double] = []
  private var levels: [Double] = []
  private var queueDrifts: [Double] = []
  private var turnedAway = 0
  private var intended = 0
  private var succeeded = 0
  private var possible = 0
  private(set) var cutOff = 0
  private var endsWaiting = false
  private var pools: [String: Double] = [:]

  init(_ scenario: Scenario, targets: [CapacityTarget]) {
    self.targets = targets
    length = scenario.arrivalLength.flatMap { $0 > .zero ? $0 : nil }
    isSteady = scenario.hasSteadyRate && targets.allSatisfy(\.expression.isSteady)
    rate = scenario.arrivalRate
    values = targets.map { _ in [] }
    shares = targets.map { _ in [] }
    samples = targets.map { _ in nil }
  }

  mutating func add(_ result: RunResult) {
    let run = CapacityRun(result, rate: rate, round: runs, targets: targets)
    runs += 1
    jobs += run.jobs
    for (index, target) in targets.enumerated() {
      values[index].append(TargetOutcome(target.expression, as: target.text, runs: [result], scale: 1).observed)
      let reading = run.targets[index]
      guard isSteady, let own = reading.samples else { continue }
      shares[index].append((reading.load ?? 0, reading.weight))
      if samples[index] == nil { samples[index] = own } else { samples[index]!.merge(own) }
    }
    drifts.append(run.drift)
    growths.append(run.growth)
    levels.append(run.level)
    queueDrifts.append(run.queueDrift)
    turnedAway += run.turnedAway
    intended += run.intended
    succeeded += run.succeeded
    possible += run.possible
    cutOff += run.cutOff
    endsWaiting = endsWaiting || run.endsWaiting
    for (pool, share) in run.pools { pools[pool, default: 0] += share }
  }

  /// The utilization of each pool's workers.
  var utilization: [String: Double] { pools.mapValues { $0 / Double(max(1, runs)) } }

  /// The share of jobs that succeeded of those that could have; nil: none could.
  var success: Double? { possible > 0 ? Double(succeeded) / Double(possible) : nil }

  // MARK: - Targets

  /// A target's verdict and interval, with the given confidence.
  ///
  /// - Parameter p: The probability below the interval's upper end.
  func outcome(_ index: Int, upTo p: Double) -> Planner.Outcome {
    let target = targets[index]
    let present = values[index].compactMap { $0 }
    var outcome = Planner.Outcome(
      target: target.text, unit: target.expression.metric.unit, limit: target.expression.limit.value, mean: nil,
      halfWidth: 0, verdict: .missed)
    if present.count == runs { outcome.values = present }
    if isSteady, case .share(_, _, let percentile) = target.kind {
      judge(&outcome, percentile: percentile, shares[index], samples[index], upTo: p)
      return outcome
    }
    guard present.count == runs, runs > 1 else {
      // A longer run might have a sample; a run of the scenario's length has none.
      if isSteady { outcome.verdict = .unclear }
      return outcome
    }
    let (mean, error) = Student.moments(present)
    outcome.mean = mean
    outcome.halfWidth = Student.quantile(p, degrees: runs - 1) * error
    outcome.verdict = target.expression.comparison.verdict(mean, outcome.halfWidth, outcome.limit)
    return outcome
  }

  /// A percentile over all runs' samples. A short run's percentile is biased, but its share above the limit is not.
  private func judge(
    _ outcome: inout Planner.Outcome, percentile: Double, _ shares: [(share: Double, weight: Double)],
    _ samples: Distribution?, upTo p: Double
  ) {
    outcome.verdict = .unclear
    let allowed = 1 - percentile / 100
    let (share, half) = CapacityTarget.share(shares, upTo: p)
    guard let half, let value = samples?.percentile(percentile) else { return }
    outcome.mean = Double(value.rawValue)
    // The verdict uses the share above the limit; the interval of the percentile comes from the runs.
    if outcome.values.count > 1 {
      let error = Student.moments(outcome.values).error
      outcome.halfWidth = Student.quantile(p, degrees: outcome.values.count - 1) * error
    }
    if share + half < allowed || half == 0 && share <= allowed { outcome.verdict = .met }
    if share - half > allowed { outcome.verdict = .missed }
  }

  // MARK: - The queue

  /// The halves of a run differ from this growth on, as a share of the jobs in the system.
  private static let driftNoticed = 0.05
  /// The growth's interval must lie below this, as a share of the jobs in the system.
  private static let driftAllowed = 0.3

  /// - Parameter isFinal: Whether there will be no longer runs; a queue that still grows then counts as growing.
  func queue(isFinal: Bool) -> Queue {
    if cutOff > 0, endsWaiting { return .growing }
    guard isSteady, runs > 1 else { return .notJudged }
    let (drift, level) = (CapacityRate.estimate(drifts), Student.moments(levels).mean)
    guard let low = drift.low, let high = drift.high else { return .notJudged }
    if low > 0, drift.value > Self.driftNoticed * level {
      let growth = Student.moments(growths).mean
      let grows = Student.moments(queueDrifts).mean >= 1 && rate > 0 && growth >= CapacityRate.growthNoticed * rate
      return isFinal && grows ? .growing : .unsettled
    }
    return high <= Self.driftAllowed * level || high <= 0.01 ? .settled : .unsettled
  }

  /// A problem that overrides the targets; nil: none.
  func trouble(_ queue: Queue) -> String? {
    if queue == .growing {
      if cutOff > 0 { return "its queue grows: \(cutOff) jobs were left at the end of the drain time" }
      return "its queue grows by \(Nanoseconds.short(Student.moments(growths).mean)) jobs per second"
    }
    if cutOff > 0 { return "\(cutOff) jobs were still running at the end of the drain time; raise 'drain'" }
    let share = intended > 0 ? Double(turnedAway) / Double(intended) : 0
    guard !targets.contains(where: \.judgesTurnedAway), share > CapacityRate.turnedAwayLimit else { return nil }
    return "it turns \(Nanoseconds.short(share * 100)) % of the jobs away"
  }
}
