/// Strictly by priority, then first eligible.
///
/// Cost: O(log lanes) a job. Starves less urgent jobs for as long as more urgent ones fill the workers.
struct StrictPriorityRule: DispatchRule {
  static var traits: PolicyTraits { PolicyTraits() }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    Int64(job.pointee.priority.rawValue)
  }
}
