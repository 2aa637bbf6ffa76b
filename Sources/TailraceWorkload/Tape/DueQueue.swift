import TailraceCore

/// A queue of values by due instant, earliest first. A number supplied by the caller orders equal instants.
package struct DueQueue<Value> {
  private struct Entry {
    var at: Instant
    var order: UInt64
    var value: Value

    @inline(__always)
    func precedes(_ other: Entry) -> Bool { at != other.at ? at < other.at : order < other.order }
  }

  /// A binary heap.
  private var entries: [Entry] = []

  /// Creates an empty queue.
  package init() {}

  /// Whether the queue is empty.
  @inline(__always) package var isEmpty: Bool { entries.isEmpty }
  /// The number of values.
  package var count: Int { entries.count }
  /// The earliest due instant; nil: the queue is empty.
  @inline(__always) package var next: Instant? { entries.first?.at }

  /// Adds a value.
  ///
  /// - Complexity: O(log n).
  package mutating func add(_ value: Value, at instant: Instant, order: UInt64) {
    let entry = Entry(at: instant, order: order, value: value)
    entries.append(entry)
    var position = entries.count - 1
    while position > 0, entry.precedes(entries[(position - 1) / 2]) {
      entries[position] = entries[(position - 1) / 2]
      position = (position - 1) / 2
    }
    entries[position] = entry
  }

  /// Removes and returns the first value if it is due by an instant.
  ///
  /// - Complexity: O(log n).
  package mutating func take(by instant: Instant) -> (at: Instant, value: Value)? {
    guard let first = entries.first, first.at <= instant else { return nil }
    let last = entries.removeLast()
    guard !entries.isEmpty else { return (first.at, first.value) }
    var position = 0
    while position * 2 + 1 < entries.count {
      var child = position * 2 + 1
      if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
      guard entries[child].precedes(last) else { break }
      entries[position] = entries[child]
      position = child
    }
    entries[position] = last
    return (first.at, first.value)
  }
}
