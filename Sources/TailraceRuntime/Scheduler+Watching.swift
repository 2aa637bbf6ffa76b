import Synchronization
import TailraceCore
import TailracePlatform

extension Scheduler {
  // MARK: - Events

  /// The most events that may wait for one subscriber, and the most lines that may wait for an evidence log.
  public static let mostBuffered = 10_000_000

  /// ``events(bufferingNewest:)`` with room for 1,024 events.
  public func events() -> JobEvents { events(within: 1_024) }

  /// Everything that happens to the scheduler's jobs from now on, as a sequence.
  ///
  /// The scheduler never waits for a subscriber: one that is slower than the jobs loses the oldest events, and is told
  /// so by a ``JobEvent/Kind/dropped(_:since:)`` in their place. The sequence ends when ``shutdown(grace:stopping:)``
  /// is done, or the task that iterates it is cancelled; dropping it ends the subscription. Of two tasks that iterate
  /// one sequence each gets a part of the events: call this once for each.
  ///
  /// While there is a subscriber each step of a job is made and handed over under the scheduler's lock, and each start
  /// of an attempt costs a turn of that lock more. Without one nothing is made.
  ///
  /// - Parameter capacity: how many events may wait for this subscriber; 1 to 10,000,000.
  /// - Throws: where the capacity is out of that range.
  public func events(bufferingNewest capacity: Int) throws(InvalidValues) -> JobEvents {
    var check = ValueCheck()
    check.check("capacity", capacity, in: 1...Self.mostBuffered)
    try check.throwFound()
    return events(within: capacity)
  }

  private func events(within capacity: Int) -> JobEvents {
    let buffer = EventBuffer(capacity: capacity)
    subscribe(buffer)
    return JobEvents(subscription: EventSubscription(scheduler: self, buffer: buffer))
  }

  func subscribe(_ buffer: EventBuffer) {
    let hasEnded = withState { state in
      guard !state.isStopping else { return true }
      state.observation.add(buffer)
      if !buffer.isEvidence { announcesStarts.store(true, ordering: .relaxed) }
      return false
    }
    if hasEnded { buffer.finish() }
  }

  func unsubscribe(_ buffer: EventBuffer) {
    withState { state in
      state.observation.remove(buffer)
      announcesStarts.store(
        state.observation.listeners > 0, ordering: .relaxed)
    }
  }

  /// Says that an attempt begins, to whoever is to know: the core for its rate limits, the subscribers.
  @inline(never)
  func announceStart(of token: AttemptToken) -> Instant {
    let (now, wakes) = withState { state in
      let now = timer.now
      if token.reportsStart { state.core.attemptStarted(token, at: now) }
      return (now, state.observeStart(of: token, at: now))
    }
    for buffer in wakes { buffer.wake() }
    return now
  }

  /// Ends every subscription, once no job is left that anything could happen to.
  func endEvents() {
    announcesStarts.store(false, ordering: .relaxed)
    for buffer in withState({ state in state.observation.removeAllSubscribers() }) { buffer.finish() }
  }

  // MARK: - History

  /// Where a job is and what its attempts were; nil when the job is not, or no longer, known.
  ///
  /// Attempts are kept only by a scheduler that was made with `attemptsRemembered` above 0.
  public func history(of id: JobID) -> JobHistory? {
    guard let status = status(of: id) else { return nil }
    let (attempts, forgotten) = withState { (state: inout DriverState) -> ([JobAttempt], Int) in
      guard state.core.state(of: id) != nil, id.slot < state.entries.count,
        let watch = state.entries[id.slot].watch
      else { return ([], 0) }
      return (watch.attempts, watch.forgottenAttempts)
    }
    return JobHistory(status: status, attempts: attempts, forgotten: forgotten)
  }

  /// The dead letters that are still remembered, oldest first, each with its cause and its attempts as
  /// ``history(of:)`` gives them.
  public func deadLetterHistories() -> [JobHistory] {
    deadLetters().map { JobHistory(status: $0.status, attempts: $0.history, forgotten: $0.forgottenAttempts) }
  }

  // MARK: - Callbacks

  /// Calls `action` once, when the job settles; at once, on the calling thread, when it has.
  ///
  /// It is called outside the scheduler's locks, on the thread that settled the job: usually a worker's, which is busy
  /// meanwhile, or the thread that cancelled the job. Callbacks that follow from a timer, such as a time-out, run one
  /// after another on a thread that the scheduler keeps for them. It may call the scheduler, and must return quickly.
  ///
  /// - Returns: what takes the callback back.
  /// - Throws: ``SchedulerError/unknownJob(_:)``.
  @discardableResult
  public func onSettled(
    of id: JobID, _ action: @escaping @Sendable (JobResult) -> Void
  ) throws -> CallbackRegistration {
    enum Found {
      case waits(JobWatch, UInt64)
      case settled(JobResult)
    }
    let found = try withState { (state: inout DriverState) throws -> Found in
      guard let jobState = state.core.state(of: id) else { throw SchedulerError.unknownJob(id) }
      let watch = state.watch(id)
      if let cause = state.core.cause(of: id) {
        defer { state.resultTaken(of: id) }
        return .settled(state.result(of: id, state: jobState, cause: cause, watch: watch))
      }
      return .waits(watch, watch.onSettled.add(isOwn: false, action))
    }
    switch found {
    case .settled(let result):
      action(result)
      return CallbackRegistration {}
    case .waits(let watch, let number):
      return CallbackRegistration { [weak self] in
        // The callback leaves the lock before it is released.
        _ = self?.withState { _ in watch.onSettled.withdraw(number) }
      }
    }
  }

  /// Calls `action` for every job that settles from now on, or for every one of a type. Jobs that were refused never
  /// settle.
  ///
  /// It is called as ``onSettled(of:_:)`` says, at once on several threads as jobs settle on several. While there is
  /// such a callback the result of every settled job is made, under the scheduler's lock.
  ///
  /// - Parameters:
  ///   - type: the name of a job type; nil: all. It need not be registered yet.
  ///   - action: must return quickly.
  /// - Returns: what takes the callback back.
  @discardableResult
  public func onJobSettled(
    type: String? = nil, _ action: @escaping @Sendable (SettledJob) -> Void
  ) -> CallbackRegistration {
    // Nothing settles any more after a shutdown, and the callback may hold the scheduler.
    let number = withState { state in state.hasLetGo ? nil : state.observation.add(type, action) }
    guard let number else { return CallbackRegistration {} }
    return CallbackRegistration { [weak self] in
      _ = self?.withState { state in state.observation.removeCallback(number) }
    }
  }
}

/// The steps of a scheduler's jobs; see ``Scheduler/events(bufferingNewest:)``.
public struct JobEvents: AsyncSequence, Sendable {
  /// One step of one job.
  public typealias Element = JobEvent
  /// Reading events cannot fail.
  public typealias Failure = Never
  let subscription: EventSubscription

  /// Reads the sequence's one buffer.
  public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

  /// Takes events out of the subscription's buffer.
  public struct Iterator: AsyncIteratorProtocol {
    let subscription: EventSubscription
    /// The next event; nil when there will be none or the task is cancelled.
    public mutating func next() async -> JobEvent? { await subscription.buffer.next() }
    /// The next event; nil when there will be none or the task is cancelled.
    public mutating func next(isolation actor: isolated (any Actor)?) async -> JobEvent? {
      await subscription.buffer.next()
    }
  }
}

/// Ends a subscription when nobody holds it any more.
final class EventSubscription: Sendable {
  let buffer: EventBuffer
  private let scheduler: Scheduler

  init(scheduler: Scheduler, buffer: EventBuffer) {
    self.scheduler = scheduler
    self.buffer = buffer
  }

  deinit { scheduler.unsubscribe(buffer) }
}
