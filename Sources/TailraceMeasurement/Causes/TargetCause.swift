import TailraceCore

/// Why a target was missed, as far as the run's data tells: facts only, which a reader weighs.
package struct TargetCause: Sendable, Hashable, Codable {
  /// Jobs that did not succeed, by how they settled.
  package struct Fate: Sendable, Hashable, Codable {
    /// The name of the settlement cause: `failed`, `timed_out`, `rejected`, …
    package var cause: String
    package var jobs: Int
    /// The job type with most of them; nil: the class has one type.
    package var type: String?
    /// How many are of it.
    package var ofType: Int?
  }

  /// What the scenario asked for, beside what the workers could do.
  package struct Demand: Sendable, Hashable, Codable {
    /// Jobs per second that were intended in the window; nil: arrivals follow the system's pace.
    package var offeredRate: Double?
    /// Busy share of the workers in the window, 0…1.
    package var utilization: Double?
    package var workers: Int
    /// Work that came per second, in seconds.
    package var offeredLoad: Double?

    private enum CodingKeys: String, CodingKey {
      case utilization, workers
      case offeredRate = "offeredRatePerSecond"
      case offeredLoad = "offeredLoadErlangs"
    }
  }

  /// The target as written.
  package var target: String
  /// For targets about time: the jobs that took longer than it allows. For others that waiting bears on: the jobs that
  /// waited.
  package var slow: SlowJobs?
  /// For targets about how jobs ended: most first.
  package var fates: [Fate]?
  /// Errors of attempts that were not meant to fail, where the system tells them.
  package var errors: FailureReasons?
  /// For targets about throughput and the length of the run.
  package var demand: Demand?
  /// How long a full queue held the submitter back; nil: it did not.
  package var heldBack: Nanoseconds?
  /// Names of the checks of the run's validity that found something wrong that may have caused it.
  package var disturbances: [String] = []
  /// What the scenario's plan of faults did to the run, in words.
  package var faults: [String] = []

  init(target: String) { self.target = target }

  private enum CodingKeys: String, CodingKey {
    case target, slow, fates, errors, demand, disturbances, faults
    case heldBack = "heldBackNs"
  }
}

extension TargetCause {
  /// Checks that can tell of a disturbance from outside of the system under test.
  private static let outside: Set<String> = [
    "generator_lateness", "driver_hand_over", "host_steal", "other_programs", ValidityCheck.standstillName,
  ]

  /// - Parameters:
  ///   - outcome: a target that was not met.
  ///   - slow: what ``Recorder/slowJobs(behind:of:workers:)`` found for it; nil: nothing.
  init(_ outcome: TargetOutcome, run: RunResult, slow: SlowJobs?, types: [String]) {
    self.init(target: outcome.expression)
    guard let metric = try? Metric(parsing: outcome.metric, types: types) else { return }
    let measurement = run.measurement
    self.slow = slow ?? (SlowJobs.asksAboutTime(metric, outcome) ? SlowJobs(whole: metric.key, measurement) : nil)
    let isBoundBelow = outcome.comparison == .above || outcome.comparison == .atLeast
    switch metric.subject {
    case .quantity(let quantity, _):
      if quantity == .submissionLag || quantity == .response, run.observations.heldBack > .zero {
        heldBack = run.observations.heldBack
      }
      addOutside(run)
    case .figure(.success), .figure(.deadLettered), .figure(.rejected), .figure(.shed), .figure(.dropped),
      .figure(.cancelled), .figure(.completed), .figure(.retried), .figure(.lost):
      addFates(metric.key, measurement)
      errors = run.observations.failures
      faults = run.observations.injectedFaults?.words ?? []
      if measurement.all.causes[.dropped] > 0 { addOutside(run) }
    case .figure(.throughput), .figure(.makespan), .figure(.speedup), .figure(.timeSaved), .figure(.utilization),
      .figure(.recovery), .figure(.queueDepthMax), .figure(.jobsInSystem), .figure(.achievedRate):
      demand = Demand(run)
      if case .figure(.throughput) = metric.subject, isBoundBelow { addFates(.all, measurement) }
      addOutside(run)
    case .figure(.late):
      addOutside(run)
    case .figure: break
    }
  }

  private mutating func addOutside(_ run: RunResult) {
    disturbances = run.validity.filter {
      ($0.verdict == .failed || $0.verdict == .warning) && Self.outside.contains($0.name)
    }.map(\.name)
    faults = run.observations.injectedFaults?.words ?? []
  }

  private mutating func addFates(_ key: ClassKey, _ measurement: RunMeasurement) {
    guard let jobs = measurement[key] else { return }
    let types = measurement.classes.filter { $0.key.type != nil && $0.key.priority == nil }
    let fates = SettlementCause.allCases.compactMap { cause -> Fate? in
      guard cause != .succeeded, jobs.causes[cause] > 0 else { return nil }
      var fate = Fate(cause: cause.name, jobs: jobs.causes[cause])
      if key == .all, types.count > 1, let most = types.max(by: { $0.causes[cause] < $1.causes[cause] }) {
        fate.type = most.key.type
        fate.ofType = most.causes[cause]
      }
      return fate
    }
    if !fates.isEmpty { self.fates = fates.sorted { $0.jobs > $1.jobs } }
  }
}

extension TargetCause.Demand {
  init(_ run: RunResult) {
    let measurement = run.measurement
    offeredRate = run.observations.isOpenLoop ? measurement[.offeredRate] : nil
    utilization = measurement[.utilization]
    workers = measurement.workers.count
    offeredLoad = run.observations.isOpenLoop ? measurement[.offeredLoad] : nil
  }
}

extension SlowJobs {
  /// Whether a missed target is about jobs that took too long.
  static func asksAboutTime(_ metric: Metric, _ outcome: TargetOutcome) -> Bool {
    guard case .quantity(_, let statistic) = metric.subject, statistic != .count, let observed = outcome.observed else {
      return false
    }
    switch outcome.comparison {
    case .below, .atMost: return true
    case .equal: return observed > outcome.limit
    case .above, .atLeast: return false
    }
  }

  /// All jobs of a class, where single ones are not known; nil: it has none.
  init?(whole key: ClassKey, _ measurement: RunMeasurement) {
    guard let parts = measurement[key]?.parts, parts.settled > 0, parts.whole > 0 else { return nil }
    self.init(jobs: parts.settled, of: parts.settled, limit: nil)
    isWhole = true
    self.parts = Part.largestFirst(
      Quantity.parts.map { Double(parts[$0]) }, jobs: parts.settled, whole: Double(parts.whole))
  }
}

extension Recorder {
  /// Targets that are looked into, of one run.
  private static let causeLimit = 10

  /// The jobs behind each missed target, as far as the run kept its attempts.
  ///
  /// - Parameters:
  ///   - targets: as written; bounds on regressions are no business of a single run.
  ///   - run: what was made of this recorder.
  ///   - workers: of each pool.
  /// - Returns: by the target as written.
  package func slowJobs(
    behind targets: [String], of run: RunResult, workers: [(pool: PoolID, count: Int)]
  ) -> [String: SlowJobs] {
    guard !attempts.isTruncated else { return [:] }
    var found: [String: SlowJobs] = [:]
    var search: SlowSearch?
    for target in targets where !RegressionTarget.isMeant(target) && found.count < Self.causeLimit {
      guard let expression = try? TargetExpression(parsing: target, types: settings.types) else { continue }
      let outcome = TargetOutcome(expression, as: target, runs: [run], scale: run.timeScale)
      guard outcome.verdict == .missed, let question = SlowJobs.Question(expression.metric, outcome, run.measurement)
      else { continue }
      let made = search ?? SlowSearch(self, workers: workers)
      search = made
      found[target] = made.answer(question)
    }
    return found
  }
}

extension SlowJobs.Question {
  /// nil: no jobs stand behind the metric that could be slow.
  init?(_ metric: Metric, _ outcome: TargetOutcome, _ measurement: RunMeasurement) {
    switch metric.subject {
    case .quantity(let quantity, let statistic):
      guard SlowJobs.asksAboutTime(metric, outcome) else { return nil }
      // Beyond the mean by more than the target allows.
      let mean = measurement[metric.key]?[quantity].map { Double($0.mean.rawValue) } ?? 0
      self.init(quantity: quantity, key: metric.key, limit: outcome.limit + (statistic == .stddev ? mean : 0))
    case .figure(.late): self.init(quantity: .response, key: metric.key, limit: nil)
    case .figure(.throughput), .figure(.makespan), .figure(.recovery), .figure(.queueDepthMax),
      .figure(.jobsInSystem):
      self.init(quantity: .waiting, key: .all, limit: 0)
    case .figure(.success), .figure(.rejected), .figure(.shed), .figure(.dropped):
      // A queue that is full turns jobs away: the others waited for the same.
      let causes = measurement.all.causes
      guard causes[.rejected] + causes[.shed] + causes[.dropped] > 0 else { return nil }
      self.init(quantity: .waiting, key: .all, limit: 0)
    case .figure: return nil
    }
  }
}

extension SlowSearch {
  init(_ recorder: Recorder, workers: [(pool: PoolID, count: Int)]) {
    self.init(
      paths: JobPaths(recorder.attempts), settings: recorder.settings,
      workers: PoolID.allCases.map { pool in workers.first { $0.pool == pool && $0.count > 0 }?.count })
  }
}
