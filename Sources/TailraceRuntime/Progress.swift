import Synchronization
import TailraceCore
import TailracePlatform

/// How far an attempt says it is.
public struct JobProgress: Sendable, Hashable {
  /// 0 to 1. It need not grow.
  public var fraction: Double
  /// What the handler is doing; may be empty.
  public var note: String
  /// The attempt that said so; the first is 1.
  public var attempt: Int
}

extension JobContext {
  /// Says how far this attempt is: shown in ``Scheduler/status(of:)`` at once, and as an event
  /// (``JobEvent/Kind/progress(_:)``).
  ///
  /// Call it as often as you like: an attempt has an event every 100 ms at most, and the last word before it ends.
  /// Beside that nothing is kept but the latest word.
  ///
  /// - Parameters:
  ///   - fraction: 0 to 1; what lies outside counts as the nearer end, and what is no number as 0.
  ///   - note: what the handler is doing.
  public func report(progress fraction: Double, _ note: String = "") {
    // A piece of an attempt that is over, which goes on by itself, has nothing to say.
    guard worker.isRunning(id) else { return }
    let progress = JobProgress(
      fraction: fraction.isNaN ? 0 : min(1, max(0, fraction)), note: note, attempt: attempt)
    guard worker.progress.note(progress, of: token, at: worker.time.now), let scheduler = home else { return }
    scheduler.postProgress(of: token, worker)
  }
}

/// The latest word of a worker's attempt.
final class ProgressBoard: Sendable {
  private struct Word {
    var token: AttemptToken
    var progress: JobProgress
    /// Whether subscribers have heard it.
    var isTold = false
    var toldAt: Instant?
  }

  private static let interval = Nanoseconds.milliseconds(100)
  private let word = Locked<Word?>(nil)

  /// Takes a word; returns whether it is time for an event.
  func note(_ progress: JobProgress, of token: AttemptToken, at now: Instant) -> Bool {
    word.withLock { word in
      let toldAt = word?.token == token ? word?.toldAt : nil
      // A piece of an earlier attempt that is still at work says nothing about this one.
      if let word, word.token.job == token.job, word.token.attempt > token.attempt { return false }
      word = Word(token: token, progress: progress, toldAt: toldAt)
      return toldAt.map { now - $0 >= Self.interval } ?? true
    }
  }

  /// What an attempt said last.
  func latest(job: JobID, attempt: UInt16) -> JobProgress? {
    word.withLock { $0?.token.job == job && $0?.token.attempt == attempt ? $0?.progress : nil }
  }

  /// What subscribers have not heard of an attempt.
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
