import TailraceCore

/// Pauses of a run's process or of the whole machine, as observed by a thread that wakes every few milliseconds: times
/// in which it did not run although it was not waiting for a CPU.
package struct Standstill: Sendable, Hashable, Codable {
  /// The longest gap.
  package var longest = Nanoseconds.zero
  /// The sum of all gaps.
  package var total = Nanoseconds.zero
  package var gaps = 0
  /// The part of ``total`` in which the machine was suspended.
  package var suspended = Nanoseconds.zero
  package init() {}

  private enum CodingKeys: String, CodingKey {
    case gaps
    case longest = "longestNs"
    case total = "totalNs"
    case suspended = "suspendedNs"
  }

  /// Adds a gap.
  package mutating func add(_ gap: Nanoseconds, suspended: Nanoseconds = .zero) {
    longest = max(longest, gap)
    total += gap
    gaps += 1
    self.suspended += suspended
  }
}

/// Evaluates a thread's wake-ups, each of which is due at an instant.
package struct StandstillTally: Sendable {
  /// The minimum gap that counts. On fully loaded machines, and on virtual machines with a busy host, no gap exceeded
  /// 27 ms after subtracting the time that the thread waited for a CPU.
  package static let least = Nanoseconds.milliseconds(30)

  package private(set) var standstill = Standstill()
  private var waited: Nanoseconds
  private var suspended: Nanoseconds

  /// - Parameters:
  ///   - waited: how long the thread had waited for a CPU by the first wake-up.
  ///   - suspended: how long the machine had been suspended by then.
  package init(waited: Nanoseconds = .zero, suspended: Nanoseconds = .zero) {
    self.waited = waited
    self.suspended = suspended
  }

  /// Adds a wake-up.
  ///
  /// - Parameters:
  ///   - due: when the thread was due.
  ///   - now: when it ran.
  ///   - waited: how long the thread has waited for a CPU so far while runnable. On a busy machine it waits; in a
  ///     stopped process it does not.
  ///   - suspended: how long the machine has been suspended so far, which the clock of `now` does not include.
  ///   - programStopped: how long another program that does the run's work was stopped since the last wake-up.
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
