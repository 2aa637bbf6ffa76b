/// First eligible, first started.
///
/// Cost: O(log lanes) per job. Cannot starve: no later job overtakes a waiting one.
struct FifoRule: DispatchRule {
  static var traits: PolicyTraits { PolicyTraits() }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    0
  }
}
