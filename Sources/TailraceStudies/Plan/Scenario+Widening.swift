import TailraceCore
import TailraceReplay
import TailraceWorkload

extension Scenario {
  /// Variants of the scenario, each with one constraint widened: one more worker or slot, rates up by a quarter, memory
  /// for at least one more job, a queue twice as long, or a backend with one more slot at full speed.
  var widened: [(constraint: String, scenario: Scenario)] {
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
      // At least enough for one more of the largest job.
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
    addJobs(add)
    addTags(add)
    if let capacity = backendCapacity {
      add("backend") {
        $0.backendCapacity = capacity + 1
        return "\(capacity) → \(capacity + 1) at full speed"
      }
    }
    return wider
  }

  private func addJobs(_ add: (_ name: String, _ change: (inout Scenario) -> String) -> Void) {
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
  }

  private func addTags(_ add: (_ name: String, _ change: (inout Scenario) -> String) -> Void) {
    let tenants = scheduler.tenants
    if let limit = tenants.each.concurrency {
      add("concurrency of each tenant") {
        $0.scheduler.tenants.each.concurrency = limit + 1
        return "\(limit) → \(limit + 1)"
      }
    }
    if let limit = tenants.each.rate {
      add("rate of each tenant") {
        $0.scheduler.tenants.each.rate = limit.widened
        return "\(limit.rate.words) → \(limit.widened.rate.words)"
      }
    }
    for (key, settings) in tenants.named.sorted(by: { $0.key < $1.key }) {
      if let limit = settings.concurrency {
        add("concurrency of the tenant \(key)") {
          $0.scheduler.tenants.named[key]!.concurrency = limit + 1
          return "\(limit) → \(limit + 1)"
        }
      }
      if let limit = settings.rate {
        add("rate of the tenant \(key)") {
          $0.scheduler.tenants.named[key]!.rate = limit.widened
          return "\(limit.rate.words) → \(limit.widened.rate.words)"
        }
      }
    }
  }
}

extension RateLimit {
  fileprivate var widened: RateLimit { RateLimit(rate: Rate(perSecond: rate.perSecond * 1.25), burst: burst) }
}
