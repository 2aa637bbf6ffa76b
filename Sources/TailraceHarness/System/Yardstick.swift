import Synchronization
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// The common part of replaying a plain mix on the platform's systems: running a job and recording it.
final class YardstickRun: Sendable {
  let replay: Replay
  let engine: WorkEngine
  private let observer: ReplayObserver
  private let lock = Lock()
  private let settled = Atomic<Int>(0)
  private let submitted = Atomic<Int>(0)
  private let running = Atomic<Int>(0)
  let timer = TimerThread()

  init(_ replay: Replay, origin: Instant) {
    self.replay = replay
    engine = WorkEngine(
      sleeper: timer, database: replay.database, calibration: replay.calibration,
      backendCapacity: replay.scenario.backendCapacity)
    observer = ReplayObserver(shards: 1, replay: replay, origin: origin)
    timer.start()
  }

  /// Submitted jobs that have not settled.
  var unsettled: Int { submitted.load(ordering: .acquiring) - settled.load(ordering: .acquiring) }
  /// Jobs whose handlers were called and have not returned.
  var occupied: Int { running.load(ordering: .acquiring) }
  var intended: Int { submitted.load(ordering: .acquiring) }
  func noteSubmitted() { submitted.add(1, ordering: .relaxed) }

  /// Runs a job on a task.
  func perform(_ due: DueJob) async {
    running.add(1, ordering: .relaxed)
    replay.meter.enrollCurrentThread()
    let started = MonotonicClock.now()
    let (plan, work) = plan(due)
    var outcome = AttemptOutcome.succeeded
    if !isNothing(plan, work) {
      do { try await engine.perform(work, order: order(due, plan)) } catch { outcome = Self.outcome(error) }
    }
    finish(due, started: started, outcome: outcome)
  }

  /// Runs a job on the calling thread.
  func performBlocking(_ due: DueJob) {
    running.add(1, ordering: .relaxed)
    replay.meter.enrollCurrentThread()
    let started = MonotonicClock.now()
    let (plan, work) = plan(due)
    var outcome = AttemptOutcome.succeeded
    if !isNothing(plan, work) {
      do { try engine.performBlocking(work, order: order(due, plan)) } catch { outcome = Self.outcome(error) }
    }
    finish(due, started: started, outcome: outcome)
  }

  private func plan(_ due: DueJob) -> (AttemptPlan, Work) {
    (
      replay.tape.attempt(job: due.job.number, type: due.job.type, attempt: 1),
      replay.scenario.jobs[due.job.type].work
    )
  }

  private func isNothing(_ plan: AttemptPlan, _ work: Work) -> Bool {
    work == .sleep && plan.service == .zero && plan.ending == .succeeds
  }

  private func order(_ due: DueJob, _ plan: AttemptPlan) -> WorkOrder {
    WorkOrder(replay.tape, job: due.job.number, type: due.job.type, attempt: 1, plan: plan)
  }

  private static func outcome(_ error: any Error) -> AttemptOutcome {
    (error as? WorkError)?.attemptOutcome ?? .failed
  }

  private func finish(_ due: DueJob, started: Instant, outcome: AttemptOutcome) {
    let finished = MonotonicClock.now()
    var record = TimelineRecord(
      number: due.job.number, type: JobTypeID(rawValue: UInt16(due.job.type)), priority: due.job.priority,
      intended: due.intended)
    record.submitted = due.submitted
    // These systems do not report admission: a job counts as queued as soon as it is submitted.
    record.accepted = due.submitted
    record.eligible = due.submitted
    record.started = started
    record.finished = finished
    record.outcome = outcome
    record.settles = true
    record.cause = outcome.settlement(mayRetry: false)!
    lock.withLock { observer.recordOne(record, shard: 0) }
    due.onSettled?()
    running.subtract(1, ordering: .releasing)
    settled.add(1, ordering: .releasing)
  }

  /// Generates the load, waits for its end, and makes the result.
  ///
  /// - Throws: ``DedicatedThread/Refused``; the run is closed then.
  func generate(into sink: any JobSink, origin: Instant) async throws -> ReplayOutcome {
    let lock = lock
    let observer = observer
    let generator = LoadGenerator(replay, origin: origin, sink: sink) { record in
      lock.withLock { observer.recordOne(record, shard: 0) }
    }
    // Weakly: the replay, which the run holds, holds the progress.
    replay.progress?.ask { [weak self] in
      guard let self else { return JobCounts(waiting: 0, running: 0) }
      let running = occupied
      return JobCounts(waiting: max(0, unsettled - running), running: running)
    }
    let meters = RunMeters(replay.meter)
    do {
      if let error = timer.refused { throw DedicatedThread.Refused(error: error) }
      try await DedicatedThread.run { generator.run() }
    } catch {
      await close()
      throw error
    }
    await waitForEnd()
    let ended = MonotonicClock.now()
    let left = unsettled
    let stillRunning = min(occupied, left)
    let work = engine.statistics
    let expense = meters.expense()
    // From here on, records of jobs that are still running are dropped.
    let recorder = lock.withLock { observer.merged() }
    var observations = expense.observations(
      settled: recorder.endedJobs, liveBytesWarm: generator.liveBytesWarm, work: work)
    observations.isOpenLoop = replay.scenario.hasOpenArrivals
    observations.generatorLateness = generator.ownLateness
    observations.observedFor = ended - origin
    observations.meanJobsInSystem = .unavailable("this system does not count its jobs")
    observations.isInterrupted = replay.interruption.isSet
    observations.failures = engine.failures.reasons
    if left > 0 { observations.cutOff = left }
    let facts = RunFacts(
      intended: generator.intended, unsettled: left, leftRunning: stillRunning, startsWindow: replay.startsWindow)
    return ReplayOutcome(recorder: recorder, facts: facts, observations: observations)
  }

  /// Waits for the jobs to end; after an interruption, at most for the grace period.
  private func waitForEnd() async {
    var wasInterrupted = replay.interruption.isSet
    var deadline = MonotonicClock.now() + (wasInterrupted ? replay.grace : replay.scenario.drain)
    while unsettled > 0, MonotonicClock.now() < deadline {
      if !wasInterrupted, replay.interruption.isSet {
        wasInterrupted = true
        deadline = min(deadline, MonotonicClock.now() + replay.grace)
      }
      try? await timer.sleep(until: min(deadline, MonotonicClock.now() + .milliseconds(1)))
    }
  }

  /// Ends what the run has started.
  func close() async {
    await engine.close()
    timer.stop()
  }
}

extension ReplaySystem {
  /// The needs of a scenario that a plain queue of work does not meet.
  func plainLacks(_ scenario: Scenario, _ interruption: StopFlag) -> [String] {
    scenario.needs(tape: Tape(scenario: scenario, seed: 0) { interruption.isSet })
  }

  /// What such a queue asks for: as many attempts at once as there are workers, on this many threads at most.
  func plainDemand(_ scenario: Scenario, threads: Int) -> RunDemand {
    var demand = RunDemand()
    let workers = scenario.scheduler.workers
    demand.attempts = [threads == 0 ? .async : .thread: workers]
    demand.workerThreads = min(workers, threads, RunNeeds.dispatchThreads)
    demand.recorders = 1
    return demand
  }
}
