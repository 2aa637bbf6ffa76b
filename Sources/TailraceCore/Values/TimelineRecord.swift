/// The record of one attempt of a job, or of a job that settled without an attempt: one row of its timeline.
///
/// The scheduler emits a record when an attempt ends, and when a job settles without a running attempt (rejected, shed,
/// or cancelled while waiting). A job's records are contiguous in time, so the parts of its response time over all
/// records add up to the nanosecond. Exactly one record of each intended job has ``settles`` set. All instants have the
/// same origin. A stage that was not reached is ``never``.
public struct TimelineRecord: Hashable, Sendable {
  /// Marks a stage that the job did not reach.
  @inlinable public static var never: Instant { Instant(nanoseconds: .min) }
  /// Marks a record without a worker.
  @inlinable public static var noWorker: UInt16 { .max }

  /// The submitter's number for the job (in a replay, its index on the tape).
  public var number: UInt64
  /// The scheduler's identifier for the job; ``JobID/refused`` if it has none.
  public var id = JobID.refused
  /// The job's type.
  public var type: JobTypeID
  /// The job's priority.
  public var priority: Priority
  /// The pool of the attempt.
  public var pool: PoolID
  /// The number of the attempt, from 1. If the job settled before an attempt started, this is the number of started
  /// attempts plus one, and ``started`` is ``never``.
  public var attempt: UInt16
  /// The index of the worker that ran the attempt.
  public var worker: UInt16
  /// How the attempt ended; `cancelled` for a job that never started.
  public var outcome: AttemptOutcome
  /// Whether the job settled with this record.
  public var settles: Bool
  /// Why it settled; meaningful only if ``settles``.
  public var cause: SettlementCause
  /// The intended arrival.
  public var intended: Instant
  /// When submit was called.
  public var submitted: Instant
  /// When the scheduler admitted it.
  public var accepted: Instant
  /// When this attempt became eligible: dependencies, delay and backoff were over.
  public var eligible: Instant
  /// When a worker began this attempt.
  public var started: Instant
  /// When the attempt finished; for a job that never started, when it settled.
  public var finished: Instant
  /// When the previous attempt finished; ``never`` for the first.
  public var previousFinished: Instant

  /// Creates a record of a job that was never submitted or has not started: every later stage is ``never``.
  public init(number: UInt64, type: JobTypeID, priority: Priority, intended: Instant) {
    self.number = number
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

/// Receives timeline records. Metrics, logs and measurements are derived from this stream.
public protocol TimelineObserver: Sendable {
  /// Receives records in the order in which they were made within one shard. Calls for the same shard never overlap;
  /// calls for different shards may. The buffer is valid only during the call. The scheduler calls this outside its
  /// locks: on the worker's thread, or for shard 0 on a thread that called the scheduler. That thread also delivers
  /// records that other threads produce meanwhile. The call blocks its thread, so its cost delays that worker.
  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int)

  /// Reports that a job type was registered with a live scheduler, before the first record of the type. Maps the type's
  /// `id` in records to its name. Called outside the scheduler's locks. If several threads use a new type at the same
  /// time, each may call this with the same values, and the calls may overlap. Numbers start at 0. The number of an
  /// unknown type may be reused with another name once no job of that type is kept. The default implementation does
  /// nothing.
  func typeRegistered(_ name: String, as id: JobTypeID)
}

extension TimelineObserver {
  /// Does nothing.
  public func typeRegistered(_ name: String, as id: JobTypeID) {}
}
