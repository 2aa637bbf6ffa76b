import TailraceCore

/// A finished attempt of a job.
public struct JobAttempt: Sendable {
  /// The number of the attempt, from 1.
  public var number: Int
  /// The pool that ran it.
  public var pool: PoolID
  /// The index of the worker that ran it, from 0.
  public var worker: Int
  /// How it ended.
  public var outcome: AttemptOutcome
  /// Why the job settled with this attempt; nil: another attempt follows.
  public var cause: SettlementCause?
  /// The handler's error; nil if the attempt succeeded, timed out or was cancelled.
  public var error: (any Error)?
  /// When the attempt became eligible.
  public var eligible: Instant
  /// When a worker began it.
  public var started: Instant
  /// When it ended: the return of its handler, or its timeout or cancellation.
  public var finished: Instant
  /// The offset from instants to Unix time in nanoseconds, as of the end of the attempt.
  public var unixOffset: Int64
  /// Growth of the process's resident memory during the attempt, in bytes; nil: not measured.
  public var residentDelta: Int?

  /// The time from eligible to started.
  public var waiting: Duration { eligible.duration(to: started) }
  /// The time from started to finished.
  public var service: Duration { started.duration(to: finished) }
  /// ``started`` in nanoseconds since 1970-01-01 UTC.
  public var startedUnixNanoseconds: Int64 { started.nanoseconds &+ unixOffset }
  /// ``finished`` in nanoseconds since 1970-01-01 UTC.
  public var finishedUnixNanoseconds: Int64 { finished.nanoseconds &+ unixOffset }
}

/// A step in the life of a job, from ``Scheduler/events(bufferingNewest:)``.
///
/// The steps of one job arrive in the order in which they happened.
public struct JobEvent: Sendable {
  /// What happened.
  public var kind: Kind
  /// The job; nil for a rejected job and for ``Kind/dropped(_:since:)``.
  public var job: JobID?
  /// Its number, as in ``/TailraceCore/TimelineRecord/number``.
  public var number: UInt64
  /// The name of its type; empty for ``Kind/dropped(_:since:)``.
  public var type: String
  /// Its priority.
  public var priority: Priority
  /// The pool that runs its attempts.
  public var pool: PoolID
  /// The labels as submitted; empty for a rejected job.
  public var labels: [String]
  /// When it happened.
  public var instant: Instant
  /// The same in nanoseconds since 1970-01-01 UTC.
  public var unixNanoseconds: Int64

  /// What happened to the job.
  public enum Kind: Sendable {
    /// The scheduler admitted the job. Its state is `available` (eligible), `scheduled` (delayed until `due`),
    /// `blocked` (waits for dependencies), `waitingForRoom`, or `cancelled` because a dependency or its batch had
    /// failed.
    case submitted(JobState, due: Instant?)
    /// The scheduler rejected the job.
    case refused(Refusal)
    /// The job waited for room in the queue and was admitted.
    case admitted
    /// A worker began an attempt. There is no such event for an attempt that is cancelled before it begins, or that
    /// began before the first subscription.
    case started(attempt: Int, worker: Int)
    /// The attempt reported its progress; see ``JobContext/report(progress:_:)``.
    case progress(JobProgress)
    /// The handler has not returned this long after its timeout or cancellation; emitted once. Comes after the end of
    /// the attempt and possibly after the job's. `isReplaced`: another worker has replaced its worker.
    case stuck(attempt: Int, worker: Int, since: Duration, isReplaced: Bool)
    /// An attempt ended.
    case attemptEnded(JobAttempt)
    /// Another attempt follows after this backoff.
    case retrying(attempt: Int, backoff: Duration)
    /// The job settled. Its last event.
    case settled(JobState, SettlementCause)
    /// The subscriber was too slow: this many events before the next one were dropped, the first at `since`, the last
    /// at the event's own instant.
    case dropped(Int, since: Instant)
  }
}

/// The status of a job and its attempts.
public struct JobHistory: Sendable {
  /// The status of the job.
  public var status: JobStatus
  /// The most recent finished attempts, oldest first.
  public var attempts: [JobAttempt]
  /// The number of older attempts that were not kept.
  public var forgotten: Int
}

/// A settled job, as passed to callbacks of ``Scheduler/onJobSettled(type:_:)``.
public struct SettledJob: Sendable {
  /// The result of the job.
  public var result: JobResult
  /// The name of its type.
  public var type: String
  /// Its priority.
  public var priority: Priority
  /// Its number, as in ``/TailraceCore/TimelineRecord/number``.
  public var number: UInt64
  /// The labels as submitted.
  public var labels: [String]
}

/// A registered callback.
public struct CallbackRegistration: Sendable {
  let withdraw: @Sendable () -> Void
  /// Unregisters the callback. A call in progress continues. Has no effect the second time.
  public func cancel() { withdraw() }
}
