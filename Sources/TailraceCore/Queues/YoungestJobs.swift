/// The eligible jobs of one priority. The youngest is shed when another job needs room.
struct YoungestJobs {
  private struct Entry {
    var slot: UInt32
    /// Order of becoming eligible; wraps.
    var sequence: UInt32
  }

  let priority: Priority
  /// Youngest last. Jobs that no longer wait are removed when they are last, or when they are the majority.
  private var entries: ContiguousArray<Entry> = []

  init(_ priority: Priority) { self.priority = priority }

  /// Adds a job that became eligible, or that waits again at its old position.
  ///
  /// - Parameter waiting: how many jobs of the priority wait.
  mutating func add(_ slot: UInt32, waiting: Int, in jobs: borrowing JobTable) {
    let sequence = jobs[slot].pointee.sequence
    if entries.count > 2 * waiting + 64 {
      var kept = 0
      for place in entries.indices where waits(entries[place], in: jobs) {
        entries[kept] = entries[place]
        kept += 1
      }
      entries.removeLast(entries.count - kept)
    }
    guard let last = entries.last, !Self.isEarlier(last.sequence, sequence) else {
      return entries.append(Entry(slot: slot, sequence: sequence))
    }
    // A job that waits again usually belongs near the end.
    var place = entries.count - 1
    while place > 0, !Self.isEarlier(entries[place].sequence, sequence) { place -= 1 }
    if Self.isEarlier(entries[place].sequence, sequence) { place += 1 }
    if place < entries.count, entries[place].sequence == sequence {
      entries[place].slot = slot
    } else {
      entries.insert(Entry(slot: slot, sequence: sequence), at: place)
    }
  }

  /// The youngest waiting job; `JobSlot.none`: none.
  mutating func youngest(in jobs: borrowing JobTable) -> UInt32 {
    while let last = entries.last {
      if waits(last, in: jobs) { return last.slot }
      entries.removeLast()
    }
    return JobSlot.none
  }

  private func waits(_ entry: Entry, in jobs: borrowing JobTable) -> Bool {
    let job = jobs[entry.slot]
    return job.pointee.state == .available && job.pointee.sequence == entry.sequence
      && job.pointee.priority == priority
  }

  private static func isEarlier(_ a: UInt32, _ b: UInt32) -> Bool { Int32(bitPattern: a &- b) < 0 }
}
