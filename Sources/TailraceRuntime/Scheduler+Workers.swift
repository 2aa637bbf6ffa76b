import CPlatform
import Synchronization
import TailraceCore
import TailracePlatform

extension Scheduler {
  // MARK: - The loop of a worker of the async pool

  /// Runs attempts until the scheduler stops. When an attempt is cancelled its task is cancelled with it, so that a
  /// fresh task takes over from there.
  func runTask(_ worker: Worker) async {
    let (table, observer) = withState { state in (state.handlers, state.observer) }
    while true {
      var next = worker.takeNext()
      while let first = next {
        guard case .async(let handler) = table[worker.claimed[first].token.type] else {
          invariantViolated("a blocking handler was sent to the async pool")
        }
        switch await runRow(handler, from: first, worker) {
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
      if worker.lookOut() {
        withState { _ in takeInbox(worker) }
        worker.dropSpent()
        continue
      }
      if await park(worker) { return }
      worker.lastYield = timer.now
    }
  }

  private enum RowEnd {
    /// The next attempt that was taken up is of another type; nil: there is none.
    case goesOn(Int?)
    /// The task is cancelled for good.
    case needsNewTask
  }

  /// Runs attempts of one type in a row. Its handler comes as a parameter, which costs no counted reference per
  /// attempt: all workers count on the same one.
  @inline(never)
  private func runRow(
    _ handler: @Sendable (JobContext) async throws -> (any Sendable)?, from first: Int, _ worker: Worker
  ) async -> RowEnd {
    var next = first
    let type = worker.claimed[first].token.type
    while true {
      let token = worker.claimed[next].token
      guard token.type == type else { return .goesOn(next) }
      let payload = worker.hasPayloads ? worker.claimed[next].payload : nil
      switch prepare(token, worker) {
      case .run:
        let started = begin(token, worker)
        if notesThreads.load(ordering: .relaxed) { worker.takeThread() }
        let ending = await run(handler, context(token, payload, worker))
        finish(token, worker, started: started, ending: ending)
        if worker.end(token.job) { return .needsNewTask }
      case .skip: break
      case .skipOnNewTask: return .needsNewTask
      }
      guard let following = worker.takeNext() else { return .goesOn(nil) }
      next = following
    }
  }

  /// Lets other tasks have the thread every 200 µs: handlers that never suspend would otherwise keep workers that have
  /// no thread yet from starting what was handed to them. A worker whose mark is not on its thread has suspended since
  /// it left it: others had their turn.
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

  // MARK: - The loop of a worker of the thread pool

  /// Runs attempts on the calling thread until the scheduler stops.
  func runThread(_ worker: Worker) {
    let (table, observer) = withState { state in (state.handlers, state.observer) }
    let executor = ThreadExecutor(parker: worker.parker)
    while true {
      while let next = worker.takeNext() {
        let token = worker.claimed[next].token
        let payload = worker.hasPayloads ? worker.claimed[next].payload : nil
        guard prepare(token, worker) == .run else { continue }
        let started = begin(token, worker)
        let ending: Ending
        switch table[token.type] {
        case .async(let handler): ending = runOnThread(handler, token, payload, worker, executor)
        case .blocking(let handler): ending = runBlocking(handler, context(token, payload, worker))
        case .unregistered: invariantViolated("a job of a parked type was started")
        }
        finish(token, worker, started: started, ending: ending)
        _ = worker.end(token.job)
      }
      if exchange(worker, observer) { continue }
      if worker.lookOut() {
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

  // MARK: - Steps that both share

  /// What to do with an attempt that was handed over.
  private enum Preparation {
    case run
    /// It is over already, and reported so.
    case skip
    /// The same, and its cancellation met the worker's task, which is cancelled for good.
    case skipOnNewTask
  }

  /// Looks whether the attempt is still wanted; reports it as ended when not.
  @inline(__always)
  private func prepare(_ token: AttemptToken, _ worker: Worker) -> Preparation {
    worker.begin(token.job)
    guard worker.revoked.load(ordering: .sequentiallyConsistent) else { return .run }
    let isLive = withState { state in
      worker.revoked.store(false, ordering: .relaxed)
      // Another attempt that was handed to this worker may be the revoked one.
      if worker.hasNext { worker.revoked.store(true, ordering: .relaxed) }
      return state.core.isLive(token)
    }
    if isLive { return .run }
    let now = timer.now
    worker.reports.append(AttemptReport(token: token, started: now, finished: now, outcome: .cancelled, ending: nil))
    return worker.end(token.job) && worker.pool == .async ? .skipOnNewTask : .skip
  }

  @inline(__always)
  private func begin(_ token: AttemptToken, _ worker: Worker) -> Instant {
    if token.reportsStart || announcesStarts.load(ordering: .relaxed) { return announceStart(of: token) }
    // Within a row of attempts the end of one is the start of the next: one clock read less.
    return worker.lastFinish ?? timer.now
  }

  @inline(__always)
  private func finish(_ token: AttemptToken, _ worker: Worker, started: Instant, ending: Ending) {
    let now = timer.now
    worker.lastFinish = worker.hasNext ? now : nil
    worker.note(service: now - started)
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

  /// Reports what was finished, lets the core start jobs, and takes what it hands to this worker. Returns whether that
  /// is anything.
  private func exchange(_ worker: Worker, _ observer: (any TimelineObserver)?) -> Bool {
    withState(releasing: &worker.departed) { state in
      let now = timer.now
      state.accept(worker.reports, from: worker, at: now, into: &worker.outbox)
      // Where handlers take no real time nobody could tell a short one from a long one.
      let limit = virtualTime == nil ? worker.claimLimit : 1
      state.core.startJobs(
        at: now, claiming: limit > 1 ? Claim(pool: worker.pool, worker: worker.index, limit: limit) : nil,
        into: &worker.outbox)
      state.distribute(&worker.outbox, caller: worker, effects: &worker.effects)
      if state.core.hasClaimsAhead(in: worker.pool) { relieve(worker, in: &state, at: now) }
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

  /// Gives back what other workers claimed ahead and do not get to: everything when this worker has nothing to do, else
  /// what they have held for long, since one of their jobs turned out to be a long one. Under the lock.
  private func relieve(_ worker: Worker, in state: inout DriverState, at now: Instant) {
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

  /// Gives back what a worker claimed and has not begun. Under the lock. Returns whether that was anything.
  @discardableResult
  private func giveBackClaims(
    of worker: Worker, in state: inout DriverState, at now: Instant, into outbox: inout Outbox
  ) -> Bool {
    let claims = worker.takeUnbegun()
    for claimed in claims.reversed() { state.core.attemptReturned(claimed.token, at: now, into: &outbox) }
    return !claims.isEmpty
  }

  /// Gives back whatever was handed to a worker that has not begun it, be it claimed ahead or because the worker is
  /// still waking up: before a timeout or a cancellation is decided, so that only attempts that really run count as
  /// running. Under the lock; the pass that starts jobs follows.
  func giveBackUnbegun(in state: inout DriverState, at now: Instant, into outbox: inout Outbox) {
    for pool in PoolID.allCases {
      for worker in state.workers[Int(pool.rawValue)] {
        // What is under a rate limit stays: giving it back would not give back its turn.
        while let last = worker.inbox.last, !last.token.reportsStart {
          state.departures.add(value: worker.inbox.removeLast().payload)
          state.core.attemptReturned(last.token, at: now, into: &outbox)
        }
        if worker.hasNext { giveBackClaims(of: worker, in: &state, at: now, into: &outbox) }
      }
    }
  }

  /// Under the lock. What the worker held before is its ``Worker/spent``, which it drops when the lock is free.
  @inline(__always)
  private func takeInbox(_ worker: Worker) {
    swap(&worker.spent, &worker.claimed)
    worker.taken.store(0, ordering: .releasing)
    swap(&worker.claimed, &worker.inbox)
    worker.hasMail.store(false, ordering: .relaxed)
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

  /// Runs an asynchronous handler on this very thread, which waits for it.
  private func runOnThread(
    _ handler: @escaping @Sendable (JobContext) async throws -> (any Sendable)?, _ token: AttemptToken,
    _ payload: (any Sendable)?, _ worker: Worker, _ executor: ThreadExecutor
  ) -> Ending {
    let box = EndingBox()
    let context = context(token, payload, worker)
    let task = Task(executorPreference: executor) { [self] in box.ending = await run(handler, context) }
    withState { _ in worker.task = task }
    // Stopped before there was a task to cancel.
    if worker.isCancelled(token.job) { task.cancel() }
    while box.ending == nil { executor.runNext() }
    // It holds the handler's context.
    _ = withState { _ in worker.task.take() }
    return box.ending!
  }
}

/// How a handler ended, in the scheduler's words.
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
      // No retry would be admitted: the scheduler never takes jobs again.
      (outcome, result) = (.failedPermanently, .error(error))
      return
    }
    outcome =
      (error as? any OutcomeError)?.attemptOutcome
      ?? (error is any PermanentFailure ? .failedPermanently : error is any CrashFailure ? .crashed : .failed)
    result = .error(error)
  }
}

/// Where a handler's ending is put by a job of the same thread.
private final class EndingBox: @unchecked Sendable {
  var ending: Ending?
}

/// Runs the pieces of one asynchronous handler on a worker's thread.
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

  /// Runs the next piece, or sleeps until there is one.
  func runNext() {
    let piece = lock.withLock { pieces.isEmpty ? nil : pieces.removeFirst() }
    if let piece { piece.runSynchronously(on: asUnownedTaskExecutor()) } else { parker.park() }
  }
}
