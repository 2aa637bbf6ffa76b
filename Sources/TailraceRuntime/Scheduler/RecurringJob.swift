import TailraceCore
import TailraceTimeZones

/// A job that a live scheduler submits repeatedly.
public struct RecurringJob: Sendable {
  /// The name, unique among the schedules of the scheduler.
  public var name: String
  /// When the job is submitted.
  public var timing: Timing
  /// The submission, as for ``Scheduler/submit(_:)``. Its `delay` counts from each submission.
  public var job: JobRequest
  /// What to do with slots that did not fire on time.
  public var missed: MissedSlots
  /// The last slot that fired in an earlier process, if known. Later slots in the past are treated as missed. nil: the
  /// schedule begins now.
  public var after: UnixTime?

  /// The timing of a recurring job.
  public enum Timing: Sendable, Hashable {
    /// After each interval of elapsed time since the anchor; above zero. With the default anchor, the epoch, intervals
    /// that divide a day fall on round times in UTC.
    case every(Duration, anchor: UnixTime = .epoch)
    /// By a cron expression (``/TailraceCore/CronExpression``), in a time zone of the IANA database.
    case cron(String, timeZone: String = "UTC")
    /// By an existing recurrence.
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
    case .every(let interval, let anchor): return .every(interval, anchor: anchor)
    }
  }
}

/// The status of a recurring job.
public struct ScheduleStatus: Sendable, Hashable {
  /// The schedule's identifier.
  public var id: ScheduleID
  /// The name of the schedule.
  public var name: String
  /// The next slot; nil: the schedule is paused, or no slot is left.
  public var next: UnixTime?
  /// The last slot that fired.
  public var last: UnixTime?
  /// The number of slots that fired: a job was submitted or rejected.
  public var fired: Int
  /// Slots that were due and did not fire, because of ``RecurringJob/missed``, or because the job of an earlier slot
  /// was waiting for room under the overflow policy `block`.
  public var missed: Int
  /// Rejected submissions: the queue was full, or an unsettled job had the same unique key.
  public var refused: Int
  /// The reason of the last rejection.
  public var lastError: String?
  /// The job that was submitted last.
  public var lastJob: JobID?
  /// Whether the schedule is paused.
  public var isPaused: Bool
}
