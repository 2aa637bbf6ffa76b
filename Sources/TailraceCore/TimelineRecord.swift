/// What happened to one attempt of a job, or to a job that never started: one row of its timeline.
///
/// The scheduler emits one when an attempt ends, and one when a job settles without an attempt of its own ending (it
/// was rejected, shed, cancelled while it waited). A job's records follow each other without a gap in time, so that
/// the parts of its response time, over all its records, add up to it to the nanosecond. Exactly one record of each
/// intended job has ``settles`` set. All instants have one origin. A stage that was never reached holds ``never``.
public struct TimelineRecord: Hashable, Sendable {
  /// Marks a stage that the job did not reach.
  @inlinable public static var never: Instant { Instant(nanoseconds: .min) }
  /// Marks a record without a worker.
  @inlinable public static var noWorker: UInt16 { .max }

  /// The submitter's own number for the job (in a replay: its number on the tape).
  public var job: UInt64
  /// The scheduler's name for the job; ``JobID/refused`` for one that never got one.
  public var id = JobID.refused
  /// The job's type.
  public var type: JobTypeID
  /// The job's priority.
  public var priority: Priority
  /// The pool that ran the attempt or would have.
  public var pool: PoolID
  /// The attempt that this record is about, the first being 1. It is one more than the attempts made when the job
  /// settled before that attempt started; ``started`` is then ``never``.
  public var attempt: UInt16
  /// Which worker of the pool ran the attempt.
  public var worker: UInt16
  /// How the attempt ended; `cancelled` for a job that never started.
  public var outcome: AttemptOutcome
  /// Whether the job is settled with this record.
  public var settles: Bool
  /// Why it settled; meaningless unless ``settles``.
  public var cause: SettlementCause
  /// When the job should have been submitted.
  public var intended: Instant
  /// When submit was called.
  public var submitted: Instant
  /// When the scheduler admitted it.
  public var accepted: Instant
  /// When this attempt could have started: dependencies, delay and backoff over.
  public var eligible: Instant
  /// When a worker began this attempt.
  public var started: Instant
  /// When the attempt finished; for a job that never started, when it settled.
  public var finished: Instant
  /// When the attempt before this one finished; ``never`` for the first.
  public var previousFinished: Instant

  /// Makes a record of a job that was never submitted or has not started: every later stage is ``never``.
  public init(job: UInt64, type: JobTypeID, priority: Priority, intended: Instant) {
    self.job = job
    self.type = type
    self.priority = priority
    self.intended = intended
    pool = .async
    attempt = 1
    worker = Self.noWorker
    outcome = .cancelled
    settles = false
    cause = .dropped
    submitted = Self.never
    accepted = Self.never
    eligible = Self.never
    started = Self.never
    finished = Self.never
    previousFinished = Self.never
  }
}

/// Receives what happened, as it happened: the one stream on which metrics, logs and measurements feed.
public protocol TimelineObserver: Sendable {
  /// Takes records in the order in which they were made within one shard. Calls for the same shard never overlap; calls
  /// for different shards may. The buffer is valid only during the call. Called outside every lock of the scheduler:
  /// on the worker's thread, or for shard 0 on a thread that reported something to the scheduler. That thread also
  /// delivers records that other threads report meanwhile. A slow observer delays the thread that calls it.
  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int)

  /// A job type was registered with a live scheduler: what its jobs' records call `id` has this name. Comes before the
  /// first record of the type, outside every lock of the scheduler. Where several threads meet a new type at once, each
  /// may tell of it: the calls say the same, and may overlap. Numbers count from 0. A number that was given to an
  /// unknown type comes again, with another name, once none of that type's jobs is remembered. Does nothing unless it
  /// is implemented.
  func typeRegistered(_ name: String, as id: JobTypeID)
}

extension TimelineObserver {
  /// Does nothing.
  public func typeRegistered(_ name: String, as id: JobTypeID) {}
}
