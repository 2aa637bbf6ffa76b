import Synchronization
import TailraceCore
import TailracePlatform

/// A progress report of an attempt.
public struct JobProgress: Sendable, Hashable {
  /// The completed fraction, 0 to 1. It may decrease.
  public var fraction: Double
  /// The current activity; may be empty.
  public var note: String
  /// The number of the reporting attempt, from 1.
  public var attempt: Int
}

extension JobContext {
  /// Reports the progress of this attempt. ``Scheduler/status(of:)`` shows it immediately, and subscribers receive it
  /// as
  /// ``JobEvent/Kind/progress(_:)``.
  ///
  /// Call it as often as you like: an attempt emits an event at most every 100 ms, plus the last report before it ends.
  /// Only the latest report is kept.
  ///
  /// - Parameters:
  ///   - fraction: 0 to 1; values outside are clamped, and NaN counts as 0.
  ///   - note: the current activity.
  public func report(progress fraction: Double, _ note: String = "") {
    // Ignore reports from tasks that outlived their attempt.
    guard worker.isRunning(id) else { return }
    let progress = JobProgress(
      fraction: fraction.isNaN ? 0 : min(1, max(0, fraction)), note: note, attempt: attempt)
    guard worker.progress.store(progress, of: token, at: worker.time.now), let scheduler = home else { return }
    scheduler.postProgress(of: token, worker)
  }
}

/// The latest progress report of a worker's attempt.
final class ProgressBoard: Sendable {
  private struct Report {
    var token: AttemptToken
    var progress: JobProgress
    /// Whether it was emitted as an event.
    var isEmitted = false
    var emittedAt: Instant?
  }

  private static let interval = Nanoseconds.milliseconds(100)
  private let lastReport = Locked<Report?>(nil)

  /// Stores a report; returns whether to emit an event.
  func store(_ progress: JobProgress, of token: AttemptToken, at now: Instant) -> Bool {
    lastReport.withLock { report in
      let emittedAt = report?.token == token ? report?.emittedAt : nil
      // Ignore reports from tasks that outlived an earlier attempt.
      if let report, report.token.job == token.job, report.token.attempt > token.attempt { return false }
      report = Report(token: token, progress: progress, emittedAt: emittedAt)
      return emittedAt.map { now - $0 >= Self.interval } ?? true
    }
  }

  /// The latest report of an attempt.
  func latest(job: JobID, attempt: UInt16) -> JobProgress? {
    lastReport.withLock { $0?.token.job == job && $0?.token.attempt == attempt ? $0?.progress : nil }
  }

  /// The latest report of an attempt, if it was not emitted.
  func takeUnreported(job: JobID, attempt: UInt16, at now: Instant) -> JobProgress? {
    lastReport.withLock { report in
      guard report?.token.job == job, report?.token.attempt == attempt, report?.isEmitted == false else { return nil }
      report?.isEmitted = true
      report?.emittedAt = now
      return report?.progress
    }
  }
}

extension Scheduler {
  fileprivate func postProgress(of token: AttemptToken, _ worker: Worker) {
    guard announcesStarts.load(ordering: .relaxed) else { return }
    let now = timer.now
    let wakes = withState { state in state.observeProgress(of: token, worker, at: now) }
    for buffer in wakes { buffer.wake() }
  }
}
