/// By due instant: intended arrival plus deadline. Jobs without a deadline come last.
///
/// Cost: O(log jobs) per job. Jobs without a deadline starve while others fill the workers. A job with a deadline is
/// overtaken only by jobs that are due before it, so no job with a finite deadline starves.
struct DeadlineRule: DispatchRule {
  static var traits: PolicyTraits { PolicyTraits(order: .byKey) }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    job.pointee.rank == JobSlot.unranked ? .max : job.pointee.rank
  }
}
