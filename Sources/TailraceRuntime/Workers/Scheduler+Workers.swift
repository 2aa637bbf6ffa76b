import CPlatform
import Synchronization
import TailraceCore
import TailracePlatform

extension Scheduler {
  // MARK: - Worker loop of the async pool

  /// Runs attempts until the scheduler stops. Cancelling an attempt cancels this task, so a new task continues after
  /// it.
  func runTask(_ worker: Worker) async {
    let (types, observer) = withState { state in (state.types, state.observer) }
    while true {
      var next = worker.takeNext()
      while let first = next {
        guard case .async(let handler) = types[worker.claimed[first].token.type].handler else {
          invariantViolated("a blocking handler was sent to the async pool")
        }
        switch await runBatch(handler, from: first, worker) {
        case .goesOn(let other): next = other
        case .needsNewTask:
          spawnTask(for: worker)
          return
        }
      }
      if exchange(worker, observer) {
        await yieldNowAndThen(worker)
        continue
      }
      if worker.spinForWork() {
        withState { _ in takeInbox(worker) }
        worker.dropSpent()
        continue
      }
      if await park(worker) { return }
      worker.lastYield = timer.now
    }
  }

  private enum BatchEnd {
    /// The next attempt has another type; nil: there is none.
    case goesOn(Int?)
    /// The task was cancelled.
    case needsNewTask
  }

  /// Runs consecutive attempts of one type. The handler is a parameter, which saves reference counting per attempt on
  /// an object that all workers share.
  @inline(never)
  private func runBatch(
    _ handler: @Sendable (JobContext) async throws -> (any Sendable)?, from first: Int, _ worker: Worker
  ) async -> BatchEnd {
    var next = first
    let type = worker.claimed[first].token.type
    while true {
      let token = worker.claimed[next].token
      guard token.type == type else { return .goesOn(next) }
      let payload = worker.hasPayloads ? worker.claimed[next].payload : nil
      switch enter(token, worker) {
      case .run:
        let started = startInstant(of: token, worker)
        if tracksThreads.load(ordering: .relaxed) { worker.takeThread() }
        let ending = await run(handler, context(token, payload, worker))
        report(token, worker, started: started, ending: ending)
        if worker.leave(token.job) { return .needsNewTask }
      case .skip: break
      case .skipOnNewTask: return .needsNewTask
      }
      guard let following = worker.takeNext() else { return .goesOn(nil) }
      next = following
    }
  }

  /// Yields the thread every 200 µs, because handlers that never suspend would otherwise keep workers without a thread
  /// from starting their attempts. A worker whose mark is no longer on its thread has suspended in between, which let
  /// others run.
  @inline(__always)
  private func yieldNowAndThen(_ worker: Worker) async {
    let now = timer.now
    guard now - worker.lastYield > .microseconds(200) else { return }
    let mark = Unmanaged.passUnretained(worker).toOpaque()
    guard cplatform_thread_mark(mark) == mark else {
      worker.lastYield = now
      return
    }
    await Task.yield()
    _ = cplatform_thread_mark(mark)
    worker.lastYield = timer.now
  }

  /// Suspends until there is work. Returns whether the scheduler stops.
  private func park(_ worker: Worker) async -> Bool {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let isParked = withState { state in
        guard worker.inbox.isEmpty && !state.isStopping && !worker.isRetired else { return false }
        worker.isParked = true
        worker.parkedTask = continuation
        return true
      }
      if !isParked { continuation.resume() }
    }
    defer { worker.dropSpent() }
    return withState { state in
      takeInbox(worker)
      guard worker.claimed.isEmpty else { return false }
      return state.isStopping || state.retires(worker)
    }
  }

  // MARK: - Worker loop of the thread pool

  /// Runs attempts on the calling thread until the scheduler stops.
  func runThread(_ worker: Worker) {
    let (types, observer) = withState { state in (state.types, state.observer) }
    let executor = ThreadExecutor(parker: worker.parker)
    while true {
      while let next = worker.takeNext() {
        let token = worker.claimed[next].token
        let payload = worker.hasPayloads ? worker.claimed[next].payload : nil
        guard enter(token, worker) == .run else { continue }
        let started = startInstant(of: token, worker)
        let ending: Ending
        switch types[token.type].handler {
        case .async(let handler): ending = runOnThread(handler, token, payload, worker, executor)
        case .blocking(let handler): ending = runBlocking(handler, context(token, payload, worker))
        case .unregistered: invariantViolated("a job of a parked type was started")
        }
        report(token, worker, started: started, ending: ending)
        _ = worker.leave(token.job)
      }
      if exchange(worker, observer) { continue }
      if worker.spinForWork() {
        withState { _ in takeInbox(worker) }
        worker.dropSpent()
        continue
      }
      let (mustPark, isStopping) = withState { state in
        worker.isParked = worker.inbox.isEmpty
        return (worker.isParked, worker.isParked && (state.isStopping || state.retires(worker)))
      }
      if mustPark {
        if isStopping { return }
        worker.parker.park()
      }
      withState { _ in
        worker.isParked = false
        takeInbox(worker)
      }
      worker.dropSpent()
      worker.lastFinish = nil
    }
  }

  // MARK: - Steps of both loops

  // An attempt takes these steps, in this order:
  //
  // 1. `enter`: the worker marks the attempt as its current one, unless it is over already.
  // 2. `startInstant`: when the handler begins.
  // 3. The handler runs.
  // 4. `report`: its ending joins the worker's reports, which the next `exchange` delivers.
  // 5. `leave`: the worker's current attempt ends, after a cancellation that is in progress.

  /// What to do with an attempt.
  private enum Entry {
    case run
    /// It is already over, and was reported.
    case skip
    /// As `skip`; in addition its cancellation cancelled the worker's task.
    case skipOnNewTask
  }

  /// Checks whether the attempt is still current; if not, reports its end.
  @inline(__always)
  private func enter(_ token: AttemptToken, _ worker: Worker) -> Entry {
    worker.enter(token.job)
    guard worker.revoked.load(ordering: .sequentiallyConsistent) else { return .run }
    let isLive = withState { state in
      worker.revoked.store(false, ordering: .relaxed)
      // The revoked attempt may be a later one of this worker.
      if worker.hasNext { worker.revoked.store(true, ordering: .relaxed) }
      return state.core.isLive(token)
    }
    if isLive { return .run }
    let now = timer.now
    worker.reports.append(AttemptReport(token: token, started: now, finished: now, outcome: .cancelled, ending: nil))
    return worker.leave(token.job) && worker.pool == .async ? .skipOnNewTask : .skip
  }

  @inline(__always)
  private func startInstant(of token: AttemptToken, _ worker: Worker) -> Instant {
    if token.reportsStart || announcesStarts.load(ordering: .relaxed) { return announceStart(of: token) }
    // In a sequence of attempts the end of one is the start of the next, which saves a clock read.
    return worker.lastFinish ?? timer.now
  }

  @inline(__always)
  private func report(_ token: AttemptToken, _ worker: Worker, started: Instant, ending: Ending) {
    let now = timer.now
    worker.lastFinish = worker.hasNext ? now : nil
    worker.learn(service: now - started)
    var report = AttemptReport(
      token: token, started: started, finished: now, outcome: ending.outcome, ending: ending.result)
    if case .value(let value) = ending.result { report.bytes = worker.measure(value) }
    worker.reports.append(report)
    if ending.outcome != .succeeded { failed(token, worker, ending) }
  }

  @inline(never)
  private func failed(_ token: AttemptToken, _ worker: Worker, _ ending: Ending) {
    guard !worker.isCancelled(token.job), case .error(let error) = ending.result else { return }
    logFailure(
      of: token.job, type: token.type, attempt: Int(token.attempt),
      error is CancellationError
        ? "\(error), though its attempt was not cancelled: something inside the handler was" : "\(error)")
  }

  @inline(__always)
  private func context(_ token: AttemptToken, _ payload: (any Sendable)?, _ worker: Worker) -> JobContext {
    JobContext(token: token, carried: payload, worker: worker)
  }

  /// Reports finished attempts, lets the core dispatch, and takes the attempts for this worker. Returns whether there
  /// are any.
  private func exchange(_ worker: Worker, _ observer: (any TimelineObserver)?) -> Bool {
    withState(releasing: &worker.departed) { state in
      let now = timer.now
      state.accept(worker.reports, from: worker, at: now, into: &worker.outbox)
      // If handlers take no real time, short and long jobs cannot be distinguished.
      let limit = virtualTime == nil ? worker.claimLimit : 1
      state.core.startJobs(
        at: now, claiming: limit > 1 ? Claim(pool: worker.pool, worker: worker.index, limit: limit) : nil,
        into: &worker.outbox)
      state.distribute(&worker.outbox, caller: worker, effects: &worker.effects)
      if state.core.hasClaimsAhead(in: worker.pool) { takeOverClaims(for: worker, in: &state, at: now) }
      takeInbox(worker)
      worker.batchSince = now
      worker.lastFinish = nil
    }
    worker.reports.removeAll(keepingCapacity: true)
    worker.dropSpent()
    perform(&worker.effects)
    if !worker.outbox.records.isEmpty {
      if let observer {
        worker.outbox.records.withUnsafeBufferPointer { observer.record($0, shard: worker.shard) }
      }
      worker.outbox.records.removeAll()
    }
    return !worker.claimed.isEmpty
  }

  /// Returns attempts that other workers have claimed ahead to the queue: all if this worker is idle, otherwise those
  /// claimed long ago, because a job turned out to be long. Call under the lock.
  private func takeOverClaims(for worker: Worker, in state: inout DriverState, at now: Instant) {
    var tookAny = false
    let firstRecord = worker.outbox.records.count
    for other in state.workers[Int(worker.pool.rawValue)] where other !== worker {
      guard worker.inbox.isEmpty || now - other.batchSince > .microseconds(200), other.hasNext else { continue }
      tookAny = giveBackClaims(of: other, in: &state, at: now, into: &worker.outbox) || tookAny
    }
    guard tookAny else { return }
    state.core.startJobs(
      at: now, claiming: Claim(pool: worker.pool, worker: worker.index, limit: worker.claimLimit),
      into: &worker.outbox)
    state.distribute(&worker.outbox, caller: worker, firstRecord: firstRecord, effects: &worker.effects)
  }

  /// Returns a worker's claimed attempts that have not begun. Call under the lock. Returns whether there were any.
  @discardableResult
  private func giveBackClaims(
    of worker: Worker, in state: inout DriverState, at now: Instant, into outbox: inout Outbox
  ) -> Bool {
    let claims = worker.takeUnbegun()
    for claimed in claims.reversed() { state.core.attemptReturned(claimed.token, at: now, into: &outbox) }
    return !claims.isEmpty
  }

  /// Returns all attempts that have not begun, whether claimed ahead or because the worker is still waking up. Called
  /// before a timeout or cancellation is decided, so that only running attempts count as running. Call under the lock;
  /// a dispatch pass follows.
  func giveBackUnbegun(in state: inout DriverState, at now: Instant, into outbox: inout Outbox) {
    for pool in PoolID.allCases {
      for worker in state.workers[Int(pool.rawValue)] {
        // Attempts under a rate limit stay, because returning them would not restore the rate.
        while let last = worker.inbox.last, !last.token.reportsStart {
          state.departures.add(value: worker.inbox.removeLast().payload)
          state.core.attemptReturned(last.token, at: now, into: &outbox)
        }
        if worker.hasNext { giveBackClaims(of: worker, in: &state, at: now, into: &outbox) }
      }
    }
  }

  /// Call under the lock. The worker's previous attempts become ``Worker/spent`` and are released after unlocking.
  @inline(__always)
  private func takeInbox(_ worker: Worker) {
    swap(&worker.spent, &worker.claimed)
    worker.taken.store(0, ordering: .releasing)
    swap(&worker.claimed, &worker.inbox)
    worker.hasNewAttempts.store(false, ordering: .relaxed)
    worker.hasPayloads = worker.inboxHasPayloads
    worker.inboxHasPayloads = false
    if worker.claimed.isEmpty { worker.lastFinish = nil }
  }

  // MARK: - Handlers

  @inline(__always)
  private func run(
    _ handler: @Sendable (JobContext) async throws -> (any Sendable)?, _ context: JobContext
  ) async -> Ending {
    do {
      return Ending(value: try await handler(context))
    } catch {
      return Ending(error: error)
    }
  }

  private func runBlocking(
    _ handler: @Sendable (JobContext) throws -> (any Sendable)?, _ context: JobContext
  ) -> Ending {
    do {
      return Ending(value: try handler(context))
    } catch {
      return Ending(error: error)
    }
  }

  /// Runs an async handler on this thread, which waits for it.
  private func runOnThread(
    _ handler: @escaping @Sendable (JobContext) async throws -> (any Sendable)?, _ token: AttemptToken,
    _ payload: (any Sendable)?, _ worker: Worker, _ executor: ThreadExecutor
  ) -> Ending {
    let box = EndingBox()
    let context = context(token, payload, worker)
    let task = Task(executorPreference: executor) { [self] in box.ending = await run(handler, context) }
    withState { _ in worker.task = task }
    // Stopped before the task existed.
    if worker.isCancelled(token.job) { task.cancel() }
    while box.ending == nil { executor.runNext() }
    // The task holds the handler's context.
    _ = withState { _ in worker.task.take() }
    return box.ending!
  }
}

/// How a handler ended, as an outcome and a result.
struct Ending {
  var outcome: AttemptOutcome
  var result: AttemptResult?

  @inline(__always)
  init(value: (any Sendable)?) {
    outcome = .succeeded
    result = value.map { .value($0) }
  }

  init(error: any Error) {
    if case SchedulerError.refused(.stopping) = error {
      // A retry would be rejected, because the scheduler is gone.
      (outcome, result) = (.failedPermanently, .error(error))
      return
    }
    outcome =
      (error as? any OutcomeError)?.attemptOutcome
      ?? (error is any PermanentFailure ? .failedPermanently : error is any CrashFailure ? .crashed : .failed)
    result = .error(error)
  }
}

/// Stores a handler's ending; written and read on the same thread.
private final class EndingBox: @unchecked Sendable {
  var ending: Ending?
}

/// Runs the jobs of an async handler on a worker's thread.
final class ThreadExecutor: TaskExecutor, @unchecked Sendable {
  private let lock = Lock()
  private let parker: Parker
  private var pieces: [UnownedJob] = []

  init(parker: Parker) { self.parker = parker }

  func enqueue(_ job: consuming ExecutorJob) {
    let piece = UnownedJob(job)
    lock.withLock { pieces.append(piece) }
    parker.unpark()
  }

  /// Runs the next job of the executor, or sleeps until there is one.
  func runNext() {
    let piece = lock.withLock { pieces.isEmpty ? nil : pieces.removeFirst() }
    if let piece { piece.runSynchronously(on: asUnownedTaskExecutor()) } else { parker.park() }
  }
}
