import CPlatform
import Logging
import TailraceCore
import TailraceMeasurement
import TailraceRuntime
import TailraceWorkload

/// This project's own scheduler, in real time.
package struct LiveSystem: ReplaySystem {
  package let name = "live"
  package init() {}

  /// It can do all that a scenario can ask for.
  package func lacks(_ scenario: Scenario) -> [String] { [] }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let scenario = replay.scenario
    // The scheduler's clock reads start a moment before the first arrival, so that the generator is at its post.
    let origin = MonotonicClock.now() + .milliseconds(20)
    let configuration = SchedulerConfiguration(scenario, seed: replay.tape.seed)
    let shards = 2 + PoolID.allCases.reduce(0) { $0 + configuration[$1].workers }
    let observer = ReplayObserver(shards: shards, replay: replay, origin: origin)
    var logger = Logger(label: "tailrace.scheduler")
    // A replay's failures are intended; its report counts them.
    logger.logLevel = .critical
    let scheduler = Scheduler(configuration, observer: observer, logger: logger)
    let engine = WorkEngine(sleeper: scheduler.timer, database: replay.database, calibration: replay.calibration)
    let types = try scenario.jobs.indices.map { try register($0, replay: replay, engine: engine, on: scheduler) }
    scheduler.start()
    let sink = LiveSink(scheduler, types: types, scenario: scenario)
    let generator = LoadGenerator(replay, origin: origin, sink: sink) { observer.recordOne($0, shard: shards - 1) }
    let meters = RunMeters(replay.meter)
    await DedicatedThread.run { generator.run() }
    sink.sealBatches()
    let allowed = replay.interruption.isSet ? replay.grace : scenario.drain
    let shutdown = await waitForEnd(scheduler, within: allowed, replay: replay)
    let ended = MonotonicClock.now()
    await engine.close()
    let gauges = scheduler.metrics().gauges
    var observations = meters.observations(settled: gauges.admitted)
    observations.isOpenLoop = scenario.hasOpenArrivals
    observations.generatorLateness = generator.ownLateness
    observations.heldBack = generator.timeHeldBack
    observations.observedFor = ended - origin
    observations.meanJobsInSystem = Reading(gauges.jobSeconds / (ended - origin).seconds)
    observations.isInterrupted = replay.interruption.isSet || shutdown.cancelled > 0
    if let warm = generator.liveBytesWarm { observations.liveBytesWarm = Reading(Double(warm)) }
    let facts = RunFacts(
      intended: generator.intended,
      workers: PoolID.allCases.map { ($0, configuration[$0].workers) }, leftRunning: shutdown.leftRunning,
      startsWindow: replay.startsWindow
    ) { [sink] in sink.dependencies(of: $0) }
    return ReplayOutcome(recorder: observer.merged(), facts: facts, observations: observations)
  }

  /// Lets the jobs end by themselves, cut short by an interruption.
  private func waitForEnd(_ scheduler: Scheduler, within time: Nanoseconds, replay: Replay) async -> ShutdownReport {
    let deadline = MonotonicClock.now() + time
    let wasInterrupted = replay.interruption.isSet
    while MonotonicClock.now() < deadline, !scheduler.isAtRest, wasInterrupted || !replay.interruption.isSet {
      try? await scheduler.timer.sleep(until: min(deadline, MonotonicClock.now() + .milliseconds(2)))
    }
    let grace = replay.interruption.isSet && !wasInterrupted ? replay.grace : .zero
    return await scheduler.shutdown(grace: grace.duration, stopping: .seconds(2))
  }

  private func register(
    _ index: Int, replay: Replay, engine: WorkEngine, on scheduler: Scheduler
  ) throws -> JobTypeID {
    let spec = replay.scenario.jobs[index]
    let tape = replay.tape
    let meter = replay.meter
    let type = JobTypeConfiguration(
      name: spec.name, priority: spec.priority, pool: spec.resolvedPool, timeout: spec.timeout, retry: spec.retry,
      concurrency: spec.concurrency, rate: spec.rate, memory: spec.memory)
    let isSleep = spec.work == .sleep
    switch spec.resolvedPool {
    case .async:
      return try scheduler.register(type) { context in
        meter.enrollCurrentThread()
        let plan = tape.attempt(job: context.number, type: index, attempt: context.attempt)
        // A job that does nothing costs nothing but the scheduler.
        if isSleep, plan.service == .zero, plan.ending == .succeeds { return nil }
        try await engine.perform(
          spec.work, order: WorkOrder(tape, job: context.number, type: index, attempt: context.attempt, plan: plan))
        return nil
      }
    case .thread:
      return try scheduler.registerBlocking(type) { context in
        meter.enrollCurrentThread()
        let plan = tape.attempt(job: context.number, type: index, attempt: context.attempt)
        if isSleep, plan.service == .zero, plan.ending == .succeeds { return nil }
        try engine.performBlocking(
          spec.work, order: WorkOrder(tape, job: context.number, type: index, attempt: context.attempt, plan: plan)
        ) { context.isCancelled }
        return nil
      }
    }
  }
}

extension WorkOrder {
  init(_ tape: Tape, job: UInt64, type: Int, attempt: Int, plan: AttemptPlan) {
    self.init(job: job, plan: plan) { tape.cycleFails(job: job, type: type, attempt: attempt, cycle: $0) }
  }
}

extension WorkError: OutcomeError {
  package var attemptOutcome: AttemptOutcome { isTimeout ? .timedOut : isPermanent ? .failedPermanently : .failed }
}

extension TimerThread: PreciseSleeper {}

extension SchedulerConfiguration {
  /// A scenario's settings for the scheduler.
  package init(_ scenario: Scenario, seed: UInt64) {
    self.init()
    let settings = scenario.scheduler
    policy = settings.policy
    asyncPool = PoolConfiguration(workers: settings.workers, concurrency: settings.concurrency, rate: settings.rate)
    threadPool = PoolConfiguration(
      workers: settings.threadWorkers ?? settings.workers, concurrency: settings.concurrency, rate: settings.rate)
    // Threads that nothing will ever run on are not started.
    if !scenario.jobs.contains(where: { $0.resolvedPool == .thread }) { threadPool.workers = 0 }
    queueCapacity = settings.queueCapacity
    whenFull = settings.whenFull
    retry = settings.retry
    timeout = settings.timeout
    memoryBudget = settings.memoryBudget
    // Settled jobs matter only to those that depend on them, which arrive with them.
    retainedCount = scenario.hasDependencies || scenario.jobs.contains { $0.cancel != nil } ? 100_000 : 0
    self.seed = seed
  }
}

/// Hands a generator's jobs to the live scheduler.
final class LiveSink: JobSink, @unchecked Sendable {
  private let scheduler: Scheduler
  private let types: [JobTypeID]
  /// Whether identifiers are needed after submission.
  private let remembers: Bool
  /// Identifiers of recent jobs by their numbers on the tape; used by the generator's thread only.
  private var identifiers = RecentJobs()
  private var dependencyLists: [UInt64: [UInt64]] = [:]
  private var batches: [UInt32: BatchID] = [:]
  private var submissions: [JobSubmission] = []
  /// Streams whose batch ends with the first job that fails; a batch has its stream's number.
  private let failFast: Set<UInt32>

  init(_ scheduler: Scheduler, types: [JobTypeID], scenario: Scenario) {
    self.scheduler = scheduler
    self.types = types
    remembers = scenario.hasDependencies || scenario.jobs.contains { $0.cancel != nil } || scenario.hasClosedArrivals
    failFast = scenario.failFastBatches
    submissions.reserveCapacity(64)
  }

  func submit(_ jobs: [DueJob]) -> Nanoseconds {
    var heldBack = Nanoseconds.zero
    // A job's dependencies must have identifiers before it is submitted, so jobs with some go one at a time.
    var start = 0
    while start < jobs.count {
      var end = start + 1
      if jobs[start].job.dependencies.isEmpty {
        while end < jobs.count, jobs[end].job.dependencies.isEmpty { end += 1 }
      }
      heldBack += submit(jobs[start..<end])
      start = end
    }
    return heldBack
  }

  private func submit(_ jobs: ArraySlice<DueJob>) -> Nanoseconds {
    submissions.removeAll(keepingCapacity: true)
    for due in jobs { submissions.append(submission(due)) }
    var heldBack = Nanoseconds.zero
    var rest = submissions[...]
    while !rest.isEmpty {
      let offset = jobs.startIndex
      let (count, waiting) = scheduler.submit(rest) { index, admission in
        if remembers { remember(jobs[offset + index].job, admission) }
      }
      if let waiting {
        let start = MonotonicClock.now()
        scheduler.waitForRoom(waiting)
        let now = MonotonicClock.now()
        heldBack += now - start
        // Whoever is behind the one that waited is submitted only now.
        for index in (rest.startIndex + count)..<rest.endIndex { submissions[index].submitted = now }
        rest = submissions[(rest.startIndex + count)...]
      } else {
        rest = rest.dropFirst(count)
      }
    }
    for due in jobs { if let action = due.onSettled { watch(due.job, action) } }
    return heldBack
  }

  private func submission(_ due: DueJob) -> JobSubmission {
    var submission = JobSubmission(
      type: types[due.job.type], tag: due.job.index, intended: due.intended, submitted: due.submitted,
      priority: due.job.priority, delay: due.job.delay)
    if !due.job.dependencies.isEmpty {
      submission.dependencies = due.job.dependencies.map { identifiers[$0] ?? .refused }
      dependencyLists[due.job.index] = due.job.dependencies
    }
    if let batch = due.job.batch, failFast.contains(batch) {
      let id = batches[batch] ?? scheduler.openBatch(failFast: true)
      batches[batch] = id
      submission.batch = id
    }
    return submission
  }

  private func remember(_ job: TapeJob, _ admission: Admission) {
    switch admission {
    case .accepted(let id), .waiting(let id): identifiers[job.index] = id
    case .refused: identifiers[job.index] = .refused
    }
  }

  private func watch(_ job: TapeJob, _ action: @escaping @Sendable () -> Void) {
    guard let id = identifiers[job.index], id != .refused else { return action() }
    scheduler.onSettled(id, action)
  }

  func cancel(_ job: UInt64) {
    if let id = identifiers[job], id != .refused { scheduler.cancel(id) }
  }

  /// No more jobs come.
  func sealBatches() {
    for batch in batches.keys.sorted() { scheduler.sealBatch(batches[batch]!) }
  }

  /// For checking starts against the ends of dependencies, once the run is over.
  func dependencies(of job: UInt64) -> [UInt64] { dependencyLists[job] ?? [] }
}

/// Identifiers of the jobs that were submitted last: enough for dependencies, which arrive together, and for
/// cancellations soon after.
struct RecentJobs {
  private static let limit = 1 << 17
  private var entries: [UInt64: JobID] = [:]
  private var order: [UInt64] = []
  private var oldest = 0

  subscript(job: UInt64) -> JobID? {
    get { entries[job] }
    set {
      if entries.updateValue(newValue!, forKey: job) == nil {
        if order.count < Self.limit {
          order.append(job)
        } else {
          entries[order[oldest]] = nil
          order[oldest] = job
          oldest = (oldest + 1) % Self.limit
        }
      }
    }
  }
}
