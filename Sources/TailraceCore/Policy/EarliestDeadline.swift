/// By the instant by which a job should have settled: its intended arrival and its deadline. Jobs without one come
/// last.
///
/// Cost: O(log jobs) a job. Jobs without a deadline starve while others fill the workers; a job with one is passed only
/// by jobs that are due before it, so none starves whose deadline is finite.
struct DeadlineRule: DispatchRule {
  static var traits: PolicyTraits { PolicyTraits(order: .byKey) }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    job.pointee.rank == JobSlot.unranked ? .max : job.pointee.rank
  }
}
