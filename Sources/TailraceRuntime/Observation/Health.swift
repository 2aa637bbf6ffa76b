import Synchronization
import TailraceCore
import TailracePlatform

/// The health of a scheduler; see ``Scheduler/health(_:)``.
public enum SchedulerHealth: Sendable, Hashable {
  /// No limit is exceeded.
  case healthy
  /// The scheduler works, with these problems.
  case degraded([HealthReason])
  /// The scheduler accepts no jobs or runs none.
  case unhealthy(HealthReason)

  /// Whether to route jobs to this scheduler: true unless unhealthy.
  public var isReady: Bool {
    switch self {
    case .healthy, .degraded: true
    case .unhealthy: false
    }
  }
}

/// A problem of a scheduler, with its figures.
public enum HealthReason: Sendable, Hashable, CustomStringConvertible {
  /// More jobs wait than ``HealthLimits/queueShare`` of the queue's capacity.
  case queueFilling(waiting: Int, capacity: Int, limit: Double)
  /// Fewer recent jobs completed than ``HealthLimits/successShare``; `of` counts completed and dead-lettered jobs.
  case lowSuccess(completed: Int, of: Int, limit: Double)
  /// Workers whose handler has kept running too long after its attempt was cancelled or timed out.
  case stuckWorkers(PoolID, stuck: Int, of: Int, longest: Duration)
  /// The system refused a thread to `missing` workers of the pool; `error` is the error number.
  case workersNotStarted(PoolID, missing: Int, of: Int, error: Int32)
  /// The system refused the timer's thread, so timers fire some milliseconds late; `error` is the error number.
  case timerNotStarted(error: Int32)
  /// These handlers are deadlocked: each awaits a job, a batch or room in the queue that only another of them can
  /// provide, because together they hold what is needed (the pool's workers, the slots of a job type or tenant,
  /// memory). Only a timeout or a cancellation ends this.
  case handlersWaitForEachOther(PoolID, waiting: Int, of: Int, types: [String], forRoom: Bool, longest: Duration)
  /// Tasks have waited this long for a thread of Swift concurrency. `types` are likely causes: types whose handlers
  /// began on a thread that has run nothing else since and that are not known to be suspended. A handler that blocks
  /// after an await is not found. Starts are tracked from the first report on.
  case asyncPoolBlocked(types: [String], longest: Duration)
  /// User code on the delivery thread (callbacks, observers, loggers, middleware of scheduled submissions) has run for
  /// longer than the limit; `count` actions wait, including the running one.
  case deliveriesWaiting(count: Int, longest: Duration)
  /// Jobs of these types wait for a handler.
  case unknownJobTypes([String])
  /// ``Scheduler/start()`` has not been called.
  case notStarted
  /// A shutdown has begun.
  case stopped

  /// The problem as text, with its figures.
  public var description: String {
    switch self {
    case .queueFilling(let waiting, let capacity, let limit):
      "\(waiting) of \(capacity) queue places are in use; limit: a share of \(limit)"
    case .lowSuccess(let completed, let count, let limit):
      "\(completed) of the last \(count) jobs completed; limit: a share of \(limit)"
    case .stuckWorkers(let pool, let stuck, let count, let longest):
      """
      \(stuck) of \(count) workers of pool '\(pool.name)' hold handlers that ignore their cancellation, the \
      longest for \(longest.inSeconds) s
      """
    case .workersNotStarted(let pool, let missing, let count, let error):
      """
      \(missing) of \(count) workers of pool '\(pool.name)' have no thread: \(systemError(error)); use fewer \
      workers, or raise the process limit (ulimit -u, or the container's pids limit)
      """
    case .timerNotStarted(let error):
      """
      cannot start the timer thread: \(systemError(error)); delays, timeouts and backoffs end some milliseconds late; \
      raise the process limit (ulimit -u, or the container's pids limit)
      """
    case .handlersWaitForEachOther(let pool, let waiting, let count, let types, let forRoom, let longest):
      """
      \(waiting) of \(count) workers of pool '\(pool.name)' hold handlers that wait for jobs that only these workers \
      could run, for \(longest.inSeconds) s: \(Self.list(types)); let the jobs depend on each other instead of \
      awaiting them in a handler, or give those that are awaited another pool\
      \(forRoom ? ", and raise queueCapacity or handlerReserve" : "")
      """
    case .asyncPoolBlocked(let types, let longest):
      """
      tasks have waited for a thread of Swift concurrency for \(longest.inSeconds) s, because \
      \(types.isEmpty ? """
        all threads are blocked by handlers that continued after an await, or by other code: make that code suspend, \
        or run it on its own threads
        """ : """
        all threads are blocked, probably by handlers of \(Self.list(types)): register handlers that block or compute \
        with registerBlocking, or give their jobs the hint ioBound or cpuIntensive
        """)
      """
    case .deliveriesWaiting(let count, let longest):
      """
      a callback, an observer, a logger or middleware has not returned for \(longest.inSeconds) s; \(count) \
      \(count == 1 ? "action waits" : "actions wait") for it: make it return quickly
      """
    case .unknownJobTypes(let names):
      """
      jobs wait for \(names.count == 1 ? "a job type" : "\(names.count) job types") without a handler: \
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

/// Limits above which a scheduler is degraded.
public struct HealthLimits: Sendable, Hashable {
  /// Maximum share of the queue's capacity that waiting jobs may use; 0 to 1. Default: 0.8. Does not apply to a queue
  /// of capacity 0.
  public var queueShare = 0.8
  /// Minimum share of recent jobs that must complete; 0 to 1. Default: 0.95.
  public var successShare = 0.95
  /// Minimum number of completed or dead-lettered jobs before ``successShare`` applies; 1 or more. Default: 20.
  public var fewestJobs = 20
  /// Maximum stuck workers per pool; 0 to 65,534. Default: 0. A worker is stuck if its handler is still running
  /// ``/TailraceCore/SchedulerConfiguration/stuckAfter`` after its timeout or cancellation. If all workers of a pool
  /// are stuck, the scheduler is unhealthy whatever the limit.
  public var stuckWorkers = 0
  /// How long handlers may be deadlocked, or tasks may wait for a thread, before it is reported; 0 or longer. In real
  /// time, even under ``VirtualTime``. Default: 1 s.
  public var blockedAfter = Duration.seconds(1)

  /// Creates the default limits.
  public init() {}

  /// Checks that every limit is in range.
  ///
  /// - Throws: every value that is out of range, with its allowed range.
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

/// The facts that determine a scheduler's health at one instant.
struct HealthFacts {
  /// A worker whose attempt was cancelled or timed out.
  struct Stuck {
    var pool: PoolID
    var since: Instant
    /// Whether another worker replaces it.
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
  /// The configured time after which such a worker counts as stuck.
  var stuckAfter = Nanoseconds.seconds(10)
  /// By pool.
  var absent = AbsentWorkers()
  /// The error number of the refused timer thread; nil: it runs.
  var timerError: Int32?
  var unknownTypes: [String] = []
  /// Deadlocked handlers, by pool.
  var waiting: [Waiting] = []
  /// Since when a task has waited for a thread, on the monotonic clock; nil: none waits.
  var threadWantedSince: Instant?
  /// Job types of handlers on workers of the async pool that are not known to have suspended.
  var unsuspended: Set<String> = []
  /// The present on the monotonic clock, even under virtual time.
  var realNow = Instant.zero

  /// Deadlocked handlers of a pool.
  struct Waiting {
    var pool: PoolID
    var workers: Int
    var types: [String]
    var isForRoom: Bool
    var since: Instant
  }
  /// Pending actions on the delivery thread, and since when; nil: none.
  var deliveries: (count: Int, since: Instant)?

  /// The health at an instant.
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
      let reason = HealthReason.stuckWorkers(pool, stuck: stuck.count, of: workers, longest: longest.duration)
      // Workers without a thread run nothing either.
      let missing = absent.counts[Int(pool.rawValue)]
      if stuck.count(where: { !$0.isReplaced }) + missing >= workers { return .unhealthy(reason) }
      if stuck.count > limits.stuckWorkers { reasons.append(reason) }
    }
    if let timerError { reasons.append(.timerNotStarted(error: timerError)) }
    for group in waiting where realNow - group.since > Nanoseconds(limits.blockedAfter) {
      let count = workers.first { $0.pool == group.pool }?.count ?? 0
      let reason = HealthReason.handlersWaitForEachOther(
        group.pool, waiting: group.workers, of: count, types: group.types, forRoom: group.isForRoom,
        longest: group.since.duration(to: realNow))
      if group.workers + absent.counts[Int(group.pool.rawValue)] >= count { return .unhealthy(reason) }
      reasons.append(reason)
    }
    if let since = threadWantedSince, realNow - since > Nanoseconds(limits.blockedAfter) {
      reasons.append(.asyncPoolBlocked(types: unsuspended.sorted(), longest: since.duration(to: realNow)))
    }
    if let (count, since) = deliveries, now - since > stuckAfter {
      reasons.append(.deliveriesWaiting(count: count, longest: since.duration(to: now)))
    }
    if !unknownTypes.isEmpty { reasons.append(.unknownJobTypes(unknownTypes)) }
    return reasons.isEmpty ? .healthy : .degraded(reasons)
  }
}

/// Whether each recent job completed: a ring of bits.
struct RecentOutcomes {
  /// The number of jobs considered.
  static let window = 1_024
  private var bits = InlineArray<16, UInt64>(repeating: 0)
  private var next = 0
  private(set) var completed = 0
  private(set) var count = 0

  /// Adds a settled job. Cancelled jobs are ignored.
  mutating func add(_ cause: SettlementCause) {
    let state = cause.state
    if state != .cancelled { add(isSuccess: state == .completed) }
  }

  private mutating func add(isSuccess: Bool) {
    let (word, bit) = (next / 64, UInt64(1) << UInt64(next % 64))
    if count == Self.window { completed -= bits[word] & bit != 0 ? 1 : 0 } else { count += 1 }
    if isSuccess {
      bits[word] |= bit
      completed += 1
    } else {
      bits[word] &= ~bit
    }
    next = (next + 1) % Self.window
  }
}

extension Scheduler {
  /// The scheduler's health with the default limits; see ``health(_:)``.
  public func health() -> SchedulerHealth { judgedHealth(by: HealthLimits()) }

  /// The scheduler's health: healthy, degraded with reasons, or unhealthy.
  ///
  /// The success share covers the last 1,024 jobs that completed or were dead-lettered since the first call; the first
  /// call itself uses all jobs since the start. Tracking of outcomes, and of the threads of async handlers, begins with
  /// the first call and costs some nanoseconds per job. Call once at startup, then for each probe.
  ///
  /// - Throws: every limit that is out of range; see ``HealthLimits/validate()``.
  public func health(_ limits: HealthLimits) throws(InvalidValues) -> SchedulerHealth {
    try limits.validate()
    return judgedHealth(by: limits)
  }

  private func judgedHealth(by limits: HealthLimits) -> SchedulerHealth {
    let now = timer.now
    tracksThreads.store(true, ordering: .relaxed)
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
      facts.failed = gauges.settled(as: .deadLettered)
    }
    facts.workers = PoolID.allCases.map { ($0, core.configuration[$0].workers) }
    facts.stuck = workers.joined().compactMap { worker in
      worker.isStopping
        ? HealthFacts.Stuck(pool: worker.pool, since: worker.stoppedAt, isReplaced: worker.isRetired) : nil
    }
    facts.stuckAfter = Nanoseconds(core.configuration.stuckAfter)
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
    facts.unknownTypes = core.waitingParkedTypes == 0 ? [] : parkedTypesWithJobs()
    return facts
  }
}

extension Worker {
  /// Whether the attempt that it runs was cancelled or timed out.
  var isStopping: Bool {
    let running = current.load(ordering: .acquiring)
    return running & Self.cancelling != 0
  }
}
