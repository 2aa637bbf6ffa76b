import TailraceCore

extension Scenario {
  /// The replayed log; nil: jobs are drawn at random.
  package var trace: Trace? {
    guard let stream = streams.first, case .trace(let trace) = stream.arrivals else { return nil }
    return trace
  }

  /// Whether any job depends on another.
  package var hasDependencies: Bool {
    streams.contains { stream in
      if case .graph(let graph) = stream.mix { graph.nodes.contains { !$0.after.isEmpty } } else { false }
    }
  }

  /// Features that only a simulation supports, in words.
  package var needsOfSimulation: [String] {
    faults.isEmpty ? [] : ["injected faults, which only simulation supports (--system simulated)"]
  }

  /// Whether the scheduler's identifier of a job is needed after its submission.
  package var namesSubmittedJobs: Bool { hasDependencies || jobs.contains { $0.cancel != nil } }

  /// Numbers of the streams whose batch is fail-fast.
  package var failFastBatches: Set<UInt32> {
    Set(
      streams.indices.filter { if case .batch(true) = streams[$0].arrivals { true } else { false } }.map(UInt32.init))
  }

  /// Whether any stream has open arrivals, independent of job completion.
  package var hasOpenArrivals: Bool {
    streams.contains { if case .closed = $0.arrivals { false } else { true } }
  }

  /// The end of the stage with the highest rate, from the start of the run, if a lower stage follows; nil: there is
  /// none.
  package var peakEnd: Nanoseconds? {
    var peaks: [(rate: Rate, end: Nanoseconds)] = []
    for stream in streams {
      guard case .stages(let stages) = stream.arrivals else { continue }
      var (now, ends) = (stream.start, [Nanoseconds]())
      for stage in stages {
        now += stage.duration
        ends.append(now)
      }
      guard let highest = stages.map(\.rate).max(), let last = stages.lastIndex(where: { $0.rate == highest }),
        last + 1 < stages.count
      else { continue }
      peaks.append((highest, ends[last]))
    }
    return peaks.max { $0.rate < $1.rate }?.end
  }

  /// Whether any stream has clients that await their jobs.
  package var hasClosedArrivals: Bool {
    streams.contains { if case .closed = $0.arrivals { true } else { false } }
  }
}

extension JobSpec {
  /// The time limit of an attempt under a scheduler's settings; nil: none.
  package func timeout(under settings: SchedulerSettings) -> Nanoseconds? {
    isUntimed ? nil : timeout ?? settings.timeout
  }

  /// The pool of the job: as configured, otherwise threads for computing work and tasks for waiting work.
  package var resolvedPool: PoolID {
    if let pool { return pool }
    switch work {
    case .spin, .memory: return .thread
    case .sleep, .sqlite, .subprocess, .events, .cycles: return .async
    }
  }
}

extension JobTypeConfiguration {
  /// Converts a job type of a scenario to the scheduler's settings.
  package init(_ spec: JobSpec) {
    self.init(
      name: spec.name, priority: spec.priority, pool: spec.resolvedPool,
      timeout: (spec.isUntimed ? Nanoseconds(.max) : spec.timeout)?.duration,
      retry: spec.retry,
      concurrency: spec.concurrency, rate: spec.rate, memory: spec.memory, deadline: spec.deadline?.duration,
      expectedService: spec.expectedService.hint?.duration, weight: spec.weight)
  }
}

extension ExpectedService {
  /// The expected service time, if it is the same for all jobs of the type.
  var hint: Nanoseconds? {
    switch self {
    case .learnt, .exact: nil
    case .told(let time): time
    }
  }
}

extension SchedulerConfiguration {
  /// Converts a scenario's settings for the scheduler.
  package init(_ scenario: Scenario, seed: UInt64) {
    self.init()
    let settings = scenario.scheduler
    policy = settings.policy
    asyncPool = PoolConfiguration(
      workers: settings.workers, concurrency: settings.concurrency, rate: settings.rate, adaptive: settings.adaptive,
      autoscaling: settings.autoscaling, codel: settings.codel)
    threadPool = asyncPool
    threadPool.workers = settings.threadWorkers ?? settings.workers
    // Do not start threads that are never used.
    if !scenario.jobs.contains(where: { $0.resolvedPool == .thread }) { threadPool.workers = 0 }
    queueCapacity = settings.queueCapacity
    whenFull = settings.whenFull
    retry = settings.retry
    timeout = settings.timeout?.duration
    memoryBudget = settings.memoryBudget
    tenants = settings.tenants
    // Settled jobs matter only as dependencies, which arrive together.
    retainedCount = scenario.namesSubmittedJobs ? 100_000 : 0
    deadLetterCount = retainedCount
    self.seed = seed
  }
}
