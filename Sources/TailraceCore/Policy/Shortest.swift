/// By expected service time: from the submission or the job type, otherwise the mean of successful attempts of the
/// type. Jobs of a type without an estimate come first, so that one is obtained.
///
/// Cost: O(log jobs) per job; the key is fixed when the job becomes eligible. Long jobs starve while short ones fill
/// the workers. Minimizes mean waiting time among policies that neither preempt nor idle (Smith 1956).
struct ShortestRule: DispatchRule {
  static var traits: PolicyTraits { PolicyTraits(order: .byKey) }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    job.pointee.rank == JobSlot.unranked ? Int64(core.types[Int(job.pointee.type)].meanService) : job.pointee.rank
  }
}
