import CoreMetrics
import Synchronization
public import TailraceCore
import TailracePlatform
public import TailraceRuntime

/// Reports counts and times of a scheduler's jobs to swift-metrics.
///
/// | metric | kind | dimensions | meaning |
/// |---|---|---|---|
/// | `tailrace_attempts` | counter | `job_type`, `pool`, `outcome` | attempts that ended |
/// | `tailrace_attempt_service` | timer | `job_type`, `pool`, `outcome` | started → finished |
/// | `tailrace_attempt_waiting` | timer | `job_type`, `pool` | eligible → started |
/// | `tailrace_jobs_settled` | counter | `job_type`, `pool`, `cause` | jobs settled or rejected |
/// | `tailrace_job_response` | timer | `job_type`, `pool` | submitted → completed or dead-lettered |
/// | `tailrace_jobs_waiting` | gauge | `priority` | eligible jobs |
/// | `tailrace_jobs_scheduled`, `_blocked`, `_running` | gauge | – | jobs in these states |
/// | `tailrace_submitters_waiting` | gauge | – | submitters waiting for room |
/// | `tailrace_workers_abandoned` | gauge | – | workers whose attempt is over but whose handler has not returned |
/// | `tailrace_workers_busy_ratio` | gauge | `pool` | busy share of the workers' time since the start |
///
/// Timers receive nanoseconds; the backend determines the unit of display. Gauges are updated by calls to
/// ``record(_:)``, which ``SchedulerService`` makes periodically.
///
/// Records are counted on the worker that produced them, outside the scheduler's locks. Each worker caches its metrics,
/// so the backend is asked for a metric only on first use.
public final class MetricsObserver: TimelineObserver, @unchecked Sendable {
  private let factory: any MetricsFactory
  private let names = Locked(TypeNames())
  /// How many type numbers were reused for other names; see ``TypeNames``.
  private let renames = Atomic<Int>(0)
  /// By shard. A shard is used by one thread at a time.
  private let shards = Locked<[Shard?]>([])
  private let gauges = Locked<[String: Gauge]>([:])

  /// Creates an observer, to be passed to ``/TailraceRuntime/Scheduler``.
  ///
  /// - Parameter factory: nil: `MetricsSystem.factory`, which must be bootstrapped first.
  public init(factory: (any MetricsFactory)? = nil) { self.factory = factory ?? MetricsSystem.factory }

  /// Stores the name for the dimension `job_type`.
  public func typeRegistered(_ name: String, as id: JobTypeID) {
    let count = names.withLock { $0.store(name, id) }
    renames.store(count, ordering: .releasing)
  }

  /// Counts records.
  public func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
    let own = shards.withLock { shards -> Shard in
      while shards.count <= shard { shards.append(nil) }
      if let known = shards[shard] { return known }
      let fresh = Shard()
      shards[shard] = fresh
      return fresh
    }
    if own.renamesSeen != renames.load(ordering: .acquiring) { forgetRenamed(own) }
    for record in records { count(record, own) }
  }

  /// Drops cached metrics of type numbers that were reused for other names.
  private func forgetRenamed(_ shard: Shard) {
    let (renamed, count) = names.withLock { ($0.renamed(since: shard.renamesSeen), $0.renames) }
    shard.renamesSeen = count
    guard let renamed else {
      shard.places = []
      return
    }
    for id in renamed {
      let first = Int(id.rawValue) * PoolID.count
      for place in first..<(first + PoolID.count) where place < shard.places.count {
        shard.places[place] = PlaceMetrics()
      }
    }
  }

  private func count(_ record: TimelineRecord, _ shard: Shard) {
    let place = Int(record.type.rawValue) * PoolID.count + Int(record.pool.rawValue)
    while shard.places.count <= place { shard.places.append(PlaceMetrics()) }
    if record.started != TimelineRecord.never {
      let outcome = Int(record.outcome.rawValue)
      if shard.places[place].outcomes[outcome] == nil { shard.places[place].outcomes[outcome] = outcomeMetrics(record) }
      if shard.places[place].waiting == nil { shard.places[place].waiting = timer("tailrace_attempt_waiting", record) }
      let metrics = shard.places[place].outcomes[outcome]!
      metrics.count.increment()
      metrics.service.recordNanoseconds((record.finished - record.started).rawValue)
      shard.places[place].waiting!.recordNanoseconds((record.started - record.eligible).rawValue)
    }
    guard record.settles else { return }
    let cause = Int(record.cause.rawValue)
    if shard.places[place].causes[cause] == nil {
      shard.places[place].causes[cause] = Counter(
        label: "tailrace_jobs_settled", dimensions: dimensions(record) + [("cause", record.cause.name)],
        factory: factory)
    }
    shard.places[place].causes[cause]!.increment()
    // A job with invalid input was not run, so it has no response time.
    guard record.cause.state != .cancelled, record.cause != .invalid else { return }
    if shard.places[place].response == nil { shard.places[place].response = timer("tailrace_job_response", record) }
    shard.places[place].response!.recordNanoseconds((record.finished - record.submitted).rawValue)
  }

  private func dimensions(_ record: TimelineRecord) -> [(String, String)] {
    [("job_type", names.withLock { $0.names[record.type] ?? "" }), ("pool", record.pool.name)]
  }

  private func timer(_ label: String, _ record: TimelineRecord) -> CoreMetrics.Timer {
    CoreMetrics.Timer(label: label, dimensions: dimensions(record), factory: factory)
  }

  private func outcomeMetrics(_ record: TimelineRecord) -> OutcomeMetrics {
    let dimensions = dimensions(record) + [("outcome", record.outcome.word)]
    return OutcomeMetrics(
      count: Counter(label: "tailrace_attempts", dimensions: dimensions, factory: factory),
      service: CoreMetrics.Timer(label: "tailrace_attempt_service", dimensions: dimensions, factory: factory))
  }

  /// Sets the gauges from a snapshot of the scheduler's metrics.
  public func record(_ metrics: SchedulerMetrics) {
    let now = metrics.gauges
    for priority in Priority.allCases {
      set("tailrace_jobs_waiting", ("priority", priority.name), now.availableByPriority[priority])
    }
    set("tailrace_jobs_scheduled", nil, now.scheduled)
    set("tailrace_jobs_blocked", nil, now.blocked)
    set("tailrace_jobs_running", nil, now.running)
    set("tailrace_submitters_waiting", nil, now.waitingForRoom)
    set("tailrace_workers_abandoned", nil, now.abandoned)
    for pool in PoolID.allCases {
      let workers = metrics.workers.filter { $0.pool == pool }
      let available = metrics.uptime.inSeconds * Double(workers.count)
      guard available > 0 else { continue }
      let busy = workers.reduce(0) { $0 + $1.busy.inSeconds }
      gauge("tailrace_workers_busy_ratio", ("pool", pool.name)).record(busy / available)
    }
  }

  private func set(_ label: String, _ dimension: (String, String)?, _ value: Int) {
    gauge(label, dimension).record(value)
  }

  private func gauge(_ label: String, _ dimension: (String, String)?) -> Gauge {
    let key = dimension.map { "\(label) \($0.1)" } ?? label
    if let known = gauges.withLock({ $0[key] }) { return known }
    // The backend creates it outside the lock; of two created concurrently, the first is kept.
    let fresh = Gauge(label: label, dimensions: dimension.map { [$0] } ?? [], factory: factory)
    return gauges.withLock { gauges in
      if let known = gauges[key] { return known }
      gauges[key] = fresh
      return fresh
    }
  }
}

/// The cached metrics of one worker.
private final class Shard {
  /// By type and pool.
  var places: [PlaceMetrics] = []
  var renamesSeen = 0
}

/// The names of the job types, and the numbers reused for other names. Only numbers of types that never had a handler
/// are reused.
private struct TypeNames {
  private static let remembered = 1_024
  private(set) var names: [JobTypeID: String] = [:]
  private(set) var renames = 0
  /// The most recently reused numbers.
  private var latest: [JobTypeID] = []

  /// Stores a name; returns how many numbers were reused so far.
  mutating func store(_ name: String, _ id: JobTypeID) -> Int {
    if let known = names.updateValue(name, forKey: id), known != name {
      renames += 1
      if latest.count >= 2 * Self.remembered { latest.removeFirst(Self.remembered) }
      latest.append(id)
    }
    return renames
  }

  /// The numbers reused since `seen`; nil: too many to be kept.
  func renamed(since seen: Int) -> ArraySlice<JobTypeID>? {
    renames - seen <= latest.count ? latest.suffix(renames - seen) : nil
  }
}

/// The metrics of one job type in one pool, created on first use.
private struct PlaceMetrics {
  var outcomes: [OutcomeMetrics?] = Array(repeating: nil, count: AttemptOutcome.allCases.count)
  var causes: [Counter?] = Array(repeating: nil, count: SettlementCause.allCases.count)
  var waiting: CoreMetrics.Timer?
  var response: CoreMetrics.Timer?
}

private struct OutcomeMetrics {
  let count: Counter
  let service: CoreMetrics.Timer
}
