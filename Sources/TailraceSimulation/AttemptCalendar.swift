import TailraceCore

/// The running attempts of a simulation, ordered by the instant at which they end.
///
/// A 4-ary heap whose entries are two words, so that four children share a cache line. Attempts that end at the same
/// instant do so in the order in which they started. An attempt that is stopped gets a second, earlier entry; the first
/// stays where it is and is passed over when its time comes, and where such entries are many they are swept out. So its
/// memory is that of the workers, whatever the number of jobs.
struct AttemptCalendar: ~Copyable {
  /// What a worker runs.
  struct Attempt {
    var token: AttemptToken
    var started: Instant
    var outcome: AttemptOutcome
  }

  private struct Entry {
    var at: Int64
    /// In the order of the starts: a sequence number, then the worker.
    var tie: UInt64
    @inline(__always) var worker: Int { Int(tie & AttemptCalendar.workerMask) }
  }

  /// Two pools of up to 65,534 workers.
  private static let workerBits: UInt64 = 17
  private static let workerMask: UInt64 = 1 << workerBits - 1
  /// No entry has it.
  private static let none = UInt64.max

  private let memory: UnsafeMutableRawPointer
  /// Starts three entries past a cache line, so that the children of an entry share one.
  private let entries: UnsafeMutablePointer<Entry>
  private let capacity: Int
  private let attempts: UnsafeMutablePointer<Attempt?>
  /// The tie of each worker's valid entry; `none`: it has none.
  private let current: UnsafeMutablePointer<UInt64>
  private let workers: Int
  private var count = 0
  private var nextSequence: UInt64 = 0
  /// Attempts that run.
  private(set) var running = 0

  init(workers: Int) {
    self.workers = max(1, workers)
    capacity = self.workers * 2 + 64
    memory = .allocate(byteCount: (capacity + 4) * MemoryLayout<Entry>.stride, alignment: 64)
    entries = (memory + 3 * MemoryLayout<Entry>.stride).bindMemory(to: Entry.self, capacity: capacity)
    attempts = .allocate(capacity: self.workers)
    attempts.initialize(repeating: nil, count: self.workers)
    current = .allocate(capacity: self.workers)
    current.initialize(repeating: Self.none, count: self.workers)
  }

  deinit {
    memory.deallocate()
    attempts.deinitialize(count: workers)
    attempts.deallocate()
    current.deallocate()
  }

  /// When the next attempt ends; `distantFuture`: none does.
  @inline(__always) var next: Instant { count == 0 ? .distantFuture : Instant(nanoseconds: entries[0].at) }

  /// A worker starts an attempt, which ends at an instant; one that hangs ends in the distant future.
  @inline(__always)
  mutating func start(_ attempt: Attempt, on worker: Int, until end: Instant) {
    precondition(attempts[worker] == nil, "worker \(worker) was handed an attempt while it runs one")
    attempts[worker] = attempt
    running += 1
    insert(worker, at: end)
  }

  /// Takes out the attempt that ends first.
  @inline(__always)
  mutating func takeFirst() -> Attempt {
    let worker = entries[0].worker
    current[worker] = Self.none
    running -= 1
    removeFirst()
    passOver()
    return attempts[worker].take()!
  }

  /// Takes out an attempt that ends no more by itself: all of them, one after another, once everything is stopped.
  mutating func takeAny() -> Attempt? {
    for worker in 0..<workers {
      if let attempt = take(from: worker) { return attempt }
    }
    return nil
  }

  /// Takes out the attempt that a worker runs, if it does, before it ends by itself.
  mutating func take(from worker: Int) -> Attempt? {
    guard let attempt = attempts[worker].take() else { return nil }
    current[worker] = Self.none
    running -= 1
    passOver()
    return attempt
  }

  /// Attempts end by so much later, or below zero earlier, and otherwise in their order.
  mutating func postpone(by time: Nanoseconds, where matches: (Attempt) -> Bool) {
    let kept = (0..<count).map { entries[$0] }.filter { current[$0.worker] == $0.tie }
    count = 0
    for var entry in kept {
      if matches(attempts[entry.worker]!) { entry.at = (Instant(nanoseconds: entry.at) + time).nanoseconds }
      siftUp(count, entry)
      count += 1
    }
  }

  /// The attempt that a worker runs is stopped: it ends at an earlier instant, cancelled. Does nothing when the worker
  /// runs another attempt or none.
  mutating func stop(_ token: AttemptToken, on worker: Int, at instant: Instant) {
    guard let attempt = attempts[worker], attempt.token == token else { return }
    attempts[worker]!.outcome = .cancelled
    insert(worker, at: instant)
    passOver()
  }

  @inline(__always)
  private mutating func insert(_ worker: Int, at instant: Instant) {
    let tie = nextSequence << Self.workerBits | UInt64(worker)
    nextSequence += 1
    current[worker] = tie
    // What never ends by itself needs no place.
    guard instant < .distantFuture else { return }
    if count == capacity { sweep() }
    siftUp(count, Entry(at: instant.nanoseconds, tie: tie))
    count += 1
  }

  @inline(__always)
  private mutating func removeFirst() {
    count -= 1
    if count > 0 { siftDown(entries[count]) }
  }

  /// Removes entries of stopped attempts from the top.
  @inline(__always)
  private mutating func passOver() {
    while count > 0, current[entries[0].worker] != entries[0].tie { removeFirst() }
  }

  /// Removes every entry of a stopped attempt. A valid one a worker is left: at most half of the room.
  private mutating func sweep() { postpone(by: .zero) { _ in false } }

  @inline(__always)
  private static func precedes(_ a: Entry, _ b: Entry) -> Bool { a.at != b.at ? a.at < b.at : a.tie < b.tie }

  @inline(__always)
  private func siftUp(_ start: Int, _ entry: Entry) {
    var position = start
    while position > 0 {
      let parent = (position - 1) >> 2
      guard Self.precedes(entry, entries[parent]) else { break }
      entries[position] = entries[parent]
      position = parent
    }
    entries[position] = entry
  }

  @inline(__always)
  private func siftDown(_ entry: Entry) {
    var position = 0
    while true {
      let first = position << 2 + 1
      guard first < count else { break }
      var least = first
      var child = first + 1
      let end = min(first + 4, count)
      while child < end {
        if Self.precedes(entries[child], entries[least]) { least = child }
        child += 1
      }
      guard Self.precedes(entries[least], entry) else { break }
      entries[position] = entries[least]
      position = least
    }
    entries[position] = entry
  }
}
