import TailraceCore

/// Something that goes wrong around the jobs: in the machine, on the way to the scheduler, or in a stretch of time.
///
/// What goes wrong with a job type always is said by its ``Failures``.
package struct Fault: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// This share of the attempts fails.
    case fail(share: Double)
    /// This share of the attempts never ends by itself.
    case hang(share: Double)
    /// This share of the jobs is lost on its way to the scheduler.
    case lose(share: Double)
    /// This share of the jobs is submitted twice at once.
    case double(share: Double)
    /// So many workers of a pool (nil: of either) die with their attempts; each is replaced after a time of its own.
    case crash(workers: Int, pool: PoolID?, restart: ServiceTime)
    /// The process stands still.
    case stall(ServiceTime)
    /// The process's clock jumps, forward or (below zero) back.
    case stepClock(Nanoseconds)
  }

  /// When it strikes.
  package enum Timing: Sendable, Hashable {
    /// All the time from one instant until another; nil: to the end.
    case window(from: Nanoseconds, until: Nanoseconds?)
    /// At these instants, in their order.
    case at([Nanoseconds])
    /// By chance, so far apart on average (a Poisson process), within a window.
    case every(Nanoseconds, from: Nanoseconds, until: Nanoseconds?)
  }

  package var kind: Kind
  package var timing: Timing
  /// Job types that it strikes; empty: all.
  package var jobs: [Int]

  /// Whether it strikes a job of a type at an instant; of use for the kinds that strike jobs.
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
