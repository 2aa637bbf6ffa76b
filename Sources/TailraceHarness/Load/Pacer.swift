import CPlatform
import Synchronization
import TailraceCore

/// How a load generator waits for the next intended arrival.
package enum Pacing: String, Sendable, Codable, CaseIterable {
  /// Sleeps until the arrival. Costs no processor time; late by the machine's sleep error, some 50 to 150 µs.
  case sleep
  /// Sleeps until shortly before the arrival, then spins the last stretch, which follows how late sleeps have ended.
  /// The default: late by less than a microsecond in the median, at 15 to 50 % of a core at 1,000 jobs/s, and a whole
  /// core from about 7,000 jobs/s.
  case hybrid
  /// Spins all the way: the most punctual, and takes a whole core from the system under test.
  case spin
}

/// Asks a waiting thread to stop. Set once, from any thread.
package final class StopFlag: Sendable {
  private let flag = Atomic(false)
  package init() {}
  /// Whether ``stop()`` was called.
  package var isSet: Bool { flag.load(ordering: .acquiring) }
  /// Makes every wait on this flag return, within 50 ms.
  package func stop() { flag.store(true, ordering: .releasing) }
}

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

  /// The instant now, on the clock that ``wait(until:)`` waits on: CLOCK_MONOTONIC, from the machine's start.
  package static var now: Instant { Instant(nanoseconds: cplatform_monotonic_ns()) }

  /// Prepares the calling thread: timer slack of 1 ns, where the default of 50 µs makes each sleep late by as much;
  /// and real-time scheduling, if `realTime` and the system allows it. Returns what it achieved.
  @discardableResult
  package static func prepareThread(realTime: Bool) -> ThreadPreparation {
    let slack = cplatform_set_timer_slack_ns(1) == 0
    let fifo = realTime && cplatform_set_fifo() == 0
    return ThreadPreparation(hasFineTimer: slack, isRealTime: fifo)
  }

  /// Whether a generator thread may ask for real-time scheduling without distorting what it measures.
  ///
  /// A real-time thread takes its core from every ordinary one whenever it does not sleep. While it spins, or when it
  /// falls behind and no longer sleeps at all, a worker on that core stands still; with two cores that is half of the
  /// system under test. So it needs four processors, a pacing that sleeps, and an arrival rate at which it sleeps
  /// most of the time.
  package static func realTimeIsSafe(pacing: Pacing, processors: Int, rate: Rate) -> Bool {
    pacing != .spin && processors >= 4 && rate.perSecond <= 2_000
  }

  /// Returns at `deadline`, or at once when it has passed; true then. False as soon as the stop flag is set.
  @discardableResult
  package mutating func wait(until deadline: Instant) -> Bool {
    switch pacing {
    case .sleep: return sleep(until: deadline)
    case .hybrid:
      let start = deadline - stretch
      if Self.now < start {
        guard sleep(until: start) else { return false }
        adapt(to: Self.now - start)
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
    var now = Self.now
    while now < deadline {
      if stop.isSet { return false }
      // A signal ends a sleep early; the loop resumes it.
      _ = cplatform_sleep_until_ns(min(deadline, now + Self.slice).nanoseconds)
      now = Self.now
    }
    return !stop.isSet
  }

  private func spin(until deadline: Instant) -> Bool {
    while Self.now < deadline {
      if stop.isSet { return false }
    }
    return !stop.isSet
  }
}

/// What ``Pacer/prepareThread(realTime:)`` achieved.
package struct ThreadPreparation: Hashable, Sendable {
  /// Whether sleeps end within the clock's own resolution of when they should.
  package var hasFineTimer: Bool
  /// Whether the thread runs before every ordinary one.
  package var isRealTime: Bool
}
