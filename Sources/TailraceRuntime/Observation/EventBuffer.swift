import TailraceCore
import TailracePlatform

/// The events that a subscriber has not read yet. The buffer is bounded; when full, the oldest events are dropped.
///
/// It is filled under the scheduler's lock. Its own lock is held for the time of one event at most and is always the
/// innermost.
final class EventBuffer: @unchecked Sendable {
  /// Whether it accepts only events that an evidence log writes.
  let isEvidence: Bool
  /// Its index among the scheduler's subscribers; protected by the scheduler's lock.
  @exclusivity(unchecked) var place: Int?
  private let capacity: Int
  private let lock = Lock()
  // Protected by the lock.
  /// A ring buffer. Events are moved out when read, so that no user object remains to be released later.
  @exclusivity(unchecked) private var ring: ContiguousArray<JobEvent?> = []
  @exclusivity(unchecked) private var head = 0
  @exclusivity(unchecked) private var count = 0
  @exclusivity(unchecked) private var gap: JobEvent?
  @exclusivity(unchecked) private var sleepers: [Sleeper] = []
  @exclusivity(unchecked) private var threadParker: Parker?
  @exclusivity(unchecked) private var isFinished = false

  /// A waiter for the next event.
  private final class Sleeper {
    var continuation: UnsafeContinuation<Void, Never>?
    var isCancelled = false
  }

  init(capacity: Int, isEvidence: Bool = false) {
    self.capacity = capacity
    self.isEvidence = isEvidence
  }

  /// Appends an event. Returns whether a waiter must be woken, and the error of a dropped event, which the caller
  /// releases outside all locks.
  func append(_ event: JobEvent) -> (wakes: Bool, dropped: (any Error)?) {
    lock.withLock {
      guard !isFinished else { return (false, nil) }
      let dropped = count == capacity ? dropOldest() : nil
      if count == ring.count { grow() }
      ring[(head + count) % ring.count] = event
      count += 1
      return (!sleepers.isEmpty || threadParker != nil, dropped)
    }
  }

  private func grow() {
    var larger = ContiguousArray<JobEvent?>(repeating: nil, count: min(capacity, max(16, ring.count * 2)))
    for place in 0..<count { larger[place] = ring[(head + place) % ring.count].take() }
    (ring, head) = (larger, 0)
  }

  private func dropOldest() -> (any Error)? {
    let oldest = removeFirst()
    if case .dropped(let count, let since) = gap?.kind {
      gap?.kind = .dropped(count + 1, since: since)
      gap?.instant = oldest.instant
      gap?.unixNanoseconds = oldest.unixNanoseconds
    } else {
      var event = oldest
      event.kind = .dropped(1, since: oldest.instant)
      (event.job, event.type, event.labels) = (nil, "", [])
      gap = event
    }
    return if case .attemptEnded(let attempt) = oldest.kind { attempt.error } else { nil }
  }

  private func removeFirst() -> JobEvent {
    defer {
      head = (head + 1) % ring.count
      count -= 1
    }
    return ring[head].take()!
  }

  /// The result of reading the buffer.
  enum Next {
    case event(JobEvent)
    case nothingYet
    case end
  }

  func take() -> Next {
    lock.withLock {
      if let gap {
        self.gap = nil
        return .event(gap)
      }
      guard count > 0 else { return isFinished ? .end : .nothingYet }
      return .event(removeFirst())
    }
  }

  /// The next event; nil at the end, or if the task is cancelled.
  func next() async -> JobEvent? {
    while true {
      switch take() {
      case .event(let event): return event
      case .end: return nil
      case .nothingYet:
        if Task.isCancelled { return nil }
        await sleep()
      }
    }
  }

  private func sleep() async {
    let sleeper = Sleeper()
    nonisolated(unsafe) let shared = sleeper
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        if !enlist(shared, continuation) { continuation.resume() }
      }
    } onCancel: {
      let waiting = lock.withLock {
        shared.isCancelled = true
        sleepers.removeAll { $0 === shared }
        defer { shared.continuation = nil }
        return shared.continuation
      }
      waiting?.resume()
    }
  }

  private func enlist(_ sleeper: Sleeper, _ continuation: UnsafeContinuation<Void, Never>) -> Bool {
    lock.withLock {
      guard gap == nil, count == 0, !isFinished, !sleeper.isCancelled else { return false }
      sleeper.continuation = continuation
      sleepers.append(sleeper)
      return true
    }
  }

  /// The next event; blocks the calling thread until there is one; nil at the end. Events may be taken in batches:
  /// `idle` is called before each wait.
  func nextOnThread(_ parker: Parker, idle: () -> Void) -> JobEvent? {
    while true {
      switch take() {
      case .event(let event): return event
      case .end: return nil
      case .nothingYet:
        idle()
        let mustPark = lock.withLock {
          guard gap == nil, count == 0, !isFinished else { return false }
          threadParker = parker
          return true
        }
        if mustPark { parker.park() }
      }
    }
  }

  /// Wakes the waiter. Call outside the scheduler's lock.
  func wake() {
    let (waiting, parker) = lock.withLock {
      defer { (sleepers, threadParker) = ([], nil) }
      return (
        sleepers.compactMap { sleeper in
          defer { sleeper.continuation = nil }
          return sleeper.continuation
        }, threadParker
      )
    }
    for continuation in waiting { continuation.resume() }
    parker?.unpark()
  }

  /// Ends the sequence after the buffered events.
  func finish() {
    lock.withLock { isFinished = true }
    wake()
  }
}
