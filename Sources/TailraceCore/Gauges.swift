/// What the scheduler counts as it goes, for metrics and for checking measurements against.
public struct SchedulerGauges: Hashable, Sendable {
  /// Eligible jobs by priority, most urgent first.
  public internal(set) var availableByPriority: InlineCounts = InlineCounts()
  /// Waiting for a later instant.
  public internal(set) var scheduled = 0
  /// Waiting for dependencies.
  public internal(set) var blocked = 0
  /// Jobs with an attempt handed out.
  public internal(set) var running = 0
  /// Submitters waiting for room.
  public internal(set) var waitingForRoom = 0
  /// Workers occupied by attempts that are over for the scheduler but whose handlers have not returned.
  public internal(set) var abandoned = 0
  /// Jobs admitted since the start.
  public internal(set) var admitted = 0
  /// Jobs settled since the start, by cause; rejected ones included.
  public internal(set) var settledByCause: CauseCounts = CauseCounts()
  /// Attempts that were followed by another.
  public internal(set) var retries = 0
  /// The most jobs that waited at once.
  public internal(set) var waitingMax = 0
  /// Admitted jobs times seconds in the system, integrated as they came and went: divided by a run's length, the mean
  /// number of jobs in the system.
  public internal(set) var jobSeconds = 0.0

  /// Eligible jobs of all priorities.
  public var available: Int { availableByPriority.total }
  /// Jobs that take up room in the queue.
  public var waiting: Int { available + scheduled + blocked }
  /// Admitted and not settled.
  public internal(set) var inSystem = 0

  @inline(__always)
  mutating func advance(from: Instant, to: Instant) {
    guard inSystem > 0 else { return }
    jobSeconds += Double(inSystem) * (to - from).seconds
  }
}

/// A count for each priority.
public struct InlineCounts: Hashable, Sendable {
  var critical = 0
  var high = 0
  var normal = 0
  var low = 0
  var batch = 0
  /// The sum over all priorities.
  @usableFromInline var total = 0

  /// The count of one priority.
  public internal(set) subscript(priority: Priority) -> Int {
    @inline(__always) get {
      switch priority {
      case .critical: critical
      case .high: high
      case .normal: normal
      case .low: low
      case .batch: batch
      }
    }
    @inline(__always) set {
      total += newValue - self[priority]
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

/// A count for each ``SettlementCause``.
public struct CauseCounts: Hashable, Sendable {
  private var counts = [Int](repeating: 0, count: SettlementCause.allCases.count)
  init() {}
  /// How many jobs settled for this cause.
  public internal(set) subscript(cause: SettlementCause) -> Int {
    @inline(__always) get { counts[Int(cause.rawValue)] }
    @inline(__always) set { counts[Int(cause.rawValue)] = newValue }
  }
}
