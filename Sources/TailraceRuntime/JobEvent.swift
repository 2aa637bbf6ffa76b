import TailraceCore

/// What happened to one attempt of a job that is over.
public struct JobAttempt: Sendable {
  /// The first attempt is 1.
  public var number: Int
  /// The pool that ran it.
  public var pool: PoolID
  /// Which worker of the pool ran it, from 0.
  public var worker: Int
  /// How it ended.
  public var outcome: AttemptOutcome
  /// Why the job settled with it; nil: it did not, another attempt follows.
  public var cause: SettlementCause?
  /// What its handler threw; nil for an attempt that succeeded, timed out or was cancelled.
  public var error: (any Error)?
  /// When it could have started.
  public var eligible: Instant
  /// When a worker began it.
  public var started: Instant
  /// When it ended: when its handler returned, or the instant of its time-out or cancellation.
  public var finished: Instant
  /// What to add to the nanoseconds of an instant to get nanoseconds since 1970-01-01 UTC, as the clocks stood when the
  /// attempt ended.
  public var unixOffset: Int64
  /// By how many bytes the resident memory of the whole process had grown when the handler returned; nil: not measured.
  public var residentDelta: Int?

  /// From eligible to started.
  public var waiting: Nanoseconds { started - eligible }
  /// From started to finished.
  public var service: Nanoseconds { finished - started }
  /// ``started`` in nanoseconds since 1970-01-01 UTC.
  public var startedUnixNanoseconds: Int64 { started.nanoseconds &+ unixOffset }
  /// ``finished`` in nanoseconds since 1970-01-01 UTC.
  public var finishedUnixNanoseconds: Int64 { finished.nanoseconds &+ unixOffset }
}

/// A step in the life of one job, as ``Scheduler/events(bufferingNewest:)`` tells it.
///
/// The steps of one job come in the order in which they happened.
public struct JobEvent: Sendable {
  /// What happened.
  public var kind: Kind
  /// The job; nil for one that was refused, and for ``Kind/dropped(_:since:)``.
  public var job: JobID?
  /// Its number, as in ``/TailraceCore/TimelineRecord/job``.
  public var number: UInt64
  /// The name of its type; empty for ``Kind/dropped(_:since:)``.
  public var type: String
  /// Its priority.
  public var priority: Priority
  /// The pool that runs its attempts.
  public var pool: PoolID
  /// As submitted; empty for a job that was refused.
  public var tags: [String]
  /// When it happened.
  public var instant: Instant
  /// The same in nanoseconds since 1970-01-01 UTC.
  public var unixNanoseconds: Int64

  /// What happened to the job.
  public enum Kind: Sendable {
    /// The scheduler took it. It is now eligible (`available`), waits for a delay until the instant (`scheduled`), for
    /// its dependencies (`blocked`) or for room in the queue (`waitingForRoom`), or was `cancelled` at once since a
    /// dependency or its batch had failed.
    case submitted(JobState, due: Instant?)
    /// The scheduler did not take it.
    case refused(Refusal)
    /// It had waited for room in the queue, and there is some.
    case admitted
    /// A worker began an attempt. An attempt that is cancelled before a worker gets to it has no such event, nor one
    /// that began before the first subscriber came.
    case started(attempt: Int, worker: Int)
    /// Its attempt says how far it is; see ``JobContext/report(progress:_:)``.
    case progress(JobProgress)
    /// Its attempt was timed out or cancelled, and the handler has not returned for so long; said once. It comes after
    /// the attempt's end, and maybe after the job's. `isReplaced`: another worker has taken its worker's place.
    case stuck(attempt: Int, worker: Int, since: Nanoseconds, isReplaced: Bool)
    /// An attempt is over.
    case attemptEnded(JobAttempt)
    /// Another attempt follows, after this wait.
    case retrying(attempt: Int, backoff: Nanoseconds)
    /// Its last event.
    case settled(JobState, SettlementCause)
    /// This subscriber was too slow: so many events before the next one are missing, the first of them since the
    /// instant; the event's own instant is the last one's.
    case dropped(Int, since: Instant)
  }
}

/// A job's attempts beside its status.
public struct JobHistory: Sendable {
  /// Where the job is.
  public var status: JobStatus
  /// The attempts that are over, oldest first; the latest ones where there were more than are remembered.
  public var attempts: [JobAttempt]
  /// How many older attempts are not remembered.
  public var forgotten: Int
}

/// A job that has settled, as ``Scheduler/onJobSettled(type:_:)`` tells it.
public struct SettledJob: Sendable {
  /// How it ended.
  public var result: JobResult
  /// The name of its type.
  public var type: String
  /// Its priority.
  public var priority: Priority
  /// Its number, as in ``/TailraceCore/TimelineRecord/job``.
  public var number: UInt64
  /// As submitted.
  public var tags: [String]
}

/// Takes a callback back.
public struct CallbackRegistration: Sendable {
  let withdraw: @Sendable () -> Void
  /// From now on the callback is not called; a call under way goes on. A second time it does nothing.
  public func cancel() { withdraw() }
}
