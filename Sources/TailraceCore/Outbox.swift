/// Everything that a driver must hand back when an attempt ends: who ran what, and what it reserved.
public struct AttemptToken: Hashable, Sendable {
  /// Whose attempt it is.
  public var job: JobID
  /// The submitter's own number for the job.
  public var tag: UInt64
  /// The job's type: it chooses the handler.
  public var type: JobTypeID
  /// The pool of the worker that runs it.
  public var pool: PoolID
  /// First attempt: 1.
  public var attempt: UInt16
  /// Which worker of the pool runs it; from 0.
  public var worker: UInt16
  /// Reserved memory, in KiB.
  @usableFromInline var memory: UInt32
  /// Whether the driver MUST report the start with ``SchedulerCore/attemptStarted(_:at:)`` before it runs the attempt:
  /// a rate limit is waiting for the real instant.
  public var reportsStart: Bool
}

/// What the scheduler tells its driver to do.
public enum SchedulerOrder: Hashable, Sendable {
  /// Run this attempt on that worker. The driver MUST answer, once, with
  /// ``SchedulerCore/attemptEnded(_:started:finished:outcome:at:into:)``, whatever happens to the job meanwhile: until
  /// then the worker counts as occupied.
  case startAttempt(AttemptToken)
  /// The attempt is over for the scheduler (cancelled or timed out): ask its handler to stop. The worker stays occupied
  /// until the driver reports its end.
  case stopAttempt(AttemptToken)
  /// Call ``SchedulerCore/timerFired(at:into:)`` at that instant, or a little later. Replaces any earlier order of its
  /// kind.
  case setTimer(Instant)
  /// A submission that waited for room was admitted: release its submitter.
  case releaseSubmitter(JobID)
  /// The job is settled: wake whoever awaits it.
  case settleJob(JobID, JobState, SettlementCause)
  /// The scheduler no longer knows the job: drop what is kept about it.
  case forgetJob(JobID)
  /// Every job of a sealed batch is settled.
  case settleBatch(BatchID)
  /// Draining is done: nothing waits and nothing runs.
  case finishDraining
}

/// Where the scheduler puts its orders and its records; a driver reuses one, so that nothing is allocated once warm.
public struct Outbox: Sendable {
  /// To be carried out in this order.
  public var orders: [SchedulerOrder] = []
  /// What happened, in the order in which it was decided.
  public var records: [TimelineRecord] = []

  /// Makes an empty one.
  public init() {}

  /// Empties both lists and keeps their memory.
  @inlinable public mutating func clear() {
    orders.removeAll(keepingCapacity: true)
    records.removeAll(keepingCapacity: true)
  }
}
