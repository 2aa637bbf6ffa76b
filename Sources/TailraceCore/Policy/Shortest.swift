/// By the time that a job's attempt is expected to take: as its submission or its type says, else the mean of what
/// attempts of its type took. Of a type that nothing is known of jobs come first, so that something is learnt.
///
/// Cost: O(log jobs) a job; the place is fixed when the job becomes eligible. Starves long jobs while short ones fill
/// the workers. It gives the least mean waiting time of all policies that neither interrupt nor idle (Smith 1956).
struct ShortestRule: DispatchRule {
  static var traits: PolicyTraits { PolicyTraits(order: .byKey) }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    job.pointee.rank == JobSlot.unranked ? Int64(core.types[Int(job.pointee.type)].meanService) : job.pointee.rank
  }
}
