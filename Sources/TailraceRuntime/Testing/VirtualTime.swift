import Synchronization
import TailraceCore
import TailracePlatform

/// Time that advances only on request, for testing handlers, delays, retries, timeouts and schedules without real
/// waits.
///
/// ```swift
/// let time = VirtualTime()
/// let scheduler = try Scheduler(configuration, time: time)
/// scheduler.start()
/// let id = try await scheduler.submit(JobRequest("nightly", delay: .seconds(3_600)))
/// try await time.advance(by: .seconds(3_600))
/// ```
///
/// Handlers run on the same workers as in real time. They take no virtual time except in `JobContext.sleep(for:)`,
/// async or blocking. Other waits (`Task.sleep`, a network, another job) take real time; ``advance(by:patience:)``
/// waits for them too, up to its patience. Jobs start in the order of the scheduler's decisions; handlers that run at
/// the same instant end in any order, as in real time. Retention of settled jobs uses virtual time.
public final class VirtualTime: Sendable {
  package let timer: TimerThread
  private let schedulers = Locked<[WeakScheduler]>([])
  /// Calls of ``advance(by:patience:)`` and ``settle(patience:)`` in progress.
  private let moving = Atomic<Int>(0)
  /// How long in real time a caller may wait for virtual time that does not advance.
  let standstillPatience: Duration

  /// Creates virtual time at instant zero.
  ///
  /// - Parameters:
  ///   - start: the wall-clock time at instant zero, used by schedules; nil: the start of the year 2000, UTC.
  ///   - patience: how long in real time virtual time may stand still while a job or a shutdown is awaited and nothing
  ///     else can happen. The await then throws ``TimeStandsStill``; a shutdown continues as if its period were over.
  ///     Negative values count as 0.
  public init(startingAt start: UnixTime? = nil, patience: Duration = .seconds(10)) {
    standstillPatience = patience
    timer = TimerThread(virtualStart: start ?? UnixTime(nanoseconds: 946_684_800_000_000_000))
  }

  /// The current instant; initially zero.
  public var now: Instant { timer.now }
  /// The current wall-clock time. It advances with ``now`` and is never set.
  public var wallClock: UnixTime { timer.virtualStart! + (now - .zero) }

  /// Advances time from one due instant to the next. At each, everything that can happen does before time continues.
  ///
  /// - Parameters:
  ///   - length: how far to advance; 0 or more.
  ///   - patience: how long in real time to wait for handlers that neither end nor sleep; negative values count as 0.
  /// - Throws: ``HandlersStillRunning`` after `patience`; time stays where it is then. ``TimeCannotGoBack`` for a
  ///   negative length. `CancellationError`.
  public func advance(by length: Duration, patience: Duration = .seconds(10)) async throws {
    moving.wrappingAdd(1, ordering: .relaxed)
    defer { moving.wrappingSubtract(1, ordering: .relaxed) }
    guard length >= .zero else { throw TimeCannotGoBack(length: length, at: now) }
    let end = now + Nanoseconds(length)
    repeat { try await settle(patience: patience) } while timer.advanceToNext(by: end)
    try await settle(patience: patience)
  }

  /// Waits until everything that can happen at the current instant has: every handler has ended or sleeps.
  ///
  /// - Throws: as ``advance(by:patience:)``.
  public func settle(patience: Duration = .seconds(10)) async throws {
    let deadline = MonotonicClock.now() + Nanoseconds(patience)
    var turns = 0
    while true {
      let busy = busyWorkers
      if busy == 0 { return }
      guard MonotonicClock.now() < deadline else { throw HandlersStillRunning(count: busy, at: now) }
      turns += 1
      if turns < 50 { await Task.yield() } else { try await Task.sleep(for: .microseconds(100)) }
    }
  }

  /// Whether time is being advanced.
  var isMoving: Bool { moving.load(ordering: .relaxed) > 0 }
  /// Whether nothing can happen until time advances.
  var isAtRest: Bool { busyWorkers == 0 }

  func add(_ scheduler: Scheduler) {
    // Kept until after unlocking: releasing the last reference to a scheduler releases its handlers.
    let alive = schedulers.withLock { list in
      let known = list.map { ($0, $0.scheduler) }
      list = known.filter { $0.1 != nil }.map(\.0) + [WeakScheduler(scheduler)]
      return known
    }
    withExtendedLifetime(alive) {}
  }

  private var busyWorkers: Int {
    let all = schedulers.withLock { $0.compactMap(\.scheduler) }
    return all.reduce(0) { $0 + $1.busyWorkers }
  }
}

/// The error for advancing virtual time by a negative length. Time does not change.
public struct TimeCannotGoBack: Error, Sendable, Hashable, CustomStringConvertible {
  /// The negative length.
  public var length: Duration
  /// The current virtual time.
  public var at: Instant
  /// What happened and what to do.
  public var description: String {
    "virtual time cannot go back: it stands at \((at - .zero).seconds) s and was to move by \(length); "
      + "advance it by 0 or more, or create another VirtualTime"
  }
}

/// The error for handlers that neither ended nor slept in virtual time within the patience.
public struct HandlersStillRunning: Error, Sendable, CustomStringConvertible {
  /// The number of handlers.
  public var count: Int
  /// The current virtual time.
  public var at: Instant
  /// What happened and what to do.
  public var description: String {
    "\(count) handler\(count == 1 ? "" : "s") still running at virtual \((at - .zero).seconds) s, waiting in real time; "
      + "use context.sleep(for:) in handlers, or allow more patience"
  }
}

private struct WeakScheduler: Sendable {
  weak let scheduler: Scheduler?
  init(_ scheduler: Scheduler) { self.scheduler = scheduler }
}

extension Scheduler {
  /// Whether a shutdown was requested. Handlers that submit their own successor should check this: their jobs are
  /// admitted until the grace period is over, so the shutdown would always use the whole period.
  public var isShuttingDown: Bool { withState { state in state.isShuttingDown } }

  /// Workers that are running or about to run.
  fileprivate var busyWorkers: Int {
    withState { state in
      guard state.startInstant != nil else { return 0 }
      return state.liveWorkers - state.workers.joined().count { state.isAtRest($0) }
    }
  }
}

extension DriverState {
  /// Whether a worker cannot continue until time advances or another worker acts.
  fileprivate func isAtRest(_ worker: Worker) -> Bool {
    if worker.isParked { return true }
    if !worker.sleepers.isEmpty { return true }
    guard !worker.waits.isEmpty, let job = worker.liveJob else { return false }
    // A wait whose event has happened is about to end.
    return worker.waits.values.contains { $0.waiter == job && isPending($0.target) }
  }

  private func isPending(_ target: HandlerWait.Target) -> Bool {
    switch target {
    case .batch(let batch): core.isOpen(batch)
    case .room(let job): core.state(of: job) == .waitingForRoom
    case .job(let job): core.state(of: job).map { !$0.isTerminal } ?? false
    }
  }
}

extension Worker {
  /// Blocks the calling thread in virtual time.
  func sleepVirtually(untilNanoseconds deadline: Int64, job: JobID, _ parker: Parker) throws {
    guard time.now.nanoseconds < deadline else {
      if isCancelled(job) { throw CancellationError() }
      return
    }
    let number = time.schedule(at: Instant(nanoseconds: deadline)) { [self] _ in
      sleepers.remove()
      parker.unpark()
    }
    // Time may advance only after the wake-up instant is registered.
    sleepers.add()
    while !isCancelled(job), time.now.nanoseconds < deadline { parker.park() }
    if time.withdraw(number) != nil { sleepers.remove() }
    if isCancelled(job) { throw CancellationError() }
  }
}
