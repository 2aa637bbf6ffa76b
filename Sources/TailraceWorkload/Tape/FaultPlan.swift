import TailraceCore

/// The occurrences of a scenario's faults, drawn from the tape's seed.
///
/// Each draw has its own key, so the same seed gives the same plan whatever the system does, and adding a fault does
/// not affect the draws of the others.
package struct FaultPlan: Sendable {
  /// A fault at a single instant.
  package struct Strike: Sendable {
    package enum Kind: Sendable {
      /// Workers crash.
      case crash(workers: Int, pool: PoolID?)
      /// The process is suspended.
      case stall(Nanoseconds)
      /// The wall clock is set.
      case stepClock(Nanoseconds)
    }
    package var at: Instant
    package var kind: Kind
    fileprivate var restart: ServiceTime?
    fileprivate var random: KeyedRandom

    /// The index of the next worker to crash, among `count`.
    package func victim(_ number: Int, of count: Int) -> Int {
      min(count - 1, Int(random.key(.victim).key(UInt64(number)).uniform * Double(count)))
    }

    /// How long a crashed worker is absent.
    package func restart(of number: Int) -> Nanoseconds {
      restart?.quantile(random.key(.restart).key(UInt64(number)).uniform) ?? .zero
    }
  }

  /// What happens to a submission.
  package enum Fate: Sendable { case arrives, isLost, isDoubled }

  /// The occurrences of one fault, in order.
  private struct Source: Sendable {
    var fault: Fault
    var random: KeyedRandom
    var number: UInt64 = 0
    /// `distantFuture`: none.
    var next = Instant.distantFuture

    init(_ fault: Fault, _ random: KeyedRandom) {
      self.fault = fault
      self.random = random
      switch fault.timing {
      case .window: break
      case .at(let instants): next = Instant.zero + instants[0]
      case .every(_, let from, _): next = later(than: Instant.zero + from)
      }
    }

    private func later(than instant: Instant) -> Instant {
      guard case .every(let gap, _, let until) = fault.timing else { return .distantFuture }
      let draw = ServiceTime.exponential(mean: gap).quantile(random.key(.strike).key(number).uniform)
      let next = instant + max(draw, .microseconds(1))
      return until.map { next < Instant.zero + $0 } ?? true ? next : .distantFuture
    }

    mutating func take() -> Strike {
      let own = random.key(.strikeLength).key(number)
      var strike = Strike(at: next, kind: .stall(.zero), restart: nil, random: own)
      switch fault.kind {
      case .crash(let workers, let pool, let restart):
        strike.kind = .crash(workers: workers, pool: pool)
        strike.restart = restart
      case .stall(let length): strike.kind = .stall(length.quantile(own.uniform))
      case .stepClock(let step): strike.kind = .stepClock(step)
      case .fail, .hang, .lose, .double: preconditionFailure("\(fault.kind) does not occur at an instant")
      }
      number += 1
      switch fault.timing {
      case .window: next = .distantFuture
      case .at(let instants):
        next = Int(number) < instants.count ? Instant.zero + instants[Int(number)] : .distantFuture
      case .every: next = later(than: next)
      }
      return strike
    }
  }

  private let faults: [Fault]
  private let randoms: [KeyedRandom]
  private var sources: [Source] = []
  /// The instant of the next occurrence; `distantFuture`: none.
  package private(set) var next = Instant.distantFuture

  /// The plan of a tape's scenario; nil: it has no faults.
  package init?(_ tape: Tape) {
    guard !tape.scenario.faults.isEmpty else { return nil }
    faults = tape.scenario.faults
    randoms = faults.indices.map { tape.faultRandom.key(UInt64($0)) }
    for (fault, random) in zip(faults, randoms) {
      if case .window = fault.timing { continue }
      sources.append(Source(fault, random))
    }
    next = earliest()
  }

  private func earliest() -> Instant { sources.reduce(.distantFuture) { min($0, $1.next) } }

  /// Takes the next occurrence. At equal instants, faults come in the order of the scenario.
  package mutating func takeNext() -> Strike {
    let strike = sources[sources.firstIndex { $0.next == next }!].take()
    next = earliest()
    return strike
  }

  /// What happens to a job that is submitted at an instant.
  package func fate(of job: UInt64, type: Int, at instant: Instant) -> Fate {
    for (fault, random) in zip(faults, randoms) where fault.strikes(type: type, at: instant) {
      switch fault.kind {
      case .lose(let share): if random.key(job).uniform < share { return .isLost }
      case .double(let share): if random.key(job).uniform < share { return .isDoubled }
      case .fail, .hang, .crash, .stall, .stepClock: break
      }
    }
    return .arrives
  }

  /// How a fault ends an attempt that starts at an instant; nil: it does not affect the attempt.
  package func ending(of job: UInt64, type: Int, attempt: Int, at instant: Instant) -> AttemptEnding? {
    for (fault, random) in zip(faults, randoms) where fault.strikes(type: type, at: instant) {
      switch fault.kind {
      case .fail(let share): if random.key(job).key(UInt64(attempt)).uniform < share { return .fails }
      case .hang(let share): if random.key(job).key(UInt64(attempt)).uniform < share { return .hangs }
      case .lose, .double, .crash, .stall, .stepClock: break
      }
    }
    return nil
  }
}
