import Logging
import Synchronization
import TailraceCore
import TailracePlatform

extension Scheduler {
  // MARK: - Submitting

  /// Submits a job. Suspends while the queue is full if the overflow policy is `block`.
  ///
  /// If the scheduler shuts down, or a dependency fails, while the submission waits for room, this call returns and the
  /// job is settled as cancelled.
  ///
  /// - Returns: the job's identifier, valid as long as the scheduler keeps the job.
  /// - Throws: ``/TailraceCore/InvalidValues`` with every value that is out of range;
  ///   ``SchedulerError/unknownJobType(_:close:)``, ``SchedulerError/refused(_:)``; `CancellationError` if the calling
  ///   task is cancelled while it waits for room, which also cancels the job; ``TimeStandsStill``, also with the job
  ///   cancelled, if ``VirtualTime`` does not advance during the wait.
  @discardableResult
  public func submit(_ request: JobRequest) async throws -> JobID {
    try await submit(request, watch: nil)
  }

  /// - Parameter watch: keeps the result for the job's handle; nil: there is no handle.
  func submit(_ request: JobRequest, watch: JobWatch?) async throws -> JobID {
    let admission = try offer(request, watch: watch)
    switch admission {
    case .accepted(let id): return id
    case .refused(let refusal): throw SchedulerError.refused(refusal)
    case .waiting(let id):
      try await roomAwaited(by: id)
      return id
    }
  }

  /// Waits until a job that found no room is admitted, or settles without being admitted.
  ///
  /// - Throws: as ``submit(_:)-(JobRequest)`` during its wait; the job is then cancelled.
  func roomAwaited(by id: JobID) async throws {
    let room = RoomWait()
    defer { room.end() }
    var wait: HandlerWaitTicket?
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        wait = onAdmission(of: id) { continuation.resume() }
        withdrawWhenTimeStandsStill(id, room)
      }
    } onCancel: {
      withdraw(id, room, since: CancellationError())
    }
    endWait(wait)
    try room.check()
  }

  /// Submits a job and blocks the calling thread while the queue is full if the overflow policy is `block`. Do not call
  /// it from async code.
  ///
  /// - Throws: as ``submit(_:)-(JobRequest)``. `CancellationError` is thrown only to a handler whose attempt is
  ///   cancelled or times out during the wait.
  @discardableResult
  public func submitBlocking(_ request: JobRequest) throws -> JobID {
    let admission = try offer(request)
    switch admission {
    case .accepted(let id): return id
    case .refused(let refusal): throw SchedulerError.refused(refusal)
    case .waiting(let id):
      let room = RoomWait()
      defer { room.end() }
      withdrawWhenTimeStandsStill(id, room)
      if let worker = handlerAround, worker.pool == .thread, let job = worker.liveJob {
        waitForRoom(id, room, on: worker, for: job)
      } else {
        waitForRoom(id)
      }
      try room.check()
      return id
    }
  }

  /// Blocks a handler's thread until its job is admitted. If the attempt ends first, the job is withdrawn.
  private func waitForRoom(_ id: JobID, _ room: RoomWait, on worker: Worker, for job: JobID) {
    worker.waiting { parker in
      let wait = onAdmission(of: id) {
        room.end()
        parker.unpark()
      }
      defer { endWait(wait) }
      while !room.isOver {
        if worker.isCancelled(job), withdraw(id, room, since: CancellationError()) { return }
        parker.park()
      }
    }
  }

  /// Cancels a job that waits for room. Returns whether it still waited; its submitter then receives `reason`.
  @discardableResult
  private func withdraw(_ id: JobID, _ room: RoomWait, since reason: any Error) -> Bool {
    report { state, now, outbox in
      guard state.core.state(of: id) == .waitingForRoom else { return false }
      // Set before the submitter is woken, which happens after unlocking.
      room.fail(reason)
      return state.core.cancelRequested(id, at: now, into: &outbox)
    }
  }

  private func withdrawWhenTimeStandsStill(_ id: JobID, _ room: RoomWait) {
    whenTimeStandsStill("room in the queue is awaited for job \(id.rawValue)", isOver: { room.isOver }) { [weak self] in
      self?.withdraw(id, room, since: $0)
    }
  }

  /// - Parameter intended: the intended arrival; nil: now.
  func offer(_ given: JobRequest, watch held: JobWatch? = nil, intended: Instant? = nil) throws
    -> Admission
  {
    let request = try prepared(given)
    try request.validate()
    let fault = invalidity(of: request)
    let carried = JobEnvelope.pack(request)
    let watch = watch(of: request, held, fault)
    // The result of the check outside the lock, which is more than a comparison.
    var fitting: (any Job.Type)??
    while true {
      switch offer(request, carried, watch, isValid: fault == nil, fitting: fitting, intended: intended) {
      case .answered(let admission): return admission
      case .unknownType: try park(request.type)
      case .doubtful(let registered):
        try ParameterCheck.look(at: request, registered: registered)
        fitting = .some(registered)
      }
    }
  }

  /// What is kept of a job from its submission on; nil: nothing yet. It is created later if the job has a waiter.
  @inline(__always)
  func watch(of request: JobRequest, _ held: JobWatch?, _ fault: (any Error)?) -> JobWatch? {
    guard !request.labels.isEmpty || fault != nil else { return held }
    let watch = held ?? JobWatch()
    watch.labels = request.labels
    if let fault { watch.ending = .error(fault) }
    return watch
  }

  /// The result of a submission under the lock.
  enum Offer {
    case answered(Admission)
    /// Its type must be announced first.
    case unknownType
    /// Its parameters must be checked first.
    case doubtful(registered: (any Job.Type)?)
  }

  @inline(__always)
  private func offer(
    _ request: JobRequest, _ carried: (any Sendable)?, _ watch: JobWatch?, isValid: Bool,
    fitting: (any Job.Type)??, intended: Instant?
  ) -> Offer {
    report { state, now, outbox in
      state.offer(
        request, carried, watch, isValid: isValid, fitting: fitting, intended: intended,
        isFromHandler: { handlerAround != nil }, at: now, into: &outbox)
    }
  }
  /// Returns a ticket that ends the wait of the calling handler, if any.
  private func onAdmission(of id: JobID, _ action: @escaping @Sendable () -> Void) -> HandlerWaitTicket? {
    let (isWaiting, wait) = withState { (state: inout DriverState) -> (Bool, HandlerWaitTicket?) in
      guard state.core.state(of: id) == .waitingForRoom else { return (false, nil) }
      state.watch(id).onAdmission = action
      return (true, state.beginWait(of: self, for: .room(id)))
    }
    if !isWaiting { action() }
    return wait
  }

  /// Submits jobs of a load generator with given numbers and intended arrivals; one dispatch pass serves all of them.
  ///
  /// Stops after the first job whose submitter must wait (overflow policy `block`).
  ///
  /// - Parameter admitted: called under the scheduler's lock for each submission with its index in `submissions`; must
  ///   be quick.
  /// - Returns: how many were submitted, and the job for which to ``waitForRoom(_:)`` before the next, if any.
  package func submit(
    _ submissions: UnsafeBufferPointer<JobSubmission>, admitted: (Int, Admission) -> Void = { _, _ in }
  ) -> (count: Int, waiting: JobID?) {
    report { state, now, outbox in
      for index in submissions.indices {
        let admission = state.core.jobSubmitted((submissions.baseAddress! + index).pointee, at: now, into: &outbox)
        if state.observation.isActive { state.observe(admission, of: submissions[index], at: now, in: outbox) }
        admitted(index, admission)
        if case .waiting(let id) = admission {
          _ = state.watch(id)
          return (index + 1, id)
        }
      }
      return (submissions.count, nil)
    }
  }

  /// Blocks the calling thread until the job is admitted, or settles without being admitted.
  ///
  /// - Parameter isOver: polled every 50 ms; if it returns true, this call returns and the job keeps waiting.
  package func waitForRoom(_ id: JobID, until isOver: () -> Bool = { false }) {
    let parker = Parker()
    let mustWait = withState { state in
      // The slot of a forgotten job may have been reused; do not touch its watch.
      guard state.core.state(of: id) == .waitingForRoom else { return false }
      state.watch(id).onAdmission = { parker.unpark() }
      return true
    }
    guard mustWait else { return }
    while !isOver(), withState({ state in state.core.state(of: id) == .waitingForRoom }) {
      parker.park(untilNanoseconds: (MonotonicClock.now() + .milliseconds(50)).nanoseconds)
    }
  }

  /// Calls `action` once when the job settles; immediately if it has settled or is not known.
  package func onSettled(_ id: JobID, _ action: @escaping @Sendable () -> Void) {
    let isPending = withState { state in
      guard let jobState = state.core.state(of: id), !jobState.isTerminal else { return false }
      _ = state.watch(id).onSettled.add(isOwn: true) { _ in action() }
      return true
    }
    if !isPending { action() }
  }

  /// Cancels a job and its dependents. A waiting job never starts; a running one is asked to stop.
  ///
  /// - Returns: whether the job was known and unsettled.
  @discardableResult
  public func cancel(_ id: JobID) -> Bool {
    report { state, now, outbox in
      giveBackUnbegun(in: &state, at: now, into: &outbox)
      return state.core.cancelRequested(id, at: now, into: &outbox)
    }
  }

  /// Opens a batch. Submit jobs with its identifier, then seal it.
  ///
  /// - Parameter failFast: whether the first dead-lettered job cancels the rest of the batch.
  /// - Throws: ``/TailraceCore/LimitReached`` if a million batches are open.
  public func openBatch(failFast: Bool) throws(LimitReached) -> BatchID {
    try withState { (state: inout DriverState) throws(LimitReached) in try state.core.batchOpened(failFast: failFast) }
  }

  /// Seals the batch and waits until all its jobs have settled. Returns immediately if they have.
  ///
  /// If the calling task is cancelled first, the jobs continue.
  ///
  /// - Returns: whether all jobs settled; false if the calling task was cancelled first, or if ``VirtualTime`` does not
  ///   advance.
  @discardableResult
  public func settleBatch(_ id: BatchID) async -> Bool {
    sealBatch(id)
    let waiter = Waiter<Bool>()
    return await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
        waiter.begin(continuation)
        let entry = withState { (state: inout DriverState) -> (number: UInt64, wait: HandlerWaitTicket?)? in
          guard state.core.isOpen(id) else { return nil }
          state.waitNumber += 1
          let number = state.waitNumber
          state.onBatchSettled[id.rawValue, default: [:]][number] = { waiter.finish(true) }
          return (number, state.beginWait(of: self, for: .batch(id)))
        }
        guard let entry else { return waiter.finish(true) }
        whenTimeStandsStill("batch \(id.rawValue) is awaited", isOver: { waiter.isDone }) {
          [logger] reason in
          logger.critical("virtual time stands still", metadata: ["reason": "\(reason)"])
          waiter.finish(false)
        }
        waiter.whenDone { [self] in
          _ = withState { state in
            entry.wait?.end()
            return state.onBatchSettled[id.rawValue]?.removeValue(forKey: entry.number)
          }
        }
      }
    } onCancel: {
      waiter.finish(false)
    }
  }

  /// Seals the batch: no more jobs will be submitted to it.
  package func sealBatch(_ id: BatchID) {
    report { state, _, outbox in state.core.batchSealed(id, into: &outbox) }
  }

  // MARK: - Queries

  /// The status of a job; nil if it is not known or was forgotten.
  public func status(of id: JobID) -> JobStatus? {
    withState { state in state.status(of: id) }
  }

  /// Awaits a job's settlement.
  ///
  /// - Parameters:
  ///   - id: the job, settled or not.
  ///   - timeout: the maximum wait; nil: no limit. The job continues after a timeout. Negative values count as 0, so
  ///     the rest of a deadline can be passed; the result of a settled job is returned in any case.
  /// - Throws: ``SchedulerError/unknownJob(_:)``, ``SchedulerError/awaitTimedOut(_:after:)``, `CancellationError` if
  ///   the awaiting task is cancelled; ``TimeStandsStill`` if ``VirtualTime`` does not advance.
  public func result(of id: JobID, timeout: Duration? = nil) async throws -> JobResult {
    let waiter = Waiter<Result<JobResult, any Error>>()
    let answer: Result<JobResult, any Error> = await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<JobResult, any Error>, Never>) in
        waiter.begin(continuation)
        var wait: HandlerWaitTicket?
        var entry: (JobWatch, UInt64)?
        let known: JobResult?? = withState { state in
          guard state.core.state(of: id) != nil else { return .some(nil) }
          let watch = state.watch(id)
          if let cause = state.core.cause(of: id) {
            defer { state.resultTaken(of: id) }
            return state.result(of: id, cause: cause, watch: watch)
          }
          entry = (watch, watch.onSettled.add(isOwn: true) { waiter.tell(.success($0)) })
          wait = state.beginWait(of: self, for: .job(id))
          return nil
        }
        if let wait { waiter.whenDone { [self] in endWait(wait) } }
        if let (watch, number) = entry {
          waiter.whenGivenUp { [self] in _ = withState { _ in watch.onSettled.withdraw(number) } }
        }
        switch known {
        case .some(.some(let result)): waiter.finish(.success(result))
        case .some(.none): waiter.finish(.failure(SchedulerError.unknownJob(id)))
        case .none:
          if let timeout {
            // Checked first, so that it also works under virtual time.
            guard timeout > .zero else {
              return waiter.finish(.failure(SchedulerError.awaitTimedOut(id, after: timeout)))
            }
            let number = timer.schedule(at: timer.now + Nanoseconds(timeout)) { _ in
              waiter.finish(.failure(SchedulerError.awaitTimedOut(id, after: timeout)))
            }
            waiter.whenDone { [timer] in _ = timer.withdraw(number) }
          }
          whenTimeStandsStill("job \(id.rawValue) is awaited", isOver: { waiter.isDone }) {
            waiter.finish(.failure($0))
          }
        }
      }
    } onCancel: {
      waiter.finish(.failure(CancellationError()))
    }
    return try answer.get()
  }

  /// The core's gauges only; cheaper than ``metrics()`` for frequent reads.
  package var gauges: SchedulerGauges { withState { state in state.core.gaugesNow(at: timer.now) } }

  /// Whether all jobs are settled and no handler runs.
  package var isAtRest: Bool {
    withState { state in
      let gauges = state.core.gauges
      return gauges.inSystem == 0 && gauges.waitingForRoom == 0 && gauges.abandoned == 0
    }
  }

  /// The number of jobs that the pool may run at once now: its workers or concurrency, as reduced by an adaptive limit
  /// or autoscaling.
  public func concurrencyLimit(of pool: PoolID) -> Int {
    withState { state in state.core.concurrencyLimit(of: pool) }
  }

  /// A snapshot of the metrics.
  public func metrics() -> SchedulerMetrics {
    withState { state in
      SchedulerMetrics(
        gauges: state.core.gaugesNow(at: timer.now), attempts: state.attempts,
        serviceTime: state.serviceTime.duration,
        workers: state.workers.flatMap { $0 }.filter { worker in
          // A spare worker counts once it has been used.
          Int(worker.index) < configuration[worker.pool].workers || worker.attempts > 0
        }.map {
          WorkerMetrics(pool: $0.pool, worker: Int($0.index), attempts: $0.attempts, busy: $0.busy.duration)
        },
        uptime: state.startInstant.map { $0.duration(to: timer.now) } ?? .zero)
    }
  }
}

extension DriverState {
  /// Reports a submission to the core and keeps what the driver needs for its job.
  @inline(__always)
  mutating func offer(
    _ request: JobRequest, _ carried: (any Sendable)?, _ watch: JobWatch?, isValid: Bool, fitting: (any Job.Type)??,
    intended: Instant?, isFromHandler: () -> Bool, at now: Instant, into outbox: inout Outbox
  ) -> Scheduler.Offer {
    guard let type = types.numbers[request.type], types[type].isAnnounced else { return .unknownType }
    if case .doubtful(let registered) = check(request, of: type) {
      guard case .some(let looked) = fitting, looked == registered else { return .doubtful(registered: registered) }
    }
    // Numbers identify jobs in records and vary the jitter of their retries.
    let number = nextNumber
    nextNumber += 1
    var submission = self.submission(
      of: request, type: type, number: number, intended: intended ?? now, at: now)
    if core.asksForOrigin { submission.isFromHandler = isFromHandler() }
    let admission =
      isValid
      ? core.jobSubmitted(submission, at: now, into: &outbox)
      : core.invalidJobSubmitted(submission, at: now, into: &outbox)
    switch admission {
    case .accepted(let id), .waiting(let id): keep(carried, watch, for: id)
    case .refused(let refusal): if refusal == .stopping { refusedSubmissions += 1 }
    }
    if observation.isActive { observe(admission, of: submission, at: now, in: outbox) }
    return .answered(admission)
  }

  mutating func status(of id: JobID) -> JobStatus? {
    guard let jobState = core.state(of: id), let (type, priority) = core.description(of: id) else { return nil }
    let watch = id.slot < entries.count ? entries[id.slot].watch : nil
    var status = JobStatus(
      id: id, type: types[type].name, priority: priority, state: jobState, cause: core.cause(of: id),
      attempts: core.attempts(of: id) ?? 0, labels: watch?.labels ?? [], failure: watch?.failure)
    status.isParked = core.isParked(id)
    status.isRecovered = jobState == .completed && watch?.recoveredFrom != nil
    if let (pool, worker, attempt) = core.holder(of: id) {
      status.progress = workers[Int(pool.rawValue)][Int(worker)].progress.latest(job: id, attempt: attempt)
    }
    return status
  }
}

/// A submitter's wait for room in the queue: whether it is over, and the reason if it was given up.
private final class RoomWait: Sendable {
  private let hasEnded = Atomic<Bool>(false)
  private let failure = Locked<(any Error)?>(nil)

  var isOver: Bool { hasEnded.load(ordering: .acquiring) }
  func end() { hasEnded.store(true, ordering: .releasing) }
  func fail(_ error: any Error) { failure.withLock { $0 = error } }
  func check() throws { if let error = failure.withLock({ $0 }) { throw error } }
}

/// Resumes a waiter once: with the answer, a timeout or a cancellation.
private final class Waiter<Answer: Sendable>: @unchecked Sendable {
  private let lock = Lock()
  private var continuation: UnsafeContinuation<Answer, Never>?
  private var answer: Answer?
  private var cleanUp: [() -> Void] = []
  private var withdrawal: (() -> Void)?

  func begin(_ continuation: UnsafeContinuation<Answer, Never>) {
    let early = lock.withLock {
      if answer == nil { self.continuation = continuation }
      return answer
    }
    if let early { continuation.resume(returning: early) }
  }

  var isDone: Bool { lock.withLock { answer != nil } }

  func whenDone(_ action: @escaping () -> Void) {
    let isDone = lock.withLock {
      if answer == nil { cleanUp.append(action) }
      return answer != nil
    }
    if isDone { action() }
  }

  /// Sets an `action` for a wait that ends by timeout or cancellation before the answer. Not called after ``tell(_:)``.
  func whenGivenUp(_ action: @escaping () -> Void) {
    let isDone = lock.withLock {
      if answer == nil { withdrawal = action }
      return answer != nil
    }
    if isDone { action() }
  }

  func finish(_ answer: Answer) { finish(answer, isTold: false) }

  /// Supplies the awaited answer. Most waits end this way, without locking again.
  func tell(_ answer: Answer) { finish(answer, isTold: true) }

  private func finish(_ answer: Answer, isTold: Bool) {
    typealias Rest = (waiting: UnsafeContinuation<Answer, Never>?, cleanUp: [() -> Void], withdrawal: (() -> Void)?)
    let rest = lock.withLock { () -> Rest in
      guard self.answer == nil else { return (nil, [], nil) }
      self.answer = answer
      defer { (continuation, cleanUp, withdrawal) = (nil, [], nil) }
      return (continuation, cleanUp, withdrawal)
    }
    for action in rest.cleanUp { action() }
    if !isTold { rest.withdrawal?() }
    rest.waiting?.resume(returning: answer)
  }
}
