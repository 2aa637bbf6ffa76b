import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// Runs one job at a time in the order of the tape, without a scheduler. It is the baseline of speedups.
///
/// A job that arrives while another runs waits in an unbounded backlog. A retry follows its attempt directly, after its
/// backoff, during which nothing else runs. A job is cancelled if a dependency did not complete, or if its submitter
/// cancels it before its turn.
package struct SequentialSystem: ReplaySystem {
  package let name = "sequential"
  package let summary = "One job at a time, without a scheduler: the baseline of speedups."
  package let runsOneAtATime = true
  package let heeds: Set<ReplaySetting> = []
  package init() {}

  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] {
    scenario.lacksForOneAtATime + scenario.needsOfSimulation
  }

  package func demand(of scenario: Scenario) -> RunDemand {
    var demand = RunDemand()
    demand.attempts = [.thread: 1]
    demand.workerThreads = 1
    demand.recorders = 1
    return demand
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let origin = MonotonicClock.now() + .milliseconds(5)
    let timer = TimerThread()
    let timerError = timer.start()
    guard timerError == 0 else {
      timer.stop()
      throw DedicatedThread.Refused(error: timerError)
    }
    let engine = WorkEngine(
      sleeper: timer, database: replay.database, calibration: replay.calibration,
      backendCapacity: replay.scenario.backendCapacity)
    defer { engine.endChildren() }
    let observer = ReplayObserver(shards: 1, replay: replay, origin: origin)
    let meters = RunMeters(replay.meter)
    let turn = SequentialRun(replay, origin: origin, engine: engine, observer: observer)
    let refused: DedicatedThread.Refused?
    do throws(DedicatedThread.Refused) {
      try await DedicatedThread.run { turn.run() }
      refused = nil
    } catch {
      refused = error
    }
    let work = engine.statistics
    await engine.close()
    timer.stop()
    if let refused { throw refused }
    let expense = meters.expense()
    let recorder = observer.merged()
    var observations = expense.observations(
      settled: recorder.endedJobs, liveBytesWarm: turn.liveBytesWarm, work: work)
    // There is no generator: each job starts when the previous one is done.
    observations.isOpenLoop = false
    observations.observedFor = MonotonicClock.now() - origin
    observations.meanJobsInSystem = .unavailable("no scheduler counts jobs in a sequential run")
    observations.isInterrupted = replay.interruption.isSet
    observations.failures = engine.failures.reasons
    let facts = RunFacts(intended: turn.intended, workers: [(.async, 1)], startsWindow: replay.startsWindow) {
      turn.dependencyLists[$0] ?? []
    }
    return ReplayOutcome(recorder: recorder, facts: facts, observations: observations)
  }
}

/// The one worker of a sequential run.
private final class SequentialRun: @unchecked Sendable {
  private let replay: Replay
  private let origin: Instant
  private let engine: WorkEngine
  private let observer: ReplayObserver
  private(set) var intended = 0
  private(set) var liveBytesWarm: UInt64?
  private(set) var dependencyLists: [UInt64: [UInt64]] = [:]
  /// Jobs that others may depend on and that did not complete.
  private var failed: Set<UInt64> = []
  private var failedBatches: Set<UInt32> = []
  private let failFast: Set<UInt32>

  init(_ replay: Replay, origin: Instant, engine: WorkEngine, observer: ReplayObserver) {
    self.replay = replay
    self.origin = origin
    self.engine = engine
    self.observer = observer
    failFast = replay.scenario.failFastBatches
  }

  func run() {
    FineTimer.enable()
    replay.meter.enrollCurrentThread()
    var pacer = Pacer(pacing: .hybrid, stop: replay.interruption)
    let warm = origin + replay.scenario.warmup
    var cursor = replay.tape.makeCursor()
    while let job = cursor.next() {
      let arrival = origin + Nanoseconds(job.intended.nanoseconds)
      guard pacer.wait(until: arrival + job.delay) else { return }
      if liveBytesWarm == nil, MonotonicClock.now() >= warm { liveBytesWarm = replay.meter.liveBytes() }
      intended += 1
      if !job.dependencies.isEmpty { dependencyLists[job.number] = job.dependencies }
      settle(job, arrival: arrival)
      replay.progress?.submitted(1, reached: Nanoseconds(job.intended.nanoseconds))
    }
  }

  private func settle(_ job: TapeJob, arrival: Instant) {
    var record = TimelineRecord(
      number: job.number, type: JobTypeID(rawValue: UInt16(job.type)), priority: job.priority, intended: arrival)
    record.submitted = arrival
    record.accepted = arrival
    record.eligible = arrival + job.delay
    let cancelAt = job.cancelAfter.map { arrival + $0 }
    let now = MonotonicClock.now()
    if let cause = refusal(job, cancelAt: cancelAt, now: now) {
      record.finished = max(now, record.eligible)
      record.settles = true
      record.cause = cause
      emit(record)
      note(job, completed: false)
      return
    }
    while !runAttempt(&record, job, cancelAt: cancelAt) {}
    note(job, completed: record.cause == .succeeded)
    if record.cause != .succeeded, record.cause != .cancelled, let batch = job.batch { failedBatches.insert(batch) }
  }

  private func refusal(_ job: TapeJob, cancelAt: Instant?, now: Instant) -> SettlementCause? {
    if job.dependencies.contains(where: { failed.contains($0) }) { return .dependencyFailed }
    if let batch = job.batch, failFast.contains(batch), failedBatches.contains(batch) { return .batchFailed }
    if let cancelAt, now >= cancelAt { return .cancelled }
    return nil
  }

  private func note(_ job: TapeJob, completed: Bool) {
    if !completed, replay.scenario.hasDependencies { failed.insert(job.number) }
  }

  /// Runs one attempt and records it. Returns whether the job is settled.
  private func runAttempt(_ record: inout TimelineRecord, _ job: TapeJob, cancelAt: Instant?) -> Bool {
    let spec = replay.scenario.jobs[job.type]
    let plan = replay.tape.attempt(job: job.number, type: job.type, attempt: Int(record.attempt))
    let order = WorkOrder(replay.tape, job: job.number, type: job.type, attempt: Int(record.attempt), plan: plan)
    let started = MonotonicClock.now()
    let timeout = spec.timeout(under: replay.scenario.scheduler)
    let endAt = [timeout.map { started + $0 }, cancelAt].compactMap { $0 }.min()
    let interruption = replay.interruption
    var outcome = AttemptOutcome.succeeded
    do {
      try engine.performBlocking(spec.work, order: order) {
        interruption.isSet || endAt.map { MonotonicClock.now() >= $0 } ?? false
      }
    } catch let error as WorkError {
      outcome = error.attemptOutcome
    } catch is CancellationError {
      outcome = interruption.isSet || endAt == cancelAt && cancelAt != nil ? .cancelled : .timedOut
    } catch {
      outcome = .failed
    }
    let finished = MonotonicClock.now()
    record.worker = 0
    record.started = max(started, record.eligible)
    record.finished = max(finished, record.started)
    record.outcome = outcome
    let policy = spec.retry ?? replay.scenario.scheduler.retry
    if let verdict = outcome.settlement(mayRetry: Int(record.attempt) <= policy.limit) {
      record.settles = true
      record.cause = verdict == .cancelled && replay.interruption.isSet ? .stopped : verdict
    }
    emit(record)
    guard !record.settles else { return true }
    let wait = policy.wait(beforeRetry: Int(record.attempt), seed: replay.tape.seed, number: job.number)
    record.previousFinished = record.finished
    record.eligible = record.finished + wait
    record.attempt += 1
    var pacer = Pacer(pacing: .sleep, stop: replay.interruption)
    _ = pacer.wait(until: record.eligible)
    return false
  }

  private func emit(_ record: TimelineRecord) { observer.recordOne(record, shard: 0) }
}
