import TailraceCore
import TailracePlatform

/// A job as it is submitted to a live scheduler.
public struct JobRequest: Sendable {
  /// The name under which a handler is registered.
  public var type: String
  /// Handed to the handler.
  public var payload: (any Sendable)?
  /// nil: the type's.
  public var priority: Priority?
  /// Not eligible before this long after admission.
  public var delay: Duration
  /// Not eligible before this time of the wall clock either; one in the past asks for nothing. It is turned into an
  /// instant when the job is submitted: a clock that is set later does not move it. nil: only ``delay`` holds.
  public var startAt: UnixTime?
  /// Jobs that must complete first; when one does not, this one is cancelled.
  public var dependencies: [JobID]
  /// The submitter's words about the job; shown in its status.
  public var tags: [String]
  /// Time that an attempt may take; nil: the type's.
  public var timeout: Duration?
  /// nil: the type's.
  public var retry: RetryPolicy?
  /// What kind of work it is; decides the pool of an asynchronous handler. Synchronous handlers run on threads always.
  public var hints: Set<JobHint>
  /// Memory to reserve from the scheduler's budget while it runs, in bytes; nil: the type's.
  public var memory: Int?
  /// How long after its submission it should have settled; nil: the type's. Of use to the policy `deadline`.
  public var deadline: Duration?
  /// How long an attempt is expected to take; nil: the type's. Of use to the policy `shortest`.
  public var expectedService: Duration?
  /// A batch from ``Scheduler/openBatch(failFast:)``.
  public var batch: BatchID?
  /// At most one live job has this key: another one's submission throws ``/TailraceCore/Refusal/duplicate(of:)`` with
  /// the first one's identifier. nil: any number may be live.
  public var uniqueKey: String?
  /// The Swift type of the parameters, for a job that was submitted by them.
  var jobType: (any Job.Type)?
  /// By the keys' types; see ``subscript(_:)``.
  var values: [ObjectIdentifier: any Sendable] = [:]

  /// Whose job it is (a customer, a tenant): limits and shares in ``/TailraceCore/SchedulerConfiguration/tagKeys`` hold
  /// for each key alone; nil: nobody's.
  public var tagKey: String?

  /// Describes a job; everything but the type's name may be left out.
  public init(
    _ type: String, payload: (any Sendable)? = nil, priority: Priority? = nil, delay: Duration = .zero,
    startAt: UnixTime? = nil, dependencies: [JobID] = [], tags: [String] = [], timeout: Duration? = nil,
    retry: RetryPolicy? = nil,
    hints: Set<JobHint> = [], memory: Int? = nil, deadline: Duration? = nil, expectedService: Duration? = nil,
    batch: BatchID? = nil, uniqueKey: String? = nil, tagKey: String? = nil
  ) {
    self.type = type
    self.payload = payload
    self.priority = priority
    self.delay = delay
    self.startAt = startAt
    self.dependencies = dependencies
    self.tags = tags
    self.timeout = timeout
    self.retry = retry
    self.hints = hints
    self.memory = memory
    self.deadline = deadline
    self.expectedService = expectedService
    self.batch = batch
    self.uniqueKey = uniqueKey
    self.tagKey = tagKey
  }
}

/// What kind of work a job is.
public enum JobHint: String, Sendable, CaseIterable, Codable {
  /// Uses a processor for long: runs on a thread of its own.
  case cpuIntensive = "cpu-intensive"
  /// Blocks in system calls: runs on a thread of its own.
  case ioBound = "io-bound"
  /// Needs much memory: reserve it with ``JobRequest/memory``.
  case memoryIntensive = "memory-intensive"
}

/// An error that no retry can mend: a handler that throws one sends its job to the dead letters at once.
public protocol PermanentFailure: Error {}

/// An error by which a handler says that what ran its attempt has died: a child process that was killed, a connection
/// to a sandbox that broke. The attempt counts as crashed: it is retried, until
/// ``/TailraceCore/RetryPolicy/crashLimit`` takes the job for poison.
public protocol CrashFailure: Error {}

/// An error that says itself how the attempt ended, where neither "failed" nor ``PermanentFailure`` is right.
package protocol OutcomeError: Error {
  /// `failed`, `timedOut`, `failedPermanently` or `crashed`.
  var attemptOutcome: AttemptOutcome { get }
}

/// What a handler is given.
public struct JobContext: Sendable {
  /// The job's identifier.
  public var id: JobID { token.job }
  /// The first attempt is 1.
  public var attempt: Int { Int(token.attempt) }
  /// As submitted.
  public var payload: (any Sendable)? { if let luggage { luggage.payload } else { carried } }
  /// The job's number, as in ``/TailraceCore/TimelineRecord/job``: 0 for the first that was submitted to this
  /// scheduler, and so on; a load generator gives its own.
  public var number: UInt64 { token.tag }
  /// The name under which the handler is registered.
  public var type: String { worker.directory[token.type] }
  /// The job's priority.
  public var priority: Priority { token.priority }
  /// The pool whose worker runs the attempt.
  public var pool: PoolID { token.pool }
  /// The worker's place in its pool, from 0.
  public var workerNumber: Int { Int(token.worker) }
  /// As submitted.
  public var tags: [String] { luggage?.tags ?? [] }
  let token: AttemptToken
  /// The payload, bare or with what else travels with it.
  let carried: (any Sendable)?
  let worker: Worker

  var luggage: JobLuggage? { JobLuggage.of(carried) }
  /// The scheduler that runs the attempt: for submitting further jobs, asking for them, cancelling them.
  ///
  /// Use it in place of a scheduler that the handler captures: a handler that holds its scheduler, which holds the
  /// handler, keeps both in memory until ``Scheduler/shutdown(grace:stopping:)``, for ever where that is never called.
  ///
  /// ```swift
  /// let child = try await context.scheduler.submit(JobRequest("child"))
  /// ```
  ///
  /// - Throws: ``SchedulerError/refused(_:)`` with ``/TailraceCore/Refusal/stopping`` when the scheduler is gone; never
  ///   within an attempt.
  public var scheduler: Scheduler {
    get throws {
      guard let scheduler = home else { throw SchedulerError.refused(.stopping) }
      return scheduler
    }
  }
  /// nil: it is gone.
  var home: Scheduler? { worker.directory.scheduler }

  /// Whether the attempt is over for the scheduler, since it was cancelled or timed out. A synchronous handler should
  /// look now and then; an asynchronous one is told through `Task.isCancelled` as well.
  public var isCancelled: Bool { worker.isCancelled(id) }

  /// Blocks a synchronous handler's thread for this long, or until its attempt is cancelled. Less than 0 is as 0.
  ///
  /// - Throws: `CancellationError` when the attempt was cancelled or timed out.
  public func sleep(for time: Duration) throws {
    try worker.sleep(untilNanoseconds: (worker.time.now + Nanoseconds(time)).nanoseconds, job: id)
  }

  /// Suspends an asynchronous handler for this long, by the scheduler's own time: under ``VirtualTime`` no real time
  /// passes. Less than 0 is as 0.
  ///
  /// - Throws: `CancellationError` when the attempt was cancelled or timed out.
  public func sleep(for time: Duration) async throws {
    try await worker.time.sleep(until: worker.time.now + Nanoseconds(time), countedBy: worker.sleepers)
  }
}

/// Where a job is, as far as the scheduler remembers it.
public struct JobStatus: Sendable, Hashable {
  /// The job's identifier.
  public var id: JobID
  /// The name under which its handler is registered.
  public var type: String
  /// Its priority.
  public var priority: Priority
  /// Where it is in its life.
  public var state: JobState
  /// Why it settled; nil while it has not.
  public var cause: SettlementCause?
  /// Attempts started so far.
  public var attempts: Int
  /// As submitted.
  public var tags: [String]
  /// What the last failed attempt threw; nil when none did.
  public var failure: (any Error)?
  /// Whether it waits for its type to be registered.
  public var isParked = false
  /// Whether its last attempt failed and its type's recovery supplied the result.
  public var isRecovered = false
  /// What its running attempt said last of its progress; nil: nothing, or none runs.
  public var progress: JobProgress?

  /// ``failure`` in words, by its own description, which is made each time it is asked for.
  public var error: String? { failure.map { "\($0)" } }

  /// Whether everything is the same; errors are compared by their words.
  public static func == (a: Self, b: Self) -> Bool {
    a.id == b.id && a.type == b.type && a.priority == b.priority && a.state == b.state && a.cause == b.cause
      && a.attempts == b.attempts && a.tags == b.tags && a.isParked == b.isParked && a.isRecovered == b.isRecovered
      && a.progress == b.progress && a.error == b.error
  }

  /// Feeds what tells two statuses apart as a rule.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(state)
    hasher.combine(attempts)
  }
}

/// How a job ended.
public struct JobResult: Sendable {
  /// The job's identifier.
  public var id: JobID
  /// `completed`, `cancelled` or `deadLettered`.
  public var state: JobState
  /// Why it settled so.
  public var cause: SettlementCause
  /// What the handler returned.
  public var value: (any Sendable)?
  /// Attempts started.
  public var attempts: Int
  /// What the last failed attempt threw; nil when none did.
  public var failure: (any Error)?
  /// The last attempt's error, of a job that its type's recovery completed; nil of every other.
  public var recoveredFrom: (any Error)?
  /// Whether the job completed with a value that is not kept any more; see ``ResultRetention``.
  public var isValueDropped = false
  /// ``failure`` in words, by its own description, which is made each time it is asked for.
  public var error: String? { failure.map { "\($0)" } }
  /// Whether its type's recovery supplied the result.
  public var isRecovered: Bool { recoveredFrom != nil }
}

/// Why the scheduler could not do what was asked.
public enum SchedulerError: Error, Sendable, CustomStringConvertible {
  /// No handler is registered under this name.
  case unknownJobType(String, known: [String])
  /// A second handler for a name.
  case duplicateJobType(String)
  /// The job type's handler takes parameters of another Swift type than the submitted ones; nil: it was registered
  /// without any.
  case otherJobType(String, registered: String?, submitted: String)
  /// The payload is not of the Swift type that the job type's handler takes.
  case wrongParameters(WrongParameters)
  /// So many job types that nothing is registered for have jobs already, and the scheduler parks no further one.
  case tooManyUnknownJobTypes(String, most: Int)
  /// It is no dead letter, or was replayed, purged or forgotten.
  case unknownDeadLetter(JobID)
  /// A dead letter's input is invalid, still.
  case invalidInput(any Error)
  /// Not admitted.
  case refused(Refusal)
  /// Middleware around submissions refused the job, for this reason.
  case refusedByMiddleware(any Error)
  /// Middleware must be in place before the first job starts.
  case alreadyStarted
  /// The job is not known: never admitted here, or settled and forgotten.
  case unknownJob(JobID)
  /// A second schedule of a name.
  case duplicateSchedule(String)
  /// The job had not settled in time; it goes on.
  case awaitTimedOut(JobID, after: Duration)

  /// What happened, with the offending value, and what to do.
  public var description: String {
    switch self {
    case .unknownJobType(let name, let known):
      "no handler is registered for job type '\(name)'; registered: \(known.sorted().joined(separator: ", "))"
    case .duplicateJobType(let name):
      "job type '\(name)' has a handler already; register each name once"
    case .otherJobType(let name, let registered, let submitted):
      """
      job type '\(name)' is registered \(registered.map { "for \($0)" } ?? "without a Swift type"), not for \
      \(submitted); give one of them another name
      """
    case .wrongParameters(let wrong): wrong.description
    case .tooManyUnknownJobTypes(let name, let most):
      """
      nothing is registered for job type '\(name)', nor for \(grouped(most)) others whose jobs wait, and the limit is \
      \(grouped(most)): register them, cancel their jobs with cancelJobs(ofUnregistered:), and look for what makes up \
      their names
      """
    case .unknownDeadLetter(let id): "job \(id.rawValue) is no dead letter, or was replayed, purged or forgotten"
    case .invalidInput(let error): "the job's input is invalid: \(error)"
    case .refused(.queueFull(let capacity)):
      "the queue is full (\(capacity) waiting jobs); submit later, raise queueCapacity, or let submitters wait with whenFull = .block"
    case .refused(.stopping):
      "the scheduler is shutting down and takes no more jobs"
    case .refused(.unknownBatch(let id)):
      "batch \(id.rawValue) is not open: open it with openBatch, and submit its jobs before sealing it"
    case .refused(.unknownDependency(let id)):
      "dependency \(id.rawValue) is not known: it was never admitted here, or it settled and was forgotten; raise retainedCount or retainedAge"
    case .refused(.exceedsMemoryBudget(let bytes, let budget)):
      "the job reserves \(bytes) bytes, the whole memory budget is \(budget)"
    case .refused(.poolWithoutWorkers(let pool)):
      "pool '\(pool.name)' has no workers; give it some in SchedulerConfiguration"
    case .refused(.duplicate(let first)):
      "job \(first.rawValue) has the same unique key and has not settled; await that one, or submit again after it"
    case .refused(.tooManyTagKeys(let most)):
      "\(most) tag keys have jobs at once, and no further one can be told apart; use fewer, coarser keys"
    case .refused(.invalidValue(let invalid)): "the job cannot be taken: \(invalid)"
    case .refusedByMiddleware(let error):
      "middleware refused the job: \(error)"
    case .alreadyStarted:
      "the scheduler has started: add middleware and observers before start()"
    case .unknownJob(let id):
      "job \(id.rawValue) is not known: it was never admitted here, or it settled and was forgotten"
    case .duplicateSchedule(let name):
      "there is a schedule '\(name)' already; remove it first, or give this one another name"
    case .awaitTimedOut(let id, let after):
      "job \(id.rawValue) had not settled after \(after); it goes on"
    }
  }
}

/// Numbers of a live scheduler at one instant.
public struct SchedulerMetrics: Sendable {
  /// What the scheduler itself counts: queue lengths by priority, running, settled by cause, …
  public var gauges: SchedulerGauges
  /// Attempts ended.
  public var attempts: Int
  /// The service time of all attempts that ended.
  public var serviceTime: Nanoseconds
  /// Per pool and worker: attempts ended and busy time.
  public var workers: [WorkerMetrics]
  /// Since ``Scheduler/start()``.
  public var uptime: Nanoseconds

  /// Jobs completed of those that completed or were dead-lettered, 0 to 1; nil before the first.
  public var successRate: Double? {
    let completed = gauges.settledByCause[.succeeded]
    let causes: [SettlementCause] = [.failed, .timedOut, .failedPermanently, .crashed, .invalid]
    let failed = causes.reduce(0) { $0 + gauges.settledByCause[$1] }
    return completed + failed == 0 ? nil : Double(completed) / Double(completed + failed)
  }
  /// Mean service time of an attempt; nil before the first.
  public var meanServiceTime: Nanoseconds? {
    attempts == 0 ? nil : Nanoseconds(serviceTime.rawValue / Int64(attempts))
  }
  /// Busy worker time ÷ worker time since the start, 0 to 1.
  public var utilization: Double {
    let available = uptime.seconds * Double(workers.count)
    return available > 0 ? workers.reduce(0) { $0 + $1.busy.seconds } / available : 0
  }
}

/// What one worker did.
public struct WorkerMetrics: Sendable, Hashable {
  /// The pool that it belongs to.
  public var pool: PoolID
  /// Its place in the pool, from 0.
  public var worker: Int
  /// Attempts that ended on it.
  public var attempts: Int
  /// Time in which it ran handlers.
  public var busy: Nanoseconds
}
