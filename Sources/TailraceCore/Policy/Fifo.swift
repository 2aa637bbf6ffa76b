/// First eligible, first started.
///
/// Cost: O(log lanes) a job. Cannot starve: whoever waits is passed by nobody who came later.
struct FifoRule: DispatchRule {
  static var traits: PolicyTraits { PolicyTraits() }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    0
  }
}
