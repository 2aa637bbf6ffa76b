import TailraceCore

/// A queue of values by the instant at which they are due, earliest first. The caller's number orders equal instants.
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

  /// Makes an empty queue.
  package init() {}

  /// Whether nothing is due at any instant.
  @inline(__always) package var isEmpty: Bool { entries.isEmpty }
  /// How much is due.
  package var count: Int { entries.count }
  /// When the first is due; nil: nothing is.
  @inline(__always) package var next: Instant? { entries.first?.at }

  /// Adds what is due at an instant.
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

  /// Takes the first one out if it is due by an instant.
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
