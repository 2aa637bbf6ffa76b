import TailraceCore
import TailraceMeasurement
import TailraceReplay
import TailraceWorkload

extension Scenario {
  /// For each resource, the arrival rate above which it cannot keep up, in any order of jobs: its capacity per second ÷
  /// the mean demand of one job of the load. The tightest bound comes first.
  ///
  /// Source: the utilization law, U = λ·D, with U at most the number of places; P. J. Denning, J. P. Buzen, *The
  /// Operational Analysis of Queueing Network Models*, ACM Computing Surveys 10 (1978).
  package func capacityBounds() -> (bounds: [CapacityTheory.Bound], notes: [String]) {
    var bounds = CapacityBounds(self)
    bounds.addPools()
    bounds.addTypes()
    bounds.addTenants()
    bounds.addSharedResources()
    bounds.addNotes()
    return (bounds.bounds.sorted { $0.rate < $1.rate }, bounds.notes)
  }
}

/// Collects the bounds of a scenario.
private struct CapacityBounds {
  let scenario: Scenario
  /// For each job type, the number of its jobs per job of the load.
  let shares: [Double]
  /// For each job type, the mean number of attempts per job.
  let attempts: [Double]
  /// For each job type, the mean length of an attempt in seconds; nil: unknown.
  let lengths: [Double?]
  var bounds: [CapacityTheory.Bound] = []
  var notes: [String] = []

  init(_ scenario: Scenario) {
    self.scenario = scenario
    shares = scenario.arrivalShares
    attempts = scenario.jobs.map { $0.meanAttempts(retry: $0.retry ?? scenario.scheduler.retry) }
    lengths = scenario.jobs.map { $0.meanAttempt(timeout: $0.timeout(under: scenario.scheduler)) }
  }

  /// Seconds of work per job of the load, for some job types; nil: unknown for one of them.
  private func work(of types: [Int], weighted weight: (Int) -> Double = { _ in 1 }) -> Double? {
    var sum = 0.0
    for type in types where shares[type] > 0 {
      guard let length = lengths[type] else { return nil }
      sum += shares[type] * attempts[type] * length * weight(type)
    }
    return sum
  }

  /// Attempts per job of the load, for some job types.
  private func starts(of types: [Int], weighted weight: (Int) -> Double = { _ in 1 }) -> Double {
    types.reduce(0) { $0 + shares[$1] * attempts[$1] * weight($1) }
  }

  private mutating func add(_ resource: String, _ capacity: Double, _ unit: String, work: Double?) {
    guard let work, work > 0 else { return }
    bounds.append(
      CapacityTheory.Bound(
        resource: resource, rate: capacity / work,
        formula: "\(Nanoseconds.short(capacity)) \(unit) ÷ \(Nanoseconds(seconds: work).words) of work per job"))
  }

  private mutating func add(_ resource: String, _ limit: RateLimit, starts: Double) {
    guard starts > 0 else { return }
    bounds.append(
      CapacityTheory.Bound(
        resource: resource, rate: limit.rate.perSecond / starts,
        formula: "\(limit.rate.words) ÷ \(Nanoseconds.short(starts)) starts per job"))
  }

  mutating func addPools() {
    let configuration = SchedulerConfiguration(scenario, seed: 0)
    for pool in PoolID.allCases {
      let types = scenario.jobs.indices.filter { scenario.jobs[$0].resolvedPool == pool }
      guard types.contains(where: { shares[$0] > 0 }) else { continue }
      let work = work(of: types)
      if work == nil {
        let unknown = types.filter { shares[$0] > 0 && lengths[$0] == nil }.map { scenario.jobs[$0].name }
        notes.append(
          "No bound for the pool \(pool.name): the service time of \(unknown.joined(separator: ", ")) is unknown"
        )
      }
      let workers = configuration[pool].workers
      add(
        "workers of the pool \(pool.name)", Double(workers), workers == 1 ? "worker" : "workers", work: work)
      if let limit = scenario.scheduler.concurrency {
        add("concurrency of the pool \(pool.name)", Double(limit), "at once", work: work)
      }
      if let limit = scenario.scheduler.rate { add("rate of the pool \(pool.name)", limit, starts: starts(of: types)) }
    }
  }

  mutating func addTypes() {
    for (type, job) in scenario.jobs.enumerated() where shares[type] > 0 {
      if let limit = job.concurrency {
        add("concurrency of \(job.name)", Double(limit), "at once", work: work(of: [type]))
      }
      if let limit = job.rate { add("rate of \(job.name)", limit, starts: starts(of: [type])) }
    }
  }

  mutating func addTenants() {
    let tenants = scenario.scheduler.tenants
    var keys: [String] = []
    for mix in scenario.jobs.compactMap(\.tenants) {
      for name in mix.names where !keys.contains(name) { keys.append(name) }
    }
    let types = Array(scenario.jobs.indices)
    for key in keys {
      let settings = tenants.named[key] ?? tenants.each
      func share(_ type: Int) -> Double { scenario.jobs[type].tenants?.share(of: key) ?? 0 }
      if let limit = settings.concurrency {
        add("concurrency of the tenant \(key)", Double(limit), "at once", work: work(of: types, weighted: share))
      }
      if let limit = settings.rate {
        add("rate of the tenant \(key)", limit, starts: starts(of: types, weighted: share))
      }
    }
  }

  mutating func addSharedResources() {
    let types = Array(scenario.jobs.indices)
    if let budget = scenario.scheduler.memoryBudget {
      let reserved = work(of: types) { Double(scenario.jobs[$0].memory) }
      if let reserved, reserved > 0 {
        bounds.append(
          CapacityTheory.Bound(
            resource: "memory budget", rate: Double(budget) / reserved,
            formula: "\(budget >> 20) MiB ÷ \(Nanoseconds.short(reserved / 1_048_576)) MiB·s reserved per job"))
      }
    }
    if let capacity = scenario.backendCapacity {
      add("backend", Double(capacity), "at once at full speed", work: work(of: types))
    }
  }

  mutating func addNotes() {
    let present = scenario.jobs.indices.filter { shares[$0] > 0 }.map { scenario.jobs[$0] }
    if present.contains(where: { $0.cancel != nil || $0.uniqueKeys != nil }) {
      notes.append("Jobs that are cancelled or rejected as duplicates need less than the bounds assume")
    }
    if scenario.scheduler.adaptive != nil {
      notes.append("The adaptive limit may allow fewer concurrent jobs than there are workers")
    }
    let fixed = scenario.streamsWithoutRate
    if !fixed.isEmpty {
      notes.append("The bounds exclude streams that are not scaled: \(fixed.joined(separator: ", "))")
    }
  }
}

extension TenantMix {
  /// The share of a type's jobs that have a key.
  fileprivate func share(of key: String) -> Double {
    names.indices.reduce(0) { sum, index in
      names[index] == key ? sum + shares[index] - (index > 0 ? shares[index - 1] : 0) : sum
    }
  }
}

extension JobSpec {
  /// The mean number of attempts per job: a failed or hanging attempt is repeated, up to the limit.
  fileprivate func meanAttempts(retry: RetryPolicy) -> Double {
    let again = min(1, failures.attempts + failures.hangs)
    var (sum, chance) = (0.0, 1.0)
    for _ in 0...max(0, min(retry.limit, 1_000)) {
      sum += chance
      chance *= again
    }
    return failures.always * Double(retry.limit + 1) + (1 - failures.always) * sum
  }

  /// The mean length of an attempt in seconds; nil: unknown.
  fileprivate func meanAttempt(timeout: Nanoseconds?) -> Double? {
    guard let mean = (service ?? simulatedService)?.mean?.seconds else { return nil }
    var length = mean
    if case .cycles(let limit, let needed, let pause, let failedShare) = work {
      // The expected number of cycles until enough succeed, capped by the limit.
      let wanted = Double(needed.lowerBound + needed.upperBound) / 2
      let made = failedShare < 1 ? min(Double(limit), wanted / (1 - failedShare)) : Double(limit)
      length = mean * made + pause.seconds * max(0, made - 1)
    }
    let bounded = timeout.map { min(length, $0.seconds) } ?? length
    guard failures.hangs > 0 else { return bounded }
    guard let timeout else { return nil }
    return (1 - failures.hangs) * bounded + failures.hangs * timeout.seconds
  }
}
