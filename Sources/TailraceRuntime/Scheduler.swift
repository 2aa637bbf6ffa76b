import CPlatform
import Glibc
import Logging
import Synchronization
import TailraceCore
import TailracePlatform

/// A live job scheduler: register handlers, submit jobs, await results.
///
/// It drives ``/TailraceCore/SchedulerCore`` on the wall clock. Asynchronous handlers run on Swift's concurrency, as
/// many at once as the async pool has workers; synchronous ones, and asynchronous ones whose job is hinted as blocking
/// or computing, run on threads of their own, so that they never hold up the async pool.
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
  /// Behind ``lock``. A pointer, since the state is large, unique and never moves.
  nonisolated(unsafe) private let state: UnsafeMutablePointer<DriverState>
  /// For facts that no worker reports; behind ``lock`` as well.
  nonisolated(unsafe) private let outbox: UnsafeMutablePointer<Outbox>
  let logger: Logger
  /// Instants for delays, timeouts and precise sleeping.
  package let timer: TimerThread
  /// Whose time it is, where that stands still by itself.
  let virtualTime: VirtualTime?
  package let configuration: SchedulerConfiguration
  /// Runs callbacks, observers, loggers and middleware for the timer thread.
  let deliveries = DeliveryThread()
  /// Cancels tasks for the timer thread, whose cancellation handlers are the user's: apart from the other deliveries,
  /// since an attempt waits for it.
  let cancellations = DeliveryThread()
  /// The earliest instant at which the core wants to hear of time.
  private let coreTimer = LatestTimer()

  /// Whether there is middleware around submissions.
  let preparesSubmissions = Atomic<Bool>(false)
  /// Whether any job type has its input validated.
  let validates = Atomic<Bool>(false)
  /// Whether somebody looks out for handlers that do not return.
  let looksForStuck = Atomic<Bool>(false)
  /// How many threads tests let it start; the others are refused as at a limit of processes. Nil: no such limit.
  let threadLimit = Locked<Int?>(nil)
  /// Whether tasks get a thread.
  let threadProbe = ThreadProbe()
  /// Whether workers of the async pool note on which thread a handler begins: from the first ``health(_:)`` on.
  let notesThreads = Atomic<Bool>(false)
  /// Whether somebody wants to hear when an attempt begins.
  let announcesStarts = Atomic<Bool>(false)

  /// How many shards the observer sees: one for each worker, and shard 0 for what no worker reports.
  public let shardCount: Int

  /// Makes a scheduler that does not run yet, with the default configuration.
  ///
  /// - Parameters:
  ///   - observer: gets every timeline record; see ``/TailraceCore/TimelineObserver``.
  ///   - logger: as in ``init(_:observer:logger:time:)``.
  ///   - time: time that moves only when a test says so; nil: real time.
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

  /// Makes a scheduler that does not run yet.
  ///
  /// - Parameters:
  ///   - configuration: policy, pools, limits, retries; everything has a default.
  ///   - observer: gets every timeline record; see ``/TailraceCore/TimelineObserver``.
  ///   - logger: failures of attempts at `warning`, dead letters at `error`, starting and stopping at `info`, handlers
  ///     that a shutdown leaves running at `warning`. Messages are constant; what varies is metadata.
  ///   - time: time that moves only when a test says so; nil: real time.
  /// - Throws: all that is out of range in the configuration; see
  ///   ``/TailraceCore/SchedulerConfiguration/validate()``.
  public convenience init(
    _ configuration: SchedulerConfiguration, observer: (any TimelineObserver)? = nil,
    logger: Logger = Logger(label: "tailrace.scheduler"), time: VirtualTime? = nil
  ) throws(InvalidValues) {
    try self.init(configuration, observers: observer.map { [$0] } ?? [], logger: logger, time: time)
  }

  /// Makes a scheduler that does not run yet, with any number of observers.
  ///
  /// - Parameters:
  ///   - configuration: as above.
  ///   - observers: each gets every timeline record, in this order.
  ///   - attemptsRemembered: how many attempts of each job ``history(of:)`` shows, the latest ones; 0 to 1,000; 0: it
  ///     shows none and nothing is kept. Each attempt kept costs some 90 bytes beside its error, each job some 200
  ///     more, for as long as the scheduler remembers the job.
  ///   - results: how long what handlers return is kept. Default: while it measures no more than 64 MiB in all.
  ///   - logger: as above.
  ///   - time: time that moves only when a test says so; nil: real time.
  /// - Throws: all that is out of range.
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
    state.pointee.directory.scheduler = self
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

  /// ``withState(_:)`` with a list that its caller keeps: nothing is allocated for what departs again and again.
  @inline(__always)
  func withState<Value, Failure: Error>(
    releasing departed: inout Departures, _ body: (inout DriverState) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { departed.release() }
    return try withState(keeping: &departed, body)
  }

  /// ``withState(_:)`` for callers that release what departs later, elsewhere.
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

  // MARK: - Life

  /// Starts the workers. Jobs submitted before wait until then, and are started in the policy's order.
  ///
  /// A second call does nothing, nor does one after a shutdown. From now on the workers keep the scheduler alive: it
  /// goes away only after ``shutdown(grace:stopping:)``.
  public func start() {
    let workers = withState { (state: inout DriverState) -> [Worker]? in
      guard state.startInstant == nil, !state.isShuttingDown else { return nil }
      state.startInstant = timer.now
      return state.workers.flatMap { $0.filter { $0.index < configuration[$0.pool].workers } }
    }
    guard let workers else { return }
    logger.info("scheduler started")
    // Not with the first delay or timeout, whose submitter would wait for it.
    let refused = timer.start()
    if refused != 0 {
      logger.error("cannot start the timer thread", metadata: ["reason": "\(systemError(refused))"])
    }
    for worker in workers { spawn(worker) }
    report { _, _, _ in }
  }

  /// Lets a worker begin.
  func spawn(_ worker: Worker) {
    switch worker.pool {
    case .async: spawnTask(for: worker)
    case .thread: spawnThread(for: worker)
    }
  }

  /// Lets a fresh task run the worker. Detached: handlers see no task-local values of whoever started the scheduler.
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
    let context = Unmanaged.passRetained(ThreadStart(scheduler: self, worker: worker))
    var handle = pthread_t()
    let result =
      refusal(of: worker)
      ?? cplatform_thread_start(
        &handle,
        { context in
          let start = Unmanaged<ThreadStart>.fromOpaque(context!).takeRetainedValue()
          Worker.$running.withValue(start.worker) { start.scheduler.runThread(start.worker) }
          start.scheduler.workerEnded()
        }, context.toOpaque())
    guard result == 0 else {
      context.release()
      workerDidNotStart(worker, error: result)
      workerEnded()
      return
    }
    pthread_detach(handle)
  }

  /// The error number with which tests have a thread refused; nil: the system decides.
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
      if state.letsGoWithWorkers { state.letGo() }
      defer { state.onNoWorkers = [] }
      return state.onNoWorkers
    }
    for action in actions { action() }
  }

  // MARK: - Facts that no worker reports

  /// Reports facts to the core under the lock, lets it start jobs, and carries its orders out.
  func report<Value>(_ body: (inout DriverState, Instant, inout Outbox) throws -> Value) rethrows -> Value {
    var effects = Effects()
    var departed = Departures()
    defer { departed.release() }
    let value = try report(&effects, &departed, body)
    perform(&effects)
    return value
  }

  /// The same without what follows once the lock is free.
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

  /// Hands the records that no worker reports to the observer, in their order, outside every lock. One
  /// thread delivers at a time; it also delivers what other threads report meanwhile.
  func deliverPendingRecords() {
    guard let (observer, first) = withState({ state in state.beginDelivery() }) else { return }
    deliver(first, to: observer)
  }

  /// The delivery thread goes on after some batches: an observer that causes records itself, as one that submits jobs
  /// does, would keep the caller for ever.
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

  /// Returns when every record that was made before has been handed to the observer; those that come meanwhile do not
  /// count.
  func recordsDelivered() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let isIdle = withState { state in
        if state.isDelivering { state.onDelivered.append(continuation) }
        return !state.isDelivering
      }
      if isIdle { continuation.resume() }
    }
  }

  /// What falls due is decided here, on the timer thread.
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

  /// Has the core's timer call ``timerFired()``.
  func setTimer(_ order: UInt64, at instant: Instant) {
    coreTimer.set(order, at: instant, on: timer) { [weak self] inTime in if inTime { self?.timerFired() } }
  }

  /// Says that an attempt failed; whether it was the last is said where the job settles.
  func logFailure(of job: JobID, type: JobTypeID, attempt: Int, _ error: @autoclosure () -> String) {
    guard logger.logLevel <= .warning else { return }
    let name = withState { state in state.typeNames[Int(type.rawValue)] }
    logger.warning(
      "attempt failed",
      metadata: [
        "tailrace-job-id": "\(job.rawValue)", "tailrace-job-type": "\(name)", "attempt": "\(attempt)",
        "error": "\(error())",
      ])
  }
}

/// What a new worker thread is told.
private final class ThreadStart {
  let scheduler: Scheduler
  let worker: Worker
  init(scheduler: Scheduler, worker: Worker) {
    self.scheduler = scheduler
    self.worker = worker
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

  /// The records to deliver; nil: there are none, or somebody else is at it.
  mutating func beginDelivery() -> (any TimelineObserver, [TimelineRecord])? {
    guard let observer, !isDelivering, !pendingRecords.isEmpty else { return nil }
    isDelivering = true
    var taken: [TimelineRecord] = []
    swap(&taken, &pendingRecords)
    return (observer, taken)
  }

  /// Takes what has come while others were delivered. Returns whether there is any, and if not, who waits for that.
  mutating func continueDelivery(
    _ delivered: inout [TimelineRecord]
  ) -> (goesOn: Bool, waiting: [UnsafeContinuation<Void, Never>]) {
    delivered.removeAll(keepingCapacity: true)
    swap(&delivered, &pendingRecords)
    // Who came while a batch was delivered waits for the next one, which had its records.
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
