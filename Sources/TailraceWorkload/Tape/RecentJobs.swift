import TailraceCore

/// The scheduler's identifiers of recently submitted jobs, by tape number: enough for dependencies, which arrive
/// together, and for cancellations soon after submission.
///
/// Numbers of open streams are dense and index a ring. Numbers of closed clients are sparse and use a dictionary.
package struct RecentJobs {
  /// Minimum number of jobs of each kind that are kept.
  private static let limit = 1 << 17
  private static let nobody = UInt64.max

  private var ring: ContiguousArray<(job: UInt64, id: JobID)> = []
  private var closed: [UInt64: JobID] = [:]
  /// Jobs of closed clients in order of submission; evicted when there are too many.
  private var order: [UInt64] = []
  private var oldest = 0

  package init() {}

  package subscript(job: UInt64) -> JobID? {
    get {
      guard job < Tape.firstClosedNumber else { return closed[job] }
      guard !ring.isEmpty else { return nil }
      let entry = ring[Int(job) & (ring.count - 1)]
      return entry.job == job ? entry.id : nil
    }
    set {
      if job < Tape.firstClosedNumber { record(job, newValue!) } else { recordClosed(job, newValue!) }
    }
  }

  private mutating func record(_ job: UInt64, _ id: JobID) {
    if ring.isEmpty { ring = ContiguousArray(repeating: (Self.nobody, .refused), count: 64) }
    while ring.count < Self.limit {
      let there = ring[Int(job) & (ring.count - 1)].job
      if there == Self.nobody || there == job { break }
      grow()
    }
    ring[Int(job) & (ring.count - 1)] = (job, id)
  }

  private mutating func grow() {
    let old = ring
    ring = ContiguousArray(repeating: (Self.nobody, .refused), count: old.count * 2)
    for entry in old where entry.job != Self.nobody { ring[Int(entry.job) & (ring.count - 1)] = entry }
  }

  private mutating func recordClosed(_ job: UInt64, _ id: JobID) {
    guard closed.updateValue(id, forKey: job) == nil else { return }
    if order.count < Self.limit {
      order.append(job)
    } else {
      closed[order[oldest]] = nil
      order[oldest] = job
      oldest = (oldest + 1) % Self.limit
    }
  }
}
