import CPlatform
import Glibc
import Synchronization
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform

/// Detects standstills of this process or the machine during a run, with a thread that wakes every 50 ms.
///
/// It uses less than 0.1 % of one processor.
final class Heartbeat: Sendable {
  private let thread = HeartbeatThread()

  /// Also watches another program for being stopped.
  func watch(program process: pid_t) { thread.watch(program: process) }

  /// Ends the thread.
  ///
  /// - Returns: The standstills, and the thread's own CPU wait in nanoseconds; nil: there was no thread, or it has
  ///   already ended.
  func end() -> (standstill: Standstill, ownDelay: Int64)? { thread.end() }

  deinit { _ = thread.end() }
}

private final class HeartbeatThread: @unchecked Sendable {
  private static let interval = Nanoseconds.milliseconds(50)

  private let lock = Lock()
  private let parker = Parker()
  private let hasEnded = Atomic<Bool>(false)
  private let program = Atomic<Int32>(0)
  private var thread: StartedThread?
  /// The thread's CPU wait as reported by the system; below 0: unavailable.
  private var statistics: Int32 = -1
  private var tally = StandstillTally(suspended: HeartbeatThread.suspended())
  private var last = MonotonicClock.now()
  private var due = MonotonicClock.now() + HeartbeatThread.interval
  private var waitedAtStart = Nanoseconds.zero
  /// For how long the other program has been stopped.
  private var programStopped = Nanoseconds.zero

  /// Starts the thread. If the system refuses it, standstills are not monitored.
  init() {
    thread = try? StartedThread.start { [self] in run() }
  }

  func watch(program process: pid_t) { program.store(process, ordering: .relaxed) }

  func end() -> (standstill: Standstill, ownDelay: Int64)? {
    guard let thread else { return nil }
    self.thread = nil
    // A gap that has just ended may not be recorded yet.
    let seen = lock.withLock {
      program.store(0, ordering: .relaxed)
      beat(at: MonotonicClock.now())
      hasEnded.store(true, ordering: .relaxed)
      return (tally.standstill, (waited() - waitedAtStart).rawValue)
    }
    parker.unpark()
    thread.join()
    return seen
  }

  private func run() {
    lock.withLock {
      statistics = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
      // The time until the thread first ran is its start, not a gap.
      last = MonotonicClock.now()
      due = max(due, last + Self.interval)
      waitedAtStart = waited()
      tally = StandstillTally(waited: waitedAtStart, suspended: Self.suspended())
    }
    while !hasEnded.load(ordering: .relaxed) {
      // Hold the lock: the run's end makes its own beat.
      let next = lock.withLock { due }
      parker.park(untilNanoseconds: next.nanoseconds)
      lock.withLock { if !hasEnded.load(ordering: .relaxed) { beat(at: MonotonicClock.now()) } }
    }
    lock.withLock {
      if statistics >= 0 { close(statistics) }
      statistics = -1
    }
  }

  /// Under the lock.
  private func beat(at now: Instant) {
    var stopped = Nanoseconds.zero
    if programIsStopped { programStopped += now - last } else { swap(&stopped, &programStopped) }
    tally.beat(due: due, at: now, waited: waited(), suspended: Self.suspended(), programStopped: stopped)
    last = now
    due = now + Self.interval
  }

  /// The thread's CPU wait so far; unchanged if unavailable.
  private func waited() -> Nanoseconds {
    guard let text = Self.text(of: statistics), let delay = OwnUse.delay(inSchedstat: text) else { return .zero }
    return Nanoseconds(delay)
  }

  /// Whether the watched program is stopped, by a signal or a debugger.
  private var programIsStopped: Bool {
    let process = program.load(ordering: .relaxed)
    guard process > 0 else { return false }
    let file = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
    defer { if file >= 0 { close(file) } }
    // The name in parentheses may contain anything; the state follows it.
    guard let text = Self.text(of: file), let end = text.lastIndex(of: ")") else { return false }
    return ["T", "t"].contains(text[end...].dropFirst(2).first)
  }

  private static func text(of file: Int32) -> String? {
    guard file >= 0 else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
      let count = pread(file, buffer.baseAddress!, buffer.count, 0)
      return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
  }

  /// How long the machine has been suspended since boot.
  private static func suspended() -> Nanoseconds {
    var (all, awake) = (timespec(), timespec())
    clock_gettime(CLOCK_MONOTONIC, &awake)
    clock_gettime(CLOCK_BOOTTIME, &all)
    let seconds = Int64(all.tv_sec - awake.tv_sec)
    return Nanoseconds(seconds * 1_000_000_000 + Int64(all.tv_nsec - awake.tv_nsec))
  }
}
