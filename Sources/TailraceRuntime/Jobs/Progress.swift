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
    guard worker.progress.note(progress, of: token, at: worker.time.now), let scheduler = home else { return }
    scheduler.postProgress(of: token, worker)
  }
}

/// The latest progress report of a worker's attempt.
final class ProgressBoard: Sendable {
  private struct Word {
    var token: AttemptToken
    var progress: JobProgress
    /// Whether it was emitted as an event.
    var isTold = false
    var toldAt: Instant?
  }

  private static let interval = Nanoseconds.milliseconds(100)
  private let word = Locked<Word?>(nil)

  /// Stores a report; returns whether to emit an event.
  func note(_ progress: JobProgress, of token: AttemptToken, at now: Instant) -> Bool {
    word.withLock { word in
      let toldAt = word?.token == token ? word?.toldAt : nil
      // Ignore reports from tasks that outlived an earlier attempt.
      if let word, word.token.job == token.job, word.token.attempt > token.attempt { return false }
      word = Word(token: token, progress: progress, toldAt: toldAt)
      return toldAt.map { now - $0 >= Self.interval } ?? true
    }
  }

  /// The latest report of an attempt.
  func latest(job: JobID, attempt: UInt16) -> JobProgress? {
    word.withLock { $0?.token.job == job && $0?.token.attempt == attempt ? $0?.progress : nil }
  }

  /// The latest report of an attempt, if it was not emitted.
  func untold(job: JobID, attempt: UInt16, at now: Instant) -> JobProgress? {
    word.withLock { word in
      guard word?.token.job == job, word?.token.attempt == attempt, word?.isTold == false else { return nil }
      word?.isTold = true
      word?.toldAt = now
      return word?.progress
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
