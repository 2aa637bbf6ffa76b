/// Strictly by priority, then first eligible.
///
/// Cost: O(log lanes) per job. Less urgent jobs starve while more urgent ones fill the workers.
struct StrictPriorityRule: DispatchRule {
  static var traits: PolicyTraits { PolicyTraits() }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    Int64(job.pointee.priority.rawValue)
  }
}
