/// A job as its submitter describes it.
public struct JobSubmission: Hashable, Sendable {
  /// The job's type, as registered.
  public var type: JobTypeID
  /// The submitter's own number for it, repeated in every record of the job.
  public var tag: UInt64
  /// When it should have been submitted.
  public var intended: Instant
  /// When submit was called.
  public var submitted: Instant
  /// nil: the type's.
  public var priority: Priority?
  /// nil: the type's.
  public var pool: PoolID?
  /// Not eligible before this long after admission.
  public var delay: Nanoseconds
  /// Not eligible before this instant either; one in the past asks for nothing. nil: only ``delay`` holds.
  public var notBefore: Instant?
  /// Time that an attempt may take; nil: the type's, else the scheduler's.
  public var timeout: Nanoseconds?
  /// nil: the type's, else the scheduler's.
  public var retry: RetryPolicy?
  /// Reserved memory in bytes; nil: the type's.
  public var memory: Int?
  /// How long after its intended arrival it should have settled; nil: the type's. Of use to the policy `deadline`.
  public var deadline: Nanoseconds?
  /// How long an attempt is expected to take; nil: the type's. Of use to the policy `shortest`.
  public var expectedService: Nanoseconds?
  /// Jobs that must complete first. When one of them does not, this job is cancelled.
  public var dependencies: [JobID]
  /// An open batch that it belongs to.
  public var batch: BatchID?
  /// At most one live job has this key: while one is, others with it are refused as
  /// ``Refusal/duplicate(of:)``. It is free again in the instant in which the job settles, however it does. nil: none.
  public var uniqueKey: String?

  /// Whose job it is (a customer, a tenant), for limits and shares by tag key; nil or empty: nobody's, which has no
  /// limits.
  public var tagKey: String?
  /// Whether a running handler submits it. Such a job is admitted while the scheduler drains, and finds room beyond the
  /// queue's capacity where other submitters wait; see ``SchedulerConfiguration/handlerReserve``.
  public var isFromHandler = false

  /// Makes a submission; what is nil follows the job's type.
  @inlinable public init(
    type: JobTypeID, tag: UInt64 = 0, intended: Instant, submitted: Instant, priority: Priority? = nil,
    pool: PoolID? = nil, delay: Nanoseconds = .zero, notBefore: Instant? = nil, timeout: Nanoseconds? = nil,
    retry: RetryPolicy? = nil, memory: Int? = nil, deadline: Nanoseconds? = nil, expectedService: Nanoseconds? = nil,
    dependencies: [JobID] = [], batch: BatchID? = nil, uniqueKey: String? = nil,
    tagKey: String? = nil
  ) {
    self.type = type
    self.tag = tag
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
    self.tagKey = tagKey
  }
}

/// The scheduler's answer to a submission.
public enum Admission: Hashable, Sendable {
  /// Admitted; the job may even be settled already when a dependency had failed.
  case accepted(JobID)
  /// The queue is full and its submitter should wait: an order to release it follows, or the job settles as cancelled.
  case waiting(JobID)
  /// Not admitted; a record says so.
  case refused(Refusal)
}

/// Why a submission was refused.
public enum Refusal: Hashable, Sendable, Error {
  /// As many jobs wait as the queue may hold.
  case queueFull(capacity: Int)
  /// The scheduler drains or has stopped.
  case stopping
  /// The dependency was never admitted here or is settled and forgotten.
  case unknownDependency(JobID)
  /// The batch was never opened, or is sealed.
  case unknownBatch(BatchID)
  /// It reserves more memory than the whole budget.
  case exceedsMemoryBudget(bytes: Int, budget: Int)
  /// The pool that it asks for has no workers.
  case poolWithoutWorkers(PoolID)
  /// A job with its unique key is live: this one.
  case duplicate(of: JobID)
  /// So many tag keys are in use that no further one can be told apart.
  case tooManyTagKeys(most: Int)
  /// A value of the submission is out of range.
  indirect case invalidValue(InvalidValue)
}
