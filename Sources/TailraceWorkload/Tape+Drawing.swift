import TailraceCore

/// A scenario and a seed, unrolled: every intended job, and what each of its attempts will do.
///
/// Nothing in it depends on the system that replays it. Jobs are drawn lazily, each draw keyed by what it is for
/// (``KeyedRandom``): arrivals by (seed, stream, arrival number), all else by (seed, job, attempt, purpose). Two runs
/// of one tape face the same luck, and changing one job type's service time moves neither the arrivals nor any other
/// draw.
package struct Tape: Sendable {
  package let scenario: Scenario
  package let seed: UInt64

  /// What drawing a job or an attempt needs to know of its type, without the rest of its description.
  struct TypeDraws: Sendable {
    var priority: Priority
    var service: ServiceTime?
    var simulatedService: ServiceTime?
    var work: Work
    var delay: ServiceTime?
    var failures: Failures
    var canFail: Bool
    var cancel: Cancellation?
    /// The job whose first attempt stalls, and for how long.
    var stall: (job: UInt64, length: Nanoseconds)?
    var isPlain: Bool
  }

  private(set) var types: [TypeDraws]
  /// Roots of the keys; distinct, so that no job's key meets a stream's or a client's.
  let jobRandom: KeyedRandom
  let streamRandom: KeyedRandom
  let clientRandom: KeyedRandom
  let faultRandom: KeyedRandom

  /// What a trace says of its jobs, whose numbers are their places in it; empty: it says nothing, or there is none.
  let recordedService: ContiguousArray<Nanoseconds>
  let recordedEndings: ContiguousArray<AttemptEnding>

  /// The types of a trace's jobs as the scenario numbers them.
  func recordedTypes(_ trace: Trace) -> ContiguousArray<UInt16> {
    let numbers = trace.types.map { name in UInt16(scenario.jobs.firstIndex { $0.name == name } ?? 0) }
    return ContiguousArray(trace.type.map { numbers[Int($0)] })
  }

  /// How far the tape is read to find the job that a `stall` is about.
  private static let stallSearchLimit = 10_000_000

  /// Unrolls a scenario.
  package init(scenario: Scenario, seed: UInt64) {
    self.scenario = scenario
    self.seed = seed
    recordedService = scenario.trace?.service ?? []
    recordedEndings = scenario.trace?.endings ?? []
    let root = KeyedRandom(seed: seed)
    jobRandom = root.key(0)
    streamRandom = root.key(1)
    clientRandom = root.key(2)
    faultRandom = root.key(3)
    types = scenario.jobs.map { job in
      TypeDraws(
        priority: job.priority, service: job.service, simulatedService: job.simulatedService, work: job.work,
        delay: job.delay, failures: job.failures,
        canFail: job.failures != .none, cancel: job.cancel, stall: nil, isPlain: job.delay == nil && job.cancel == nil)
    }
    findStalls()
  }

  /// Finds the first job of each stalling type that is intended at or after the stall.
  private mutating func findStalls() {
    var open = scenario.jobs.indices.filter { scenario.jobs[$0].stall != nil }
    guard !open.isEmpty else { return }
    var cursor = makeCursor()
    for _ in 0..<Self.stallSearchLimit {
      guard !open.isEmpty, let job = cursor.next() else { return }
      guard open.contains(job.type), let stall = scenario.jobs[job.type].stall,
        job.intended.nanoseconds >= stall.at.rawValue
      else { continue }
      types[job.type].stall = (job.index, stall.length)
      open.removeAll { $0 == job.type }
    }
  }

  /// The job of a number, once its type and its place in the load are known; its dependencies stay as they are.
  @inline(__always)
  func write(_ index: UInt64, type: Int, at intended: Int64, batch: UInt32?, into job: inout TapeJob) {
    job.index = index
    job.type = type
    job.priority = types[type].priority
    job.intended = Instant(nanoseconds: intended)
    job.delay = .zero
    job.cancelAfter = nil
    job.batch = batch
    if !types[type].isPlain { drawDelayAndCancellation(&job) }
  }

  private func drawDelayAndCancellation(_ job: inout TapeJob) {
    let random = jobRandom.key(job.index).key(0)
    if let delay = types[job.type].delay { job.delay = delay.quantile(random.key(.delay).uniform) }
    if let cancel = types[job.type].cancel, random.key(.cancels).uniform < cancel.share {
      job.cancelAfter = cancel.after.quantile(random.key(.cancelAfter).uniform)
    }
  }

  /// What an attempt of a job will do.
  ///
  /// - Parameters:
  ///   - job: Its number on the tape, or one that ``closedJob(client:sequence:)`` gave it.
  ///   - type: Its type.
  ///   - attempt: From 1.
  package func attempt(job: UInt64, type: Int, attempt: Int) -> AttemptPlan {
    var plan = AttemptPlan(service: .zero, ending: .succeeds, cycles: 0)
    let random = jobRandom.key(job)
    let attemptRandom = random.key(UInt64(attempt))
    switch types[type].service {
    case nil: break
    case .constant(let time)?: plan.service = time
    case .some(let service): plan.service = service.quantile(attemptRandom.key(.service).uniform)
    }
    if attempt == 1, let stall = types[type].stall, stall.job == job { plan.service += stall.length }
    if case .cycles(_, let needed, _, _) = types[type].work {
      let draw = random.key(0).key(.cycles).uniform
      plan.cycles = needed.lowerBound + min(needed.count - 1, Int(draw * Double(needed.count)))
    }
    // What the log says of a job holds; what chance adds comes on top.
    if !recordedService.isEmpty { plan.service += recordedService[Int(job)] }
    if !recordedEndings.isEmpty { plan.ending = recordedEndings[Int(job)] }
    if types[type].canFail { plan.ending = ending(types[type].failures, random, attemptRandom) }
    return plan
  }

  private func ending(_ failures: Failures, _ job: KeyedRandom, _ attempt: KeyedRandom) -> AttemptEnding {
    // One uniform decides, the rarest and worst ending lowest.
    let draw = attempt.key(.ending).uniform
    if draw < failures.permanent { return .failsPermanently }
    if job.key(0).key(.alwaysFails).uniform < failures.always { return .fails }
    if draw < failures.permanent + failures.attempts { return .fails }
    if draw < failures.permanent + failures.attempts + failures.hangs { return .hangs }
    return .succeeds
  }

  /// Whether a cycle of a `cycles` job fails; false for other kinds of work.
  ///
  /// - Parameter cycle: From 1.
  package func cycleFails(job: UInt64, type: Int, attempt: Int, cycle: Int) -> Bool {
    guard case .cycles(_, _, _, let share) = types[type].work, share > 0 else { return false }
    return jobRandom.key(job).key(UInt64(attempt)).key(.cycleFails).key(UInt64(cycle)).uniform < share
  }
}
