import TailraceCore

/// Suspends until an instant. The runtime supplies a precise one; the clock is CLOCK_MONOTONIC.
package protocol PreciseSleeper: Sendable {
  /// Returns at `deadline` or shortly after, at once when it has passed.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func sleep(until deadline: Instant) async throws
}
