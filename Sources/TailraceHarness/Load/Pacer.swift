import CPlatform
import TailraceCore
import TailracePlatform
import TailraceReplay

/// Waits for absolute instants of the monotonic clock, on a thread of its own.
///
/// A pacer never makes up for lateness and never hides it: an instant that has passed returns at once, and the caller
/// reads the clock to learn by how much it was late.
package struct Pacer: Sendable {
  /// How it waits.
  package let pacing: Pacing
  /// The last stretch before an instant that ``Pacing/hybrid`` spins through: a quarter longer than the latest end of a
  /// recent sleep, which virtual machines vary by the minute, within ``stretchBounds``.
  package private(set) var stretch = stretchBounds.lowerBound
  private let stop: StopFlag

  /// The longest sleep before the stop flag is looked at again.
  private static let slice = Nanoseconds.milliseconds(50)
  /// At most half a millisecond: at 1,000 jobs/s half a core.
  package static let stretchBounds = Nanoseconds.microseconds(150)...Nanoseconds.microseconds(500)

  /// Makes a pacer that returns early once `stop` is set.
  package init(pacing: Pacing = .hybrid, stop: StopFlag = StopFlag()) {
    self.pacing = pacing
    self.stop = stop
  }

  /// Returns at `deadline`, or at once when it has passed; true then. False as soon as the stop flag is set.
  @discardableResult
  package mutating func wait(until deadline: Instant) -> Bool {
    switch pacing {
    case .sleep: return sleep(until: deadline)
    case .hybrid:
      let start = deadline - stretch
      if MonotonicClock.now() < start {
        guard sleep(until: start) else { return false }
        adapt(to: MonotonicClock.now() - start)
      }
      return spin(until: deadline)
    case .spin: return spin(until: deadline)
    }
  }

  /// Grows with a sleep that ended late at once, and shrinks by a sixty-fourth with each that did not.
  private mutating func adapt(to lateness: Nanoseconds) {
    let wanted = Nanoseconds(lateness.rawValue + lateness.rawValue / 4)
    let shrunk = Nanoseconds(stretch.rawValue - stretch.rawValue / 64)
    stretch = min(max(wanted, shrunk, Self.stretchBounds.lowerBound), Self.stretchBounds.upperBound)
  }

  private func sleep(until deadline: Instant) -> Bool {
    var now = MonotonicClock.now()
    while now < deadline {
      if stop.isSet { return false }
      // A signal ends a sleep early; the loop resumes it.
      _ = cplatform_sleep_until_ns(min(deadline, now + Self.slice).nanoseconds)
      now = MonotonicClock.now()
    }
    return !stop.isSet
  }

  private func spin(until deadline: Instant) -> Bool {
    while MonotonicClock.now() < deadline {
      if stop.isSet { return false }
    }
    return !stop.isSet
  }
}
