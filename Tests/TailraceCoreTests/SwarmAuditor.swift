// Goal: say what the scheduler must never do, in a model that shares nothing with it.
import TailraceCore

/// Watches the facts and the orders of one run and notes every breach of the rules.
///
/// It knows no queue and no policy: it keeps what it was told about each job, and looks at everything each time.
struct SwarmAuditor {
  struct Job {
    var submission: JobSubmission
    var pool: PoolID
    var memory: Int
    var retry: RetryPolicy
    var crashes = 0
    var admittedAt: Instant?
    var attempts = 0
    var isRunning = false
    var settled: (state: JobState, cause: SettlementCause)?
    var lastOutcome: AttemptOutcome?
  }

  struct Worker: Hashable {
    var pool: PoolID
    var worker: UInt16
  }

  let plan: SwarmPlan
  /// Job types that are not open.
  var parked: [JobTypeID] = []
  /// Workers that have left.
  var absent: [Worker] = []
  /// Workers whose place was taken while their handler was stuck.
  var replaced: [Worker] = []
  /// Workers that are there for others' places only.
  var spares: [Worker] = []
  private(set) var problems: [String] = []
  private(set) var jobs: [JobID: Job] = [:]
  /// In order of submission, since a dictionary has no order.
  private(set) var known: [JobID] = []
  private var occupied: [AttemptToken] = []
  private var stopped: [AttemptToken] = []
  private var waitingForRoom: [JobID] = []
  private var batches: [BatchID: (members: [JobID], isSealed: Bool, isSettled: Bool)] = [:]
  private var starts: [String: (limit: RateLimit, instants: [Instant])] = [:]
  private var records: [UInt64: [TimelineRecord]] = [:]
  private var numbers: Set<UInt64> = []
  private var mayHaveRetried = false
  private(set) var isDrained = false
  private var firedSlots: Set<String> = []

  init(_ plan: SwarmPlan) { self.plan = plan }

  mutating func problem(_ words: String) { problems.append(words) }

  // MARK: - Facts

  mutating func submitted(_ submission: JobSubmission, _ admission: Admission, at now: Instant) {
    numbers.insert(submission.number)
    let type = plan.types[Int(submission.type.rawValue)]
    var job = Job(
      submission: submission, pool: submission.pool ?? type.pool,
      memory: submission.memory ?? type.memory,
      retry: submission.retry ?? type.retry ?? plan.configuration.retry)
    switch admission {
    case .accepted(let id):
      job.admittedAt = now
      add(id, job)
    case .waiting(let id):
      if plan.configuration.whenFull != .block {
        problem("job \(submission.number) waits for room unasked")
      }
      waitingForRoom.append(id)
      add(id, job)
    case .refused(.duplicate(let first)):
      if jobs[first]?.settled != nil || jobs[first]?.submission.uniqueKey != submission.uniqueKey {
        problem("job \(submission.number) refused as a duplicate of \(first)")
      }
    case .refused: break
    }
  }

  private mutating func add(_ id: JobID, _ job: Job) {
    if let key = job.submission.uniqueKey,
      known.contains(where: { jobs[$0]?.submission.uniqueKey == key && jobs[$0]?.settled == nil })
    {
      problem("two live jobs have the key \(key)")
    }
    if jobs[id] != nil { problem("the identifier \(id) is given twice") }
    jobs[id] = job
    known.append(id)
    if let batch = job.submission.batch { batches[batch]?.members.append(id) }
  }

  mutating func batchOpened(_ batch: BatchID) { batches[batch] = ([], false, false) }
  mutating func batchSealed(_ batch: BatchID) { batches[batch]?.isSealed = true }

  mutating func reallyStarted(_ token: AttemptToken, at now: Instant) {
    let type = plan.types[Int(token.type.rawValue)]
    if let limit = type.rate {
      starts["type \(token.type.rawValue)", default: (limit, [])].instants.append(now)
    }
    if let key = jobs[token.job]?.submission.tenant, let limit = settings(ofKey: key).rate {
      starts["key \(key)", default: (limit, [])].instants.append(now)
    }
    if let limit = plan.configuration[token.pool].rate {
      starts["pool \(token.pool)", default: (limit, [])].instants.append(now)
    }
  }

  mutating func ended(_ token: AttemptToken, _ outcome: AttemptOutcome) {
    occupied.removeAll { $0 == token }
    guard !stopped.contains(token) else { return }
    jobs[token.job]?.isRunning = false
    jobs[token.job]?.lastOutcome = outcome
    if outcome == .crashed { jobs[token.job]?.crashes += 1 }
    if outcome == .failed || outcome == .crashed { mayHaveRetried = true }
  }

  // MARK: - Orders

  mutating func took(_ orders: [SchedulerOrder], at now: Instant) {
    for order in orders {
      switch order {
      case .startAttempt(let token): started(token, at: now)
      case .stopAttempt(let token):
        if !occupied.contains(token) { problem("asked to stop \(token), which does not run") }
        if stopped.contains(token) { problem("asked twice to stop \(token)") }
        stopped.append(token)
        jobs[token.job]?.isRunning = false
        jobs[token.job]?.lastOutcome = .timedOut
        mayHaveRetried = true
      case .setTimer(let instant):
        // A slot of a clock that was set forward may lie before the start.
        if instant < .zero, plan.schedules == 0 { problem("a timer before time began") }
      case .releaseSubmitter(let id):
        // Those who were cancelled meanwhile are not released.
        while let first = waitingForRoom.first, first != id, jobs[first]?.settled != nil {
          waitingForRoom.removeFirst()
        }
        if waitingForRoom.first != id {
          problem("\(id) was let in out of turn")
        } else {
          waitingForRoom.removeFirst()
        }
        jobs[id]?.admittedAt = now
      case .settleJob(let id, let cause): settled(id, cause.state, cause)
      case .forgetJob(let id):
        if jobs[id]?.settled == nil { problem("\(id) was forgotten before it settled") }
      case .settleBatch(let batch): settledBatch(batch)
      case .fireSchedule(let id, let slot, let intended):
        if !firedSlots.insert("\(id) \(slot)").inserted { problem("\(id) fired twice for \(slot)") }
        if intended > now { problem("\(id) fired before its slot") }
        if isDrained { problem("\(id) fired after the end") }
      case .finishDraining:
        if isDrained { problem("drained twice") }
        isDrained = true
        if !occupied.isEmpty || known.contains(where: { jobs[$0]?.settled == nil }) {
          problem("drained while work was left")
        }
      }
    }
    checkRoom()
  }

  private mutating func started(_ token: AttemptToken, at now: Instant) {
    guard let job = jobs[token.job], let admitted = job.admittedAt else {
      return problem("started \(token), which was not admitted")
    }
    if job.settled != nil { problem("started \(token.job) after it settled") }
    if job.isRunning { problem("\(token.job) runs twice at once") }
    if parked.contains(token.type) { problem("\(token.job) runs, and its type is parked") }
    if Int(token.attempt) != job.attempts + 1 {
      problem("attempt \(token.attempt) after \(job.attempts)")
    }
    if Int(token.attempt) > job.retry.limit + 1 {
      problem("attempt \(token.attempt) of \(job.retry.limit + 1)")
    }
    if job.crashes >= job.retry.crashLimit ?? .max { problem("\(token.job) starts after \(job.crashes) crashes") }
    if now < admitted + job.submission.delay {
      problem("\(token.job) started before its delay was over")
    }
    for dependency in job.submission.dependencies
    where jobs[dependency]?.settled?.state != .completed {
      problem("\(token.job) started before \(dependency) completed")
    }
    let worker = Worker(pool: token.pool, worker: token.worker)
    if replaced.contains(worker) || spares.contains(worker) {
      problem("\(token) was handed to a worker without a place")
    }
    if absent.contains(worker) {
      problem("\(token) was handed to a worker that had left")
    }
    if occupied.contains(where: { $0.pool == token.pool && $0.worker == token.worker }) {
      checkClaim(token, job)
    }
    occupied.append(token)
    jobs[token.job]?.attempts += 1
    jobs[token.job]?.isRunning = true
    if !token.reportsStart { reallyStarted(token, at: now) }
    checkLimits(token)
  }

  /// The worker has an attempt already.
  private mutating func checkClaim(_ token: AttemptToken, _ job: Job) {
    let (pool, type) = (plan.configuration[token.pool], plan.types[Int(token.type.rawValue)])
    let inPool = occupied.filter { $0.pool == token.pool && hasPlace($0) }
    let held = inPool.count { $0.worker == token.worker } + 1
    if held > plan.claims {
      problem("worker \(token.worker) got attempt \(held) of \(plan.claims)")
    }
    let away = absent.filter { $0.pool == token.pool }.map(\.worker)
    if Set(inPool.map(\.worker) + away).count < pool.workers {
      problem("worker \(token.worker) claims while another is idle")
    }
    if let key = job.submission.tenant,
      settings(ofKey: key).concurrency ?? .max < .max || settings(ofKey: key).rate != nil
    {
      problem("worker \(token.worker) claims a job of the limited key \(key)")
    }
    if pool.rate != nil || type.rate != nil || type.concurrency != nil || job.memory > 0 {
      problem("worker \(token.worker) claims a job under a limit")
    }
  }

  /// Whether an attempt counts for its pool's limit.
  func hasPlace(_ token: AttemptToken) -> Bool {
    !replaced.contains(Worker(pool: token.pool, worker: token.worker))
  }

  private func settings(ofKey key: String) -> TenantSettings {
    plan.configuration.tenants.named[key] ?? plan.configuration.tenants.each
  }

  private mutating func checkLimits(_ token: AttemptToken) {
    let pool = plan.configuration[token.pool]
    // What a worker has claimed ahead does not run yet.
    let inPool = Set(occupied.filter { $0.pool == token.pool && hasPlace($0) }.map(\.worker)).count
    if inPool > min(pool.workers, pool.concurrency ?? .max) {
      problem("\(inPool) at once in pool \(token.pool)")
    }
    let ofType = occupied.count { $0.type == token.type }
    if let limit = plan.types[Int(token.type.rawValue)].concurrency, ofType > limit {
      problem("\(ofType) at once of type \(token.type.rawValue)")
    }
    if let key = jobs[token.job]?.submission.tenant, let limit = settings(ofKey: key).concurrency {
      let ofKey = occupied.count { jobs[$0.job]?.submission.tenant == key }
      if ofKey > limit { problem("\(ofKey) at once of key \(key)") }
    }
    if let budget = plan.configuration.memoryBudget {
      let reserved = occupied.reduce(0) { $0 + (jobs[$1.job]?.memory ?? 0) }
      if reserved > budget { problem("\(reserved) bytes reserved of \(budget)") }
    }
  }

  private mutating func settled(_ id: JobID, _ state: JobState, _ cause: SettlementCause) {
    guard let job = jobs[id] else { return problem("\(id) settled unheard of") }
    if job.settled != nil { problem("\(id) settled twice") }
    jobs[id]?.settled = (state, cause)
    jobs[id]?.isRunning = false
    switch state {
    case .completed:
      if job.lastOutcome != .succeeded { problem("\(id) completed without success") }
    case .deadLettered where cause == .invalid:
      if job.attempts > 0 { problem("\(id) was found invalid after \(job.attempts) attempts") }
    case .deadLettered:
      let isPoison = job.lastOutcome == .crashed && job.crashes == job.retry.crashLimit
      if job.lastOutcome != .failedPermanently, !isPoison, job.attempts != job.retry.limit + 1 {
        problem("\(id) dead-lettered after \(job.attempts) of \(job.retry.limit + 1) attempts")
      }
    case .cancelled:
      if cause == .dependencyFailed,
        !job.submission.dependencies.contains(where: { $0 == .refused || isLost($0) })
      {
        problem("\(id) cancelled for a dependency, and none failed")
      }
    case .waitingForRoom, .blocked, .scheduled, .available, .running:
      problem("\(id) settled as \(state)")
    }
  }

  private func isLost(_ id: JobID) -> Bool {
    guard let state = jobs[id]?.settled?.state else { return false }
    return state != .completed
  }

  private mutating func settledBatch(_ batch: BatchID) {
    guard let known = batches[batch], known.isSealed, !known.isSettled else {
      return problem("\(batch) settled unsealed or twice")
    }
    if known.members.contains(where: { jobs[$0]?.settled == nil }) {
      problem("\(batch) settled before its jobs")
    }
    batches[batch]?.isSettled = true
  }

  private mutating func checkRoom() {
    // Retries come back to the queue whether it is full or not.
    guard !mayHaveRetried else { return }
    let waiting = known.count { id in
      guard let job = jobs[id] else { return false }
      return job.admittedAt != nil && job.settled == nil && !job.isRunning && job.attempts == 0
    }
    if waiting > plan.configuration.queueCapacity { problem("\(waiting) jobs wait") }
  }

  // MARK: - Records

  mutating func took(_ new: [TimelineRecord], at now: Instant) {
    for record in new {
      if !numbers.contains(record.number) { problem("a record of unknown job \(record.number)") }
      if records[record.number]?.last?.settles == true {
        problem("a record of job \(record.number) after its last")
      }
      let before = records[record.number]?.last
      records[record.number, default: []].append(record)
      if record.finished > now { problem("job \(record.number) finished in the future") }
      let begin = before?.finished ?? record.intended
      if before != nil, record.previousFinished != begin {
        problem("a gap between records of job \(record.number)")
      }
      let stages =
        before == nil
        ? [record.submitted, record.accepted, record.eligible, record.started, record.finished]
        : [record.eligible, record.started, record.finished]
      var last = begin
      for stage in stages where stage != TimelineRecord.never {
        if stage < last {
          problem("job \(record.number), attempt \(record.attempt): a stage of negative length")
        }
        last = stage
      }
      if Int(record.attempt) != records[record.number]!.count {
        problem("job \(record.number): attempts out of order")
      }
    }
  }

  // MARK: - At rest

  /// What must hold once nothing is left to do.
  mutating func finish() {
    for id in known where jobs[id]?.settled == nil { problem("\(id) never settled") }
    for number in numbers.sorted() where records[number]?.last?.settles != true {
      problem("job \(number) has no last record")
    }
    if !occupied.isEmpty { problem("\(occupied.count) workers are still occupied") }
    for (name, limited) in starts.sorted(by: { $0.key < $1.key }) {
      let beyond = excess(limited.instants, over: limited.limit)
      if beyond > 0 {
        problem("\(name): a window holds \(beyond) starts more than \(limited.limit)")
      }
    }
    let open = batches.values.count { $0.isSealed && !$0.isSettled }
    if open > 0 { problem("\(open) sealed batches never settled") }
  }
}
