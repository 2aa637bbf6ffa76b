import TailraceCore
import TailraceTimeZones

/// A job that a live scheduler submits again and again.
public struct RecurringJob: Sendable {
  /// What tells it from the other schedules of its scheduler.
  public var name: String
  /// When it is submitted.
  public var timing: Timing
  /// What is submitted each time, as by ``Scheduler/submit(_:)``. Its `delay` counts from the submission.
  public var job: JobRequest
  /// What becomes of slots that could not fire in time.
  public var missed: MissedSlots
  /// The slot that fired last in an earlier process, if that is known: those after it that are past are missed ones.
  /// nil: it begins now.
  public var after: UnixTime?

  /// When a recurring job is submitted.
  public enum Timing: Sendable, Hashable {
    /// After each interval by elapsed time, above zero, counted from the anchor. From the epoch, the default, intervals
    /// that divide a day fall on round times in UTC.
    case every(Duration, anchor: UnixTime = .epoch)
    /// By a cron expression (``/TailraceCore/CronExpression``), by the clocks of a time zone of the IANA data base.
    case cron(String, timeZone: String = "UTC")
    /// By a recurrence made elsewhere.
    case recurrence(Recurrence)
  }

  /// Describes a recurring job.
  public init(_ name: String, _ timing: Timing, job: JobRequest, missed: MissedSlots = .skip, after: UnixTime? = nil) {
    self.name = name
    self.timing = timing
    self.job = job
    self.missed = missed
    self.after = after
  }
}

extension RecurringJob.Timing {
  /// - Throws: ``CronError``, ``TimeZoneError``.
  func recurrence() throws -> Recurrence {
    switch self {
    case .recurrence(let recurrence): return recurrence
    case .cron(let text, let zone): return .cron(try CronExpression(text), try TimeZoneFiles.load(zone))
    case .every(let interval, let anchor): return .every(Nanoseconds(interval), anchor: anchor)
    }
  }
}

/// Where a recurring job stands.
public struct ScheduleStatus: Sendable, Hashable {
  /// The schedule's identifier.
  public var id: ScheduleID
  /// As given.
  public var name: String
  /// The slot that fires next; nil: it is paused, or none is left.
  public var next: UnixTime?
  /// The slot that fired last.
  public var last: UnixTime?
  /// Slots that fired: at each a job was submitted, or refused.
  public var fired: Int
  /// Slots that were due and did not fire: by the choice of ``RecurringJob/missed``, or since the job of an earlier
  /// slot waited for room under the overflow policy `block`.
  public var missed: Int
  /// Submissions that were refused: a full queue, or a unique key of a live job.
  public var refused: Int
  /// Why the last refused submission was, in words.
  public var lastError: String?
  /// The job that was submitted last.
  public var lastJob: JobID?
  /// Whether it stands still.
  public var isPaused: Bool
}
