import CPlatform
import Glibc
import Synchronization
import TailraceCore
import TailracePlatform

/// An attempt that was handed to a worker, with all that it needs to run it.
struct Claimed {
  var token: AttemptToken
  var payload: (any Sendable)?
}

/// What a worker reports of an attempt.
struct AttemptReport {
  var token: AttemptToken
  var started: Instant
  var finished: Instant
  var outcome: AttemptOutcome
  /// What the handler returned or threw; nil for a handler without a result.
  var ending: AttemptResult?
  /// What its value measures.
  var bytes = 0
}

/// What an attempt left behind.
enum AttemptResult {
  case value(any Sendable)
  case error(any Error)
}

/// One worker: what was handed to it, what it has finished and not yet reported, and which attempt it runs now.
///
/// `inbox`, `isParked` and the counts belong to the scheduler's lock. `claimed`, `reports` and `outbox` belong to
/// whoever runs the worker: a task or a thread. `current` is how a cancellation finds out, without a lock, whether it
/// meets the attempt that it is meant for.
final class Worker: @unchecked Sendable {
  /// Set in `current` once the running attempt is to be cancelled.
  static let cancelling: UInt64 = 1 << 63
  static let idle: UInt64 = .max >> 1

  let pool: PoolID
  let index: UInt16
  /// Where the present comes from.
  let time: TimerThread
  /// Place in the stream of records.
  let shard: Int
  let directory: TypeDirectory

  // Under the scheduler's lock.
  @exclusivity(unchecked) var inbox: [Claimed] = []
  @exclusivity(unchecked) var inboxHasPayloads = false
  @exclusivity(unchecked) var isParked = false
  @exclusivity(unchecked) var parkedTask: UnsafeContinuation<Void, Never>?
  @exclusivity(unchecked) var attempts = 0
  @exclusivity(unchecked) var busy = Nanoseconds.zero
  /// When the running attempt was last told to stop.
  @exclusivity(unchecked) var stoppedAt = Instant.zero
  /// The attempt that was told so.
  @exclusivity(unchecked) var stoppedToken: AttemptToken?
  /// Whether that attempt was reported as stuck.
  @exclusivity(unchecked) var isReportedStuck = false
  /// Whether another worker has taken its place: it ends once it holds nothing.
  @exclusivity(unchecked) var isRetired = false

  // Of the running side.
  @exclusivity(unchecked) var claimed: [Claimed] = []
  /// What was in `claimed` before: its payloads are released outside the scheduler's lock.
  @exclusivity(unchecked) var spent: [Claimed] = []
  /// What the worker's reports parted the scheduler's state from; empty but while it is released.
  @exclusivity(unchecked) var departed = Departures()
  /// How many of `claimed` were taken up, or given back; by whoever is first.
  let taken = Atomic<Int>(0)
  /// Since when it works on `claimed`; under the scheduler's lock.
  @exclusivity(unchecked) var batchSince = Instant.zero
  /// Whether any of `claimed` has a payload.
  @exclusivity(unchecked) var hasPayloads = false
  @exclusivity(unchecked) var reports: [AttemptReport] = []
  @exclusivity(unchecked) var outbox = Outbox()
  @exclusivity(unchecked) var effects = Effects()
  /// When the last attempt finished, while the next follows at once.
  @exclusivity(unchecked) var lastFinish: Instant?
  /// Mean service time, smoothed, in nanoseconds; how many attempts it may take at once follows from it.
  @exclusivity(unchecked) var smoothedService = 1e9
  @exclusivity(unchecked) var lastYield = Instant.zero
  /// By how many bytes the process grew during attempts that are not reported yet, where that is measured.
  @exclusivity(unchecked) var residentDeltas: [(AttemptToken, Int)] = []

  /// The running job's identifier, ``idle``, or the identifier with ``cancelling``.
  let current = Atomic<UInt64>(idle)
  /// Whether the cancellation seen in `current` has reached the handler.
  let cancelDone = Atomic<Bool>(false)
  /// Whether an attempt that was handed to this worker and not started may be over.
  let revoked = Atomic<Bool>(false)
  /// Set when an attempt is delivered to this worker while it looks out for one.
  let hasMail = Atomic<Bool>(false)
  /// The last type of a value that says nothing of its size, and what its values measure.
  @exclusivity(unchecked) var plainType: ObjectIdentifier?
  @exclusivity(unchecked) var plainBytes = 0
  /// For the worker's own thread, and nobody else: whoever else slept here would take wake-ups away from it.
  let parker = Parker()
  /// Threads that wait on behalf of its handler, which may have started others.
  private let waiters = Locked<[ObjectIdentifier: Parker]>([:])
  /// How many parts of its handler sleep by the scheduler's time.
  let sleepers = SleeperCount()
  /// Where turns of the thread are counted on which its handler began, and which turn that was; 0: it is not known.
  let turnPlace = Atomic<UInt>(0)
  let turn = Atomic<UInt64>(0)
  /// What its handler waits for, by number; under the scheduler's lock.
  @exclusivity(unchecked) var waits: [UInt64: HandlerWait] = [:]
  /// What its attempt said of its progress.
  let progress = ProgressBoard()
  /// What to cancel when the running attempt is stopped; under the scheduler's lock.
  @exclusivity(unchecked) var task: Task<Void, Never>?

  init(pool: PoolID, index: UInt16, shard: Int, directory: TypeDirectory, time: TimerThread) {
    self.time = time
    self.directory = directory
    self.pool = pool
    self.index = index
    self.shard = shard
  }

  /// Attempts that the worker may hold at once: as many as stay within 20 µs, so that the order by priority stays true.
  var claimLimit: Int { Int(min(256, max(1, 20_000 / max(smoothedService, 1)))) }

  /// Looks out for work for a moment before the worker goes to sleep, if its jobs are so short that waking it would
  /// cost more than they do. Gives way to every other thread meanwhile. Returns whether something came.
  func lookOut() -> Bool {
    guard smoothedService < 20_000 else { return false }
    let end = cplatform_monotonic_ns() + 50_000
    repeat {
      if hasMail.load(ordering: .acquiring) { return true }
      sched_yield()
    } while cplatform_monotonic_ns() < end
    return false
  }

  /// The next attempt that was handed over, if it was not given back.
  @inline(__always)
  func takeNext() -> Int? {
    let next = taken.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
    return next < claimed.count ? next : nil
  }

  /// Whether another attempt follows.
  var hasNext: Bool { taken.load(ordering: .relaxed) < claimed.count }

  /// Takes away what the worker has not begun. Under the scheduler's lock, by anyone.
  func takeUnbegun() -> ArraySlice<Claimed> {
    let next = taken.exchange(.max / 2, ordering: .acquiringAndReleasing)
    return next < claimed.count ? claimed[next...] : []
  }

  /// Called by the running side around each attempt.
  @inline(__always)
  func begin(_ job: JobID) { current.store(job.rawValue, ordering: .sequentiallyConsistent) }

  /// Ends the attempt; returns whether it was cancelled while it ran.
  @inline(__always)
  func end(_ job: JobID) -> Bool {
    let (exchanged, _) = current.compareExchange(
      expected: job.rawValue, desired: Self.idle, ordering: .sequentiallyConsistent)
    if exchanged { return false }
    // The canceller is at work on another thread, as a rule for some nanoseconds.
    var spins = 0
    while !cancelDone.load(ordering: .acquiring) {
      spins += 1
      if spins < 1_000 {
        cplatform_pause()
      } else if spins < 10_000 {
        sched_yield()
      } else {
        // A cancellation handler of the user's is in its way.
        _ = cplatform_sleep_until_ns(cplatform_monotonic_ns() + 100_000)
      }
    }
    cancelDone.store(false, ordering: .relaxed)
    current.store(Self.idle, ordering: .sequentiallyConsistent)
    return true
  }

  /// Marks an attempt that was handed to this worker as over. Called under the scheduler's lock.
  ///
  /// - Returns: what must follow once the lock is released, when the attempt is running: its handler's reaction to
  ///   being cancelled may call the scheduler.
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

  /// Whether the job's attempt is the one that runs, be it cancelled or not.
  func isRunning(_ job: JobID) -> Bool {
    current.load(ordering: .acquiring) & ~Self.cancelling == job.rawValue
  }

  func isCancelled(_ job: JobID) -> Bool {
    current.load(ordering: .acquiring) == job.rawValue | Self.cancelling
  }

  /// Blocks the calling thread, whichever it is, until the instant or until the attempt is stopped.
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

  /// Calls `body` with a parker of the calling thread's own, which is woken when the attempt is stopped.
  func waiting<Value>(_ body: (Parker) throws -> Value) rethrows -> Value {
    let parker = Parker()
    waiters.withLock { $0[ObjectIdentifier(parker)] = parker }
    defer { _ = waiters.withLock { $0.removeValue(forKey: ObjectIdentifier(parker)) } }
    return try body(parker)
  }

  fileprivate func wakeWaiters() { for parker in waiters.withLock({ Array($0.values) }) { parker.unpark() } }

  /// Releases the payloads of what it has run. Outside the scheduler's lock, by the running side.
  @inline(__always)
  func dropSpent() {
    if !spent.isEmpty { spent.removeAll(keepingCapacity: true) }
  }

  func note(service: Nanoseconds) { smoothedService += 0.1 * (Double(service.rawValue) - smoothedService) }
}

/// A running attempt that is to be told that it is over. Until it is told, its worker does not leave it.
struct RunningStop {
  let worker: Worker
  let task: Task<Void, Never>?

  func perform() {
    task?.cancel()
    worker.cancelDone.store(true, ordering: .releasing)
    worker.wakeWaiters()
  }
}
