import CPlatform
import TailraceCore
import TailracePlatform
import TailraceReplay

/// Waits for absolute instants of the monotonic clock, on a dedicated thread.
///
/// A pacer never hides or compensates lateness. For an instant that has passed it returns at once, and the caller reads
/// the clock to measure the lateness.
package struct Pacer: Sendable {
  /// The method of waiting.
  package let pacing: Pacing
  /// How long before an instant ``Pacing/hybrid`` starts to spin: 25 % longer than the largest recent lateness of
  /// sleeps, which varies by the minute on virtual machines, within ``stretchBounds``.
  package private(set) var stretch = stretchBounds.lowerBound
  private let stop: StopFlag

  /// The longest sleep between checks of the stop flag.
  private static let slice = Nanoseconds.milliseconds(50)
  /// At most half a millisecond: at 1,000 jobs/s half a core.
  package static let stretchBounds = Nanoseconds.microseconds(150)...Nanoseconds.microseconds(500)

  /// Makes a pacer that returns early once `stop` is set.
  package init(pacing: Pacing = .hybrid, stop: StopFlag = StopFlag()) {
    self.pacing = pacing
    self.stop = stop
  }

  /// Returns true at `deadline`, or at once if it has passed. Returns false as soon as the stop flag is set.
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

  /// A late sleep increases it at once; every other sleep reduces it by 1/64.
  private mutating func adapt(to lateness: Nanoseconds) {
    let wanted = Nanoseconds(lateness.rawValue + lateness.rawValue / 4)
    let shrunk = Nanoseconds(stretch.rawValue - stretch.rawValue / 64)
    stretch = min(max(wanted, shrunk, Self.stretchBounds.lowerBound), Self.stretchBounds.upperBound)
  }

  private func sleep(until deadline: Instant) -> Bool {
    var now = MonotonicClock.now()
    while now < deadline {
      if stop.isSet { return false }
      // A signal may end a sleep early; the loop resumes it.
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
