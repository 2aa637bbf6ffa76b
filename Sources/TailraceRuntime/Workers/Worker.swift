import CPlatform
import Glibc
import Synchronization
import TailraceCore
import TailracePlatform

/// An attempt handed to a worker, with everything needed to run it.
struct Claimed {
  var token: AttemptToken
  var payload: (any Sendable)?
}

/// A worker's report of an attempt.
struct AttemptReport {
  var token: AttemptToken
  var started: Instant
  var finished: Instant
  var outcome: AttemptOutcome
  /// The handler's value or error; nil if there is none.
  var ending: AttemptResult?
  /// The size of the value.
  var bytes = 0
}

/// The value or error of an attempt.
enum AttemptResult {
  case value(any Sendable)
  case error(any Error)
}

/// A worker: the attempts handed to it, its unreported results, and the attempt that it runs now.
///
/// `inbox`, `isParked` and the counts are protected by the scheduler's lock. `claimed`, `reports` and `outbox` belong
/// to the task or thread that runs the worker. `current` lets a cancellation check, without a lock, whether it applies
/// to the running attempt.
final class Worker: @unchecked Sendable {
  /// Set in `current` once the running attempt is to be cancelled.
  static let cancelling: UInt64 = 1 << 63
  static let idle: UInt64 = .max >> 1

  let pool: PoolID
  let index: UInt16
  /// The clock.
  let time: TimerThread
  /// The worker's shard in the stream of records.
  let shard: Int
  /// The job types, of which it reads those of its attempts.
  let types: JobTypeTable
  /// The scheduler, for its handlers.
  let home: HandlerHome

  // Protected by the scheduler's lock.
  @exclusivity(unchecked) var inbox: [Claimed] = []
  @exclusivity(unchecked) var inboxHasPayloads = false
  @exclusivity(unchecked) var isParked = false
  @exclusivity(unchecked) var parkedTask: UnsafeContinuation<Void, Never>?
  @exclusivity(unchecked) var attempts = 0
  @exclusivity(unchecked) var busy = Nanoseconds.zero
  /// When the running attempt was last asked to stop.
  @exclusivity(unchecked) var stoppedAt = Instant.zero
  /// That attempt.
  @exclusivity(unchecked) var stoppedToken: AttemptToken?
  /// Whether that attempt was reported as stuck.
  @exclusivity(unchecked) var isReportedStuck = false
  /// Whether another worker replaces it. It ends once it holds no attempt.
  @exclusivity(unchecked) var isRetired = false

  // Used by the running side only.
  @exclusivity(unchecked) var claimed: [Claimed] = []
  /// The previous `claimed`; its payloads are released outside the scheduler's lock.
  @exclusivity(unchecked) var spent: [Claimed] = []
  /// Values that the worker's reports removed from the state; empty except while being released.
  @exclusivity(unchecked) var departed = Departures()
  /// How many of `claimed` were started or returned.
  let taken = Atomic<Int>(0)
  /// Since when it works on `claimed`; protected by the scheduler's lock.
  @exclusivity(unchecked) var batchSince = Instant.zero
  /// Whether any of `claimed` has a payload.
  @exclusivity(unchecked) var hasPayloads = false
  @exclusivity(unchecked) var reports: [AttemptReport] = []
  @exclusivity(unchecked) var outbox = Outbox()
  @exclusivity(unchecked) var effects = Effects()
  /// The end of the last attempt, if the next follows immediately.
  @exclusivity(unchecked) var lastFinish: Instant?
  /// Smoothed mean service time in nanoseconds. Determines how many attempts the worker may claim at once.
  @exclusivity(unchecked) var smoothedService = 1e9
  @exclusivity(unchecked) var lastYield = Instant.zero
  /// Growth of the process during unreported attempts, if measured.
  @exclusivity(unchecked) var residentDeltas: [(AttemptToken, Int)] = []

  /// The running job's identifier, ``idle``, or the identifier with ``cancelling``.
  let current = Atomic<UInt64>(idle)
  /// Whether the cancellation set in `current` has reached the handler.
  let cancelDone = Atomic<Bool>(false)
  /// Whether an attempt that was handed to this worker and not started may be over.
  let revoked = Atomic<Bool>(false)
  /// Set when an attempt is delivered while the worker spins.
  let hasNewAttempts = Atomic<Bool>(false)
  /// The last type of a value without a size of its own, and the size of its values.
  @exclusivity(unchecked) var plainType: ObjectIdentifier?
  @exclusivity(unchecked) var plainBytes = 0
  /// For the worker's own thread only: a second sleeper would consume its wake-ups.
  let parker = Parker()
  /// Threads waiting on behalf of its handler, including threads that the handler started.
  private let waiters = Locked<[ObjectIdentifier: Parker]>([:])
  /// The number of its handler's tasks and threads that sleep in the scheduler's time.
  let sleepers = SleeperCount()
  /// Where use of the handler's initial thread is counted, and the count at its start; 0: not known.
  let turnPlace = Atomic<UInt>(0)
  let turn = Atomic<UInt64>(0)
  /// The waits of its handler by number; protected by the scheduler's lock.
  @exclusivity(unchecked) var waits: [UInt64: HandlerWait] = [:]
  /// The latest progress report of its attempt.
  let progress = ProgressBoard()
  /// The task to cancel when the running attempt is stopped; protected by the scheduler's lock.
  @exclusivity(unchecked) var task: Task<Void, Never>?

  init(pool: PoolID, index: UInt16, shard: Int, types: JobTypeTable, home: HandlerHome, time: TimerThread) {
    self.time = time
    self.types = types
    self.home = home
    self.pool = pool
    self.index = index
    self.shard = shard
  }

  /// Maximum attempts to claim at once: as many as take 20 µs together, so that the order by priority is preserved.
  var claimLimit: Int { Int(min(256, max(1, 20_000 / max(smoothedService, 1)))) }

  /// Spins briefly for new work before the worker sleeps, if its jobs are shorter than a wake-up. Yields to all other
  /// threads meanwhile. Returns whether work arrived.
  func spinForWork() -> Bool {
    guard smoothedService < 20_000 else { return false }
    let end = cplatform_monotonic_ns() + 50_000
    repeat {
      if hasNewAttempts.load(ordering: .acquiring) { return true }
      sched_yield()
    } while cplatform_monotonic_ns() < end
    return false
  }

  /// The next claimed attempt that was not returned.
  @inline(__always)
  func takeNext() -> Int? {
    let next = taken.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
    return next < claimed.count ? next : nil
  }

  /// Whether another attempt follows.
  var hasNext: Bool { taken.load(ordering: .relaxed) < claimed.count }

  /// Removes attempts that have not begun. Call under the scheduler's lock, on any thread.
  func takeUnbegun() -> ArraySlice<Claimed> {
    let next = taken.exchange(.max / 2, ordering: .acquiringAndReleasing)
    return next < claimed.count ? claimed[next...] : []
  }

  /// Called by the running side around each attempt.
  @inline(__always)
  func enter(_ job: JobID) { current.store(job.rawValue, ordering: .sequentiallyConsistent) }

  /// Ends the attempt; returns whether it was cancelled while it ran.
  @inline(__always)
  func leave(_ job: JobID) -> Bool {
    let (exchanged, _) = current.compareExchange(
      expected: job.rawValue, desired: Self.idle, ordering: .sequentiallyConsistent)
    if exchanged { return false }
    // Another thread is cancelling it, which usually takes some nanoseconds.
    var spins = 0
    while !cancelDone.load(ordering: .acquiring) {
      spins += 1
      if spins < 1_000 {
        cplatform_pause()
      } else if spins < 10_000 {
        sched_yield()
      } else {
        // A user's cancellation handler is running.
        _ = cplatform_sleep_until_ns(cplatform_monotonic_ns() + 100_000)
      }
    }
    cancelDone.store(false, ordering: .relaxed)
    current.store(Self.idle, ordering: .sequentiallyConsistent)
    return true
  }

  /// Marks an attempt that was handed to this worker as over. Call under the scheduler's lock.
  ///
  /// - Returns: the action to take after unlocking if the attempt is running, because its cancellation handlers may
  ///   call the scheduler.
  func stop(_ token: AttemptToken) -> RunningStop? {
    revoked.store(true, ordering: .sequentiallyConsistent)
    let (isRunning, _) = current.compareExchange(
      expected: token.job.rawValue, desired: token.job.rawValue | Self.cancelling, ordering: .sequentiallyConsistent)
    guard isRunning else { return nil }
    stoppedAt = time.now
    stoppedToken = token
    isReportedStuck = false
    return RunningStop(worker: self, task: task)
  }

  /// Whether the job's attempt is running, cancelled or not.
  func isRunning(_ job: JobID) -> Bool {
    current.load(ordering: .acquiring) & ~Self.cancelling == job.rawValue
  }

  func isCancelled(_ job: JobID) -> Bool {
    current.load(ordering: .acquiring) == job.rawValue | Self.cancelling
  }

  /// Blocks the calling thread until the deadline or until the attempt is stopped.
  func sleep(untilNanoseconds deadline: Int64, job: JobID) throws {
    try waiting { parker in
      if time.isVirtual { return try sleepVirtually(untilNanoseconds: deadline, job: job, parker) }
      while !isCancelled(job) {
        if cplatform_monotonic_ns() >= deadline { return }
        parker.park(untilNanoseconds: deadline)
      }
      throw CancellationError()
    }
  }

  /// Calls `body` with a parker for the calling thread, which is woken when the attempt is stopped.
  func waiting<Value>(_ body: (Parker) throws -> Value) rethrows -> Value {
    let parker = Parker()
    waiters.withLock { $0[ObjectIdentifier(parker)] = parker }
    defer { _ = waiters.withLock { $0.removeValue(forKey: ObjectIdentifier(parker)) } }
    return try body(parker)
  }

  fileprivate func wakeWaiters() { for parker in waiters.withLock({ Array($0.values) }) { parker.unpark() } }

  /// Releases the payloads of finished attempts. Call outside the scheduler's lock, on the running side.
  @inline(__always)
  func dropSpent() {
    if !spent.isEmpty { spent.removeAll(keepingCapacity: true) }
  }

  func learn(service: Nanoseconds) { smoothedService += 0.1 * (Double(service.rawValue) - smoothedService) }
}

/// A running attempt to be notified that it is over. Its worker does not leave it until then.
struct RunningStop {
  let worker: Worker
  let task: Task<Void, Never>?

  func perform() {
    task?.cancel()
    worker.cancelDone.store(true, ordering: .releasing)
    worker.wakeWaiters()
  }
}
