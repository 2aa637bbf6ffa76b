/// Counters and gauges that the scheduler maintains, for metrics and for cross-checking measurements.
public struct SchedulerGauges: Hashable, Sendable {
  /// Eligible jobs by priority, most urgent first.
  public internal(set) var availableByPriority: InlineCounts = InlineCounts()
  /// Jobs waiting for a later instant: a delay or a backoff.
  public internal(set) var scheduled = 0
  /// Jobs waiting for dependencies.
  public internal(set) var blocked = 0
  /// Jobs whose attempt was handed to a worker.
  public internal(set) var running = 0
  /// Submitters waiting for room.
  public internal(set) var waitingForRoom = 0
  /// Workers occupied by attempts that were cancelled or timed out but whose handlers have not returned.
  public internal(set) var abandoned = 0
  /// Jobs admitted since the start.
  public internal(set) var admitted = 0
  /// Jobs settled since the start, by cause, including rejected ones.
  public internal(set) var settledByCause: CauseCounts = CauseCounts()
  /// Attempts that were retried.
  public internal(set) var retries = 0
  /// Maximum jobs that waited at once.
  public internal(set) var waitingMax = 0
  /// The integral over time of the number of jobs in the system, in job-seconds. Divided by a run's length it is the
  /// mean number of jobs in the system.
  public var jobSeconds: Double { jobNanoseconds / 1e9 }
  private var jobNanoseconds = 0.0

  /// The number of jobs that settled in a state.
  public func settled(as state: JobState) -> Int {
    SettlementCause.allCases.reduce(0) { $1.state == state ? $0 + settledByCause[$1] : $0 }
  }

  /// Eligible jobs of all priorities.
  public var available: Int { availableByPriority.total }
  /// Jobs that occupy room in the queue.
  public var waiting: Int { available + scheduled + blocked }
  /// Jobs that are admitted and not settled.
  public internal(set) var inSystem = 0

  @inline(__always)
  mutating func advance(from: Instant, to: Instant) {
    guard inSystem > 0 else { return }
    jobNanoseconds += Double(inSystem) * Double((to - from).rawValue)
  }
}

/// A count for each priority.
public struct InlineCounts: Hashable, Sendable {
  private var counts = InlineArray<5, Int>(repeating: 0)
  /// The sum over all priorities.
  @usableFromInline var total = 0

  /// The count of one priority.
  public internal(set) subscript(priority: Priority) -> Int {
    @inline(__always) get { counts[Int(priority.rawValue) - 1] }
    @inline(__always) set {
      total += newValue - counts[Int(priority.rawValue) - 1]
      counts[Int(priority.rawValue) - 1] = newValue
    }
  }

  /// Whether all counts are equal.
  public static func == (a: Self, b: Self) -> Bool { a.counts.indices.allSatisfy { a.counts[$0] == b.counts[$0] } }
  /// Hashes all counts.
  public func hash(into hasher: inout Hasher) { for index in counts.indices { hasher.combine(counts[index]) } }
}

/// A count for each ``SettlementCause``.
public struct CauseCounts: Hashable, Sendable {
  private var counts = InlineArray<14, Int>(repeating: 0)
  init() { assert(SettlementCause.allCases.count == counts.count, "a count for each cause") }

  /// The number of jobs that settled for this cause.
  public internal(set) subscript(cause: SettlementCause) -> Int {
    @inline(__always) get { counts[Int(cause.rawValue)] }
    @inline(__always) set { counts[Int(cause.rawValue)] = newValue }
  }

  /// Whether all counts are equal.
  public static func == (a: Self, b: Self) -> Bool { a.counts.indices.allSatisfy { a.counts[$0] == b.counts[$0] } }
  /// Hashes all counts.
  public func hash(into hasher: inout Hasher) { for index in counts.indices { hasher.combine(counts[index]) } }
}
