import CPlatform
import TailraceCore

/// Suspends until an instant. The runtime supplies a precise one; the machine's clock is ``Pacer/now``.
package protocol PreciseSleeper: Sendable {
  /// Returns at `deadline` or shortly after, at once when it has passed.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func sleep(until deadline: Instant) async throws
}

/// Sleeps with `Task.sleep`: simple, and late by 0.1 ms in the median and 2 ms at worst where it was measured.
package struct TaskSleeper: PreciseSleeper {
  package init() {}

  package func sleep(until deadline: Instant) async throws {
    while true {
      try Task.checkCancellation()
      let left = deadline - Pacer.now
      guard left > .zero else { return }
      // A sleep without end would overflow the clock's own arithmetic.
      try await Task.sleep(for: min(left, .seconds(3_600)).duration, tolerance: .zero)
    }
  }
}

/// Sleeps on the calling thread.
enum ThreadSleeper {
  /// The longest sleep before cancellation is looked at again.
  private static let slice = Nanoseconds.milliseconds(10)

  /// Blocks until `deadline`.
  ///
  /// - Throws: `CancellationError` within 10 ms of `isCancelled` turning true.
  static func sleep(until deadline: Instant, isCancelled: () -> Bool) throws {
    while true {
      if isCancelled() { throw CancellationError() }
      let now = Pacer.now
      guard now < deadline else { return }
      _ = cplatform_sleep_until_ns(min(deadline, now + slice).nanoseconds)
    }
  }
}
