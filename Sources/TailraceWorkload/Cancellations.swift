import TailraceCore

/// What submitters will want no more, soonest first; of one instant in the order in which it was noted.
package struct Cancellations {
  private var queue = DueQueue<UInt64>()
  private var noted: UInt64 = 0

  /// Makes an empty list.
  package init() {}

  /// Whether nothing will be cancelled.
  @inline(__always) package var isEmpty: Bool { queue.isEmpty }
  /// When the next is due; nil: there is none.
  @inline(__always) package var next: Instant? { queue.next }

  /// Notes that a job's submitter wants it no more from an instant on.
  package mutating func note(_ job: UInt64, at instant: Instant) {
    queue.add(job, at: instant, order: noted)
    noted += 1
  }

  /// The next job that is due by an instant; nil: none is.
  package mutating func take(by instant: Instant) -> UInt64? { queue.take(by: instant)?.value }
}
