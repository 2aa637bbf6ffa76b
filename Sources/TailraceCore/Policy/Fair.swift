/// Weighted shares by job type or by tag key: of those that have jobs waiting, each starts as many as its weight says.
///
/// Start-time fair queueing: each type (or key) has a virtual time, which moves on by 1 ÷ weight with each of its
/// starts; the type that is least far comes first. One that had nothing waiting joins at the virtual time of the pool,
/// so that nobody saves up turns. Source: P. Goyal, H. Vin, H. Cheng, *Start-Time Fair Queueing*, SIGCOMM 1996; for
/// jobs that count alike it is C. Waldspurger's stride scheduling (1995).
///
/// Cost: O(log types) or O(log keys) a job. Within a type first eligible is first started, whatever the priority.
/// The share error is exact: while two types have jobs waiting,
/// `|starts₁ ÷ weight₁ − starts₂ ÷ weight₂| ≤ 1 ÷ weight₁ + 1 ÷ weight₂`. Cannot starve.
struct FairRule: DispatchRule {
  /// A type of weight 1 moves on by this.
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

  /// How far a start moves a type on.
  static func step(weight: Double) -> Int64 { Nanoseconds.rounded(stride / weight) }
}
