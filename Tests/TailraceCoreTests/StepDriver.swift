// Goal: drive the scheduler by hand, one fact at a time, and check its invariants after each.
import TailraceCore
import Testing

/// A driver without clock, workers or handlers: a test says what happens and when, and reads what was decided.
final class StepDriver {
  var core: SchedulerCore
  private(set) var now = Instant.zero
  /// Every order so far.
  private(set) var orders: [SchedulerOrder] = []
  /// Every record so far.
  private(set) var records: [TimelineRecord] = []
  /// Attempts handed out and not yet reported as ended, in the order of their start.
  private(set) var running: [AttemptToken] = []
  /// Attempts that the scheduler asked to stop.
  private(set) var stopped: [AttemptToken] = []
  /// The instant of the timer that the scheduler ordered last.
  private(set) var timer: Instant?
  private(set) var settlements: [JobID: Settlement] = [:]
  private var numbers: [JobID: UInt64] = [:]
  private var starts: [AttemptToken: Instant] = [:]
  private var nextTag: UInt64 = 1
  private var outbox = Outbox()

  struct Settlement: Equatable {
    var state: JobState
    var cause: SettlementCause
    init(_ state: JobState, _ cause: SettlementCause) {
      self.state = state
      self.cause = cause
    }
  }

  /// A scheduler with one asynchronous worker, no timeouts and no retries, unless `adjust` says otherwise.
  init(_ adjust: (inout SchedulerConfiguration) -> Void = { _ in }) {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 1
    configuration.threadPool.workers = 1
    configuration.timeout = nil
    configuration.retry = .never
    adjust(&configuration)
    core = try! SchedulerCore(configuration)
  }

  func register(
    _ name: String = "job", priority: Priority = .normal, pool: PoolID = .async, retry: RetryPolicy? = nil,
    concurrency: Int? = nil, rate: RateLimit? = nil, memory: Int = 0, deadline: Duration? = nil,
    expected: Duration? = nil, weight: Double = 1
  ) -> JobTypeID {
    try! core.register(
      JobTypeConfiguration(
        name: name, priority: priority, pool: pool, retry: retry, concurrency: concurrency, rate: rate, memory: memory,
        deadline: deadline, expectedService: expected, weight: weight))
  }

  // MARK: - Facts

  /// Submits a job with the next number (the first is 1); `adjust` fills in the rest. Starts nothing.
  @discardableResult
  func submit(_ type: JobTypeID, _ priority: Priority? = nil, _ adjust: (inout JobSubmission) -> Void = { _ in })
    -> Admission
  {
    var submission = JobSubmission(type: type, number: nextTag, intended: now, submitted: now, priority: priority)
    nextTag += 1
    adjust(&submission)
    let admission = core.jobSubmitted(submission, at: now, into: &outbox)
    switch admission {
    case .accepted(let id), .waiting(let id): numbers[id] = submission.number
    case .refused: break
    }
    collect()
    return admission
  }

  /// Submits a job that must be admitted.
  func add(
    _ type: JobTypeID, _ priority: Priority? = nil, after dependencies: [JobID] = [],
    _ adjust: (inout JobSubmission) -> Void = { _ in }
  ) throws -> JobID {
    let admission = submit(type, priority) {
      $0.dependencies = dependencies
      adjust(&$0)
    }
    guard case .accepted(let id) = admission else { throw Surprise.notAdmitted(admission) }
    return id
  }

  /// Runs the pass that starts jobs.
  func start(claiming claim: Claim? = nil) {
    core.startJobs(at: now, claiming: claim, into: &outbox)
    collect()
  }

  /// Reports the end of the job's oldest unreported attempt, without starting others.
  func end(_ id: JobID, _ outcome: AttemptOutcome = .succeeded) throws {
    guard let position = running.firstIndex(where: { $0.job == id }) else { throw Surprise.notRunning(id) }
    let token = running.remove(at: position)
    core.attemptEnded(token, started: starts[token] ?? now, finished: now, outcome: outcome, at: now, into: &outbox)
    collect()
  }

  /// Reports the end of the job's attempt, and starts what then may start.
  func finish(_ id: JobID, _ outcome: AttemptOutcome = .succeeded) throws {
    try end(id, outcome)
    start()
  }

  /// Ends and starts jobs until nothing runs; returns the numbers in the order of their starts.
  @discardableResult
  func runAll() throws -> [UInt64] {
    start()
    while let token = running.first { try finish(token.job) }
    return startedNumbers
  }

  /// Reports that an attempt really starts now.
  func reportStart(of id: JobID) throws {
    guard let token = running.last(where: { $0.job == id }) else { throw Surprise.notRunning(id) }
    starts[token] = now
    core.attemptStarted(token, at: now)
    collect()
  }

  /// Has an attempt that runs really have begun so long ago.
  func backdate(_ token: AttemptToken, by time: Nanoseconds) { starts[token] = now - time }

  @discardableResult
  func cancel(_ id: JobID) -> Bool {
    defer { collect() }
    return core.cancelRequested(id, at: now, into: &outbox)
  }

  /// A worker of the asynchronous pool leaves.
  func leave(_ worker: UInt16) {
    core.workerLeft(worker, pool: .async, at: now)
    collect()
  }

  /// It comes back; nothing is started.
  func comeBack(_ worker: UInt16) {
    core.workerReturned(worker, pool: .async, at: now)
    collect()
  }

  func openBatch(failFast: Bool) -> BatchID { try! core.batchOpened(failFast: failFast) }

  func seal(_ batch: BatchID) {
    core.batchSealed(batch, into: &outbox)
    collect()
  }

  func drain() {
    core.drainRequested(at: now, into: &outbox)
    collect()
  }

  func stop() {
    core.stopRequested(at: now, into: &outbox)
    collect()
  }

  /// Moves time on; fires the timers that fall due, each at its instant, and starts what then may start.
  func advance(by time: Nanoseconds) { advance(to: now + time) }

  func advance(to instant: Instant) {
    while let due = timer, due <= instant {
      now = max(now, due)
      fireTimer()
    }
    now = instant
  }

  /// Moves time on without firing anything: the timer is late.
  func oversleep(by time: Nanoseconds) { now = now + time }

  func fireTimer() {
    timer = nil
    core.timerFired(at: now, into: &outbox)
    collect()
    start()
  }

  /// Reports any other fact; it gets the next number.
  @discardableResult
  func fact<Value>(_ report: (inout SchedulerCore, Instant, UInt64, inout Outbox) -> Value) -> Value {
    let value = report(&core, now, nextTag, &outbox)
    nextTag += 1
    collect()
    return value
  }

  private func collect() {
    for order in Array(outbox.orders) {
      switch order {
      case .startAttempt(let token):
        running.append(token)
        starts[token] = now
      case .stopAttempt(let token):
        stopped.append(token)
        #expect(running.contains(token), "asked to stop an attempt that does not run: \(token)")
      case .setTimer(let instant): timer = instant
      case .settleJob(let id, let cause):
        #expect(settlements[id] == nil, "job \(id) settled twice")
        settlements[id] = Settlement(cause.state, cause)
      case .releaseSubmitter, .forgetJob, .settleBatch, .fireSchedule, .finishDraining: break
      }
    }
    orders += Array(outbox.orders)
    records += Array(outbox.records)
    outbox.clear()
    #expect(core.violatedInvariants() == [])
  }

  // MARK: - What was decided

  func number(of id: JobID) -> UInt64 { numbers[id] ?? 0 }

  /// Tags in the order of their attempts' starts.
  var startedNumbers: [UInt64] {
    orders.compactMap { if case .startAttempt(let token) = $0 { number(of: token.job) } else { nil } }
  }

  /// Jobs whose submitters were let in, in order.
  var released: [JobID] {
    orders.compactMap { if case .releaseSubmitter(let id) = $0 { id } else { nil } }
  }

  func records(of id: JobID) -> [TimelineRecord] { records.filter { $0.number == number(of: id) } }

  enum Surprise: Error {
    case notAdmitted(Admission)
    case notRunning(JobID)
  }
}
