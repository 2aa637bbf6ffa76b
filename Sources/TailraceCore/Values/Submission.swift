/// A job submission.
public struct JobSubmission: Hashable, Sendable {
  /// The job's type, as registered.
  public var type: JobTypeID
  /// The submitter's number for the job, copied to every record of the job.
  public var number: UInt64
  /// The intended arrival.
  public var intended: Instant
  /// When submit was called.
  public var submitted: Instant
  /// The priority; nil: the type's.
  public var priority: Priority?
  /// The pool; nil: the type's.
  public var pool: PoolID?
  /// The delay after admission before the job becomes eligible.
  public var delay: Nanoseconds
  /// The earliest instant at which the job becomes eligible; nil, or an instant in the past: only ``delay`` applies.
  public var notBefore: Instant?
  /// The time limit of an attempt; nil: the type's, otherwise the scheduler's.
  public var timeout: Nanoseconds?
  /// The retry policy; nil: the type's, otherwise the scheduler's.
  public var retry: RetryPolicy?
  /// Reserved memory in bytes; nil: the type's.
  public var memory: Int?
  /// The time from intended arrival within which it should settle; nil: the type's. Used by the policy `deadline`.
  public var deadline: Nanoseconds?
  /// The expected duration of an attempt; nil: the type's. Used by the policy `shortest`.
  public var expectedService: Nanoseconds?
  /// Jobs that must complete first. If one of them does not complete, this job is cancelled.
  public var dependencies: [JobID]
  /// The open batch that the job joins; nil: none.
  public var batch: BatchID?
  /// A key that at most one unsettled job may have. While one has it, others with the same key are rejected as
  /// ``Refusal/duplicate(of:)``. The key is released at the instant the job settles, whatever its state. nil: none.
  public var uniqueKey: String?

  /// The owner of the job (a customer, a tenant), for limits and shares by tenant; nil or empty: none, without limits.
  public var tenant: String?
  /// Whether a running handler submits the job. Such a job is admitted while the scheduler drains and may exceed the
  /// queue's capacity where other submitters wait; see ``SchedulerConfiguration/handlerReserve``.
  public var isFromHandler = false

  /// Creates a submission. Values that are nil come from the job's type.
  @inlinable public init(
    type: JobTypeID, number: UInt64 = 0, intended: Instant, submitted: Instant, priority: Priority? = nil,
    pool: PoolID? = nil, delay: Nanoseconds = .zero, notBefore: Instant? = nil, timeout: Nanoseconds? = nil,
    retry: RetryPolicy? = nil, memory: Int? = nil, deadline: Nanoseconds? = nil, expectedService: Nanoseconds? = nil,
    dependencies: [JobID] = [], batch: BatchID? = nil, uniqueKey: String? = nil,
    tenant: String? = nil
  ) {
    self.type = type
    self.number = number
    self.intended = intended
    self.submitted = submitted
    self.priority = priority
    self.pool = pool
    self.delay = delay
    self.notBefore = notBefore
    self.timeout = timeout
    self.retry = retry
    self.memory = memory
    self.deadline = deadline
    self.expectedService = expectedService
    self.dependencies = dependencies
    self.batch = batch
    self.uniqueKey = uniqueKey
    self.tenant = tenant
  }
}

/// The scheduler's answer to a submission.
public enum Admission: Hashable, Sendable {
  /// Admitted. The job may already be settled if a dependency had failed.
  case accepted(JobID)
  /// The queue is full and the submitter should wait: an order releases it later, or the job settles as cancelled.
  case waiting(JobID)
  /// Rejected. A record contains the cause.
  case refused(Refusal)
}

/// Why a submission was rejected.
public enum Refusal: Hashable, Sendable, Error {
  /// The queue is full.
  case queueFull(capacity: Int)
  /// The scheduler drains or has stopped.
  case stopping
  /// A dependency is not known: it was never admitted here, or it settled and was forgotten.
  case unknownDependency(JobID)
  /// The batch was never opened, or is sealed.
  case unknownBatch(BatchID)
  /// The job reserves more memory than the whole budget.
  case exceedsMemoryBudget(bytes: Int, budget: Int)
  /// The job's pool has no workers.
  case poolWithoutWorkers(PoolID)
  /// Another unsettled job has the same unique key.
  case duplicate(of: JobID)
  /// The maximum number of tenants is in use, so no more can be tracked.
  case tooManyTenants(most: Int)
  /// A value of the submission is out of range.
  indirect case invalidValue(InvalidValue)
}
