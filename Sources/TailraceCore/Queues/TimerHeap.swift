/// The owner of a timer: a job (delay, backoff or timeout; at most one timer per job), a rate limit, a pool's queue
/// check, or a schedule.
struct TimerOwner: Equatable {
  /// Stored in the first three bits, except for jobs.
  private enum Kind: UInt32 {
    case gate = 0x8000_0000
    case pool = 0xa000_0000
    case schedule = 0xc000_0000
    static var mask: UInt32 { 0xe000_0000 }
  }
  let rawValue: UInt32
  static func job(_ slot: UInt32) -> TimerOwner { TimerOwner(rawValue: slot) }
  static func gate(_ index: Int) -> TimerOwner { TimerOwner(rawValue: UInt32(index) | Kind.gate.rawValue) }
  static func pool(_ index: Int) -> TimerOwner { TimerOwner(rawValue: UInt32(index) | Kind.pool.rawValue) }
  static func schedule(_ slot: Int) -> TimerOwner { TimerOwner(rawValue: UInt32(slot) | Kind.schedule.rawValue) }
  @inline(__always) var isJob: Bool { rawValue & Kind.gate.rawValue == 0 }
  var gate: Int? { index(.gate) }
  var pool: Int? { index(.pool) }
  var schedule: Int? { index(.schedule) }

  private func index(_ kind: Kind) -> Int? {
    rawValue & Kind.mask == kind.rawValue ? Int(rawValue & ~Kind.mask) : nil
  }
}

/// Timers in a 4-ary heap. Each owner stores the position of its timer, so any timer can be removed.
///
/// Ties go to the timer that was set first. Positions of schedule timers are stored here.
struct TimerHeap: ~Copyable {
  struct Entry {
    var at: Instant
    var sequence: UInt64
    var owner: TimerOwner
  }

  private(set) var entries = OwnedArray<Entry>(capacity: 64)
  private var nextSequence: UInt64 = 0
  /// By schedule slot: the position of its timer, or -1.
  private(set) var schedulePositions: ContiguousArray<Int32> = []

  @inline(__always) var first: Entry? { entries.first }

  @inline(__always)
  mutating func insert(
    _ owner: TimerOwner, at instant: Instant, jobs: borrowing JobTable, gates: inout OwnedArray<RateGate>
  ) {
    entries.append(Entry(at: instant, sequence: nextSequence, owner: owner))
    nextSequence += 1
    siftUp(entries.count - 1, jobs: jobs, gates: &gates)
  }

  @inline(__always)
  mutating func remove(at position: Int, jobs: borrowing JobTable, gates: inout OwnedArray<RateGate>) {
    place(entries[position].owner, at: -1, jobs: jobs, gates: &gates)
    let last = entries.removeLast()
    guard position < entries.count else { return }
    entries[position] = last
    if siftUp(position, jobs: jobs, gates: &gates) == position { siftDown(position, jobs: jobs, gates: &gates) }
  }

  @inline(__always)
  private static func precedes(_ a: Entry, _ b: Entry) -> Bool {
    a.at != b.at ? a.at < b.at : a.sequence < b.sequence
  }

  @discardableResult @inline(__always)
  private mutating func siftUp(_ start: Int, jobs: borrowing JobTable, gates: inout OwnedArray<RateGate>) -> Int {
    var position = start
    let entry = entries[position]
    while position > 0 {
      let parent = (position - 1) / 4
      guard Self.precedes(entry, entries[parent]) else { break }
      entries[position] = entries[parent]
      place(entries[position].owner, at: Int32(position), jobs: jobs, gates: &gates)
      position = parent
    }
    entries[position] = entry
    place(entry.owner, at: Int32(position), jobs: jobs, gates: &gates)
    return position
  }

  private mutating func siftDown(_ start: Int, jobs: borrowing JobTable, gates: inout OwnedArray<RateGate>) {
    var position = start
    let entry = entries[position]
    let count = entries.count
    while true {
      let first = position * 4 + 1
      guard first < count else { break }
      var least = first
      for child in (first + 1)..<Swift.max(first + 1, Swift.min(first + 4, count))
      where Self.precedes(entries[child], entries[least]) {
        least = child
      }
      guard Self.precedes(entries[least], entry) else { break }
      entries[position] = entries[least]
      place(entries[position].owner, at: Int32(position), jobs: jobs, gates: &gates)
      position = least
    }
    entries[position] = entry
    place(entry.owner, at: Int32(position), jobs: jobs, gates: &gates)
  }

  @inline(__always)
  private mutating func place(
    _ owner: TimerOwner, at position: Int32, jobs: borrowing JobTable, gates: inout OwnedArray<RateGate>
  ) {
    if owner.isJob {
      jobs[owner.rawValue].pointee.timerPosition = position
    } else {
      placeRare(owner, at: position, gates: &gates)
    }
  }

  private mutating func placeRare(_ owner: TimerOwner, at position: Int32, gates: inout OwnedArray<RateGate>) {
    if let gate = owner.gate {
      gates[gate].timerPosition = position
    } else if let schedule = owner.schedule {
      while schedulePositions.count <= schedule { schedulePositions.append(-1) }
      schedulePositions[schedule] = position
    }
    // A pool's timer is never removed before it fires.
  }

  /// The position of a schedule's timer, or -1.
  func position(ofSchedule schedule: Int) -> Int32 {
    schedule < schedulePositions.count ? schedulePositions[schedule] : -1
  }
}
