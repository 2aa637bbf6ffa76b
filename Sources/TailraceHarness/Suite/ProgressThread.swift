import Glibc
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay

/// Reports a replay's progress from a dedicated thread, because the tasks' threads belong to the workers.
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
  ///   - blank: The constant parts. Its time left is that of the later runs.
  ///   - length: The declared length of this run; zero in virtual time.
  ///   - virtualLength: The length in virtual time; nil: unknown.
  ///   - targets: The targets to evaluate while it runs.
  ///   - scale: The factor on every duration of the scenario.
  ///   - isWatched: Whether to compute figures.
  ///   - onProgress: Called once before this returns, and never after ``end()`` has returned.
  init(
    _ blank: SuiteProgress, length: Nanoseconds, virtualLength: Nanoseconds?, targets: [WatchedTarget], scale: Double,
    isWatched: Bool, _ onProgress: @escaping @Sendable (SuiteProgress) -> Void
  ) {
    let progress = RunProgress(isWatched: isWatched)
    self.progress = progress
    let start = MonotonicClock.now()
    // Report the start here, so that even the shortest run is reported.
    onProgress(blank)
    Task { [stop, bell, telling] in
      // Without a thread no progress is shown; the run goes on.
      try? await DedicatedThread.run {
        // The display is less urgent than the measurement.
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

  /// No callback is made after this has returned.
  func end() {
    stop.stop()
    bell.unpark()
    telling.withLock {}
  }

  /// The run's progress and the time left.
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
