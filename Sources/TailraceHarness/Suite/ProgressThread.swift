import Glibc
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay

/// Tells how far a replay is while it runs, on a thread of its own: the tasks' threads are the workers'.
final class ProgressThread: Sendable {
  /// Between two calls.
  private static let interval = Nanoseconds.milliseconds(200)
  let progress: RunProgress
  private let stop = StopFlag()
  private let bell = Parker()
  /// Held during a call.
  private let telling = Lock()

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - blank: what never changes; its time left is that of the runs to come.
  ///   - length: of this run, as declared; zero in virtual time.
  ///   - virtualLength: the same in virtual time; nil: not known.
  ///   - targets: looked at while it runs.
  ///   - scale: the factor on every duration of the scenario.
  ///   - isWatched: whether figures are wanted.
  ///   - onProgress: called once before this returns, and not any more once ``end()`` has returned.
  init(
    _ blank: SuiteProgress, length: Nanoseconds, virtualLength: Nanoseconds?, targets: [WatchedTarget], scale: Double,
    isWatched: Bool, _ onProgress: @escaping @Sendable (SuiteProgress) -> Void
  ) {
    let progress = RunProgress(isWatched: isWatched)
    self.progress = progress
    let start = MonotonicClock.now()
    // Of the beginning here, so that the shortest run is told of too.
    onProgress(blank)
    Task { [stop, bell, telling] in
      // Without a thread nothing is shown meanwhile; the run goes on.
      try? await DedicatedThread.run {
        // What is shown is less urgent than what is measured.
        _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10)
        let watch =
          isWatched
          ? RunWatch(
            progress, system: blank.system, isVirtual: blank.virtualTime != nil, scale: scale, targets: targets)
          : nil
        var next = start
        while !stop.isSet {
          var present = blank
          present.elapsed = MonotonicClock.now() - start
          present.jobs = progress.jobs
          present.figures = watch?.look()
          Self.estimate(&present, progress.reached, length: length, virtualLength: virtualLength)
          telling.withLock { if !stop.isSet { onProgress(present) } }
          next = max(next + Self.interval, MonotonicClock.now())
          bell.park(untilNanoseconds: next.nanoseconds)
        }
      }
    }
  }

  /// Nobody is told anything once this has returned.
  func end() {
    stop.stop()
    bell.unpark()
    telling.withLock {}
  }

  /// How far the run is, and how much time is left.
  private static func estimate(
    _ present: inout SuiteProgress, _ reached: Nanoseconds, length: Nanoseconds, virtualLength: Nanoseconds?
  ) {
    let after = present.left ?? .zero
    guard present.virtualTime != nil else {
      if length > .zero { present.share = min(1, present.elapsed.seconds / length.seconds) }
      present.left = max(.zero, length - present.elapsed) + after
      return
    }
    present.virtualTime = reached
    guard let virtualLength, virtualLength > .zero, reached > .zero else { return }
    let share = min(1, reached.seconds / virtualLength.seconds)
    present.share = share
    present.left = present.elapsed.scaled(by: (1 - share) / share) + after
  }
}
