/// The data structures that a policy needs.
struct PolicyTraits {
  /// Which jobs share a lane.
  enum Layout { case byPriority, byType, byKey }
  /// The order of jobs within a lane: by eligibility or by key.
  enum LaneOrder { case asTheyCame, byKey }
  /// How the first lane is chosen: by keys that stay valid until a lane's first job changes, or anew for each start.
  enum Choice { case byKey, atDispatch }
  var layout = Layout.byPriority
  var order = LaneOrder.asTheyCame
  var choice = Choice.byKey
}

/// The order of eligible jobs under a policy: its traits and the key of a job.
///
/// To add a policy, add a file beside this one, a case of ``DispatchPolicy``, and a line in each switch below. Dispatch
/// is specialized at compile time.
protocol DispatchRule {
  /// The data structures that the policy needs.
  static var traits: PolicyTraits { get }
  /// A job's key: smaller starts earlier; ties go to the job that became eligible first. For policies that choose at
  /// dispatch, the key at the present instant.
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64
}

extension DispatchPolicy {
  var traits: PolicyTraits {
    switch self {
    case .fifo: FifoRule.traits
    case .priority: StrictPriorityRule.traits
    case .aging: AgingRule.traits
    case .slopeAging: SlopeAgingRule.traits
    case .deadline: DeadlineRule.traits
    case .shortest: ShortestRule.traits
    case .fair(let owner): FairRule.traits(by: owner)
    }
  }
}

extension SchedulerCore {
  /// A job's key: smaller starts earlier, ties by sequence.
  @inline(__always)
  func policyKey(_ slot: UInt32, in lane: Int) -> Int64 {
    switch configuration.policy {
    case .fifo: key(FifoRule(), slot, lane)
    case .priority: key(StrictPriorityRule(), slot, lane)
    case .aging: key(AgingRule(boost: agingBoost), slot, lane)
    case .slopeAging(let slopes): key(SlopeAgingRule(slopes: slopes), slot, lane)
    case .deadline: key(DeadlineRule(), slot, lane)
    case .shortest: key(ShortestRule(), slot, lane)
    case .fair: key(FairRule(), slot, lane)
    }
  }

  @inline(__always)
  private func key(_ rule: some DispatchRule, _ slot: UInt32, _ lane: Int) -> Int64 {
    rule.key(of: jobs[slot], in: lane, of: self, at: now)
  }
}
