import TailraceCore
import TailraceMeasurement
import TailraceWorkload

extension Planner {
  /// What a target would gain if one constraint were a little wider, all else and all luck being the same.
  package struct Relief: Sendable, Equatable {
    /// Which constraint, and how much wider: `workers of the pool async: 3 → 4`.
    package var constraint: String
    /// Mean change of the target's figure over the replications, in its unit.
    package var change: Double
    /// Half of its 95 % confidence interval.
    package var halfWidth: Double
    /// Whether it changes the figure for the better, beyond chance.
    package var helps: Bool
  }

  /// Widens each constraint of a configuration on its own, and says what that does to one of its targets: a constraint
  /// whose widening helps is one that binds. The greatest help comes first.
  ///
  /// - Throws: what making the scenario threw.
  package func reliefs(of candidate: Candidate, target outcome: Outcome) async throws -> [Relief] {
    let scenario = try makeScenario(at: candidate.place)
    let wider = scenario.widened
    let target = try TargetExpression(parsing: outcome.target, types: scenario.jobs.map(\.name))
    let runs = await replay(wider.map(\.scenario))
    var reliefs: [Relief] = []
    for (constraint, runs) in zip(wider.map(\.constraint), runs) where runs.count == outcome.values.count {
      let values = Self.outcome(of: outcome.target, target, runs).values
      guard values.count == outcome.values.count else { continue }
      let (change, error) = Student.moments(zip(values, outcome.values).map { $0 - $1 })
      let halfWidth = Student.halfWidth95(error, count: values.count)
      let gain = target.comparison.isUpper ? -change : change
      reliefs.append(
        Relief(constraint: constraint, change: change, halfWidth: halfWidth, helps: gain > halfWidth && gain > 0))
    }
    let sign: Double = target.comparison.isUpper ? 1 : -1
    return reliefs.sorted { $0.change * sign < $1.change * sign }
  }
}

extension TargetExpression.Comparison {
  /// Whether less is better.
  fileprivate var isUpper: Bool {
    switch self {
    case .below, .atMost: true
    case .above, .atLeast, .equal: false
    }
  }
}

extension Scenario {
  /// The scenario with each of its constraints a little wider on its own: a worker or a place more, rates a quarter
  /// more, memory for one more job at least, a queue twice as long.
  fileprivate var widened: [(constraint: String, scenario: Scenario)] {
    var wider: [(constraint: String, scenario: Scenario)] = []
    func add(_ name: String, _ change: (inout Scenario) -> String) {
      var scenario = self
      let step = change(&scenario)
      wider.append(("\(name): \(step)", scenario))
    }
    let configuration = SchedulerConfiguration(self, seed: 0)
    for pool in PoolID.allCases where jobs.contains(where: { $0.resolvedPool == pool }) {
      let workers = configuration[pool].workers
      add("workers of the pool \(pool.name)") { wider in
        wider.scheduler.threadWorkers = scheduler.threadWorkers ?? scheduler.workers
        if pool == .async { wider.scheduler.workers += 1 } else { wider.scheduler.threadWorkers! += 1 }
        return "\(workers) → \(workers + 1)"
      }
    }
    if let limit = scheduler.concurrency {
      add("concurrency of a pool") {
        $0.scheduler.concurrency = limit + 1
        return "\(limit) → \(limit + 1)"
      }
    }
    if let limit = scheduler.rate {
      add("rate of a pool") {
        $0.scheduler.rate = limit.widened
        return "\(limit.rate.words) → \(limit.widened.rate.words)"
      }
    }
    if let budget = scheduler.memoryBudget {
      // Room for one more of the largest, at least.
      let more = budget + max(budget / 4, jobs.map(\.memory).max() ?? 0)
      add("memory budget") {
        $0.scheduler.memoryBudget = more
        return "\(budget >> 20) → \(more >> 20) MiB"
      }
    }
    if scheduler.queueCapacity < 1_000_000 {
      let longer = max(1, scheduler.queueCapacity * 2)
      add("queue") {
        $0.scheduler.queueCapacity = longer
        return "\(scheduler.queueCapacity) → \(longer) jobs"
      }
    }
    for (type, job) in jobs.enumerated() {
      if let limit = job.concurrency {
        add("concurrency of \(job.name)") {
          $0.jobs[type].concurrency = limit + 1
          return "\(limit) → \(limit + 1)"
        }
      }
      if let limit = job.rate {
        add("rate of \(job.name)") {
          $0.jobs[type].rate = limit.widened
          return "\(limit.rate.words) → \(limit.widened.rate.words)"
        }
      }
    }
    return wider
  }
}

extension RateLimit {
  fileprivate var widened: RateLimit { RateLimit(rate: Rate(perSecond: rate.perSecond * 1.25), burst: burst) }
}
