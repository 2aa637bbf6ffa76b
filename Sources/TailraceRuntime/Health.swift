import Synchronization
import TailraceCore
import TailracePlatform

/// How a scheduler does; see ``Scheduler/health(_:)``.
public enum SchedulerHealth: Sendable, Hashable {
  /// Nothing is beyond its limit.
  case healthy
  /// It works, with these faults.
  case degraded([HealthReason])
  /// It takes no jobs or runs none.
  case unhealthy(HealthReason)

  /// Whether it is worth sending jobs to.
  public var isReady: Bool {
    switch self {
    case .healthy, .degraded: true
    case .unhealthy: false
    }
  }
}

/// What is wrong with a scheduler, with the figures.
public enum HealthReason: Sendable, Hashable, CustomStringConvertible {
  /// More jobs wait than ``HealthLimits/queueShare`` of the queue's capacity.
  case queueFilling(waiting: Int, capacity: Int, limit: Double)
  /// Of the last jobs that completed or were dead-lettered, so many completed.
  case lowSuccess(completed: Int, of: Int, limit: Double)
  /// Workers whose attempt is over for the scheduler, but whose handler has not returned for longer than the limit.
  case stuckWorkers(PoolID, stuck: Int, of: Int, longest: Nanoseconds)
  /// The system refused to start a thread for `missing` workers of the pool; `error` is the error number.
  case workersNotStarted(PoolID, missing: Int, of: Int, error: Int32)
  /// The system refused the thread that keeps time: what is due comes some milliseconds late; `error` is the error
  /// number.
  case timerNotStarted(error: Int32)
  /// These handlers wait for each other: each for a job, a batch or room in the queue that only another of them can
  /// bring about, since what is needed (the pool's workers, the places of a job type or of a tag key, memory) is all
  /// theirs. Nothing but a time-out or a cancellation ends that.
  case handlersWaitForEachOther(PoolID, waiting: Int, of: Int, types: [String], forRoom: Bool, longest: Nanoseconds)
  /// Tasks have waited for one of the threads of Swift's concurrency for so long, which handlers of the async pool
  /// block. `types` are those whose handlers began on a thread that nothing else has had since, as far as is known: not
  /// those that await something. A handler that blocks after an await is not found. Starts are noted from the first
  /// report on.
  case asyncPoolBlocked(types: [String], longest: Nanoseconds)
  /// Code of the user's that runs for the timer thread (callbacks, observers, loggers, middleware around the
  /// submissions of schedules) has been at work for longer than the limit; so many pieces wait, it included.
  case deliveriesWaiting(count: Int, longest: Nanoseconds)
  /// Jobs came for these types, and nothing is registered for them yet.
  case unknownJobTypes([String])
  /// ``Scheduler/start()`` was not called.
  case notStarted
  /// A shutdown has begun.
  case stopped

  /// In words, with the figures.
  public var description: String {
    switch self {
    case .queueFilling(let waiting, let capacity, let limit):
      "\(waiting) of \(capacity) places in the queue are taken; the limit is a share of \(limit)"
    case .lowSuccess(let completed, let count, let limit):
      "\(completed) of the last \(count) jobs completed; the limit is a share of \(limit)"
    case .stuckWorkers(let pool, let stuck, let count, let longest):
      """
      \(stuck) of \(count) workers of pool '\(pool.name)' hold handlers that ignore their cancellation, the longest \
      for \(longest.seconds) s
      """
    case .workersNotStarted(let pool, let missing, let count, let error):
      """
      \(missing) of \(count) workers of pool '\(pool.name)' have no thread: \(systemError(error)); lower the pool's \
      workers, or raise the limit of processes (ulimit -u, or the container's pids limit)
      """
    case .timerNotStarted(let error):
      """
      the timer has no thread: \(systemError(error)); delays, timeouts and backoffs end some milliseconds late; raise \
      the limit of processes (ulimit -u, or the container's pids limit)
      """
    case .handlersWaitForEachOther(let pool, let waiting, let count, let types, let forRoom, let longest):
      """
      \(waiting) of \(count) workers of pool '\(pool.name)' hold handlers that wait for jobs which only these workers \
      could run, for \(longest.seconds) s: \(Self.list(types)); let the jobs depend on each other instead of awaiting \
      them in a handler, or give those that are awaited another pool\
      \(forRoom ? ", and raise queueCapacity or handlerReserve" : "")
      """
    case .asyncPoolBlocked(let types, let longest):
      """
      tasks have waited for a thread of Swift's concurrency for \(longest.seconds) s, since \
      \(types.isEmpty ? """
        handlers that went on after an await, or other code of the process, hold them all: let them suspend, or use \
        threads of their own
        """ : """
        something holds them all, probably handlers of \(Self.list(types)): register those that block or compute with \
        registerBlocking, or give their jobs the hint ioBound or cpuIntensive
        """)
      """
    case .deliveriesWaiting(let count, let longest):
      """
      a callback, an observer, a logger or middleware has not returned for \(longest.seconds) s; \(count) \
      \(count == 1 ? "piece" : "pieces") of what fell due wait for it: let it return quickly
      """
    case .unknownJobTypes(let names):
      """
      jobs wait for \(names.count == 1 ? "a type" : "\(names.count) types") that nothing is registered for: \
      \(Self.list(names)); register \
      \(names.count == 1 ? "it" : "them"), or cancel the jobs with cancelJobs(ofUnregistered:)
      """
    case .notStarted: "the scheduler has not been started"
    case .stopped: "the scheduler is shutting down, or has"
    }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
  }
}

/// When a scheduler counts as degraded.
public struct HealthLimits: Sendable, Hashable {
  /// The share of the queue's capacity up to which jobs may wait; 0 to 1. Default: 0.8. A queue of capacity 0 is never
  /// filling.
  public var queueShare = 0.8
  /// The least share of recent jobs that must complete; 0 to 1. Default: 0.95.
  public var successShare = 0.95
  /// How many jobs must have completed or been dead-lettered before their share says anything; 1 or more. Default: 20.
  public var fewestJobs = 20
  /// How many workers of a pool may be stuck, that is: hold a handler that has not returned
  /// ``/TailraceCore/SchedulerConfiguration/stuckAfter`` its time-out or cancellation; 0 to 65,534. Default: 0.
  /// Where no other worker of the pool is left, the scheduler is unhealthy whatever the limit.
  public var stuckWorkers = 0
  /// How long handlers may wait for each other, and tasks for a thread that handlers of the async pool block, before
  /// the report says so; 0 or longer. By real time, under ``VirtualTime`` too. Default: 1 s.
  public var blockedAfter = Duration.seconds(1)

  /// Makes the default limits.
  public init() {}

  /// Whether the limits can be used.
  ///
  /// - Throws: all that are out of range, with their values and ranges.
  public func validate() throws(InvalidValues) {
    var check = ValueCheck()
    check.require((0...1).contains(queueShare), "queueShare", "\(queueShare)", "0 to 1")
    check.require((0...1).contains(successShare), "successShare", "\(successShare)", "0 to 1")
    check.check("fewestJobs", fewestJobs, in: 1...Int.max)
    check.check("stuckWorkers", stuckWorkers, in: 0...PoolConfiguration.mostWorkers)
    check.require(blockedAfter >= .zero, "blockedAfter", "\(blockedAfter)", "0 s or longer")
    try check.throwFound()
  }
}

/// What a scheduler's health is judged by: facts of one instant.
struct HealthFacts {
  /// A worker whose attempt is over for the scheduler.
  struct Stuck {
    var pool: PoolID
    var since: Instant
    /// Whether another worker has taken its place.
    var isReplaced = false
  }

  var isStarted = true
  var isStopped = false
  var queued = 0
  var capacity = 0
  var completed = 0
  var failed = 0
  var workers: [(pool: PoolID, count: Int)] = []
  var stuck: [Stuck] = []
  /// As configured: the time after which such a worker counts as stuck.
  var stuckAfter = Nanoseconds.seconds(10)
  /// By pool.
  var absent = AbsentWorkers()
  /// The error number with which the timer's thread is refused; nil: it is not.
  var timerError: Int32?
  var unknownTypes: [String] = []
  /// Handlers that wait for each other, by pool.
  var waiting: [Waiting] = []
  /// Since when a task waits for a thread, by the monotonic clock; nil: none does.
  var threadWantedSince: Instant?
  /// Job types whose handlers occupy workers of the async pool, as far as they are not known to have suspended.
  var unsuspended: Set<String> = []
  /// The present by the monotonic clock, whatever the scheduler's time is.
  var realNow = Instant.zero

  /// Handlers of a pool that wait for each other.
  struct Waiting {
    var pool: PoolID
    var workers: Int
    var types: [String]
    var isForRoom: Bool
    var since: Instant
  }
  /// What waits for code of the user's that the timer thread has handed over, and since when.
  var deliveries: (count: Int, since: Instant)?

  /// The verdict at an instant.
  func judged(by limits: HealthLimits, at now: Instant) -> SchedulerHealth {
    if isStopped { return .unhealthy(.stopped) }
    if !isStarted { return .unhealthy(.notStarted) }
    var reasons: [HealthReason] = []
    if capacity > 0, Double(queued) > limits.queueShare * Double(capacity) {
      reasons.append(.queueFilling(waiting: queued, capacity: capacity, limit: limits.queueShare))
    }
    let count = completed + failed
    if count >= limits.fewestJobs, Double(completed) < limits.successShare * Double(count) {
      reasons.append(.lowSuccess(completed: completed, of: count, limit: limits.successShare))
    }
    for (pool, workers) in workers where absent.counts[Int(pool.rawValue)] > 0 {
      let missing = absent.counts[Int(pool.rawValue)]
      let reason = HealthReason.workersNotStarted(pool, missing: missing, of: workers, error: absent.error)
      if missing >= workers { return .unhealthy(reason) }
      reasons.append(reason)
    }
    for (pool, workers) in workers where workers > 0 {
      let stuck = stuck.filter { $0.pool == pool && now - $0.since > stuckAfter }
      guard let longest = stuck.map({ now - $0.since }).max() else { continue }
      let reason = HealthReason.stuckWorkers(pool, stuck: stuck.count, of: workers, longest: longest)
      // A worker without a thread takes nothing either.
      let missing = absent.counts[Int(pool.rawValue)]
      if stuck.count(where: { !$0.isReplaced }) + missing >= workers { return .unhealthy(reason) }
      if stuck.count > limits.stuckWorkers { reasons.append(reason) }
    }
    if let timerError { reasons.append(.timerNotStarted(error: timerError)) }
    for group in waiting where realNow - group.since > Nanoseconds(limits.blockedAfter) {
      let count = workers.first { $0.pool == group.pool }?.count ?? 0
      let reason = HealthReason.handlersWaitForEachOther(
        group.pool, waiting: group.workers, of: count, types: group.types, forRoom: group.isForRoom,
        longest: realNow - group.since)
      if group.workers + absent.counts[Int(group.pool.rawValue)] >= count { return .unhealthy(reason) }
      reasons.append(reason)
    }
    if let since = threadWantedSince, realNow - since > Nanoseconds(limits.blockedAfter) {
      reasons.append(.asyncPoolBlocked(types: unsuspended.sorted(), longest: realNow - since))
    }
    if let (count, since) = deliveries, now - since > stuckAfter {
      reasons.append(.deliveriesWaiting(count: count, longest: now - since))
    }
    if !unknownTypes.isEmpty { reasons.append(.unknownJobTypes(unknownTypes)) }
    return reasons.isEmpty ? .healthy : .degraded(reasons)
  }
}

/// Whether each of the last jobs completed: a bit each, in a ring.
struct RecentOutcomes {
  /// How many jobs are looked back at.
  static let window = 1_024
  private var bits = InlineArray<16, UInt64>(repeating: 0)
  private var next = 0
  private(set) var completed = 0
  private(set) var count = 0

  /// Counts a settled job; those that were cancelled say nothing of success.
  mutating func note(_ cause: SettlementCause) {
    switch cause {
    case .succeeded: note(true)
    case .failed, .timedOut, .failedPermanently, .crashed, .invalid: note(false)
    case .cancelled, .dependencyFailed, .batchFailed, .shed, .rejected, .stopped, .dropped, .duplicate: break
    }
  }

  private mutating func note(_ success: Bool) {
    let (word, bit) = (next / 64, UInt64(1) << UInt64(next % 64))
    if count == Self.window { completed -= bits[word] & bit != 0 ? 1 : 0 } else { count += 1 }
    if success {
      bits[word] |= bit
      completed += 1
    } else {
      bits[word] &= ~bit
    }
    next = (next + 1) % Self.window
  }
}

extension Scheduler {
  /// How the scheduler does, by the default limits; see ``health(_:)``.
  public func health() -> SchedulerHealth { judgedHealth(by: HealthLimits()) }

  /// How the scheduler does: healthy, degraded with the reasons, or unhealthy.
  ///
  /// The share of jobs that complete is taken over the last 1,024 that completed or were dead-lettered since the first
  /// call, and over all since the start in that call itself: only from then on are they noted, and on which threads
  /// handlers of the async pool begin, which takes some nanoseconds a job. Ask once at the start, and whenever a probe
  /// comes.
  ///
  /// - Throws: all that is out of range in the limits; see ``HealthLimits/validate()``.
  public func health(_ limits: HealthLimits) throws(InvalidValues) -> SchedulerHealth {
    try limits.validate()
    return judgedHealth(by: limits)
  }

  private func judgedHealth(by limits: HealthLimits) -> SchedulerHealth {
    let now = timer.now
    notesThreads.store(true, ordering: .relaxed)
    let probe = threadProbe.ask()
    var facts = withState { state in state.healthFacts() }
    facts.timerError = timer.refused
    if facts.isStarted, !facts.isStopped {
      facts.threadWantedSince = [facts.threadWantedSince, probe].compactMap { $0 }.min()
    }
    facts.unknownTypes.sort()
    facts.deliveries = [deliveries.backlog, cancellations.backlog].compactMap(\.self).min { $0.since < $1.since }
    return facts.judged(by: limits, at: now)
  }
}

extension DriverState {
  fileprivate mutating func healthFacts() -> HealthFacts {
    let gauges = core.gauges
    var facts = HealthFacts()
    facts.isStarted = startInstant != nil
    facts.isStopped = isShuttingDown
    facts.queued = gauges.waiting
    facts.capacity = core.configuration.queueCapacity
    if let recent = observation.recent {
      (facts.completed, facts.failed) = (recent.completed, recent.count - recent.completed)
    } else {
      observation.recent = RecentOutcomes()
      facts.completed = gauges.settledByCause[.succeeded]
      facts.failed =
        [SettlementCause.failed, .timedOut, .failedPermanently, .crashed, .invalid]
        .reduce(0) { $0 + gauges.settledByCause[$1] }
    }
    facts.workers = PoolID.allCases.map { ($0, core.configuration[$0].workers) }
    facts.stuck = workers.joined().compactMap { worker in
      worker.isStopping
        ? HealthFacts.Stuck(pool: worker.pool, since: worker.stoppedAt, isReplaced: worker.isRetired) : nil
    }
    facts.stuckAfter = core.configuration.stuckAfter
    facts.absent = absentWorkers
    facts.realNow = MonotonicClock.now()
    if let standstill = standstill() {
      for pool in PoolID.allCases {
        let workers = standstill.workers.filter { $0.pool == pool }
        guard !workers.isEmpty else { continue }
        facts.waiting.append(
          HealthFacts.Waiting(
            pool: pool, workers: workers.count, types: Set(workers.compactMap { typeOfHandler(on: $0) }).sorted(),
            isForRoom: standstill.isForRoom, since: standstill.since))
      }
    }
    lookForBlockedThreads(&facts)
    facts.unknownTypes = core.waitingParkedTypes == 0 ? [] : parkedTypes.withJobs(in: core)
    return facts
  }
}

extension Worker {
  /// Whether the attempt that it runs is over for the scheduler.
  var isStopping: Bool {
    let running = current.load(ordering: .acquiring)
    return running & Self.cancelling != 0
  }
}
