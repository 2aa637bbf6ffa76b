/// By the instant a job became eligible, plus a boost for each priority below the most urgent.
///
/// Cost: O(log lanes) per job; the key is fixed when the job becomes eligible. Cannot starve: no job waits behind more
/// than `4 × boost` of later arrivals. A boost of 0 equals `fifo`; an infinite one equals `priority`.
struct AgingRule: DispatchRule {
  var boost: Nanoseconds
  static var traits: PolicyTraits { PolicyTraits() }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    let later = Int64(job.pointee.priority.rawValue - 1).multipliedReportingOverflow(by: boost.rawValue)
    guard !later.overflow else { return .max }
    let key = job.pointee.eligible.nanoseconds.addingReportingOverflow(later.partialValue)
    return key.overflow ? .max : key.partialValue
  }
}
