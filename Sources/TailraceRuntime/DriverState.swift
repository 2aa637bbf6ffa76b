import Synchronization
import TailraceCore
import TailracePlatform

/// A handler as the workers call it.
enum Handler: Sendable {
  case async(@Sendable (JobContext) async throws -> (any Sendable)?)
  case blocking(@Sendable (JobContext) throws -> (any Sendable)?)
  /// Of a parked type, none of whose jobs starts.
  case unregistered

  @inline(__always)
  var isUnregistered: Bool { if case .unregistered = self { true } else { false } }
}

/// Whoever waits for a job: for its admission or for its end.
///
/// All of it is under the scheduler's lock. What is replaced goes to ``DriverState/departures``.
final class JobWatch: @unchecked Sendable {
  var onAdmission: (@Sendable () -> Void)?
  var onSettled = SettlementWaiters()
  var tags: [String] = []
  /// How the last attempt ended, where it left a value or an error.
  var ending: AttemptResult?
  /// The attempt that ``ending`` is of.
  var endedAttempt: UInt16 = 0
  /// The last attempt's error, where the type's recovery supplied a result in its place.
  var recoveredFrom: (any Error)?
  /// The attempts that are over, the latest ones, where they are remembered.
  var attempts: [JobAttempt] = []
  var forgottenAttempts = 0
  /// What the value in ``ending`` measures.
  var valueBytes = 0
  /// Whether that value is among the results that are kept.
  var isKept = false
  /// Whether it was, or was not to be kept at all.
  var isValueDropped = false
  /// Whether a handle holds it, or did.
  var isHeld = false
  /// How the job settled; only where it is held.
  var settlement: (state: JobState, cause: SettlementCause, attempts: Int)?
  /// By how many bytes the process grew during an attempt, where that is measured.
  var residentDelta: (attempt: UInt16, bytes: Int)?

  /// What the last attempt threw. Its description is the user's: it is asked for outside the lock only.
  var failure: (any Error)? {
    if case .error(let error) = ending { error } else { nil }
  }
}

/// What the driver keeps about a job beside what the core keeps: its place in the table is the core's.
struct JobEntry {
  var payload: (any Sendable)?
  var watch: JobWatch?
}

/// Everything behind the scheduler's lock.
struct DriverState: ~Copyable {
  var core: SchedulerCore
  let time: TimerThread
  var entries: ContiguousArray<JobEntry> = []
  var typeNames: [String] = []
  var typeIDs: [String: JobTypeID] = [:]
  /// Types that the observer is being told of: they are in every table but ``typeIDs``.
  var unannounced: [String: JobTypeID] = [:]
  /// By job type: what its handler takes; nil: anything.
  var parameters: [(any Job.Type)?] = []
  /// Replaced as a whole, by one with as many places, to drop what was registered.
  var handlers = HandlerTable()
  /// By the names of job types; see ``Scheduler/validates``.
  var validators: [String: JobValidation] = [:]
  /// Types that nothing is registered for.
  var parkedTypes = ParkedTypes()
  var submissionMiddleware: [any SubmissionMiddleware] = []
  let directory = TypeDirectory()
  /// nil: there is none, or the scheduler has let go of it.
  var observer: (any TimelineObserver)?
  var observation: Observation
  var evidence: [EvidenceLog] = []
  var workers: [[Worker]]
  /// By pool: places of workers that may take a stuck one's.
  var spares: [[UInt16]]
  /// Records of facts that no worker reports, on their way to the observer.
  var pendingRecords: [TimelineRecord] = []
  /// Whether a thread hands them over.
  var isDelivering = false
  /// Who waits until all are handed over.
  var onDelivered: [UnsafeContinuation<Void, Never>] = []
  /// Who waits until the batch is handed over that is under way.
  var onBatchDelivered: [UnsafeContinuation<Void, Never>] = []
  var results: KeptResults
  /// What is released once the lock is free.
  var departures = Departures()
  var attempts = 0
  var serviceTime = Nanoseconds.zero
  var onDrained: [@Sendable () -> Void] = []
  /// By batch and by the number of the wait.
  var onBatchSettled: [UInt32: [UInt64: @Sendable () -> Void]] = [:]
  /// Since when jobs are started; nil before.
  var startInstant: Instant?
  /// Whether a shutdown was requested.
  var isShuttingDown = false
  /// Whether everything of the user's that is called was let go of; see ``letGo()``.
  var hasLetGo = false
  /// Whether that is left to the last worker to end.
  var letsGoWithWorkers = false
  /// Whether idle workers end.
  var isStopping = false
  /// Jobs that a shutdown cancelled.
  var stoppedJobs = 0
  /// Submissions that were refused since a shutdown had begun.
  var refusedSubmissions = 0
  /// The number of the last wait of a handler.
  var waitNumber: UInt64 = 0
  /// Workers whose loop has not ended.
  var liveWorkers = 0
  var absentWorkers = AbsentWorkers()
  var onNoWorkers: [@Sendable () -> Void] = []
  var timerOrders: UInt64 = 0
  /// By place; empty while there never was one.
  var schedules: ContiguousArray<ScheduleEntry?> = []
  /// By name.
  var scheduleIDs: [String: ScheduleID] = [:]
  /// What the wall clock shows at an instant. That of virtual time moves with it. Tests set another one.
  var wallClock: @Sendable (Instant) -> UnixTime = { WallClock.at($0) }
  /// What the core was last told: wall-clock nanoseconds less those of the monotonic clock.
  var wallOffset: Int64?
  /// Whether the wall clock is read again and again.
  var isWatchingWallClock = false
  /// The number of the next job that is submitted without one of its own.
  var nextNumber: UInt64 = 0

  init(
    _ core: consuming SchedulerCore, attemptsRemembered: Int = 0,
    results: ResultRetention = .standard, time: TimerThread
  ) {
    self.results = KeptResults(results)
    let configuration = core.configuration
    self.core = core
    self.core.reportsStarts = true
    self.time = time
    observation = Observation(attemptsRemembered: attemptsRemembered)
    observation.fixedOffset = time.virtualStart?.nanoseconds
    if let start = time.virtualStart { wallClock = { start + ($0 - .zero) } }
    self.core.startIdentifiers(at: .random(in: 0...(.max)))
    var shard = 1
    let directory = directory
    spares = PoolID.allCases.map { pool in
      let own = configuration[pool].workers
      return (own..<configuration.places(in: pool)).reversed().map { UInt16($0) }
    }
    workers = PoolID.allCases.map { pool in
      (0..<configuration.places(in: pool)).map { index in
        defer { shard += 1 }
        return Worker(pool: pool, index: UInt16(index), shard: shard, directory: directory, time: time)
      }
    }
  }

  @inline(__always)
  mutating func keep(_ payload: (any Sendable)?, _ watch: JobWatch?, for id: JobID) {
    guard payload != nil || watch != nil else { return }
    grow(to: id.slot)
    release(id.slot)
    entries[id.slot].payload = payload
    entries[id.slot].watch = watch
  }

  @inline(__always)
  private mutating func grow(to slot: Int) {
    while entries.count <= slot { entries.append(JobEntry()) }
  }

  mutating func watch(_ id: JobID) -> JobWatch {
    grow(to: id.slot)
    if let known = entries[id.slot].watch { return known }
    let fresh = JobWatch()
    entries[id.slot].watch = fresh
    return fresh
  }

  /// Carries out what can be done under the lock, and notes in `effects` what must wait until it is released.
  ///
  /// - Parameters:
  ///   - caller: the worker that reports; attempts handed to it need no wake-up.
  ///   - firstRecord: the first of the outbox's records that no earlier call has seen.
  mutating func distribute(
    _ outbox: inout Outbox, caller: Worker?, firstRecord: Int = 0, effects: inout Effects
  ) {
    if observation.isActive { observe(outbox, from: firstRecord, effects: &effects) }
    for index in outbox.orders.indices {
      switch outbox.orders[index] {
      case .startAttempt(let token): deliver(token, caller: caller, effects: &effects)
      case .stopAttempt(let token):
        if let stop = workers[Int(token.pool.rawValue)][Int(token.worker)].stop(token) { effects.stops.append(stop) }
      case .setTimer(let instant):
        timerOrders += 1
        effects.timer = (instant, timerOrders)
      case .releaseSubmitter(let id):
        if id.slot < entries.count, let watch = entries[id.slot].watch { effects.released.append(watch) }
      case .settleJob(let id, let state, let cause): settled(id, state, cause, effects: &effects)
      case .forgetJob(let id): forget(id)
      case .settleBatch(let id): effects.settledBatches.append(id)
      // Submitted once the lock is released, since middleware looks at the submission first.
      case .fireSchedule: break
      case .finishDraining: effects.drained = true
      }
    }
    outbox.orders.removeAll()
  }

  @inline(__always)
  private mutating func deliver(_ token: AttemptToken, caller: Worker?, effects: inout Effects) {
    let worker = workers[Int(token.pool.rawValue)][Int(token.worker)]
    let slot = token.job.slot
    if slot < entries.count, entries[slot].payload != nil {
      worker.inboxHasPayloads = true
      worker.inbox.append(Claimed(token: token, payload: entries[slot].payload))
    } else {
      worker.inbox.append(Claimed(token: token, payload: nil))
    }
    guard worker !== caller else { return }
    worker.hasMail.store(true, ordering: .releasing)
    guard worker.isParked else { return }
    worker.isParked = false
    if worker.pool == .thread {
      effects.wakeThreads.append(worker)
    } else if let parked = worker.parkedTask {
      worker.parkedTask = nil
      effects.wakeTasks.append(parked)
    }
  }

  @inline(__always)
  private mutating func settled(
    _ id: JobID, _ state: JobState, _ cause: SettlementCause, effects: inout Effects
  ) {
    // Its log line needs one, whoever waits.
    if state == .deadLettered { _ = watch(id) }
    guard id.slot < entries.count else { return }
    // A dead letter may be run again.
    if state != .deadLettered { departures.add(value: entries[id.slot].payload.take()) }
    guard let watch = entries[id.slot].watch else { return }
    if watch.isHeld { watch.settlement = (state, cause, core.attempts(of: id) ?? 0) }
    // Most jobs have nobody who waits for them: those cost no second turn of the lock.
    if watch.onAdmission != nil || !watch.onSettled.isEmpty || state == .deadLettered {
      effects.settled.append((watch, result(of: id, state: state, cause: cause, watch: watch)))
    }
    if state == .completed, case .value = watch.ending {
      keepResult(of: id, in: watch, isAwaited: !watch.onSettled.isEmpty)
    }
  }

  mutating func result(of id: JobID, state: JobState, cause: SettlementCause, watch: JobWatch?) -> JobResult {
    var result = JobResult(
      id: id, state: state, cause: cause, value: nil, attempts: core.attempts(of: id) ?? 0)
    switch watch?.ending {
    case .value(let value): if state == .completed { result.value = value }
    case .error(let error): result.failure = error
    case nil: break
    }
    if state == .completed {
      result.recoveredFrom = watch?.recoveredFrom
      result.isValueDropped = watch?.isValueDropped ?? false
    }
    return result
  }

  private mutating func forget(_ id: JobID) {
    if id.slot < entries.count { release(id.slot) }
  }

  /// Empties a place of the table.
  @inline(__always)
  private mutating func release(_ slot: Int) {
    departures.add(value: entries[slot].payload.take())
    if let watch = entries[slot].watch { resultForgotten(in: watch) }
    departures.add(object: entries[slot].watch.take())
  }

  /// Notes how an attempt ended.
  mutating func note(_ ending: AttemptResult, in watch: JobWatch) {
    departures.add(ending: watch.ending.take())
    watch.ending = ending
  }

  /// Takes a worker's reports, which the worker drops when the lock is free; the pass that starts jobs follows.
  mutating func accept(
    _ reports: [AttemptReport], from worker: Worker, at now: Instant, into outbox: inout Outbox
  ) {
    if !worker.residentDeltas.isEmpty { takeResidentDeltas(of: worker) }
    reports.withUnsafeBufferPointer { reports in
      for index in reports.indices {
        let report = reports.baseAddress! + index
        let service = report.pointee.finished - report.pointee.started
        worker.busy += service
        serviceTime += service
        if let ending = report.pointee.ending, core.isLive(report.pointee.token) {
          let watch = watch(report.pointee.token.job)
          note(ending, in: watch)
          watch.valueBytes = report.pointee.bytes
          watch.endedAttempt = report.pointee.token.attempt
        }
        core.attemptEnded(
          report.pointee.token, started: report.pointee.started, finished: report.pointee.finished,
          outcome: report.pointee.outcome, at: now, into: &outbox)
      }
      worker.attempts += reports.count
      attempts += reports.count
    }
  }
}
