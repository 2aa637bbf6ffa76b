/// By waiting time × the slope of the priority: urgency grows while a job waits, faster for urgent jobs.
///
/// Source: L. Kleinrock, *A Delay Dependent Queue Discipline*, Naval Research Logistics Quarterly 11 (1964); *Queueing
/// Systems* II, section 3.7. Within a priority the job that has waited longest comes first, so only the first jobs of
/// the lanes are compared.
///
/// Cost: O(lanes) per job, with five lanes per pool and five more for each job type with its own limits; independent
/// of the number of jobs. Cannot starve if every slope is above 0. A slope of 0 starves like `priority`.
struct SlopeAgingRule: DispatchRule {
  var slopes: PrioritySlopes
  static var traits: PolicyTraits { PolicyTraits(choice: .atDispatch) }
  @inline(__always)
  func key(
    of job: UnsafeMutablePointer<JobSlot>, in lane: Int, of core: borrowing SchedulerCore, at now: Instant
  ) -> Int64 {
    // Above 2⁵³ ns (a hundred days) the wait loses its last bits; beyond 2⁶² the key saturates.
    let urgency = Double((now - job.pointee.eligible).rawValue) * slopes[job.pointee.priority]
    return urgency < 0x1p62 ? -Int64(urgency) : .min
  }
}

/// How fast urgency grows with waiting time, per priority. Only the ratios matter.
public struct PrioritySlopes: Hashable, Sendable, Codable {
  /// The slope of critical jobs; 0 or more.
  public var critical: Double
  /// The slope of jobs of high priority; 0 or more.
  public var high: Double
  /// The slope of jobs of normal priority; 0 or more.
  public var normal: Double
  /// The slope of jobs of low priority; 0 or more.
  public var low: Double
  /// The slope of batch jobs; 0 or more.
  public var batch: Double

  /// Creates slopes of 0 or more. By default each is twice that of the next lower priority.
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
