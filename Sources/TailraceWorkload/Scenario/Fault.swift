import TailraceCore

/// An injected fault: in attempts, on the way to the scheduler, or of the whole process.
///
/// The ``Failures`` of a job type describe its normal failure rates.
package struct Fault: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// This share of attempts fails.
    case fail(share: Double)
    /// This share of attempts never ends by itself.
    case hang(share: Double)
    /// This share of jobs is lost on the way to the scheduler.
    case lose(share: Double)
    /// This share of jobs is submitted twice. The duplicate is invisible to the submitter.
    case double(share: Double)
    /// This many workers of a pool (nil: of either pool) die with their attempts; each is replaced after `restart`.
    case crash(workers: Int, pool: PoolID?, restart: ServiceTime)
    /// The process is suspended for this long.
    case stall(ServiceTime)
    /// The wall clock is set forward, or backward if negative.
    case stepClock(Nanoseconds)
  }

  /// When a fault occurs.
  package enum Timing: Sendable, Hashable {
    /// Continuously from one instant until another; nil: to the end.
    case window(from: Nanoseconds, until: Nanoseconds?)
    /// At these instants, in order.
    case at([Nanoseconds])
    /// At random with this mean interval (a Poisson process), within a window.
    case every(Nanoseconds, from: Nanoseconds, until: Nanoseconds?)
  }

  package var kind: Kind
  package var timing: Timing
  /// The affected job types; empty: all.
  package var jobs: [Int]

  /// Whether a fault of a job-related kind affects a job type at an instant.
  @inline(__always)
  func strikes(type: Int, at instant: Instant) -> Bool {
    guard case .window(let from, let until) = timing, instant.nanoseconds >= from.rawValue,
      until.map({ instant.nanoseconds < $0.rawValue }) ?? true
    else { return false }
    return jobs.isEmpty || jobs.contains(type)
  }
}

extension Fault {
  func scaled(by factor: Double) -> Fault {
    var fault = self
    switch kind {
    case .fail, .hang, .lose, .double: break
    case .crash(let workers, let pool, let restart):
      fault.kind = .crash(workers: workers, pool: pool, restart: restart.scaled(by: factor))
    case .stall(let length): fault.kind = .stall(length.scaled(by: factor))
    case .stepClock(let step): fault.kind = .stepClock(step.scaled(by: factor))
    }
    switch timing {
    case .window(let from, let until):
      fault.timing = .window(from: from.scaled(by: factor), until: until?.scaled(by: factor))
    case .at(let instants): fault.timing = .at(instants.map { $0.scaled(by: factor) })
    case .every(let gap, let from, let until):
      fault.timing = .every(gap.scaled(by: factor), from: from.scaled(by: factor), until: until?.scaled(by: factor))
    }
    return fault
  }
}
