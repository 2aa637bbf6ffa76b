import Synchronization
import TailraceCore
import TailracePlatform

/// Time that stands still until it is moved on: for testing handlers, delays, retries, time-outs and schedules without
/// waiting for them.
///
/// ```swift
/// let time = VirtualTime()
/// let scheduler = try Scheduler(configuration, time: time)
/// scheduler.start()
/// let id = try await scheduler.submit(JobRequest("nightly", delay: .seconds(3_600)))
/// try await time.advance(by: .seconds(3_600))
/// ```
///
/// Handlers run as they do in real time, on the same workers, and take no time at all but what they wait for with
/// `JobContext.sleep(for:)`, asynchronous or blocking. What they wait for otherwise (`Task.sleep`, a network, another
/// job) is real: ``advance(by:patience:)`` waits for it too, for as long as its patience lasts. The order of starts is
/// that of the scheduler's decisions; several handlers that run at one instant end in any order, as in real time. What
/// the scheduler forgets of settled jobs after a while it forgets after as much virtual time.
public final class VirtualTime: Sendable {
  package let timer: TimerThread
  private let schedulers = Locked<[WeakScheduler]>([])
  /// Calls of ``advance(by:patience:)`` and ``settle(patience:)`` that go on.
  private let moving = Atomic<Int>(0)
  /// How long in real time somebody may wait for what only virtual time brings while nobody moves it.
  let standstillPatience: Duration

  /// Makes time that begins at instant zero.
  ///
  /// - Parameters:
  ///   - start: what the wall clock shows then; nil: the start of the year 2000, UTC. Schedules go by it.
  ///   - patience: how long in real time time may stand still while somebody awaits a job or a shutdown and nothing
  ///     else is left to happen: the await then throws ``TimeStandsStill``, the shutdown goes on as if its period were
  ///     over. Less than 0 is as 0.
  public init(startingAt start: UnixTime? = nil, patience: Duration = .seconds(10)) {
    standstillPatience = patience
    timer = TimerThread(virtualStart: start ?? UnixTime(nanoseconds: 946_684_800_000_000_000))
  }

  /// The present; zero at the beginning.
  public var now: Instant { timer.now }
  /// What the wall clock shows at present. It moves with ``now`` and is never set.
  public var wallClock: UnixTime { timer.virtualStart! + (now - .zero) }

  /// Moves time on, from instant to instant at which something is due; at each, everything that then can happen does
  /// before time goes on.
  ///
  /// - Parameters:
  ///   - length: how far; 0 or more.
  ///   - patience: real time to wait for handlers that neither end nor sleep; less than 0 is as 0.
  /// - Throws: ``HandlersStillRunning`` when patience is over; time stands where it is then.
  ///   ``TimeCannotGoBack`` for a negative length. `CancellationError`.
  public func advance(by length: Duration, patience: Duration = .seconds(10)) async throws {
    moving.wrappingAdd(1, ordering: .relaxed)
    defer { moving.wrappingSubtract(1, ordering: .relaxed) }
    guard length >= .zero else { throw TimeCannotGoBack(length: length, at: now) }
    let end = now + Nanoseconds(length)
    repeat { try await settle(patience: patience) } while timer.advanceToNext(by: end)
    try await settle(patience: patience)
  }

  /// Lets everything happen that can at the present instant: every handler ends or sleeps.
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

  /// Whether somebody moves it on.
  var isMoving: Bool { moving.load(ordering: .relaxed) > 0 }
  /// Whether nothing can happen before it moves on.
  var isAtRest: Bool { busyWorkers == 0 }

  func add(_ scheduler: Scheduler) {
    // Held until the lock is free: the last to hold a scheduler releases it, with its handlers.
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

/// Somebody asked virtual time to go back. It stands where it was.
public struct TimeCannotGoBack: Error, Sendable, Hashable, CustomStringConvertible {
  /// By how much, as a negative length.
  public var length: Duration
  /// Where virtual time stands.
  public var at: Instant
  /// What happened, and what to do.
  public var description: String {
    "virtual time cannot go back: it stands at \((at - .zero).seconds) s and was to move by \(length); "
      + "move it by 0 or more, or make another VirtualTime"
  }
}

/// Handlers neither ended nor slept in virtual time while real time went by.
public struct HandlersStillRunning: Error, Sendable, CustomStringConvertible {
  /// How many.
  public var count: Int
  /// Where virtual time stands.
  public var at: Instant
  /// What happened, and what to do.
  public var description: String {
    "\(count) handler\(count == 1 ? "" : "s") still running at virtual \((at - .zero).seconds) s: they wait for something real; "
      + "let them wait with context.sleep(for:), or allow for more patience"
  }
}

private struct WeakScheduler: Sendable {
  weak let scheduler: Scheduler?
  init(_ scheduler: Scheduler) { self.scheduler = scheduler }
}

extension Scheduler {
  /// Whether a shutdown was requested. A handler that submits its own successor should look: its jobs are admitted
  /// until the grace period is over, so that a shutdown would wait so long.
  public var isShuttingDown: Bool { withState { state in state.isShuttingDown } }

  /// Workers that have not come to rest: they run, or are about to.
  fileprivate var busyWorkers: Int {
    withState { state in
      guard state.startInstant != nil else { return 0 }
      return state.liveWorkers - state.workers.joined().count { state.isAtRest($0) }
    }
  }
}

extension DriverState {
  /// Whether a worker can do nothing until time moves on or another worker does something.
  fileprivate func isAtRest(_ worker: Worker) -> Bool {
    if worker.isParked { return true }
    if !worker.sleepers.isEmpty { return true }
    guard !worker.waits.isEmpty, let job = worker.liveJob else { return false }
    // What has happened is about to be told.
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
    // Only now that its instant is noted may time go on.
    sleepers.add()
    while !isCancelled(job), time.now.nanoseconds < deadline { parker.park() }
    if time.withdraw(number) != nil { sleepers.remove() }
    if isCancelled(job) { throw CancellationError() }
  }
}
