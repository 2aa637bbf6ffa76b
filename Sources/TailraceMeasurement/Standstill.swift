import TailraceCore

/// For how long a run's process, or the whole machine, stood still: what a thread saw that was due every few
/// milliseconds and was not run, although it did not wait for a processor.
package struct Standstill: Sendable, Hashable, Codable {
  /// The longest gap.
  package var longest = Nanoseconds.zero
  /// The sum of all gaps.
  package var total = Nanoseconds.zero
  package var gaps = 0
  /// The part of ``total`` in which the machine was suspended.
  package var suspended = Nanoseconds.zero
  package init() {}

  /// Adds a gap.
  package mutating func add(_ gap: Nanoseconds, suspended: Nanoseconds = .zero) {
    longest = max(longest, gap)
    total += gap
    gaps += 1
    self.suspended += suspended
  }
}

/// Reads a thread's beats: each is due at an instant and comes when the thread is run.
package struct StandstillTally: Sendable {
  /// Shorter gaps are not counted. On a machine whose processors were all taken, and on a virtual machine whose host
  /// was busy, no gap was longer than 27 ms once the time in which the thread waited for a processor was taken off.
  package static let least = Nanoseconds.milliseconds(30)

  package private(set) var standstill = Standstill()
  private var waited: Nanoseconds
  private var suspended: Nanoseconds

  /// - Parameters:
  ///   - waited: how long the thread had waited for a processor by the first beat.
  ///   - suspended: how long the machine had been suspended by then.
  package init(waited: Nanoseconds = .zero, suspended: Nanoseconds = .zero) {
    self.waited = waited
    self.suspended = suspended
  }

  /// Takes in a beat.
  ///
  /// - Parameters:
  ///   - due: when the thread asked to be run.
  ///   - now: when it was.
  ///   - waited: how long it has waited for a processor so far, while it could run. A machine that is merely busy makes
  ///     it wait; a process that is stopped does not.
  ///   - suspended: how long the machine has been suspended so far, which the clock of `now` does not count.
  ///   - programStopped: how long another program that does the run's work was stopped since the last beat.
  package mutating func beat(
    due: Instant, at now: Instant, waited: Nanoseconds, suspended: Nanoseconds, programStopped: Nanoseconds = .zero
  ) {
    let queued = max(.zero, waited - self.waited)
    let slept = max(.zero, suspended - self.suspended)
    (self.waited, self.suspended) = (waited, suspended)
    let gap = max(max(.zero, now - due - queued), programStopped) + slept
    if gap >= Self.least { standstill.add(gap, suspended: slept) }
  }
}
