/// What a timer is for: a job (its delay, backoff or timeout: a job has one at a time), a rate limit, or the next look at
/// a pool's queue.
struct TimerOwner: Equatable {
  private static var gateBit: UInt32 { 0x8000_0000 }
  private static var poolBit: UInt32 { 0x2000_0000 }
  let rawValue: UInt32
  static func job(_ slot: UInt32) -> TimerOwner { TimerOwner(rawValue: slot) }
  static func gate(_ index: Int) -> TimerOwner { TimerOwner(rawValue: UInt32(index) | gateBit) }
  static func pool(_ index: Int) -> TimerOwner { TimerOwner(rawValue: UInt32(index) | gateBit | poolBit) }
  var pool: Int? {
    rawValue & (Self.gateBit | Self.poolBit) == Self.gateBit | Self.poolBit
      ? Int(rawValue & ~(Self.gateBit | Self.poolBit)) : nil
  }
  var gate: Int? { rawValue & Self.gateBit == 0 ? nil : Int(rawValue & ~Self.gateBit) }
}

/// Deadlines in a 4-ary heap whose entries know their place, so that any can be taken out.
///
/// Ties go to the timer that was set first. Each owner keeps the position of its timer, written here.
struct TimerHeap: ~Copyable {
  struct Entry {
    var at: Instant
    var sequence: UInt64
    var owner: TimerOwner
  }

  private(set) var entries = OwnedArray<Entry>(capacity: 64)
  private var nextSequence: UInt64 = 0

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
    Self.place(entries[position].owner, at: -1, jobs: jobs, gates: &gates)
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
      Self.place(entries[position].owner, at: Int32(position), jobs: jobs, gates: &gates)
      position = parent
    }
    entries[position] = entry
    Self.place(entry.owner, at: Int32(position), jobs: jobs, gates: &gates)
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
      Self.place(entries[position].owner, at: Int32(position), jobs: jobs, gates: &gates)
      position = least
    }
    entries[position] = entry
    Self.place(entry.owner, at: Int32(position), jobs: jobs, gates: &gates)
  }

  @inline(__always)
  private static func place(
    _ owner: TimerOwner, at position: Int32, jobs: borrowing JobTable, gates: inout OwnedArray<RateGate>
  ) {
    if owner.pool != nil {
      // Such a timer is never taken out before it fires.
    } else if let gate = owner.gate {
      gates[gate].timerPosition = position
    } else {
      jobs[owner.rawValue].pointee.timerPosition = position
    }
  }
}
