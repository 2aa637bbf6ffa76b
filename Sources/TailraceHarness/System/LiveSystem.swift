import CPlatform
import Logging
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceRuntime
import TailraceWorkload

/// This project's own scheduler, in real time.
package struct LiveSystem: ReplaySystem {
  package let name = "live"
  package let summary = "Tailrace's own scheduler, in real time."
  package init() {}

  /// It supports every scenario that a real system can run.
  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] { scenario.needsOfSimulation }

  package func demand(of scenario: Scenario) -> RunDemand {
    let configuration = SchedulerConfiguration(scenario, seed: 0)
    var demand = RunDemand()
    for pool in Set(scenario.jobs.map(\.resolvedPool)) { demand.attempts[pool] = configuration[pool].workers }
    demand.workerThreads = configuration[.thread].workers
    demand.recorders = 2 + PoolID.allCases.reduce(0) { $0 + configuration[$1].workers }
    if demand.attempts[.async] == nil, scenario.scheduler.threadWorkers != nil {
      demand.setting = "scheduler.thread_workers"
    }
    return demand
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let scenario = replay.scenario
    // Start the clock a moment before the first arrival, so that the generator is ready.
    let origin = MonotonicClock.now() + .milliseconds(20)
    let configuration = SchedulerConfiguration(scenario, seed: replay.tape.seed)
    let shards = 2 + PoolID.allCases.reduce(0) { $0 + configuration[$1].workers }
    let observer = ReplayObserver(shards: shards, replay: replay, origin: origin)
    var logger = Logger(label: "tailrace.scheduler")
    // A replay's failures are intended; its report counts them.
    logger.logLevel = .critical
    let scheduler = try Scheduler(configuration, observer: observer, logger: logger)
    let engine = WorkEngine(
      sleeper: scheduler.timer, database: replay.database, calibration: replay.calibration,
      backendCapacity: replay.scenario.backendCapacity)
    defer { engine.endChildren() }
    let types = try scenario.jobs.indices.map { try register($0, replay: replay, engine: engine, on: scheduler) }
    scheduler.start()
    do {
      if let missing = scheduler.missingThreads { throw ThreadsRefused(missing) }
      return try await drive(scheduler, replay, engine: engine, types: types, observer: observer, origin: origin)
    } catch {
      // Nothing of this run may continue during the next one.
      await scheduler.shutdown(grace: .zero, stopping: .seconds(2))
      await engine.close()
      throw error
    }
  }

  /// Generates the load, waits for its end, and makes the result.
  private func drive(
    _ scheduler: Scheduler, _ replay: Replay, engine: WorkEngine, types: [JobTypeID], observer: ReplayObserver,
    origin: Instant
  ) async throws -> ReplayOutcome {
    let scenario = replay.scenario
    let configuration = scheduler.configuration
    replay.progress?.ask { JobCounts(scheduler.gauges) }
    let sink = LiveSink(scheduler, types: types, scenario: scenario, interruption: replay.interruption)
    let generator = LoadGenerator(replay, origin: origin, sink: sink) {
      observer.recordOne($0, shard: observer.shards - 1)
    }
    let meters = RunMeters(replay.meter)
    try await DedicatedThread.run { generator.run() }
    sink.sealBatches()
    let allowed = replay.interruption.isSet ? replay.grace : scenario.drain
    let shutdown = await waitForEnd(scheduler, within: allowed, replay: replay)
    let ended = MonotonicClock.now()
    let work = engine.statistics
    await engine.close()
    let gauges = scheduler.metrics().gauges
    let expense = meters.expense()
    // From here on, records of handlers that are still running are dropped.
    let recorder = observer.merged()
    var observations = expense.observations(
      settled: recorder.endedJobs, liveBytesWarm: generator.liveBytesWarm, work: work)
    observations.isOpenLoop = scenario.hasOpenArrivals
    observations.generatorLateness = generator.ownLateness
    observations.heldBack = generator.timeHeldBack
    observations.observedFor = ended - origin
    observations.meanJobsInSystem = Reading(gauges.jobSeconds / (ended - origin).seconds)
    observations.isInterrupted = replay.interruption.isSet
    observations.failures = engine.failures.reasons
    let unsettled = gauges.inSystem + gauges.waitingForRoom
    // Jobs settled by the stop had not settled on their own either.
    let cutOff = shutdown.cancelled + unsettled
    if cutOff > 0 { observations.cutOff = cutOff }
    let facts = RunFacts(
      intended: generator.intended,
      workers: PoolID.allCases.map { ($0, configuration[$0].workers) }, unsettled: unsettled,
      leftRunning: shutdown.leftRunning, startsWindow: replay.startsWindow
    ) { [sink] in sink.dependencies(of: $0) }
    return ReplayOutcome(recorder: recorder, facts: facts, observations: observations)
  }

  /// Waits for the jobs to end, or for an interruption.
  private func waitForEnd(_ scheduler: Scheduler, within time: Nanoseconds, replay: Replay) async -> ShutdownReport {
    let deadline = MonotonicClock.now() + time
    let wasInterrupted = replay.interruption.isSet
    while MonotonicClock.now() < deadline, !scheduler.isAtRest, wasInterrupted || !replay.interruption.isSet {
      try? await scheduler.timer.sleep(until: min(deadline, MonotonicClock.now() + .milliseconds(2)))
    }
    let grace = replay.interruption.isSet && !wasInterrupted ? replay.grace : .zero
    // After an interruption, the rest of the two seconds after the grace period is reserved for the report.
    return await scheduler.shutdown(
      grace: grace.duration, stopping: replay.interruption.isSet ? .milliseconds(700) : .seconds(2))
  }

  private func register(
    _ index: Int, replay: Replay, engine: WorkEngine, on scheduler: Scheduler
  ) throws -> JobTypeID {
    let spec = replay.scenario.jobs[index]
    let tape = replay.tape
    let meter = replay.meter
    let type = JobTypeConfiguration(spec)
    let isSleep = spec.work == .sleep
    switch spec.resolvedPool {
    case .async:
      return try scheduler.register(type) { context in
        meter.enrollCurrentThread()
        let plan = tape.attempt(job: context.number, type: index, attempt: context.attempt)
        // A job without work measures only the scheduler.
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

/// The system provided fewer workers than the scenario requires, so the figures would not be valid for it.
struct ThreadsRefused: Error, CustomStringConvertible {
  let description: String

  init(_ missing: HealthReason) { description = "the run did not start: \(missing)" }
}
