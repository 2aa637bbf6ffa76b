import TailraceCore
import TailraceWorkload

/// A worker of a pool.
package struct WorkerPlace: Sendable, Hashable {
  package var pool: PoolID
  /// Within its pool, from 0.
  package var number: UInt16
}

/// Something that was done to a run by its plan of faults.
package struct InjectedFault: Sendable, Hashable {
  package enum Kind: Sendable, CaseIterable {
    /// An attempt was made to fail.
    case attemptFailed
    /// An attempt was made to hang.
    case attemptHung
    /// A job never reached the scheduler.
    case jobLost
    /// A job reached the scheduler twice.
    case jobDoubled
    /// A worker died, with its attempt if it had one.
    case workerCrashed
    /// The process stood still.
    case stall
    /// The process's clock jumped.
    case clockStep
  }
  package var kind: Kind
  /// On the process's clock.
  package var at: Instant
  /// When the stall was over, when the worker is back, or what the clock read after it jumped.
  package var until: Instant
  /// The number of the job that it struck, if any.
  package var number: UInt64?
  /// The attempt that it struck, or 0.
  package var attempt: Int
  /// The worker that died.
  package var worker: WorkerPlace?

  init(
    _ kind: Kind, at: Instant, until: Instant? = nil, number: UInt64? = nil, attempt: Int = 0,
    worker: WorkerPlace? = nil
  ) {
    self.kind = kind
    self.at = at
    self.until = until ?? at
    self.number = number
    self.attempt = attempt
    self.worker = worker
  }
}

/// Carries out a fault plan, and records which workers are absent until when.
struct FaultInjector {
  var plan: FaultPlan
  /// Workers that are away, soonest back first.
  private var away: [(back: Instant, worker: WorkerPlace)] = []
  /// Numbers of the workers that are there, by pool.
  private var present: [[UInt16]]
  /// What was done and is not handed on yet.
  private(set) var done: [InjectedFault] = []
  /// How often each kind was done.
  private(set) var counts: [InjectedFault.Kind: Int] = [:]

  init(_ plan: FaultPlan, _ configuration: SchedulerConfiguration) {
    self.plan = plan
    present = PoolID.allCases.map { Array(0..<UInt16(configuration[$0].workers)) }
  }

  /// When the next worker is back; `distantFuture`: none is away.
  var nextReturn: Instant { away.first?.back ?? .distantFuture }

  mutating func record(_ fault: InjectedFault) {
    counts[fault.kind, default: 0] += 1
    done.append(fault)
  }

  mutating func forgetDone() { done.removeAll(keepingCapacity: true) }

  /// Sends away those who die: of the workers that are there as many as the strike asks for, or all.
  mutating func crash(
    _ strike: FaultPlan.Strike, workers: Int, in pool: PoolID?, at now: Instant
  ) -> [WorkerPlace] {
    let pools = PoolID.allCases.filter { pool == nil || pool == $0 }
    var victims: [WorkerPlace] = []
    for number in 0..<workers {
      let candidates = pools.flatMap { pool in
        present[Int(pool.rawValue)].map { WorkerPlace(pool: pool, number: $0) }
      }
      guard !candidates.isEmpty else { break }
      let victim = candidates[strike.victim(number, of: candidates.count)]
      present[Int(victim.pool.rawValue)].removeAll { $0 == victim.number }
      let back = now + strike.restart(of: number)
      away.insert((back, victim), at: away.firstIndex { $0.back > back } ?? away.endIndex)
      record(InjectedFault(.workerCrashed, at: now, until: back, worker: victim))
      victims.append(victim)
    }
    return victims
  }

  /// Takes the next worker that is back by now.
  mutating func takeReturn(by now: Instant) -> WorkerPlace? {
    guard nextReturn <= now else { return nil }
    let worker = away.removeFirst().worker
    let pool = Int(worker.pool.rawValue)
    present[pool].insert(worker.number, at: present[pool].firstIndex { $0 > worker.number } ?? present[pool].endIndex)
    return worker
  }
}
