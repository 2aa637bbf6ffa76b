import TailraceCore

extension Scenario {
  /// The log whose jobs are replayed; nil: jobs are drawn.
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

  /// What it asks of a system that only a simulation can do, in words.
  package var needsOfSimulation: [String] {
    faults.isEmpty ? [] : ["injected faults, which only a simulation can undergo (--system simulated)"]
  }

  /// Whether a job's number must lead to the scheduler's identifier for it after its submission.
  package var namesSubmittedJobs: Bool { hasDependencies || jobs.contains { $0.cancel != nil } }

  /// Numbers of the streams whose batch ends with the first job that fails.
  package var failFastBatches: Set<UInt32> {
    Set(
      streams.indices.filter { if case .batch(true) = streams[$0].arrivals { true } else { false } }.map(UInt32.init))
  }

  /// Whether any stream's jobs come on a schedule of their own.
  package var hasOpenArrivals: Bool {
    streams.contains { if case .closed = $0.arrivals { false } else { true } }
  }

  /// When the highest stage of the load is over, from the start of the run, where a lower one follows; nil: there is no
  /// such stage.
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
  /// What an attempt may take under a scheduler's settings; nil: for ever.
  package func timeout(under settings: SchedulerSettings) -> Nanoseconds? {
    isUntimed ? nil : timeout ?? settings.timeout
  }

  /// The pool that runs it: as asked for, else threads for what computes and tasks for what waits.
  package var resolvedPool: PoolID {
    if let pool { return pool }
    switch work {
    case .spin, .memory: return .thread
    case .sleep, .sqlite, .subprocess, .events, .cycles: return .async
    }
  }
}

extension JobTypeConfiguration {
  /// A scenario's job type as the scheduler knows it.
  package init(_ spec: JobSpec) {
    self.init(
      name: spec.name, priority: spec.priority, pool: spec.resolvedPool,
      timeout: spec.isUntimed ? Nanoseconds(.max) : spec.timeout,
      retry: spec.retry,
      concurrency: spec.concurrency, rate: spec.rate, memory: spec.memory, deadline: spec.deadline,
      expectedService: spec.expectedService.hint, weight: spec.weight)
  }
}

extension ExpectedService {
  /// What the scheduler is told once for all jobs of the type.
  var hint: Nanoseconds? {
    switch self {
    case .learnt, .exact: nil
    case .told(let time): time
    }
  }
}

extension SchedulerConfiguration {
  /// A scenario's settings for the scheduler.
  package init(_ scenario: Scenario, seed: UInt64) {
    self.init()
    let settings = scenario.scheduler
    policy = settings.policy
    asyncPool = PoolConfiguration(
      workers: settings.workers, concurrency: settings.concurrency, rate: settings.rate, adaptive: settings.adaptive,
      autoscaling: settings.autoscaling, controlledDelay: settings.controlledDelay)
    threadPool = asyncPool
    threadPool.workers = settings.threadWorkers ?? settings.workers
    // Threads that nothing will ever run on are not started.
    if !scenario.jobs.contains(where: { $0.resolvedPool == .thread }) { threadPool.workers = 0 }
    queueCapacity = settings.queueCapacity
    whenFull = settings.whenFull
    retry = settings.retry
    timeout = settings.timeout
    memoryBudget = settings.memoryBudget
    tagKeys = settings.tags
    // Settled jobs matter only to those that depend on them, which arrive with them.
    retainedCount = scenario.namesSubmittedJobs ? 100_000 : 0
    deadLetterCount = retainedCount
    self.seed = seed
  }
}
