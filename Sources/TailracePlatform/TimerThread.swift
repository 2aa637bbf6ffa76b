import CPlatform
import Glibc
import Synchronization
import TailraceCore

/// One thread that waits for instants on behalf of everybody: precise to what the kernel allows, since its timer slack
/// is one nanosecond.
package final class TimerThread: @unchecked Sendable {
  private struct Entry {
    var at: Int64
    var number: UInt64
  }

  private let lock = Lock()
  private let parker = Parker()
  /// A binary heap by instant, then number.
  private var entries: [Entry] = []
  /// Looked up by number only. An entry without one was withdrawn.
  private var actions: [UInt64: @Sendable (Bool) -> Void] = [:]
  private var nextNumber: UInt64 = 0
  private var thread: StartedThread?
  /// The error number with which the system refused the thread; 0: it did not.
  private var refusal: Int32 = 0
  /// Whether a task does the thread's work until the system gives one.
  private var hasStandIn = false
  /// How often tests have the thread refused.
  private var refusalsToCome = 0
  /// Whether time stands still until it is moved on: there is no thread then.
  package let isVirtual: Bool
  /// What the wall clock shows at virtual zero; nil: time is real.
  package let virtualStart: UnixTime?
  private let virtualNow = Atomic<Int64>(0)
  private var stopped = false

  /// Makes one whose thread starts with the first instant to wait for.
  package init() { (isVirtual, virtualStart) = (false, nil) }

  /// Makes a timer thread whose first starts fail this many times, as at a limit of processes.
  package convenience init(refusals: Int) {
    self.init()
    refusalsToCome = refusals
  }

  /// Makes the next starts of the thread fail this many times, for tests.
  package func refuseThread(times count: Int) { lock.withLock { refusalsToCome = count } }

  /// Makes one whose time stands still until it is moved on.
  package init(virtualStart: UnixTime) { (isVirtual, self.virtualStart) = (true, virtualStart) }

  /// The present.
  @inline(__always) package var now: Instant {
    isVirtual ? Instant(nanoseconds: virtualNow.load(ordering: .acquiring)) : MonotonicClock.now()
  }

  /// Moves virtual time on to the next instant that somebody waits for, not after `end`, and does what is due then.
  /// Returns whether there was such an instant; else time is moved on to `end`.
  package func advanceToNext(by end: Instant) -> Bool {
    let action: (@Sendable (Bool) -> Void)? = lock.withLock {
      while let first = entries.first, first.at <= end.nanoseconds {
        removeFirst()
        guard let action = actions.removeValue(forKey: first.number) else { continue }
        virtualNow.store(max(first.at, virtualNow.load(ordering: .relaxed)), ordering: .releasing)
        return action
      }
      virtualNow.store(max(end.nanoseconds, virtualNow.load(ordering: .relaxed)), ordering: .releasing)
      return nil
    }
    action?(true)
    return action != nil
  }

  /// Starts the thread ahead of the first instant.
  ///
  /// - Returns: 0, or the error number with which the system refuses it: then a task stands in for the thread, which
  ///   comes some milliseconds late, until the system gives one.
  @discardableResult
  package func start() -> Int32 {
    lock.withLock {
      if thread == nil, !stopped, !hasStandIn { startThread() }
      return refusal
    }
  }

  /// The error number of the system, as long as it gives no thread; nil: it has one, or needs none yet.
  package var refused: Int32? { lock.withLock { refusal == 0 ? nil : refusal } }

  /// Under the lock.
  private func startThread() {
    if isVirtual { return }
    do throws(StartedThread.Refused) {
      if refusalsToCome > 0 {
        refusalsToCome -= 1
        throw StartedThread.Refused(error: EAGAIN)
      }
      thread = try StartedThread.start { [self] in run() }
      refusal = 0
    } catch {
      refusal = error.error
      standIn()
    }
  }

  /// Has a task do the thread's work. Under the lock.
  private func standIn() {
    guard !hasStandIn else { return }
    hasStandIn = true
    Task.detached { [self] in
      while standInOnce() { try? await Task.sleep(for: .milliseconds(5)) }
    }
  }

  /// Asks for the thread again, and does what is due where it is refused again. Returns whether to go on.
  private func standInOnce() -> Bool {
    lock.lock()
    if thread == nil, !stopped { startThread() }
    guard thread == nil, !stopped else {
      hasStandIn = false
      lock.unlock()
      return false
    }
    var due: [@Sendable (Bool) -> Void] = []
    takeDue(at: MonotonicClock.now().nanoseconds, into: &due)
    lock.unlock()
    for action in due { action(true) }
    return true
  }

  /// Takes out what is due. Under the lock.
  private func takeDue(at now: Int64, into due: inout [@Sendable (Bool) -> Void]) {
    while let first = entries.first, first.at <= now {
      removeFirst()
      if let action = actions.removeValue(forKey: first.number) { due.append(action) }
    }
  }

  /// Ends the thread; actions that are still due, and all that come later, are called with false. Returns when the
  /// thread has ended, unless it is the thread itself that calls.
  package func stop() {
    let ending = lock.withLock {
      defer { thread = nil }
      stopped = true
      return thread
    }
    parker.unpark()
    if let ending {
      if ending.isCurrent { ending.detach() } else { ending.join() }
    }
    let left = lock.withLock {
      defer { actions = [:] }
      return actions.keys.sorted().compactMap { actions[$0] }
    }
    for action in left { action(false) }
  }

  /// Calls `action(true)` at `instant` on this thread; it must return quickly. Returns a number by which to withdraw
  /// it.
  @discardableResult
  package func schedule(at instant: Instant, _ action: @escaping @Sendable (Bool) -> Void) -> UInt64 {
    lock.lock()
    let number = nextNumber
    nextNumber += 1
    actions[number] = action
    insert(Entry(at: instant.nanoseconds, number: number))
    let isFirst = entries[0].number == number
    let isStopped = stopped
    if thread == nil, !isStopped, !hasStandIn { startThread() }
    lock.unlock()
    if isStopped { if let action = withdraw(number) { action(false) } } else if isFirst { parker.unpark() }
    return number
  }

  /// Takes an action back; nil when it was called already.
  package func withdraw(_ number: UInt64) -> (@Sendable (Bool) -> Void)? {
    lock.withLock {
      let action = actions.removeValue(forKey: number)
      if entries.count > 64, entries.count > actions.count * 2 { dropWithdrawnEntries() }
      return action
    }
  }

  /// Keeps the heap in proportion to what is waited for: timeouts are withdrawn long before their instant, as a rule.
  private func dropWithdrawnEntries() {
    let kept = entries.filter { actions[$0.number] != nil }
    entries.removeAll(keepingCapacity: true)
    for entry in kept { insert(entry) }
  }

  /// Suspends until `instant`.
  ///
  /// - Throws: `CancellationError` when the task is cancelled first.
  package func sleep(until instant: Instant) async throws {
    try await sleep(until: instant, ticket: SleepTicket())
  }

  /// The same for a handler: while it sleeps in virtual time nothing waits for it.
  package func sleep(until instant: Instant, countedBy sleepers: SleeperCount) async throws {
    try await sleep(until: instant, ticket: SleepTicket(countedBy: sleepers))
  }

  private func sleep(until instant: Instant, ticket: SleepTicket) async throws {
    if instant <= now { return try Task.checkCancellation() }
    let inTime = await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
        ticket.begin(on: self, until: instant, continuation)
      }
    } onCancel: {
      ticket.cancel()
    }
    if !inTime { throw CancellationError() }
  }

  private func run() {
    cplatform_set_timer_slack_ns(1)
    var due: [@Sendable (Bool) -> Void] = []
    while true {
      lock.lock()
      if stopped {
        lock.unlock()
        return
      }
      takeDue(at: MonotonicClock.now().nanoseconds, into: &due)
      let next = entries.first?.at
      lock.unlock()
      if due.isEmpty {
        if let next { parker.park(untilNanoseconds: next) } else { parker.park() }
      } else {
        for action in due { action(true) }
        due.removeAll(keepingCapacity: true)
      }
    }
  }

  private func insert(_ entry: Entry) {
    entries.append(entry)
    var position = entries.count - 1
    while position > 0, Self.precedes(entry, entries[(position - 1) / 2]) {
      entries[position] = entries[(position - 1) / 2]
      position = (position - 1) / 2
    }
    entries[position] = entry
  }

  private func removeFirst() {
    let last = entries.removeLast()
    guard !entries.isEmpty else { return }
    var position = 0
    while true {
      var child = position * 2 + 1
      guard child < entries.count else { break }
      if child + 1 < entries.count, Self.precedes(entries[child + 1], entries[child]) { child += 1 }
      guard Self.precedes(entries[child], last) else { break }
      entries[position] = entries[child]
      position = child
    }
    entries[position] = last
  }

  private static func precedes(_ a: Entry, _ b: Entry) -> Bool { a.at != b.at ? a.at < b.at : a.number < b.number }
}

/// Resumes one sleeper once: when its instant comes or when it is cancelled, whichever is first.
private final class SleepTicket: @unchecked Sendable {
  private let lock = Lock()
  private var continuation: UnsafeContinuation<Bool, Never>?
  private var isCancelled = false
  private weak var timer: TimerThread?
  private var number: UInt64?
  /// Counts the sleeper; nil: no virtual time waits for it.
  private let sleepers: SleeperCount?
  private var isCounted = false

  init(countedBy sleepers: SleeperCount? = nil) { self.sleepers = sleepers }

  func begin(on timer: TimerThread, until instant: Instant, _ continuation: UnsafeContinuation<Bool, Never>) {
    lock.lock()
    if isCancelled {
      lock.unlock()
      continuation.resume(returning: false)
      return
    }
    self.continuation = continuation
    self.timer = timer
    lock.unlock()
    let number = timer.schedule(at: instant) { [self] inTime in finish(inTime) }
    lock.withLock {
      self.number = number
      // Only now that its instant is noted may time go on.
      guard let sleepers, self.continuation != nil else { return }
      sleepers.add()
      isCounted = true
    }
  }

  func cancel() {
    let (timer, number) = lock.withLock {
      isCancelled = true
      return (self.timer, self.number)
    }
    if let timer, let number { _ = timer.withdraw(number) }
    finish(false)
  }

  private func finish(_ inTime: Bool) {
    let waiting = lock.withLock {
      defer { continuation = nil }
      if isCounted { sleepers?.remove() }
      isCounted = false
      return continuation
    }
    waiting?.resume(returning: inTime)
  }
}

/// The number of one owner's tasks that sleep on a ``TimerThread``.
package final class SleeperCount: Sendable {
  private let count = Atomic<Int>(0)
  package init() {}
  package var isEmpty: Bool { count.load(ordering: .sequentiallyConsistent) == 0 }
  package func add() { count.wrappingAdd(1, ordering: .sequentiallyConsistent) }
  package func remove() { count.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
}

/// One action that is wanted at one instant at a time: a later order replaces the earlier, in whatever sequence two
/// threads carry them out.
package final class LatestTimer: @unchecked Sendable {
  private let lock = Lock()
  private var latest: UInt64 = 0
  private var number: UInt64?
  package init() {}

  package func set(
    _ order: UInt64, at instant: Instant, on timer: TimerThread, _ action: @escaping @Sendable (Bool) -> Void
  ) {
    lock.withLock {
      guard order > latest else { return }
      latest = order
      if let number { _ = timer.withdraw(number) }
      number = timer.schedule(at: instant, action)
    }
  }
}
