import TailraceCore

/// What submitters will want no more, soonest first; of one instant in the order in which it was noted.
///
/// A binary heap: a load may have a million of them at once.
package struct Cancellations: Sendable {
  private struct Entry: Sendable {
    var at: Instant
    var number: UInt64
    var job: UInt64
  }
  private var entries: [Entry] = []
  private var noted: UInt64 = 0

  /// Makes an empty list.
  package init() {}

  /// Whether nothing will be cancelled.
  package var isEmpty: Bool { entries.isEmpty }
  /// When the next is due; nil: there is none.
  package var next: Instant? { entries.first?.at }

  /// Notes that a job's submitter wants it no more from an instant on.
  package mutating func note(_ job: UInt64, at instant: Instant) {
    let entry = Entry(at: instant, number: noted, job: job)
    noted += 1
    entries.append(entry)
    var position = entries.count - 1
    while position > 0, Self.precedes(entry, entries[(position - 1) / 2]) {
      entries[position] = entries[(position - 1) / 2]
      position = (position - 1) / 2
    }
    entries[position] = entry
  }

  /// The next job that is due by an instant; nil: none is.
  package mutating func take(by instant: Instant) -> UInt64? {
    guard let first = entries.first, first.at <= instant, let last = entries.popLast() else { return nil }
    guard !entries.isEmpty else { return first.job }
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
    return first.job
  }

  private static func precedes(_ a: Entry, _ b: Entry) -> Bool { a.at != b.at ? a.at < b.at : a.number < b.number }
}
