import TailraceCore
import TailracePlatform

/// A job to submit to a live scheduler.
public struct JobRequest: Sendable {
  /// The name under which a handler is registered.
  public var type: String
  /// The payload passed to the handler.
  public var payload: (any Sendable)?
  /// The priority; nil: the type's.
  public var priority: Priority?
  /// The delay after admission before the job becomes eligible.
  public var delay: Duration
  /// The wall-clock time before which the job does not become eligible. It is converted to an instant at submission, so
  /// setting the clock later does not move it. nil, or a time in the past: only ``delay`` applies.
  public var startAt: UnixTime?
  /// Jobs that must complete first. If one of them does not complete, this job is cancelled.
  public var dependencies: [JobID]
  /// Free-form labels, shown in the job's status.
  public var labels: [String]
  /// The time limit of an attempt; nil: the type's.
  public var timeout: Duration?
  /// The retry policy; nil: the type's.
  public var retry: RetryPolicy?
  /// The kind of work. Selects the pool of async handlers; blocking handlers always run on threads.
  public var hints: Set<JobHint>
  /// Memory to reserve from the scheduler's budget while the job runs, in bytes; nil: the type's.
  public var memory: Int?
  /// The time from submission within which it should settle; nil: the type's. Used by the policy `deadline`.
  public var deadline: Duration?
  /// The expected duration of an attempt; nil: the type's. Used by the policy `shortest`.
  public var expectedService: Duration?
  /// A batch from ``Scheduler/openBatch(failFast:)``; nil: none.
  public var batch: BatchID?
  /// A key that at most one unsettled job may have. Submitting another one throws
  /// ``/TailraceCore/Refusal/duplicate(of:)`` with the first job's identifier. nil: none.
  public var uniqueKey: String?
  /// The Swift type of the parameters, for a typed job.
  var jobType: (any Job.Type)?
  /// Attached values by the type of their key; see ``subscript(_:)``.
  var values: [ObjectIdentifier: any Sendable] = [:]

  /// The owner of the job (a customer, a tenant). Limits and shares in
  /// ``/TailraceCore/SchedulerConfiguration/tenants`` apply per key; nil: none.
  public var tenant: String?

  /// Describes a job. Only the name of the type is required.
  public init(
    _ type: String, payload: (any Sendable)? = nil, priority: Priority? = nil, delay: Duration = .zero,
    startAt: UnixTime? = nil, dependencies: [JobID] = [], labels: [String] = [], timeout: Duration? = nil,
    retry: RetryPolicy? = nil,
    hints: Set<JobHint> = [], memory: Int? = nil, deadline: Duration? = nil, expectedService: Duration? = nil,
    batch: BatchID? = nil, uniqueKey: String? = nil, tenant: String? = nil
  ) {
    self.type = type
    self.payload = payload
    self.priority = priority
    self.delay = delay
    self.startAt = startAt
    self.dependencies = dependencies
    self.labels = labels
    self.timeout = timeout
    self.retry = retry
    self.hints = hints
    self.memory = memory
    self.deadline = deadline
    self.expectedService = expectedService
    self.batch = batch
    self.uniqueKey = uniqueKey
    self.tenant = tenant
  }
}

/// The kind of work that a job does.
public enum JobHint: String, Sendable, CaseIterable, Codable {
  /// Uses a CPU for long; runs on a dedicated thread.
  case cpuIntensive = "cpu-intensive"
  /// Blocks in system calls; runs on a dedicated thread.
  case ioBound = "io-bound"
}

/// An error that retrying cannot fix. A handler that throws one sends its job to the dead letters immediately.
public protocol PermanentFailure: Error {}

/// An error that reports that whatever ran the attempt has died, such as a child process that was killed or a sandbox
/// whose connection broke. The attempt counts as crashed: it is retried until
/// ``/TailraceCore/RetryPolicy/crashLimit`` is reached.
public protocol CrashFailure: Error {}

/// An error that specifies the outcome of the attempt, where neither "failed" nor ``PermanentFailure`` applies.
package protocol OutcomeError: Error {
  /// `failed`, `timedOut`, `failedPermanently` or `crashed`.
  var attemptOutcome: AttemptOutcome { get }
}

/// The argument of a handler.
public struct JobContext: Sendable {
  /// The job's identifier.
  public var id: JobID { token.job }
  /// The number of the attempt, from 1.
  public var attempt: Int { Int(token.attempt) }
  /// The payload as submitted.
  public var payload: (any Sendable)? { if let envelope { envelope.payload } else { carried } }
  /// The job's number, as in ``/TailraceCore/TimelineRecord/number``: jobs submitted to this scheduler are numbered
  /// from 0; a load generator assigns its own numbers.
  public var number: UInt64 { token.number }
  /// The name under which the handler is registered.
  public var type: String { worker.types[token.type].name }
  /// The job's priority.
  public var priority: Priority { token.priority }
  /// The pool whose worker runs the attempt.
  public var pool: PoolID { token.pool }
  /// The index of the worker in its pool, from 0.
  public var workerNumber: Int { Int(token.worker) }
  /// The labels as submitted.
  public var labels: [String] { envelope?.labels ?? [] }
  let token: AttemptToken
  /// The payload, alone or with its attached values.
  let carried: (any Sendable)?
  let worker: Worker

  var envelope: JobEnvelope? { JobEnvelope.of(carried) }
  /// The scheduler that runs the attempt. Use it to submit, query and cancel further jobs.
  ///
  /// Use this instead of capturing the scheduler: a handler that captures its scheduler, which holds the handler, keeps
  /// both in memory until ``Scheduler/shutdown(grace:stopping:)``.
  ///
  /// ```swift
  /// let child = try await context.scheduler.submit(JobRequest("child"))
  /// ```
  ///
  /// - Throws: ``SchedulerError/refused(_:)`` with ``/TailraceCore/Refusal/stopping`` if the scheduler was deallocated,
  ///   which cannot happen within an attempt.
  public var scheduler: Scheduler {
    get throws {
      guard let scheduler = home else { throw SchedulerError.refused(.stopping) }
      return scheduler
    }
  }
  /// nil: the scheduler was deallocated.
  var home: Scheduler? { worker.home.scheduler }

  /// Whether the attempt was cancelled or timed out. Blocking handlers should check it periodically; for async handlers
  /// `Task.isCancelled` is set as well.
  public var isCancelled: Bool { worker.isCancelled(id) }

  /// Blocks a blocking handler's thread for this long, or until its attempt is cancelled. Negative values count as 0.
  ///
  /// - Throws: `CancellationError` if the attempt was cancelled or timed out.
  public func sleep(for time: Duration) throws {
    try worker.sleep(untilNanoseconds: (worker.time.now + Nanoseconds(time)).nanoseconds, job: id)
  }

  /// Suspends an async handler for this long in the scheduler's time: under ``VirtualTime`` no real time passes.
  /// Negative values count as 0.
  ///
  /// - Throws: `CancellationError` if the attempt was cancelled or timed out.
  public func sleep(for time: Duration) async throws {
    try await worker.time.sleep(until: worker.time.now + Nanoseconds(time), countedBy: worker.sleepers)
  }
}

/// A handler's reference to its scheduler, which the handler must not keep in memory.
final class HandlerHome: Sendable {
  /// Set before the object is shared.
  nonisolated(unsafe) weak var scheduler: Scheduler?
}

/// The status of a job that the scheduler still keeps.
public struct JobStatus: Sendable, Hashable {
  /// The job's identifier.
  public var id: JobID
  /// The name under which its handler is registered.
  public var type: String
  /// The job's priority.
  public var priority: Priority
  /// The job's state.
  public var state: JobState
  /// Why it settled; nil if it has not settled.
  public var cause: SettlementCause?
  /// The number of started attempts.
  public var attempts: Int
  /// The labels as submitted.
  public var labels: [String]
  /// The error of the last failed attempt; nil if none failed.
  public var failure: (any Error)?
  /// Whether it waits for a handler of its type.
  public var isParked = false
  /// Whether its last attempt failed and the type's recovery supplied the result.
  public var isRecovered = false
  /// The last progress report of the running attempt; nil: none.
  public var progress: JobProgress?

  /// ``failure`` as text, computed on each access.
  public var error: String? { failure.map { "\($0)" } }

  /// Whether all properties are equal. Errors are compared by their descriptions.
  public static func == (a: Self, b: Self) -> Bool {
    a.id == b.id && a.type == b.type && a.priority == b.priority && a.state == b.state && a.cause == b.cause
      && a.attempts == b.attempts && a.labels == b.labels && a.isParked == b.isParked && a.isRecovered == b.isRecovered
      && a.progress == b.progress && a.error == b.error
  }

  /// Hashes the main properties.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(state)
    hasher.combine(attempts)
  }
}

/// The result of a job.
public struct JobResult: Sendable {
  /// The job's identifier.
  public var id: JobID
  /// `completed`, `cancelled` or `deadLettered`.
  public var state: JobState
  /// Why it settled.
  public var cause: SettlementCause
  /// The return value of the handler.
  public var value: (any Sendable)?
  /// The number of started attempts.
  public var attempts: Int
  /// The error of the last failed attempt; nil if none failed.
  public var failure: (any Error)?
  /// The last attempt's error if the type's recovery completed the job; otherwise nil.
  public var recoveredFrom: (any Error)?
  /// Whether the job completed but its value is no longer retained; see ``ResultRetention``.
  public var isValueDropped = false
  /// ``failure`` as text, computed on each access.
  public var error: String? { failure.map { "\($0)" } }
  /// Whether the type's recovery supplied the result.
  public var isRecovered: Bool { recoveredFrom != nil }
}

/// An error of the scheduler.
public enum SchedulerError: Error, Sendable, CustomStringConvertible {
  /// No handler is registered for the job type; `close`: registered names that are similar.
  case unknownJobType(String, close: [String])
  /// The job type already has a handler.
  case duplicateJobType(String)
  /// The job type's handler takes parameters of another Swift type than submitted; `registered` nil: it was registered
  /// without a Swift type.
  case otherJobType(String, registered: String?, submitted: String)
  /// The payload does not have the Swift type that the handler takes.
  case wrongParameters(WrongParameters)
  /// Jobs of too many types without a handler are waiting already.
  case tooManyUnknownJobTypes(String, most: Int)
  /// There is no such dead letter, or it was replayed, purged or forgotten.
  case unknownDeadLetter(JobID)
  /// The input of a dead letter is still invalid.
  case invalidInput(any Error)
  /// The submission was rejected.
  case refused(Refusal)
  /// Submission middleware rejected the job with this error.
  case refusedByMiddleware(any Error)
  /// Middleware and observers must be added before the scheduler starts.
  case alreadyStarted
  /// The job is not known: it was never admitted here, or it settled and was forgotten.
  case unknownJob(JobID)
  /// Another schedule has the same name.
  case duplicateSchedule(String)
  /// The job did not settle within the timeout. It continues.
  case awaitTimedOut(JobID, after: Duration)

  /// What happened, with the offending value and the remedy.
  public var description: String {
    switch self {
    case .unknownJobType(let name, let close):
      """
      no handler is registered for job type '\(name)'; \
      \(close.isEmpty ? "" : "did you mean \(close.map { "'\($0)'" }.joined(separator: " or "))? ")\
      register a handler before the first job, or set unknownTypes to .park to let jobs wait for it
      """
    case .duplicateJobType(let name):
      "job type '\(name)' already has a handler; register each name once"
    case .otherJobType(let name, let registered, let submitted):
      """
      job type '\(name)' is registered \(registered.map { "for \($0)" } ?? "without a Swift type"), not for \
      \(submitted); give one of them another name
      """
    case .wrongParameters(let wrong): wrong.description
    case .tooManyUnknownJobTypes(let name, let most):
      """
      job type '\(name)' has no handler, and jobs of \(grouped(most)) other types without a handler are already \
      waiting; \
      the limit is \(grouped(most)): register handlers, cancel the jobs with cancelJobs(ofUnregistered:), and check \
      what generates these names
      """
    case .unknownDeadLetter(let id): "job \(id.rawValue) is not a dead letter, or it was replayed, purged or forgotten"
    case .invalidInput(let error): "the job's input is invalid: \(error)"
    case .refused(.queueFull(let capacity)):
      "the queue is full (\(capacity) waiting jobs); submit later, raise queueCapacity, or let submitters wait with whenFull = .block"
    case .refused(.stopping):
      "the scheduler is shutting down and accepts no more jobs"
    case .refused(.unknownBatch(let id)):
      "batch \(id.rawValue) is not open: open it with openBatch, and submit its jobs before sealing it"
    case .refused(.unknownDependency(let id)):
      "dependency \(id.rawValue) is not known: it was never admitted here, or it settled and was forgotten; raise retainedCount or retainedAge"
    case .refused(.exceedsMemoryBudget(let bytes, let budget)):
      "the job reserves \(bytes) bytes, more than the whole memory budget of \(budget)"
    case .refused(.poolWithoutWorkers(let pool)):
      "pool '\(pool.name)' has no workers; add some in SchedulerConfiguration"
    case .refused(.duplicate(let first)):
      "job \(first.rawValue) has the same unique key and has not settled; await that one, or submit again after it"
    case .refused(.tooManyTenants(let most)):
      "\(most) tenants are in use, and no more can be tracked; use fewer, coarser keys"
    case .refused(.invalidValue(let invalid)): "invalid submission: \(invalid)"
    case .refusedByMiddleware(let error):
      "middleware rejected the job: \(error)"
    case .alreadyStarted:
      "the scheduler has started: add middleware and observers before start()"
    case .unknownJob(let id):
      "job \(id.rawValue) is not known: it was never admitted here, or it settled and was forgotten"
    case .duplicateSchedule(let name):
      "a schedule named '\(name)' already exists; remove it first, or use another name"
    case .awaitTimedOut(let id, let after):
      "job \(id.rawValue) did not settle within \(after); it continues"
    }
  }
}

/// A snapshot of a live scheduler's metrics.
public struct SchedulerMetrics: Sendable {
  /// The scheduler's gauges and counters: queue lengths by priority, running jobs, settled jobs by cause, …
  public var gauges: SchedulerGauges
  /// The number of ended attempts.
  public var attempts: Int
  /// The total service time of all ended attempts.
  public var serviceTime: Duration
  /// Ended attempts and busy time of each worker.
  public var workers: [WorkerMetrics]
  /// The time since ``Scheduler/start()``.
  public var uptime: Duration

  /// Completed jobs ÷ (completed + dead-lettered jobs), 0 to 1; nil before the first.
  public var successRate: Double? {
    let completed = gauges.settledByCause[.succeeded]
    let failed = gauges.settled(as: .deadLettered)
    return completed + failed == 0 ? nil : Double(completed) / Double(completed + failed)
  }
  /// Mean service time of an attempt; nil before the first.
  public var meanServiceTime: Duration? {
    attempts == 0 ? nil : serviceTime / attempts
  }
  /// Busy worker time ÷ total worker time since the start, 0 to 1.
  public var utilization: Double {
    let available = uptime.inSeconds * Double(workers.count)
    return available > 0 ? workers.reduce(0) { $0 + $1.busy.inSeconds } / available : 0
  }
}

/// Metrics of one worker.
public struct WorkerMetrics: Sendable, Hashable {
  /// The pool of the worker.
  public var pool: PoolID
  /// The index of the worker in its pool, from 0.
  public var worker: Int
  /// Attempts that ended on it.
  public var attempts: Int
  /// Time spent in handlers.
  public var busy: Duration
}
