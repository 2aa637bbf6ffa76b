import Glibc
import Logging
import Synchronization
import TailraceCore
import TailracePlatform

/// A live job scheduler. Register handlers, submit jobs, await results.
///
/// It drives ``/TailraceCore/SchedulerCore`` in real time. Async handlers run as Swift concurrency tasks, at most as
/// many at once as the async pool has workers. Blocking handlers, and async ones whose job has a hint, run on dedicated
/// threads and never block the async pool.
///
/// ```swift
/// let scheduler = Scheduler()
/// try scheduler.register("greet") { context in "Hello, \(context.payload as! String)" }
/// scheduler.start()
/// let id = try await scheduler.submit(JobRequest("greet", payload: "world"))
/// print(try await scheduler.result(of: id, timeout: .seconds(60)).value!)
/// await scheduler.shutdown()
/// ```
public final class Scheduler: Sendable {
  private let lock = Lock(isOutermost: true)
  /// Protected by ``lock``. A pointer, because the state is large, noncopyable and never moves.
  nonisolated(unsafe) private let state: UnsafeMutablePointer<DriverState>
  /// For facts from outside the workers; protected by ``lock`` as well.
  nonisolated(unsafe) private let outbox: UnsafeMutablePointer<Outbox>
  let logger: Logger
  /// Provides instants, delays, timeouts and precise sleeping.
  package let timer: TimerThread
  /// Set when time is virtual.
  let virtualTime: VirtualTime?
  package let configuration: SchedulerConfiguration
  /// Runs callbacks, observers, loggers and middleware on behalf of the timer thread.
  let deliveries = DeliveryThread()
  /// Cancels tasks on behalf of the timer thread, because cancellation handlers are user code. Separate from other
  /// deliveries, because an attempt waits for it.
  let cancellations = DeliveryThread()
  /// The earliest instant at which the core needs a timer event.
  private let coreTimer = LatestTimer()

  /// Whether there is submission middleware.
  let preparesSubmissions = Atomic<Bool>(false)
  /// Whether any job type validates its input.
  let validates = Atomic<Bool>(false)
  /// Whether stuck handlers are being watched for.
  let looksForStuck = Atomic<Bool>(false)
  /// For tests: how many threads may start; others are refused as at a process limit. nil: no limit.
  let threadLimit = Locked<Int?>(nil)
  /// Measures whether tasks get a thread.
  let threadProbe = ThreadProbe()
  /// Whether async workers record the thread on which a handler begins; set by the first ``health(_:)``.
  let tracksThreads = Atomic<Bool>(false)
  /// Whether starts of attempts are reported.
  let announcesStarts = Atomic<Bool>(false)

  /// The number of shards that the observer sees: one per worker, plus shard 0 for records from outside the workers.
  public let shardCount: Int

  /// Creates a scheduler with the default configuration. Call ``start()`` to run it.
  ///
  /// - Parameters:
  ///   - observer: receives every timeline record; see ``/TailraceCore/TimelineObserver``.
  ///   - logger: as in ``init(_:observer:logger:time:)``.
  ///   - time: virtual time for tests; nil: real time.
  public convenience init(
    observer: (any TimelineObserver)? = nil, logger: Logger = Logger(label: "tailrace.scheduler"),
    time: VirtualTime? = nil
  ) {
    do throws(InvalidValues) {
      try self.init(SchedulerConfiguration(), observer: observer, logger: logger, time: time)
    } catch {
      invariantViolated("the default configuration cannot be used: \(error)")
    }
  }

  /// Creates a scheduler. Call ``start()`` to run it.
  ///
  /// - Parameters:
  ///   - configuration: policy, pools, limits, retries; all settings have defaults.
  ///   - observer: receives every timeline record; see ``/TailraceCore/TimelineObserver``.
  ///   - logger: receives failed attempts at `warning`, dead letters at `error`, starting and stopping at `info`, and
  ///     handlers left running by a shutdown at `warning`. Messages are constant; metadata contains the details.
  ///   - time: virtual time for tests; nil: real time.
  /// - Throws: every setting that is out of range; see ``/TailraceCore/SchedulerConfiguration/validate()``.
  public convenience init(
    _ configuration: SchedulerConfiguration, observer: (any TimelineObserver)? = nil,
    logger: Logger = Logger(label: "tailrace.scheduler"), time: VirtualTime? = nil
  ) throws(InvalidValues) {
    try self.init(configuration, observers: observer.map { [$0] } ?? [], logger: logger, time: time)
  }

  /// Creates a scheduler with any number of observers. Call ``start()`` to run it.
  ///
  /// - Parameters:
  ///   - configuration: as above.
  ///   - observers: each receives every timeline record, in this order.
  ///   - attemptsRemembered: how many of the latest attempts ``history(of:)`` returns per job; 0 to 1,000; 0: none are
  ///     kept. Each attempt uses about 90 bytes plus its error, and each job about 200 bytes more, while the scheduler
  ///     keeps the job.
  ///   - results: how long return values of handlers are kept. Default: while they total at most 64 MiB.
  ///   - logger: as above.
  ///   - time: virtual time for tests; nil: real time.
  /// - Throws: every value that is out of range.
  public init(
    _ configuration: SchedulerConfiguration = SchedulerConfiguration(), observers: [any TimelineObserver],
    attemptsRemembered: Int = 0, results: ResultRetention = .standard,
    logger: Logger = Logger(label: "tailrace.scheduler"), time: VirtualTime? = nil
  ) throws(InvalidValues) {
    var check = ValueCheck()
    do throws(InvalidValues) { try configuration.validate() } catch { check.add(error.values) }
    check.check("attemptsRemembered", attemptsRemembered, in: 0...1_000)
    check.check("results.bytes", results.limit, in: 0...Int.max)
    try check.throwFound()
    let core = try SchedulerCore(configuration)
    let timer = time?.timer ?? TimerThread()
    self.configuration = configuration
    virtualTime = time
    self.timer = timer
    self.logger = logger
    state = .allocate(capacity: 1)
    state.initialize(
      to: DriverState(core, attemptsRemembered: attemptsRemembered, results: results, time: timer))
    outbox = .allocate(capacity: 1)
    outbox.initialize(to: Outbox())
    outbox.pointee.orders.reserveCapacity(256)
    outbox.pointee.records.reserveCapacity(64)
    shardCount = 1 + PoolID.allCases.reduce(0) { $0 + configuration.places(in: $1) }
    state.pointee.home.scheduler = self
    state.pointee.observer = ObserverFanOut.joining(observers)
    time?.add(self)
  }

  deinit {
    endEvents()
    deliveries.finish()
    cancellations.finish()
    if virtualTime == nil { timer.stop() }
    state.deinitialize(count: 1)
    state.deallocate()
    outbox.deinitialize(count: 1)
    outbox.deallocate()
  }

  /// Like ``withState(_:)`` with a list that the caller reuses, to avoid allocations.
  @inline(__always)
  func withState<Value, Failure: Error>(
    releasing departed: inout Departures, _ body: (inout DriverState) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { departed.release() }
    return try withState(keeping: &departed, body)
  }

  /// Like ``withState(_:)`` for callers that release departures later, elsewhere.
  @inline(__always)
  func withState<Value, Failure: Error>(
    keeping departed: inout Departures, _ body: (inout DriverState) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    lock.lock()
    defer {
      if !state.pointee.departures.isEmpty { swap(&departed, &state.pointee.departures) }
      lock.unlock()
    }
    return try body(&state.pointee)
  }

  // MARK: - Life cycle

  /// Starts the workers. Jobs submitted earlier wait until then and start in the policy's order.
  ///
  /// Has no effect if the scheduler was already started or shut down. The running workers keep the scheduler alive
  /// until
  /// ``shutdown(grace:stopping:)``.
  public func start() {
    let workers = withState { (state: inout DriverState) -> [Worker]? in
      guard state.startInstant == nil, !state.isShuttingDown else { return nil }
      state.startInstant = timer.now
      return state.workers.flatMap { $0.filter { $0.index < configuration[$0.pool].workers } }
    }
    guard let workers else { return }
    logger.info("scheduler started")
    // Started now, so that the first delay or timeout does not wait for the thread.
    let refused = timer.start()
    if refused != 0 {
      logger.error("cannot start the timer thread", metadata: ["reason": "\(systemError(refused))"])
    }
    for worker in workers { spawn(worker) }
    report { _, _, _ in }
  }

  /// Starts a worker.
  func spawn(_ worker: Worker) {
    switch worker.pool {
    case .async: spawnTask(for: worker)
    case .thread: spawnThread(for: worker)
    }
  }

  /// Starts a new task for the worker. Detached, so that handlers do not inherit the caller's task-local values.
  func spawnTask(for worker: Worker) {
    withState { state in
      state.liveWorkers += 1
      state.departures.add(object: worker.task.map { Held($0) })
      worker.task = Task.detached { [self] in
        await Worker.$running.withValue(worker) { await runTask(worker) }
        workerEnded()
      }
    }
  }

  private func spawnThread(for worker: Worker) {
    withState { state in state.liveWorkers += 1 }
    do throws(StartedThread.Refused) {
      if let error = refusal(of: worker) { throw StartedThread.Refused(error: error) }
      try StartedThread.start { [self] in
        Worker.$running.withValue(worker) { runThread(worker) }
        workerEnded()
      }.detach()
    } catch {
      workerDidNotStart(worker, error: error.error)
      workerEnded()
    }
  }

  /// For tests: the error number with which a thread is refused; nil: the system decides.
  private func refusal(of worker: Worker) -> Int32? {
    threadLimit.withLock { limit in
      guard let left = limit else { return nil }
      limit = max(0, left - 1)
      return left > 0 ? nil : EAGAIN
    }
  }

  private func workerEnded() {
    let actions = withState { (state: inout DriverState) -> [@Sendable () -> Void] in
      state.liveWorkers -= 1
      guard state.liveWorkers == 0 else { return [] }
      if state.releasesWithWorkers { state.releaseUserCode() }
      defer { state.onNoWorkers = [] }
      return state.onNoWorkers
    }
    for action in actions { action() }
  }

  // MARK: - Facts from outside the workers

  /// Reports facts to the core under the lock, lets it dispatch, and carries out its orders.
  func report<Value>(_ body: (inout DriverState, Instant, inout Outbox) throws -> Value) rethrows -> Value {
    var effects = Effects()
    var departed = Departures()
    defer { departed.release() }
    let value = try report(&effects, &departed, body)
    perform(&effects)
    return value
  }

  /// Like the above, without the work after unlocking.
  @inline(__always)
  func report<Value>(
    _ effects: inout Effects, _ departed: inout Departures,
    _ body: (inout DriverState, Instant, inout Outbox) throws -> Value
  ) rethrows -> Value {
    try withState(keeping: &departed) { (state: inout DriverState) throws -> Value in
      let now = timer.now
      let value = try body(&state, now, &outbox.pointee)
      if state.startInstant != nil { state.core.startJobs(at: now, into: &outbox.pointee) }
      state.distribute(&outbox.pointee, caller: nil, effects: &effects)
      if state.observer == nil {
        outbox.pointee.records.removeAll()
      } else {
        effects.hasRecords = state.movePendingRecords(from: &outbox.pointee)
      }
      return value
    }
  }

  /// Delivers records from outside the workers to the observer, in order, outside every lock. One thread delivers at a
  /// time, including records that other threads add meanwhile.
  func deliverPendingRecords() {
    guard let (observer, first) = withState({ state in state.beginDelivery() }) else { return }
    deliver(first, to: observer)
  }

  /// After several batches the delivery thread takes over: an observer that itself causes records, for example by
  /// submitting jobs, would otherwise keep the caller forever.
  private func deliver(_ first: [TimelineRecord], to observer: any TimelineObserver) {
    var records = first
    while true {
      for _ in 0..<16 {
        records.withUnsafeBufferPointer { observer.record($0, shard: 0) }
        let (goesOn, waiting) = withState { state in state.continueDelivery(&records) }
        for continuation in waiting { continuation.resume() }
        if !goesOn { return }
      }
      let rest = records
      if deliveries.handOver({ [self] in deliver(rest, to: observer) }) { return }
    }
  }

  /// Returns when every record added so far was delivered to the observer.
  func recordsDelivered() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let isIdle = withState { state in
        if state.isDelivering { state.onDelivered.append(continuation) }
        return !state.isDelivering
      }
      if isIdle { continuation.resume() }
    }
  }

  /// Handles due timers. Runs on the timer thread.
  private func timerFired() {
    reportOnTimer { state, now, outbox -> ([TimelineRecord], [FiredSlot]) in
      giveBackUnbegun(in: &state, at: now, into: &outbox)
      let (records, orders) = (outbox.records.count, outbox.orders.count)
      let hasSchedules = state.core.scheduleCount > 0
      if hasSchedules { state.readWallClock(at: now) }
      state.core.timerFired(at: now, into: &outbox)
      let timedOut = outbox.records.withUnsafeBufferPointer { $0[records...].filter { $0.outcome == .timedOut } }
      return (timedOut, hasSchedules ? state.admit(FiredSlot.all(in: outbox, from: orders)) : [])
    } after: { [self] timedOut, fired in
      guard !timedOut.isEmpty || !fired.isEmpty else { return nil }
      return { [self] in
        if !fired.isEmpty { submitFired(fired) }
        for record in timedOut {
          logFailure(of: record.id, type: record.type, attempt: Int(record.attempt), "timed out")
        }
      }
    }
  }

  /// Schedules a call to ``timerFired()``.
  func setTimer(_ order: UInt64, at instant: Instant) {
    coreTimer.set(order, at: instant, on: timer) { [weak self] inTime in if inTime { self?.timerFired() } }
  }

  /// Logs a failed attempt. Whether it was the last is logged when the job settles.
  func logFailure(of job: JobID, type: JobTypeID, attempt: Int, _ error: @autoclosure () -> String) {
    guard logger.logLevel <= .warning else { return }
    let name = withState { state in state.types[type].name }
    logger.warning(
      "attempt failed",
      metadata: [
        "tailrace-job-id": "\(job.rawValue)", "tailrace-job-type": "\(name)", "attempt": "\(attempt)",
        "error": "\(error())",
      ])
  }
}

extension DriverState {
  /// Returns whether there are any.
  mutating func movePendingRecords(from outbox: inout Outbox) -> Bool {
    guard !outbox.records.isEmpty else { return false }
    outbox.records.withUnsafeBufferPointer { pendingRecords.append(contentsOf: $0) }
    outbox.records.removeAll()
    return true
  }

  /// The records to deliver; nil: there are none, or another thread is delivering.
  mutating func beginDelivery() -> (any TimelineObserver, [TimelineRecord])? {
    guard let observer, !isDelivering, !pendingRecords.isEmpty else { return nil }
    isDelivering = true
    var taken: [TimelineRecord] = []
    swap(&taken, &pendingRecords)
    return (observer, taken)
  }

  /// Takes records added during a delivery. Returns whether there are any; if not, the continuations that wait for
  /// that.
  mutating func continueDelivery(
    _ delivered: inout [TimelineRecord]
  ) -> (goesOn: Bool, waiting: [UnsafeContinuation<Void, Never>]) {
    delivered.removeAll(keepingCapacity: true)
    swap(&delivered, &pendingRecords)
    // Continuations added during a batch wait for the next one, which contained their records.
    var waiting = onBatchDelivered
    onBatchDelivered = onDelivered
    onDelivered = []
    guard delivered.isEmpty else { return (true, waiting) }
    isDelivering = false
    waiting += onBatchDelivered
    onBatchDelivered = []
    return (false, waiting)
  }
}
