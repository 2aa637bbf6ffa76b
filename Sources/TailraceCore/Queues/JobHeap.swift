/// The jobs of a lane by key: a 4-ary heap. Each job stores its position, so any job can be removed.
struct JobHeap: ~Copyable {
  struct Entry {
    var key: Int64
    /// Order of becoming eligible; wraps.
    var sequence: UInt32
    var slot: UInt32

    @inline(__always)
    static func precedes(_ a: Entry, _ b: Entry) -> Bool {
      a.key != b.key ? a.key < b.key : Int32(bitPattern: a.sequence &- b.sequence) < 0
    }
  }

  private(set) var entries = OwnedArray<Entry>()

  /// The first job; `JobSlot.none` if empty.
  var first: UInt32 { entries.first?.slot ?? JobSlot.none }

  mutating func insert(_ slot: UInt32, key: Int64, in jobs: borrowing JobTable) {
    entries.append(Entry(key: key, sequence: jobs[slot].pointee.sequence, slot: slot))
    siftUp(entries.count - 1, in: jobs)
  }

  mutating func remove(_ slot: UInt32, in jobs: borrowing JobTable) {
    let position = Int(jobs[slot].pointee.heapPosition)
    jobs[slot].pointee.heapPosition = -1
    let last = entries.removeLast()
    guard position < entries.count else { return }
    entries[position] = last
    if siftUp(position, in: jobs) == position { siftDown(position, in: jobs) }
  }

  @discardableResult
  private mutating func siftUp(_ start: Int, in jobs: borrowing JobTable) -> Int {
    var position = start
    let entry = entries[position]
    while position > 0 {
      let parent = (position - 1) / 4
      guard Entry.precedes(entry, entries[parent]) else { break }
      place(entries[parent], at: position, in: jobs)
      position = parent
    }
    place(entry, at: position, in: jobs)
    return position
  }

  private mutating func siftDown(_ start: Int, in jobs: borrowing JobTable) {
    var position = start
    let entry = entries[position]
    while true {
      let first = position * 4 + 1
      guard first < entries.count else { break }
      var least = first
      for child in (first + 1)..<Swift.max(first + 1, Swift.min(first + 4, entries.count))
      where Entry.precedes(entries[child], entries[least]) {
        least = child
      }
      guard Entry.precedes(entries[least], entry) else { break }
      place(entries[least], at: position, in: jobs)
      position = least
    }
    place(entry, at: position, in: jobs)
  }

  private mutating func place(_ entry: Entry, at position: Int, in jobs: borrowing JobTable) {
    entries[position] = entry
    jobs[entry.slot].pointee.heapPosition = Int32(position)
  }
}
