import TailraceCore

/// When and whom a scenario's faults strike, drawn from the tape's seed.
///
/// Each draw is keyed by what it is for: the same seed gives the same plan, whatever the system does meanwhile, and
/// one fault more moves no draw of the others.
package struct FaultPlan: Sendable {
  /// Something that happens once, at an instant.
  package struct Strike: Sendable {
    package enum Kind: Sendable {
      /// Workers die.
      case crash(workers: Int, pool: PoolID?)
      /// The process stands still.
      case stall(Nanoseconds)
      /// The clock jumps.
      case stepClock(Nanoseconds)
    }
    package var at: Instant
    package var kind: Kind
    fileprivate var restart: ServiceTime?
    fileprivate var random: KeyedRandom

    /// Which of a number of workers is the next to die.
    package func victim(_ number: Int, of count: Int) -> Int {
      min(count - 1, Int(random.key(.victim).key(UInt64(number)).uniform * Double(count)))
    }

    /// After how long it is replaced.
    package func restart(of number: Int) -> Nanoseconds {
      restart?.quantile(random.key(.restart).key(UInt64(number)).uniform) ?? .zero
    }
  }

  /// What becomes of a submission.
  package enum Fate: Sendable { case arrives, isLost, isDoubled }

  /// The strikes of one fault, one after another.
  private struct Source: Sendable {
    var fault: Fault
    var random: KeyedRandom
    var number: UInt64 = 0
    /// `distantFuture`: there are no more.
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
      case .fail, .hang, .lose, .double: preconditionFailure("\(fault.kind) does not strike at an instant")
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
  /// When the next strike comes; `distantFuture`: there is none.
  package private(set) var next = Instant.distantFuture

  /// The plan of a tape's scenario; nil: nothing goes wrong.
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

  /// Takes the next strike; of several at one instant, the one that the scenario names first.
  package mutating func takeNext() -> Strike {
    let strike = sources[sources.firstIndex { $0.next == next }!].take()
    next = earliest()
    return strike
  }

  /// What becomes of a job that is submitted at an instant.
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

  /// How an attempt that starts at an instant ends because of a fault; nil: as it would without.
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
