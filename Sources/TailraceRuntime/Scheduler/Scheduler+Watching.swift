import Synchronization
import TailraceCore
import TailracePlatform

extension Scheduler {
  // MARK: - Events

  /// The maximum buffer size of a subscriber in events, and of an evidence log in lines.
  public static let mostBuffered = 10_000_000

  /// Calls ``events(bufferingNewest:)`` with a buffer of 1,024 events.
  public func events() -> JobEvents { events(within: 1_024) }

  /// A sequence of all events of the scheduler's jobs from now on.
  ///
  /// The scheduler never waits for a subscriber. A subscriber that is too slow loses the oldest events and receives a
  /// ``JobEvent/Kind/dropped(_:since:)`` instead. The sequence ends when ``shutdown(grace:stopping:)`` is complete or
  /// the iterating task is cancelled; releasing it ends the subscription. If two tasks iterate over one sequence, each
  /// receives a part of the events; call this once per task.
  ///
  /// With a subscriber, each event is created and appended under the scheduler's lock, and each start of an attempt
  /// locks once more. Without subscribers no events are created.
  ///
  /// - Parameter capacity: the buffer size in events; 1 to 10,000,000.
  /// - Throws: ``/TailraceCore/InvalidValues`` if the capacity is out of range.
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

  /// Reports the start of an attempt to the core, for rate limits, and to subscribers.
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

  /// Ends every subscription. Call when no more events can occur.
  func endEvents() {
    announcesStarts.store(false, ordering: .relaxed)
    for buffer in withState({ state in state.observation.removeAllSubscribers() }) { buffer.finish() }
  }

  // MARK: - History

  /// The status of a job and its attempts; nil if the job is not known or was forgotten.
  ///
  /// Attempts are kept only if the scheduler was created with `attemptsRemembered` above 0.
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

  /// The stored dead letters, oldest first, each with its attempts as from ``history(of:)``.
  public func deadLetterHistories() -> [JobHistory] {
    deadLetters().map { JobHistory(status: $0.status, attempts: $0.history, forgotten: $0.forgottenAttempts) }
  }

  // MARK: - Callbacks

  /// Calls `action` once when the job settles; immediately, on the calling thread, if it has settled.
  ///
  /// The callback runs outside the scheduler's locks on the thread that settled the job: usually a worker's, which is
  /// busy meanwhile, or the thread that cancelled the job. Callbacks caused by a timer, such as a timeout, run one
  /// after another on a dedicated thread. A callback may call the scheduler and must return quickly.
  ///
  /// - Returns: a registration to cancel the callback.
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
      guard state.core.state(of: id) != nil else { throw SchedulerError.unknownJob(id) }
      let watch = state.watch(id)
      if let cause = state.core.cause(of: id) {
        defer { state.resultTaken(of: id) }
        return .settled(state.result(of: id, cause: cause, watch: watch))
      }
      return .waits(watch, watch.onSettled.add(isOwn: false, action))
    }
    switch found {
    case .settled(let result):
      action(result)
      return CallbackRegistration {}
    case .waits(let watch, let number):
      return CallbackRegistration { [weak self] in
        // Moves the callback out of the lock before releasing it.
        _ = self?.withState { _ in watch.onSettled.withdraw(number) }
      }
    }
  }

  /// Calls `action` for every job, or every job of a type, that settles from now on. Rejected jobs do not settle.
  ///
  /// It is called as described for ``onSettled(of:_:)``, possibly on several threads at once. While there is such a
  /// callback, the result of every settled job is created under the scheduler's lock.
  ///
  /// - Parameters:
  ///   - type: the name of a job type; nil: all. It need not be registered yet.
  ///   - action: must return quickly.
  /// - Returns: a registration to cancel the callback.
  @discardableResult
  public func onJobSettled(
    type: String? = nil, _ action: @escaping @Sendable (SettledJob) -> Void
  ) -> CallbackRegistration {
    // Nothing settles after a shutdown, and the callback may hold the scheduler.
    let number = withState { state in state.hasReleasedUserCode ? nil : state.observation.add(type, action) }
    guard let number else { return CallbackRegistration {} }
    return CallbackRegistration { [weak self] in
      _ = self?.withState { state in state.observation.removeCallback(number) }
    }
  }
}

/// The events of a scheduler's jobs; see ``Scheduler/events(bufferingNewest:)``.
public struct JobEvents: AsyncSequence, Sendable {
  /// An event of a job.
  public typealias Element = JobEvent
  /// Iteration does not throw.
  public typealias Failure = Never
  let subscription: EventSubscription

  /// All iterators read the same buffer.
  public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

  /// Reads events from the subscription's buffer.
  public struct Iterator: AsyncIteratorProtocol {
    let subscription: EventSubscription
    /// The next event; nil at the end, or if the task is cancelled.
    public mutating func next() async -> JobEvent? { await subscription.buffer.next() }
    /// The next event; nil at the end, or if the task is cancelled.
    public mutating func next(isolation actor: isolated (any Actor)?) async -> JobEvent? {
      await subscription.buffer.next()
    }
  }
}

/// Ends a subscription when it is deallocated.
final class EventSubscription: Sendable {
  let buffer: EventBuffer
  private let scheduler: Scheduler

  init(scheduler: Scheduler, buffer: EventBuffer) {
    self.scheduler = scheduler
    self.buffer = buffer
  }

  deinit { scheduler.unsubscribe(buffer) }
}
