import TailraceCore

/// The measured part of a run.
package struct MeasurementWindow: Sendable, Hashable, Codable {
  /// From the run's start. Jobs intended earlier are warm-up: they are replayed and counted, and add no samples.
  package var start: Nanoseconds
  /// From the run's start. Jobs intended then or later are only counted. nil: until the last job has settled.
  package var end: Nanoseconds?
  /// Creates a window; by default the whole run.
  package init(start: Nanoseconds = .zero, end: Nanoseconds? = nil) {
    self.start = start
    self.end = end
  }
}

/// Aggregates timeline records into histograms, counts and time series.
///
/// A recorder takes the records of one shard; merge them after the run. In steady state adding a record does not
/// allocate, except for the lists behind exact maxima, which stop growing at a limit.
package final class Recorder {
  /// The settings of a recorder.
  package struct RecorderSettings: Sendable {
    /// Names of the job types, in the order of their ``TailraceCore/JobTypeID``.
    package var types: [String]
    package var window: MeasurementWindow
    /// The instant of the run's start on the records' clock.
    package var origin: Instant
    /// Maximum number of attempts whose start and finish are kept, for figures that require the full list:
    /// `concurrency_max`, `starts_per_second_max`, `queue_depth_max`, `early_starts`. Above, they are unavailable, and
    /// only the means of its class explain a missed target. Each attempt uses 64 bytes. 0: none are kept, not
    /// even those for the chart of the workers.
    package var attemptLimit: Int
    /// Whether jobs have dependencies, so that starts must be compared with the ends of dependencies.
    package var hasDependencies: Bool
    /// The deadline of each type from intended arrival; empty: none.
    package var deadlines: [Nanoseconds?] = []
    /// The share of each type under a fair policy; empty: none.
    package var weights: [Double] = []
    /// When the highest stage of the load ends, from the run's start; nil: it has no stages.
    package var peakEnd: Nanoseconds?
    /// What may hold jobs back, as the scenario sets it.
    package var limits = RunLimits()
    /// The expected number of jobs. Above ``attemptLimit`` no list is started.
    package var expectedJobs: Int
    package init(
      types: [String], window: MeasurementWindow = MeasurementWindow(), origin: Instant = .zero,
      attemptLimit: Int = 500_000, hasDependencies: Bool = false, expectedJobs: Int = 0
    ) {
      self.types = types
      self.window = window
      self.origin = origin
      self.attemptLimit = attemptLimit
      self.hasDependencies = hasDependencies
      self.expectedJobs = expectedJobs
    }
  }

  package let settings: RecorderSettings
  // A recorder is used by one thread at a time, and accesses to its properties never overlap; checking this at run time
  // would cost more than recording.
  /// By type and priority; nil until needed.
  @exclusivity(unchecked) var cells: [Cell?]
  /// Settlements of jobs intended outside the window, by cause.
  @exclusivity(unchecked) var unmeasured = CauseCounts()
  @exclusivity(unchecked) var settled = JobSet()
  @exclusivity(unchecked) var throughput = TimeGrid()
  /// Response times over time of the same jobs, except those never submitted.
  @exclusivity(unchecked) var responses = ResponseGrid()
  @exclusivity(unchecked) var waiting = TimeGrid()
  @exclusivity(unchecked) var running = TimeGrid()
  /// Accepted, unsettled jobs over time; kept only if the load has stages.
  @exclusivity(unchecked) var inSystem = TimeGrid()
  /// Attempts started within the window, by type; kept only if types have weights.
  @exclusivity(unchecked) var starts: [Int]
  /// Busy nanoseconds within the window, by pool, then worker.
  @exclusivity(unchecked) var busy: [[Int64]]
  @exclusivity(unchecked) var attempts = AttemptList()
  @exclusivity(unchecked) var firstIntended = Int64.max
  /// For jobs whose intended arrival is within the window.
  @exclusivity(unchecked) var lastIntended = Int64.min
  @exclusivity(unchecked) var lastSettled = Int64.min
  /// Jobs that finished within the window, whenever they were intended.
  @exclusivity(unchecked) var endedInWindow = 0
  /// Jobs intended within the window, and jobs submitted within it.
  @exclusivity(unchecked) var intendedInWindow = 0
  @exclusivity(unchecked) var submittedInWindow = 0
  /// Settlements of submitted jobs, including warm-up.
  @exclusivity(unchecked) package private(set) var endedJobs = 0
  /// Distinct jobs that have settled or were dropped, including warm-up.
  package var settledJobs: Int { settled.count }
  /// Settled jobs that were accepted, including warm-up: their number, and their total time in the system.
  @exclusivity(unchecked) var acceptedCount = 0
  @exclusivity(unchecked) var timeInSystem: Int128 = 0

  private let start: Int64
  private let end: Int64
  private let tracksSystem: Bool

  /// Creates an empty recorder.
  package init(_ settings: RecorderSettings) {
    self.settings = settings
    cells = Array(repeating: nil, count: (settings.types.count + 1) * Self.priorities)
    busy = PoolID.allCases.map { _ in [] }
    starts = settings.weights.count > 1 ? Array(repeating: 0, count: settings.weights.count) : []
    tracksSystem = settings.peakEnd != nil
    start = settings.window.start.rawValue
    end = settings.window.end?.rawValue ?? .max
    if settings.expectedJobs > settings.attemptLimit { attempts.truncate(limit: settings.attemptLimit) }
  }

  /// Entries per type in ``cells``: priorities are numbered from 1.
  static let priorities = 6

  /// Adds records of any jobs in any order.
  package func record(_ records: UnsafeBufferPointer<TimelineRecord>) {
    for index in records.indices { add(records.baseAddress! + index) }
  }

  /// Adds one record.
  package func record(_ record: TimelineRecord) { withUnsafePointer(to: record) { add($0) } }

  /// By pointer, because records are large.
  @inline(__always)
  private func add(_ record: UnsafePointer<TimelineRecord>) {
    let origin = settings.origin.nanoseconds
    let intended = record.pointee.intended.nanoseconds - origin
    let isMeasured = intended >= start && intended < end
    if intended < firstIntended { firstIntended = intended }
    if isMeasured {
      if intended > lastIntended { lastIntended = intended }
      cell(of: record).add(record)
    }
    if record.pointee.attempt == 1 {
      if isMeasured { intendedInWindow += 1 }
      if record.pointee.wasSubmitted {
        let submitted = record.pointee.submitted.nanoseconds - origin
        if submitted >= start && submitted < end { submittedInWindow += 1 }
      }
    }
    if record.pointee.becameEligible { addAttempt(record, origin: origin) }
    if record.pointee.settles { settle(record, isMeasured: isMeasured, origin: origin) }
  }

  @inline(__always)
  private func addAttempt(_ record: UnsafePointer<TimelineRecord>, origin: Int64) {
    let eligible = record.pointee.eligible.nanoseconds - origin
    let finished = record.pointee.finished.nanoseconds - origin
    let started = record.pointee.wasStarted ? record.pointee.started.nanoseconds - origin : finished
    waiting.addSpan(from: eligible, to: started)
    if record.pointee.wasStarted {
      running.addSpan(from: started, to: finished)
      if !starts.isEmpty, started >= start, started < end { starts[Int(record.pointee.type.rawValue)] += 1 }
      if record.pointee.worker != TimelineRecord.noWorker {
        let pool = Int(record.pointee.pool.rawValue)
        let worker = Int(record.pointee.worker)
        if worker >= busy[pool].count {
          busy[pool].append(contentsOf: repeatElement(0, count: worker + 1 - busy[pool].count))
        }
        busy[pool][worker] += max(0, min(finished, end) - max(started, start))
      }
    }
    attempts.append(
      AttemptList.Attempt(
        job: record.pointee.number, intended: record.pointee.intended.nanoseconds - origin,
        submitted: record.pointee.submitted.nanoseconds &- origin,
        accepted: record.pointee.accepted.nanoseconds &- origin, eligible: eligible,
        started: record.pointee.wasStarted ? started : .max, finished: finished,
        end: record.pointee.settles ? record.pointee.cause : nil, priority: record.pointee.priority,
        pool: record.pointee.pool, outcome: record.pointee.outcome,
        type: record.pointee.type, worker: record.pointee.worker),
      limit: settings.attemptLimit)
  }

  private func settle(_ record: UnsafePointer<TimelineRecord>, isMeasured: Bool, origin: Int64) {
    settled.insert(record.pointee.number)
    if !isMeasured { unmeasured[record.pointee.cause] += 1 }
    guard record.pointee.cause != .dropped else { return }
    endedJobs += 1
    let finished = record.pointee.finished.nanoseconds - origin
    if finished > lastSettled { lastSettled = finished }
    if record.pointee.wasAccepted {
      acceptedCount += 1
      timeInSystem += Int128((record.pointee.finished - record.pointee.accepted).rawValue)
      if tracksSystem { inSystem.addSpan(from: record.pointee.accepted.nanoseconds - origin, to: finished) }
    }
    if record.pointee.cause.ranToItsEnd {
      throughput.add(at: finished)
      if record.pointee.wasSubmitted {
        responses.add((record.pointee.finished - record.pointee.intended).rawValue, at: finished)
      }
      if finished >= start && finished < end { endedInWindow += 1 }
    }
  }

  @inline(__always)
  private func cell(of record: UnsafePointer<TimelineRecord>) -> Cell {
    // An unknown type is a bug of the caller, but must not end a run; it uses the entry after the last.
    let type = min(Int(record.pointee.type.rawValue), settings.types.count)
    let index = type * Self.priorities + Int(record.pointee.priority.rawValue)
    if let cell = cells[index] { return cell }
    let cell = Cell(deadline: type < settings.deadlines.count ? settings.deadlines[type] : nil)
    cells[index] = cell
    return cell
  }

  /// Adds everything recorded by another recorder of the same run and settings.
  package func merge(_ other: Recorder) {
    for index in cells.indices {
      guard let theirs = other.cells[index] else { continue }
      if cells[index] == nil { cells[index] = Cell() }
      cells[index]!.merge(theirs)
    }
    unmeasured.merge(other.unmeasured)
    settled.formUnion(other.settled)
    throughput.merge(other.throughput)
    responses.merge(other.responses)
    waiting.merge(other.waiting)
    running.merge(other.running)
    inSystem.merge(other.inSystem)
    for type in starts.indices { starts[type] += other.starts[type] }
    for pool in busy.indices {
      for (worker, time) in other.busy[pool].enumerated() {
        if worker >= busy[pool].count { busy[pool].append(0) }
        busy[pool][worker] += time
      }
    }
    attempts.merge(other.attempts, limit: settings.attemptLimit)
    firstIntended = min(firstIntended, other.firstIntended)
    lastIntended = max(lastIntended, other.lastIntended)
    lastSettled = max(lastSettled, other.lastSettled)
    endedInWindow += other.endedInWindow
    endedJobs += other.endedJobs
    intendedInWindow += other.intendedInWindow
    submittedInWindow += other.submittedInWindow
    acceptedCount += other.acceptedCount
    timeInSystem += other.timeInSystem
  }
}

/// Settlements by cause.
package struct CauseCounts: Sendable, Hashable {
  private var counts = [Int](repeating: 0, count: SettlementCause.allCases.count)
  package init() {}
  package subscript(cause: SettlementCause) -> Int {
    get { counts[Int(cause.rawValue)] }
    set { counts[Int(cause.rawValue)] = newValue }
  }
  /// All settlements, including dropped jobs.
  package var total: Int { counts.reduce(0, +) }
  /// Jobs that went to the dead letters.
  package var deadLettered: Int { sum { $0.isDeadLettered } }
  /// Jobs that were cancelled for any reason.
  package var cancelled: Int { sum { $0.isCancelled } }
  /// Submitted jobs.
  package var submitted: Int { total - self[.dropped] }
  /// Finished jobs: completed or dead-lettered.
  package var ranToTheirEnd: Int { sum { $0.ranToItsEnd } }
  /// Jobs that could have completed: all settled or dropped ones, except those that their submitter cancelled and those
  /// rejected because another job had the same unique key.
  package var possible: Int { total - self[.cancelled] - self[.duplicate] }
  /// Completed jobs as a share of those that could have completed; nil if there are none.
  package var success: Double? {
    possible > 0 ? Double(self[.succeeded]) / Double(possible) : nil
  }
  private func sum(where matches: (SettlementCause) -> Bool) -> Int {
    SettlementCause.allCases.reduce(0) { matches($1) ? $0 + self[$1] : $0 }
  }
  mutating func merge(_ other: CauseCounts) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }
}

extension CauseCounts: Codable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }
  package init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: Key.self)
    for cause in SettlementCause.allCases {
      self[cause] = try box.decodeIfPresent(Int.self, forKey: Key(cause.name)) ?? 0
    }
  }
  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: Key.self)
    for cause in SettlementCause.allCases where self[cause] > 0 { try box.encode(self[cause], forKey: Key(cause.name)) }
  }
}
