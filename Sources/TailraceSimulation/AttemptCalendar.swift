import TailraceCore

/// The running attempts of a simulation, ordered by the instant at which they end.
///
/// A 4-ary heap of workers that knows where each one is, so that an attempt can be ended early. Attempts that end at
/// the same instant do so in the order in which they started. Its memory is that of the workers, whatever the number of
/// jobs.
struct AttemptCalendar: ~Copyable {
  /// What a worker runs.
  struct Attempt {
    var token: AttemptToken
    var started: Instant
    var outcome: AttemptOutcome
  }

  private struct Entry {
    var at: Int64
    var sequence: UInt64
    var worker: UInt32
  }

  private let entries: UnsafeMutablePointer<Entry>
  private let attempts: UnsafeMutablePointer<Attempt?>
  /// Of each worker in the heap; -1: it runs nothing.
  private let positions: UnsafeMutablePointer<Int32>
  private let workers: Int
  private var count = 0
  private var nextSequence: UInt64 = 0

  init(workers: Int) {
    self.workers = workers
    entries = .allocate(capacity: max(1, workers))
    attempts = .allocate(capacity: max(1, workers))
    attempts.initialize(repeating: nil, count: max(1, workers))
    positions = .allocate(capacity: max(1, workers))
    positions.initialize(repeating: -1, count: max(1, workers))
  }

  deinit {
    entries.deallocate()
    attempts.deinitialize(count: max(1, workers))
    attempts.deallocate()
    positions.deallocate()
  }

  /// When the next attempt ends; `distantFuture`: none does.
  @inline(__always) var next: Instant { count == 0 ? .distantFuture : Instant(nanoseconds: entries[0].at) }

  /// Attempts that run.
  var running: Int { count }

  /// A worker starts an attempt, which ends at an instant; one that hangs ends in the distant future.
  @inline(__always)
  mutating func start(_ attempt: Attempt, on worker: Int, until end: Instant) {
    precondition(positions[worker] < 0, "worker \(worker) was handed an attempt while it runs one")
    attempts[worker] = attempt
    let entry = Entry(at: end.nanoseconds, sequence: nextSequence, worker: UInt32(worker))
    nextSequence += 1
    count += 1
    siftUp(count - 1, entry)
  }

  /// Takes out the attempt that ends first.
  @inline(__always)
  mutating func takeFirst() -> Attempt {
    let worker = Int(entries[0].worker)
    positions[worker] = -1
    count -= 1
    if count > 0 { siftDown(0, entries[count]) }
    return attempts[worker].take()!
  }

  /// The attempt that a worker runs is stopped: it ends at an earlier instant, cancelled. Does nothing when the worker
  /// runs another attempt or none.
  mutating func stop(_ token: AttemptToken, on worker: Int, at instant: Instant) {
    let position = Int(positions[worker])
    guard position >= 0, attempts[worker]!.token == token else { return }
    attempts[worker]!.outcome = .cancelled
    var entry = entries[position]
    entry.at = min(entry.at, instant.nanoseconds)
    siftUp(position, entry)
  }

  @inline(__always)
  private static func precedes(_ a: Entry, _ b: Entry) -> Bool { a.at != b.at ? a.at < b.at : a.sequence < b.sequence }

  @inline(__always)
  private func siftUp(_ start: Int, _ entry: Entry) {
    var position = start
    while position > 0 {
      let parent = (position - 1) >> 2
      guard Self.precedes(entry, entries[parent]) else { break }
      entries[position] = entries[parent]
      positions[Int(entries[position].worker)] = Int32(position)
      position = parent
    }
    entries[position] = entry
    positions[Int(entry.worker)] = Int32(position)
  }

  @inline(__always)
  private func siftDown(_ start: Int, _ entry: Entry) {
    var position = start
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
      positions[Int(entries[position].worker)] = Int32(position)
      position = least
    }
    entries[position] = entry
    positions[Int(entry.worker)] = Int32(position)
  }
}
