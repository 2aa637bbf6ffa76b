import Synchronization
import TailraceCore
import TailracePlatform

/// A handler in the form that workers call.
enum Handler: Sendable {
  case async(@Sendable (JobContext) async throws -> (any Sendable)?)
  case blocking(@Sendable (JobContext) throws -> (any Sendable)?)
  /// Placeholder for a type that has no handler yet.
  case unregistered

  @inline(__always)
  var isUnregistered: Bool { if case .unregistered = self { true } else { false } }
}

/// Waiters for a job's admission or settlement, and its latest result.
///
/// Protected by the scheduler's lock. Replaced values go to ``DriverState/departures``.
final class JobWatch: @unchecked Sendable {
  var onAdmission: (@Sendable () -> Void)?
  var onSettled = SettlementWaiters()
  var labels: [String] = []
  /// The value or error of the last attempt that had one.
  var ending: AttemptResult?
  /// The number of the attempt of ``ending``.
  var endedAttempt: UInt16 = 0
  /// The last attempt's error, if the type's recovery supplied a result instead.
  var recoveredFrom: (any Error)?
  /// The most recent finished attempts, if they are kept.
  var attempts: [JobAttempt] = []
  var forgottenAttempts = 0
  /// The size of the value in ``ending``.
  var valueBytes = 0
  /// Whether that value is among the retained results.
  var isKept = false
  /// Whether the value was dropped, or is not to be retained.
  var isValueDropped = false
  /// Whether a handle holds or has held it.
  var isHeld = false
  /// How the job settled; only where it is held.
  var settlement: (cause: SettlementCause, attempts: Int)?
  /// The growth of the process's memory during an attempt, in bytes, if measured.
  var residentDelta: (attempt: UInt16, bytes: Int)?

  /// The error of the last attempt. Its description is user code: request it outside the lock only.
  var failure: (any Error)? {
    if case .error(let error) = ending { error } else { nil }
  }
}

/// The driver's data about a job, stored at the index of the job's slot in the core.
struct JobEntry {
  var payload: (any Sendable)?
  var watch: JobWatch?
}

/// All state protected by the scheduler's lock.
struct DriverState: ~Copyable {
  var core: SchedulerCore
  let time: TimerThread
  var entries: ContiguousArray<JobEntry> = []
  /// All job types.
  let types = JobTypeTable()
  /// Numbers of job types that had no handler and are no longer in use.
  var freedTypes = FreedTypes()
  var submissionMiddleware: [any SubmissionMiddleware] = []
  let home = HandlerHome()
  /// The observer; nil: there is none, or it was released.
  var observer: (any TimelineObserver)?
  var observation: Observation
  var evidence: [EvidenceLog] = []
  var workers: [[Worker]]
  /// By pool: indices of workers that may replace a stuck one.
  var spares: [[UInt16]]
  /// Records from outside the workers, to be delivered to the observer.
  var pendingRecords: [TimelineRecord] = []
  /// Whether a thread is delivering them.
  var isDelivering = false
  /// Continuations that wait until all records are delivered.
  var onDelivered: [UnsafeContinuation<Void, Never>] = []
  /// Continuations that wait until the current batch of records is delivered.
  var onBatchDelivered: [UnsafeContinuation<Void, Never>] = []
  var results: KeptResults
  /// Values to release after unlocking.
  var departures = Departures()
  var attempts = 0
  var serviceTime = Nanoseconds.zero
  var onDrained: [@Sendable () -> Void] = []
  /// By batch, then by number of the wait.
  var onBatchSettled: [UInt32: [UInt64: @Sendable () -> Void]] = [:]
  /// When the scheduler started; nil before.
  var startInstant: Instant?
  /// Whether a shutdown was requested.
  var isShuttingDown = false
  /// Whether all user code was released; see ``releaseUserCode()``.
  var hasReleasedUserCode = false
  /// Whether the last worker to end must release it.
  var releasesWithWorkers = false
  /// Whether idle workers end.
  var isStopping = false
  /// Jobs that a shutdown cancelled.
  var stoppedJobs = 0
  /// Submissions rejected since a shutdown began.
  var refusedSubmissions = 0
  /// The number of a handler's most recent wait.
  var waitNumber: UInt64 = 0
  /// Workers whose loop has not ended.
  var liveWorkers = 0
  var absentWorkers = AbsentWorkers()
  var onNoWorkers: [@Sendable () -> Void] = []
  var timerOrders: UInt64 = 0
  /// By slot; empty if there has never been a schedule.
  var schedules: ContiguousArray<ScheduleEntry?> = []
  /// By name.
  var scheduleIDs: [String: ScheduleID] = [:]
  /// Reads the wall clock at an instant. Under virtual time it advances with it. Tests may replace it.
  var wallClock: @Sendable (Instant) -> UnixTime = { WallClock.at($0) }
  /// The last value reported to the core: wall-clock minus monotonic nanoseconds.
  var wallOffset: Int64?
  /// Whether the wall clock is read periodically.
  var isWatchingWallClock = false
  /// The number of the next job that is submitted without one.
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
    let (types, home) = (types, home)
    spares = PoolID.allCases.map { pool in
      let own = configuration[pool].workers
      return (own..<configuration.places(in: pool)).reversed().map { UInt16($0) }
    }
    workers = PoolID.allCases.map { pool in
      (0..<configuration.places(in: pool)).map { index in
        defer { shard += 1 }
        return Worker(pool: pool, index: UInt16(index), shard: shard, types: types, home: home, time: time)
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

  /// Carries out orders that are possible under the lock, and adds the others to `effects`.
  ///
  /// - Parameters:
  ///   - caller: the reporting worker; attempts handed to it need no wake-up.
  ///   - firstRecord: the index of the first record not seen by an earlier call.
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
      case .settleJob(let id, let cause): settled(id, cause, effects: &effects)
      case .forgetJob(let id): forget(id)
      case .settleBatch(let id): effects.settledBatches.append(id)
      // Submitted after unlocking, because middleware processes the submission first.
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
    worker.hasNewAttempts.store(true, ordering: .releasing)
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
  private mutating func settled(_ id: JobID, _ cause: SettlementCause, effects: inout Effects) {
    let state = cause.state
    // The log line needs a watch, even without waiters.
    if state == .deadLettered { _ = watch(id) }
    guard id.slot < entries.count else { return }
    // A dead letter may be replayed.
    if state != .deadLettered { departures.add(value: entries[id.slot].payload.take()) }
    guard let watch = entries[id.slot].watch else { return }
    if watch.isHeld { watch.settlement = (cause, core.attempts(of: id) ?? 0) }
    // Most jobs have no waiters and need no second locked section.
    if watch.onAdmission != nil || !watch.onSettled.isEmpty || state == .deadLettered {
      effects.settled.append((watch, result(of: id, cause: cause, watch: watch)))
    }
    if state == .completed, case .value = watch.ending {
      keepResult(of: id, in: watch, isAwaited: !watch.onSettled.isEmpty)
    }
  }

  mutating func result(of id: JobID, cause: SettlementCause, watch: JobWatch?) -> JobResult {
    let state = cause.state
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

  /// Clears an entry of the table.
  @inline(__always)
  private mutating func release(_ slot: Int) {
    departures.add(value: entries[slot].payload.take())
    if let watch = entries[slot].watch { resultForgotten(in: watch) }
    departures.add(object: entries[slot].watch.take())
  }

  /// Stores how an attempt ended.
  mutating func store(_ ending: AttemptResult, in watch: JobWatch) {
    departures.add(ending: watch.ending.take())
    watch.ending = ending
  }

  /// Takes a worker's reports. The worker releases them after unlocking; a dispatch pass follows.
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
          store(ending, in: watch)
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
