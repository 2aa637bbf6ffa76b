import TailraceCore

/// Pending cancellations, earliest first; those at the same instant in the order in which they were added.
package struct Cancellations {
  private var queue = DueQueue<UInt64>()
  private var noted: UInt64 = 0

  /// Creates an empty list.
  package init() {}

  /// Whether no cancellation is pending.
  @inline(__always) package var isEmpty: Bool { queue.isEmpty }
  /// The instant of the next cancellation; nil: none.
  @inline(__always) package var next: Instant? { queue.next }

  /// Adds the cancellation of a job at an instant.
  package mutating func note(_ job: UInt64, at instant: Instant) {
    queue.add(job, at: instant, order: noted)
    noted += 1
  }

  /// Removes and returns the next job to cancel by an instant; nil: none.
  package mutating func take(by instant: Instant) -> UInt64? { queue.take(by: instant)?.value }
}
