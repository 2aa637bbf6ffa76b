/// Weighted shares by job type or by tenant: those with waiting jobs start in proportion to their weights.
///
/// Start-time fair queueing: each type (or key) has a virtual time, which each start advances by 1 ÷ weight. The type
/// with the smallest virtual time comes first. A type that had nothing waiting joins at the virtual time of the pool,
/// so that idle time earns no credit. Source: P. Goyal, H. Vin, H. Cheng, *Start-Time Fair Queueing*, SIGCOMM 1996; for
/// jobs of equal size it is C. Waldspurger's stride scheduling (1995).
///
/// Cost: O(log types) or O(log keys) per job. Within a type, jobs start in order of eligibility, whatever their
/// priority. The share error is bounded: while two types have jobs waiting,
/// `|starts₁ ÷ weight₁ − starts₂ ÷ weight₂| ≤ 1 ÷ weight₁ + 1 ÷ weight₂`. Cannot starve.
struct FairRule: DispatchRule {
  /// The virtual-time increment per start for weight 1.
  private static let stride = 1_048_576.0

  static var traits: PolicyTraits { traits(by: .jobType) }
  static func traits(by owner: ShareOwner) -> PolicyTraits {
    PolicyTraits(layout: owner == .jobType ? .byType : .byKey)
  }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    core.shares[Int(core.lanes[lane].share)].virtualTime
  }

  /// Virtual-time increment per start (1 ÷ weight).
  static func step(weight: Double) -> Int64 { Nanoseconds.rounded(stride / weight) }
}
