/// By waiting time × the slope of the priority: the longer a job waits the more urgent it gets, an urgent one faster.
///
/// Source: L. Kleinrock, *A Delay Dependent Queue Discipline*, Naval Research Logistics Quarterly 11 (1964); *Queueing
/// Systems* II, section 3.7. Within a priority the job that waits longest comes first, so that only the first jobs of
/// the lanes need be compared.
///
/// Cost: O(lanes) a job, of which there are five in a pool and five more for each job type with limits of its own;
/// nothing depends on the number of jobs. Cannot starve if every slope is above 0; a slope of 0 starves like
/// `priority`.
struct SlopeAgingRule: DispatchRule {
  var slopes: PrioritySlopes
  static var traits: PolicyTraits { PolicyTraits(choice: .atDispatch) }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    // Above 2⁵³ nanoseconds, a hundred days, the last bits of the wait are lost; beyond 2⁶² the place saturates.
    let urgency = Double((now - job.pointee.eligible).rawValue) * slopes[job.pointee.priority]
    return urgency < 0x1p62 ? -Int64(urgency) : .min
  }
}

/// How fast a job of each priority gets more urgent while it waits; in any unit, only their ratios matter.
public struct PrioritySlopes: Hashable, Sendable, Codable {
  /// Of the most urgent jobs; 0 or more.
  public var critical: Double
  /// Of jobs of high priority; 0 or more.
  public var high: Double
  /// Of jobs of normal priority; 0 or more.
  public var normal: Double
  /// Of jobs of low priority; 0 or more.
  public var low: Double
  /// Of the least urgent jobs; 0 or more.
  public var batch: Double

  /// Makes slopes; each is 0 or more. By default each priority's is twice the next one's.
  public init(critical: Double = 16, high: Double = 8, normal: Double = 4, low: Double = 2, batch: Double = 1) {
    self.critical = critical
    self.high = high
    self.normal = normal
    self.low = low
    self.batch = batch
  }

  /// The slope of a priority.
  public subscript(priority: Priority) -> Double {
    get {
      switch priority {
      case .critical: critical
      case .high: high
      case .normal: normal
      case .low: low
      case .batch: batch
      }
    }
    set {
      switch priority {
      case .critical: critical = newValue
      case .high: high = newValue
      case .normal: normal = newValue
      case .low: low = newValue
      case .batch: batch = newValue
      }
    }
  }
}
