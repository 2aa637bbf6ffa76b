/// The scheduler as a state machine: it makes decisions and has no side effects.
///
/// # Overview
/// Inputs are facts (`jobSubmitted`, `attemptEnded`, `timerFired`, …), each with the instant at which it became true.
/// Outputs are orders (``SchedulerOrder``) and records of what happened (``TimelineRecord``). The scheduler has no
/// clock, lock or I/O, and its only randomness is the seeded jitter of retries, so the same facts always produce the
/// same orders. A live or a simulated driver carries the orders out.
///
/// # Obligations of a driver
/// - It MUST report facts one at a time. An instant earlier than that of the previous fact is replaced by the latter.
/// - After one or more facts it MUST call ``startJobs(at:claiming:into:)``. Facts of the same instant come first
///   (finishes, then submissions), then one pass starts jobs. Jobs start only in that pass.
/// - It MUST carry out the orders in order, and MUST answer each `startAttempt` with exactly one `attemptEnded`.
///
/// # Structure
/// Jobs are slots in a table, identified by index and generation. A waiting job is in one `Lane`. Each pool keeps its
/// open lanes in a heap, ordered by the policy's key of their first jobs. A limit that is reached closes the lanes of
/// its job type, so dispatch never searches. Each job has at most one timer. Each terminal path goes through `settle`,
/// which visits the dependents.
///
/// Methods of more than a few steps are `mutating` even if they change nothing: the compiler's checks of a borrowed
/// value grow with its fields and the steps, and took more than half of this module's compile time.
public struct SchedulerCore: ~Copyable {
  /// Whether the driver reports the actual start of attempts under a rate limit. Leave it false in virtual time, where
  /// an attempt starts at the instant of its order.
  public var reportsStarts = false
  /// The configuration; immutable.
  public let configuration: SchedulerConfiguration

  var jobs = JobTable()
  var edges = OwnedArray<DependencyEdge>()
  var firstFreeEdge = JobSlot.none
  // Durations of the configuration that are needed for each job.
  let retainedAge: Nanoseconds
  let deadLetterAge: Nanoseconds
  let agingBoost: Nanoseconds
  /// The data structures that the policy needs.
  let traits: PolicyTraits
  var lanes = OwnedArray<Lane>(capacity: 16)
  /// For each lane its jobs by key; empty unless the policy sorts within lanes.
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
  var tenants = TenantTable()
  /// Whether tenants have limits or shares.
  let usesTenants: Bool
  var shares = OwnedArray<ShareAccount>()
  /// Whether jobs can be shed; only then are candidates tracked.
  let sheds: Bool
  /// Candidates by priority; empty unless jobs are shed by priority.
  var youngest: ContiguousArray<YoungestJobs> = []
  /// Accounts by length; empty unless jobs are shed by shares.
  var longestShares = ShareHeap()
  /// Free accounts of forgotten tenants.
  var freeShares: ContiguousArray<UInt32> = []
  var freeLanes: ContiguousArray<UInt32> = []
  var freeGates: ContiguousArray<Int32> = []
  var schedules = ScheduleTable()

  /// Submitters that wait for room.
  var waitingForRoom = JobList()
  /// Settled jobs except dead letters, oldest first.
  var settled = JobList()
  /// Dead letters, oldest first.
  var deadLetters = JobList()
  /// The keys of dead letters that had one, by slot.
  var deadLetterKeys: [UInt32: DeadLetterKeys] = [:]
  var parked = ParkedJobs()
  /// Settled jobs whose dependents must be visited; empty between facts.
  var settling = OwnedArray<PendingSettlement>()

  var memoryInUse = 0
  /// The lane whose first job did not fit when memory was last released; others wait behind it.
  var memoryWaiter: UInt32?
  var memoryIsAwaited: Bool { memoryWaiter != nil }
  /// Lanes closed for memory, in all pools; see ``PoolState/memoryHeap``.
  var lanesForMemory = 0
  /// Whether the first of those lanes may fit now.
  var memoryMayFit = false
  /// The pool that dispatches first.
  var memoryTurn = 0
  var nextSequence: UInt32 = 0
  var now = Instant(nanoseconds: .min)
  var announcedTimer = Instant.distantFuture
  var phase = Phase.accepting
  /// Whether all submissions are rejected, including those from handlers.
  var isStopRequested = false
  /// Counters and gauges; see ``SchedulerGauges``.
  public internal(set) var gauges = SchedulerGauges()

  /// Which submissions the scheduler accepts.
  enum Phase: UInt8 { case accepting, draining, drained }

  /// Creates a scheduler without jobs and job types.
  ///
  /// - Throws: every value that is out of range; see ``SchedulerConfiguration/validate()``.
  public init(_ configuration: SchedulerConfiguration) throws(InvalidValues) {
    try configuration.validate()
    self.init(valid: configuration)
  }

  private init(valid configuration: SchedulerConfiguration) {
    self.configuration = configuration
    retainedAge = Nanoseconds(configuration.retainedAge)
    deadLetterAge = Nanoseconds(configuration.deadLetterAge)
    if case .aging(let boost) = configuration.policy { agingBoost = Nanoseconds(boost) } else { agingBoost = .zero }
    traits = configuration.policy.traits
    sheds = configuration.whenFull == .shed
    usesTenants = configuration.tenants.limits || traits.layout == .byKey
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

  /// The maximum number of job types, including parked ones.
  public static let mostTypes = 64_000

  /// Registers a job type; the first gets number 0.
  ///
  /// - Throws: ``InvalidValues``, ``LimitReached``.
  public mutating func register(_ type: JobTypeConfiguration) throws -> JobTypeID {
    try type.validate()
    guard types.count < Self.mostTypes else {
      throw LimitReached(
        "job types", count: types.count, limit: Self.mostTypes,
        remedy: "use one type for jobs that differ only in a value")
    }
    let id = JobTypeID(rawValue: UInt16(types.count))
    types.append(typeState(type, number: id.rawValue))
    let shared = 0..<UInt32(PoolID.allCases.count * Priority.allCases.count)
    for lane in shared { laneIndex.append(lane) }
    if needsOwnLanes(types[Int(id.rawValue)]) { giveOwnLanes(to: Int(id.rawValue)) }
    return id
  }

  /// The state of a type with valid settings.
  mutating func typeState(_ type: JobTypeConfiguration, number: UInt16) -> TypeState {
    var gate: Int32 = -1
    if let rate = type.rate {
      gate = addGate(rate)
      gates[Int(gate)].type = number
    }
    return TypeState(
      priority: type.priority, pool: type.pool,
      timeout: (type.timeout ?? configuration.timeout).map { Nanoseconds($0) } ?? Nanoseconds(.max),
      retryPolicy: retryPolicies.number(of: type.retry ?? configuration.retry), memory: kibibytes(type.memory),
      concurrency: type.concurrency ?? .max, gate: gate, deadline: type.deadline.map { Nanoseconds($0) },
      expected: type.expectedService.map { Nanoseconds($0) }, step: FairRule.step(weight: type.weight))
  }

  /// Whether jobs of the type need their own lanes.
  mutating func needsOwnLanes(_ type: TypeState) -> Bool {
    type.gate >= 0 || type.concurrency < .max || type.memory > 0 || traits.layout == .byType
  }

  /// The state of a job, or nil if it is not known or was forgotten.
  public func state(of id: JobID) -> JobState? {
    jobs.job(id)?.pointee.state
  }

  /// The number of started attempts of a job, or nil if it is not known.
  public func attempts(of id: JobID) -> Int? {
    guard let job = jobs.job(id)?.pointee else { return nil }
    // The worker is set when an attempt starts and cleared when a further one is due.
    return Int(job.attempt) - (job.worker == TimelineRecord.noWorker ? 1 : 0)
  }

  /// Why a job settled, or nil if it has not settled or is not known.
  public func cause(of id: JobID) -> SettlementCause? {
    guard let job = jobs.job(id)?.pointee, job.state.isTerminal else { return nil }
    return job.cause
  }

  /// The type and the priority of a job, or nil if it is not known.
  public func description(of id: JobID) -> (type: JobTypeID, priority: Priority)? {
    guard let job = jobs.job(id)?.pointee else { return nil }
    return (JobTypeID(rawValue: job.type), job.priority)
  }

  /// Whether draining is complete: nothing waits, nothing runs, and every handler has returned.
  public var isDrained: Bool { phase == .drained }

  /// The gauges, with integrals updated to an instant.
  public mutating func gaugesNow(at instant: Instant) -> SchedulerGauges {
    advance(to: instant)
    return gauges
  }

  // MARK: - Helpers shared by the facts

  /// Advances the scheduler's present, which never decreases.
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

  /// Moves jobs of this type to their own lanes.
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

  /// Adds a lane, or reuses the lane of a forgotten tenant.
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

/// The scheduler's data about a job type.
struct TypeState {
  let priority: Priority
  let pool: PoolID
  let timeout: Nanoseconds
  let retryPolicy: UInt16
  /// Reserved memory in KiB.
  let memory: UInt32
  let concurrency: Int
  /// Index of its rate limit, or -1.
  let gate: Int32
  let deadline: Nanoseconds?
  let expected: Nanoseconds?
  /// Virtual-time increment per start (1 ÷ weight) under the policy `fair`.
  let step: Int64
  /// Mean duration of successful attempts in nanoseconds, weighted toward the last thirty; kept for `shortest` only.
  var meanService = 0.0
  private var samples = 0.0
  var hasOwnLanes = false
  /// Whether its jobs wait for a handler; see ``SchedulerCore/registerParked(_:)``.
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

/// The scheduler's data about a pool.
struct PoolState: ~Copyable {
  /// Workers, without spare ones.
  let workers: Int
  /// The smaller of workers and concurrency.
  let most: Int
  /// The number of attempts that may run at once now.
  var limit: Int
  var limiter: AdaptiveLimiter?
  var autoscaler: Autoscaler?
  var delayController: CoDelController?
  /// Whether its limit is constant and nothing is shed. Only then may a worker take several jobs at once.
  let isSteady: Bool
  /// Index of its rate limit, or -1.
  let gate: Int32
  /// Idle workers. The one that became idle last is taken first, because its caches are warm.
  var idle: OwnedArray<UInt16>
  /// Attempts handed to each worker and not yet reported as ended; an absence counts as one more.
  var claims: OwnedArray<UInt16>
  /// Whether each worker is absent.
  var isAbsent: OwnedArray<Bool>
  /// The number of absent workers.
  var absent = 0
  /// Whether each worker owes a report of its attempt's actual start. At most one attempt per worker does, because jobs
  /// under a rate limit are never claimed ahead.
  var owesReport: OwnedArray<Bool>
  /// Whether a spare worker has taken over from each worker that still holds attempts.
  var isReplaced: OwnedArray<Bool>
  /// Attempts of replaced workers; they do not count toward the pool's limit.
  var replaced = 0
  /// Attempts handed out and not yet reported as ended.
  var running = 0
  var heap = LaneHeap()
  /// Lanes closed for memory, in policy order. As memory is released they are reopened one by one, so that one release
  /// does not touch all waiting lanes.
  var memoryHeap = LaneHeap()
  /// Under the policy `fair`: the virtual time of the last start.
  var virtualTime: Int64 = 0

  init(_ configuration: PoolConfiguration, spares: Int, gate: Int32) {
    // A pool without workers needs no spares.
    let workers = configuration.workers
    let places = workers == 0 ? 0 : workers + spares
    self.workers = workers
    let most = min(workers, configuration.concurrency ?? .max)
    let limiter = configuration.adaptive.map { AdaptiveLimiter($0, most: most) }
    let autoscaler = configuration.autoscaling.map { Autoscaler($0, most: most) }
    let delayController = configuration.codel.map { CoDelController($0) }
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
      // Spare workers are absent until needed.
      claims.append(place < workers ? 0 : 1)
      isAbsent.append(place >= workers)
      owesReport.append(false)
      isReplaced.append(false)
    }
    absent = places - workers
  }
}

/// Converts bytes to whole KiB, rounded up.
func kibibytes(_ bytes: Int) -> UInt32 { UInt32(clamping: bytes / 1024 + (bytes % 1024 > 0 ? 1 : 0)) }
