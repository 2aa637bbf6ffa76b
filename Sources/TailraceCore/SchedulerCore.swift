/// The scheduler: a state machine that decides, and does nothing else.
///
/// # Overview
/// Facts go in (`jobSubmitted`, `attemptEnded`, `timerFired`, …), each with the instant at which it became true; orders
/// come out (``SchedulerOrder``), with records of what happened (``TimelineRecord``). It has no clock, no lock, no I/O
/// and no randomness but the seeded jitter of retries, so that the same facts always give the same orders. A live and a
/// simulated driver carry them out.
///
/// # Obligations of a driver
/// - It MUST report facts one at a time. An instant that lies before an earlier fact's counts as that earlier one.
/// - After one or more facts it MUST call ``startJobs(at:claiming:into:)``: facts that belong to one instant go first
///   (finishes, then submissions), then one pass starts jobs. Nothing starts outside that pass.
/// - It MUST carry the orders out in their order, and MUST answer each `startAttempt` with one `attemptEnded`.
///
/// # Structure
/// Jobs are slots in a table, named by index and generation. A waiting job is in one `Lane`; each pool keeps its open
/// lanes in a heap, ordered by the policy's key of their first jobs. A limit that is reached closes the lanes of its
/// job type, so that dispatch never searches. Each job has at most one timer. Each terminal path goes through `settle`,
/// which walks the dependents.
///
/// A method of more than a few steps is `mutating` even where it changes nothing: the compiler's checks of a borrowed
/// value grow with its fields and with the steps, and took more than half of the time that this module compiles.
public struct SchedulerCore: ~Copyable {
  /// Whether the driver reports the real start of attempts under a rate limit. A driver in virtual time, where an
  /// attempt starts in the instant of its order, leaves it false.
  public var reportsStarts = false
  /// As given; it does not change.
  public let configuration: SchedulerConfiguration

  var jobs = JobTable()
  var edges = OwnedArray<DependencyEdge>()
  var firstFreeEdge = JobSlot.none
  /// What the policy asks of dispatch.
  let traits: PolicyTraits
  var lanes = OwnedArray<Lane>(capacity: 16)
  /// For each lane its jobs by their keys; empty unless the policy sorts within lanes.
  var jobHeaps = OwnedArray<JobHeap>()
  /// Lane by type, pool and priority; the first ten are the shared ones.
  var laneIndex = OwnedArray<UInt32>(capacity: 64)
  var types = OwnedArray<TypeState>()
  var pools = OwnedArray<PoolState>(capacity: 2)
  var gates = OwnedArray<RateGate>()
  var timers = TimerHeap()
  var retryPolicies = RetryPolicies()
  var batches = BatchTable()
  var uniqueKeys = UniqueKeys()
  var tagKeys = TagKeys()
  /// Whether tag keys have limits or shares.
  let usesTagKeys: Bool
  var shares = OwnedArray<ShareAccount>()
  /// Whether jobs make room for others: only then is it known which would.
  let sheds: Bool
  /// By priority; empty unless jobs are shed by priority.
  var youngest: ContiguousArray<YoungestJobs> = []
  /// Empty unless jobs are shed by shares.
  var longestShares = ShareHeap()
  /// Places that forgotten tag keys have left.
  var freeShares: ContiguousArray<UInt32> = []
  var freeLanes: ContiguousArray<UInt32> = []
  var freeGates: ContiguousArray<Int32> = []
  var schedules = ScheduleTable()

  /// Submitters that wait for room.
  var waitingForRoom = JobList()
  /// Settled jobs but for the dead letters, oldest first.
  var settled = JobList()
  /// Oldest first.
  var deadLetters = JobList()
  /// By place; only of dead letters that had a key.
  var deadLetterKeys: [UInt32: DeadLetterKeys] = [:]
  var parked = ParkedJobs()
  /// Jobs to settle whose dependents must be walked; empty between facts.
  var settling = OwnedArray<PendingSettlement>()

  var memoryInUse = 0
  /// The lane whose first job was found not to fit since memory was last given back: others wait behind it.
  var memoryWaiter: UInt32?
  var memoryIsAwaited: Bool { memoryWaiter != nil }
  /// Lanes that are closed for memory, in all pools; see ``PoolState/memoryHeap``.
  var lanesForMemory = 0
  /// Whether the first of them may fit by now.
  var memoryMayFit = false
  /// The pool that starts jobs first.
  var memoryTurn = 0
  var nextSequence: UInt32 = 0
  var now = Instant(nanoseconds: .min)
  var announcedTimer = Instant.distantFuture
  var phase = Phase.accepting
  /// Whether nothing is taken on at all any more.
  var isStopRequested = false
  /// Numbers that a driver shows; see ``SchedulerGauges``.
  public internal(set) var gauges = SchedulerGauges()

  /// What the scheduler takes on.
  enum Phase: UInt8 { case accepting, draining, drained }

  /// Makes a scheduler with no jobs and no job types.
  ///
  /// - Throws: what is out of range; see ``SchedulerConfiguration/validate()``.
  public init(_ configuration: SchedulerConfiguration) throws(InvalidValues) {
    try configuration.validate()
    self.init(valid: configuration)
  }

  private init(valid configuration: SchedulerConfiguration) {
    self.configuration = configuration
    traits = configuration.policy.traits
    sheds = configuration.whenFull == .shed
    usesTagKeys = configuration.tagKeys.limits || traits.layout == .byKey
    if sheds, traits.layout == .byPriority { youngest = ContiguousArray(Priority.allCases.map { YoungestJobs($0) }) }
    for pool in PoolID.allCases {
      var gate: Int32 = -1
      if let rate = configuration[pool].rate { gate = addGate(rate) }
      pools.append(PoolState(configuration[pool], spares: configuration.replacementLimit, gate: gate))
      for priority in Priority.allCases {
        addLane(Lane(pool: pool, priority: priority, type: Lane.shared))
      }
    }
    _ = retryPolicies.number(of: configuration.retry)
  }

  /// As many job types can be registered, parked ones included.
  public static let mostTypes = 64_000

  /// Registers a job type; the first gets number 0.
  ///
  /// - Throws: ``InvalidValues``, ``LimitReached``.
  public mutating func register(_ type: JobTypeConfiguration) throws -> JobTypeID {
    try type.validate()
    guard types.count < Self.mostTypes else {
      throw LimitReached(
        "job types", count: types.count, limit: Self.mostTypes, remedy: "let jobs that differ by a value share a type")
    }
    let id = JobTypeID(rawValue: UInt16(types.count))
    types.append(typeState(type, number: id.rawValue))
    let shared = 0..<UInt32(PoolID.allCases.count * Priority.allCases.count)
    for lane in shared { laneIndex.append(lane) }
    if needsOwnLanes(types[Int(id.rawValue)]) { giveOwnLanes(to: Int(id.rawValue)) }
    return id
  }

  /// Of a type whose settings are valid.
  mutating func typeState(_ type: JobTypeConfiguration, number: UInt16) -> TypeState {
    var gate: Int32 = -1
    if let rate = type.rate {
      gate = addGate(rate)
      gates[Int(gate)].type = number
    }
    return TypeState(
      priority: type.priority, pool: type.pool,
      timeout: type.timeout ?? configuration.timeout ?? Nanoseconds(.max),
      retryPolicy: retryPolicies.number(of: type.retry ?? configuration.retry), memory: kibibytes(type.memory),
      concurrency: type.concurrency ?? .max, gate: gate, deadline: type.deadline,
      expected: type.expectedService, step: FairRule.step(weight: type.weight))
  }

  /// Whether jobs of the type cannot wait among those of others.
  mutating func needsOwnLanes(_ type: TypeState) -> Bool {
    type.gate >= 0 || type.concurrency < .max || type.memory > 0 || traits.layout == .byType
  }

  /// The state of a job, or nil when it is not (or no longer) known.
  public func state(of id: JobID) -> JobState? {
    jobs.job(id)?.pointee.state
  }

  /// How many attempts of a job have been started, or nil when it is not known.
  public func attempts(of id: JobID) -> Int? {
    guard let job = jobs.job(id)?.pointee else { return nil }
    // A worker is noted when an attempt starts, and taken off when a further one is due.
    return Int(job.attempt) - (job.worker == TimelineRecord.noWorker ? 1 : 0)
  }

  /// Why a job settled, or nil when it has not or is not known.
  public func cause(of id: JobID) -> SettlementCause? {
    guard let job = jobs.job(id)?.pointee, job.state.isTerminal else { return nil }
    return job.cause
  }

  /// The type and the priority of a job, or nil when it is not known.
  public func description(of id: JobID) -> (type: JobTypeID, priority: Priority)? {
    guard let job = jobs.job(id)?.pointee else { return nil }
    return (JobTypeID(rawValue: job.type), job.priority)
  }

  /// Whether draining is done: nothing waits, nothing runs, and no handler is left.
  public var isDrained: Bool { phase == .drained }

  /// The gauges with their integrals brought up to an instant.
  public mutating func gaugesNow(at instant: Instant) -> SchedulerGauges {
    advance(to: instant)
    return gauges
  }

  // MARK: - Pieces shared by the facts

  /// Moves the scheduler's present on; it never goes back.
  @inline(__always)
  mutating func advance(to instant: Instant) {
    guard instant > now else { return }
    gauges.advance(from: now, to: instant)
    now = instant
  }

  mutating func addGate(_ limit: RateLimit) -> Int32 {
    if let reused = freeGates.popLast() {
      gates[Int(reused)] = RateGate(limit)
      return reused
    }
    gates.append(RateGate(limit))
    return Int32(gates.count - 1)
  }

  /// From now on jobs of this type wait in lanes of their own.
  mutating func giveOwnLanes(to type: Int) {
    types[type].hasOwnLanes = true
    var place: UInt32 = 0
    for offset in 0..<Self.lanesPerType {
      let (pool, priority) = (lanes[offset].pool, lanes[offset].priority)
      let isFirst = offset % Priority.count == 0
      if traits.layout == .byPriority || isFirst {
        var lane = Lane(pool: pool, priority: priority, type: UInt16(type))
        if traits.layout == .byType { lane.share = addShare(step: types[type].step) }
        place = UInt32(addLane(lane))
      }
      laneIndex[type * Self.lanesPerType + offset] = place
    }
  }

  /// Adds a lane, or uses again one that a forgotten tag key has left.
  @discardableResult
  mutating func addLane(_ lane: Lane) -> Int {
    var place = lanes.count
    if let reused = freeLanes.popLast() {
      place = Int(reused)
      lanes[place] = lane
    } else {
      lanes.append(lane)
      if traits.order == .byKey { jobHeaps.append(JobHeap()) }
    }
    if lane.share != ShareAccount.none { shares[Int(lane.share)].lanes.append(UInt32(place)) }
    return place
  }

  /// Entries of ``laneIndex`` for each job type.
  @inline(__always)
  static var lanesPerType: Int { PoolID.count * Priority.count }

  @inline(__always)
  mutating func lane(type: UInt16, pool: PoolID, priority: Priority) -> Int {
    let place = Int(pool.rawValue) * Priority.count + Int(priority.rawValue) - 1
    return Int(laneIndex[Int(type) * Self.lanesPerType + place])
  }

  @inline(__always)
  mutating func setTimer(for slot: UInt32, at instant: Instant) {
    timers.insert(.job(slot), at: instant, jobs: jobs, gates: &gates)
  }

  @inline(__always)
  mutating func removeTimer(of slot: UInt32) {
    let position = jobs[slot].pointee.timerPosition
    if position >= 0 { timers.remove(at: Int(position), jobs: jobs, gates: &gates) }
  }
}

/// What the scheduler keeps about a job type.
struct TypeState {
  let priority: Priority
  let pool: PoolID
  let timeout: Nanoseconds
  let retryPolicy: UInt16
  /// KiB.
  let memory: UInt32
  let concurrency: Int
  /// Index into the gates, or -1.
  let gate: Int32
  let deadline: Nanoseconds?
  let expected: Nanoseconds?
  /// How far a start moves it on under the policy `fair`.
  let step: Int64
  /// What its successful attempts took, in nanoseconds, the last thirty weighing most; kept for `shortest` only.
  var meanService = 0.0
  private var samples = 0.0
  var hasOwnLanes = false
  /// Whether its jobs wait for it to be opened; see ``SchedulerCore/registerParked(_:)``.
  var isParked = false
  /// Attempts handed out and not yet reported as ended.
  var running = 0
  /// Lanes closed by this type's own limits.
  var gatedLanes: ContiguousArray<UInt32> = []

  init(
    priority: Priority, pool: PoolID, timeout: Nanoseconds, retryPolicy: UInt16, memory: UInt32, concurrency: Int,
    gate: Int32, deadline: Nanoseconds?, expected: Nanoseconds?, step: Int64
  ) {
    self.deadline = deadline
    self.expected = expected
    self.step = step
    self.priority = priority
    self.pool = pool
    self.timeout = timeout
    self.retryPolicy = retryPolicy
    self.memory = memory
    self.concurrency = concurrency
    self.gate = gate
  }

  mutating func learn(_ service: Nanoseconds) {
    samples = min(samples + 1, 30)
    meanService += (Double(service.rawValue) - meanService) / samples
  }
}

/// What the scheduler keeps about a pool.
struct PoolState: ~Copyable {
  /// Workers but for the spare ones.
  let workers: Int
  /// The least of workers and concurrency.
  let most: Int
  /// Attempts that may run at once now.
  var limit: Int
  var limiter: AdaptiveLimiter?
  var autoscaler: Autoscaler?
  var delayController: DelayController?
  /// Whether its limit never moves and nothing is shed: only then may a worker take several jobs at once.
  let isSteady: Bool
  /// Index into the gates, or -1.
  let gate: Int32
  /// Workers without an attempt; the last went idle last and is taken first, since its caches are warm.
  var idle: OwnedArray<UInt16>
  /// Attempts handed to each worker and not yet reported as ended; the absence of a worker counts as one more.
  var claims: OwnedArray<UInt16>
  /// Whether each worker is away.
  var isAbsent: OwnedArray<Bool>
  /// Workers that are away.
  var absent = 0
  /// Whether the real start of the worker's attempt is to be reported. A worker has one such attempt at most: jobs
  /// under a rate limit are never claimed ahead.
  var owesReport: OwnedArray<Bool>
  /// Whether each worker's place was taken by a spare one, while it holds attempts.
  var isReplaced: OwnedArray<Bool>
  /// Attempts that replaced workers hold: they do not count for the pool's limit.
  var replaced = 0
  /// Attempts handed out and not yet reported as ended.
  var running = 0
  var heap = LaneHeap()
  /// Its lanes that are closed for memory, in the same order: as memory comes free they are opened one by one, so that
  /// what one job gives back does not touch all that wait.
  var memoryHeap = LaneHeap()
  /// Under the policy `fair`: that of the last start.
  var virtualTime: Int64 = 0

  init(_ configuration: PoolConfiguration, spares: Int, gate: Int32) {
    // A pool without workers has none to replace.
    let workers = configuration.workers
    let places = workers == 0 ? 0 : workers + spares
    self.workers = workers
    let most = min(workers, configuration.concurrency ?? .max)
    let limiter = configuration.adaptive.map { AdaptiveLimiter($0, most: most) }
    let autoscaler = configuration.autoscaling.map { Autoscaler($0, most: most) }
    let delayController = configuration.controlledDelay.map { DelayController($0) }
    self.most = most
    self.gate = gate
    limit = min(most, limiter?.limit ?? .max, autoscaler?.active ?? .max)
    isSteady = limiter == nil && autoscaler == nil && delayController == nil
    (self.limiter, self.autoscaler, self.delayController) = (limiter, autoscaler, delayController)
    idle = OwnedArray(capacity: places)
    claims = OwnedArray(capacity: places)
    owesReport = OwnedArray(capacity: places)
    isAbsent = OwnedArray(capacity: places)
    isReplaced = OwnedArray(capacity: places)
    for worker in (0..<UInt16(workers)).reversed() { idle.append(worker) }
    for place in 0..<places {
      // Spare workers are away until one is needed.
      claims.append(place < workers ? 0 : 1)
      isAbsent.append(place >= workers)
      owesReport.append(false)
      isReplaced.append(false)
    }
    absent = places - workers
  }
}

/// Bytes as whole KiB, rounded up.
func kibibytes(_ bytes: Int) -> UInt32 { UInt32(clamping: bytes / 1024 + (bytes % 1024 > 0 ? 1 : 0)) }
