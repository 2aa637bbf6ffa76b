import TailraceCore

/// All jobs of a scenario for a seed: every intended job and the plan of each of its attempts.
///
/// It is independent of the system that replays it. Jobs are drawn lazily, each draw with its own key
/// (``KeyedRandom``): arrivals by (seed, stream, arrival number), everything else by (seed, job, attempt, purpose). Two
/// runs of a tape use the same random numbers, and changing the service time of a job type affects neither the arrivals
/// nor any other draw.
package struct Tape: Sendable {
  package var scenario: Scenario { _read { yield contents.scenario } }
  package var seed: UInt64 { contents.seed }
  /// A reference, so that copying a tape copies a word.
  private var contents: Contents

  private final class Contents: Sendable {
    let scenario: Scenario
    let seed: UInt64
    let types: [TypeDraws]
    let jobRandom: KeyedRandom
    let streamRandom: KeyedRandom
    let clientRandom: KeyedRandom
    let faultRandom: KeyedRandom
    let recordedService: ContiguousArray<Nanoseconds>
    let recordedEndings: ContiguousArray<AttemptEnding>
    let recordedTenant: ContiguousArray<UInt32>
    let tenants: [String]
    let interruption: (@Sendable () -> Bool)?

    init(_ scenario: Scenario, seed: UInt64, types: [TypeDraws], interruption: (@Sendable () -> Bool)?) {
      self.scenario = scenario
      self.seed = seed
      self.interruption = interruption
      recordedService = scenario.trace?.service ?? []
      recordedEndings = scenario.trace?.endings ?? []
      recordedTenant = scenario.trace?.tenant ?? []
      tenants = scenario.trace?.tenants ?? []
      let root = KeyedRandom(seed: seed)
      jobRandom = root.key(0)
      streamRandom = root.key(1)
      clientRandom = root.key(2)
      faultRandom = root.key(3)
      self.types = types
    }
  }

  /// The data of a job type needed to draw jobs and attempts.
  struct TypeDraws: Sendable {
    /// The law of the service time. Switching on the distribution itself would copy it.
    enum Law: UInt8 { case none, constant, exponential, other }
    /// How the duration in virtual time is determined: service time, simulated service time, or cycles.
    enum Course: UInt8 { case plain, operation, cycles }
    var priority: Priority
    var law: Law
    var course: Course
    /// The value of `constant`, or the mean of `exponential`.
    var typical: Nanoseconds
    var service: ServiceTime?
    var simulatedService: ServiceTime?
    var work: Work
    var delay: ServiceTime?
    var failures: Failures
    var canFail: Bool
    var cancel: Cancellation?
    /// The job whose first attempt stalls, and for how long.
    var stall: (job: UInt64, length: Nanoseconds)?
    /// A factor on every service time, for deliberate slowdowns.
    var slowdown = 1.0
    var isToldExactly: Bool
    var uniqueKeys: Int?
    var tenants: TenantMix?
    var isPlain: Bool

    init(_ job: JobSpec) {
      priority = job.priority
      law = job.service.law
      course = job.work.course
      typical = job.service.typical
      service = job.service
      simulatedService = job.simulatedService
      work = job.work
      delay = job.delay
      failures = job.failures
      canFail = job.failures != .none
      cancel = job.cancel
      isToldExactly = job.expectedService == .exact
      uniqueKeys = job.uniqueKeys
      tenants = job.tenants
      isPlain = job.delay == nil && job.cancel == nil && !isToldExactly && uniqueKeys == nil && tenants == nil
    }
  }

  @inline(__always) var types: [TypeDraws] { _read { yield contents.types } }
  /// Root keys; distinct, so that keys of jobs, streams and clients never collide.
  @inline(__always) var jobRandom: KeyedRandom { contents.jobRandom }
  var streamRandom: KeyedRandom { contents.streamRandom }
  var clientRandom: KeyedRandom { contents.clientRandom }
  var faultRandom: KeyedRandom { contents.faultRandom }

  /// The service times in a trace, by job number; empty: none.
  @inline(__always) var recordedService: ContiguousArray<Nanoseconds> { _read { yield contents.recordedService } }
  @inline(__always) var recordedEndings: ContiguousArray<AttemptEnding> { _read { yield contents.recordedEndings } }
  @inline(__always) var recordedTenant: ContiguousArray<UInt32> { _read { yield contents.recordedTenant } }

  /// The types of a trace's jobs, numbered as in the scenario.
  func recordedTypes(_ trace: Trace) -> ContiguousArray<UInt16> {
    let numbers = trace.types.map { name in UInt16(scenario.jobs.firstIndex { $0.name == name } ?? 0) }
    return ContiguousArray(trace.type.map { numbers[Int($0)] })
  }

  /// How many jobs of the tape are searched for the job of a `stall`.
  private static let stallSearchLimit = 10_000_000

  /// Returns whether to stop drawing; nil: no interruption.
  var interruption: (@Sendable () -> Bool)? { contents.interruption }

  /// Creates the tape of a scenario.
  ///
  /// - Parameter interruption: Polled; once it returns true, every cursor ends, so that loops over the jobs end.
  package init(scenario: Scenario, seed: UInt64, interruption: (@Sendable () -> Bool)? = nil) {
    let types = scenario.jobs.map { TypeDraws($0) }
    contents = Contents(scenario, seed: seed, types: types, interruption: interruption)
    if scenario.jobs.contains(where: { $0.stall != nil }) {
      contents = Contents(scenario, seed: seed, types: stalling(types), interruption: interruption)
    }
  }

  /// The same tape with slower attempts of some types, for deliberate slowdowns.
  ///
  /// - Parameter factors: factors on every service time, by type. All other draws for the seed are unchanged.
  package func slowed(_ factors: [Int: Double]) -> Tape {
    var types = contents.types
    for (type, factor) in factors { types[type].slowdown = factor }
    var slowed = self
    slowed.contents = Contents(scenario, seed: seed, types: types, interruption: interruption)
    return slowed
  }

  /// The types, with the first job of each stalling type that is intended at or after the stall.
  private func stalling(_ types: [TypeDraws]) -> [TypeDraws] {
    var types = types
    var open = scenario.jobs.indices.filter { scenario.jobs[$0].stall != nil }
    var cursor = makeCursor()
    for _ in 0..<Self.stallSearchLimit {
      guard !open.isEmpty, let job = cursor.next() else { break }
      guard open.contains(job.type), let stall = scenario.jobs[job.type].stall,
        job.intended.nanoseconds >= stall.at.rawValue
      else { continue }
      types[job.type].stall = (job.number, stall.length)
      open.removeAll { $0 == job.type }
    }
    return types
  }

  /// Fills in the job of a number, given its type and position in the load; its dependencies are unchanged.
  @inline(__always)
  func write(_ index: UInt64, type: Int, at intended: Int64, batch: UInt32?, into job: inout TapeJob) {
    job.number = index
    job.type = type
    job.priority = types[type].priority
    job.intended = Instant(nanoseconds: intended)
    job.delay = .zero
    job.cancelAfter = nil
    job.expectedService = nil
    if job.uniqueKey != nil { job.uniqueKey = nil }
    if job.tenant != nil || !recordedTenant.isEmpty { job.tenant = tenant(of: index, type: type) }
    job.batch = batch
    if !types[type].isPlain { drawDelayAndCancellation(&job) }
  }

  private func drawDelayAndCancellation(_ job: inout TapeJob) {
    if types[job.type].isToldExactly {
      job.expectedService = virtualAttempt(job: job.number, type: job.type, attempt: 1).length
    }
    job.uniqueKey = uniqueKey(of: job.number, type: job.type)
    job.tenant = tenant(of: job.number, type: job.type)
    let random = jobRandom.key(job.number).key(0)
    if let delay = types[job.type].delay { job.delay = delay.quantile(random.key(.delay).uniform) }
    if let cancel = types[job.type].cancel, random.key(.cancels).uniform < cancel.share {
      job.cancelAfter = cancel.after.quantile(random.key(.cancelAfter).uniform)
    }
  }

  /// A job's unique key; nil: none.
  package func uniqueKey(of job: UInt64, type: Int) -> String? {
    guard let count = types[type].uniqueKeys else { return nil }
    let draw = jobRandom.key(job).key(0).key(.uniqueKey).uniform
    return "\(scenario.jobs[type].name)/\(Int(draw * Double(count)))"
  }

  /// A job's tenant; nil: none. A key in the log takes precedence over the type's.
  package func tenant(of job: UInt64, type: Int) -> String? {
    if !recordedTenant.isEmpty { return contents.tenants[Int(recordedTenant[Int(job)])] }
    return types[type].tenants?.name(at: jobRandom.key(job).key(0).key(.tenant).uniform)
  }

  /// The plan of an attempt.
  ///
  /// - Parameters:
  ///   - job: Its number on the tape, or from ``closedJob(client:sequence:)``.
  ///   - type: Its type.
  ///   - attempt: From 1.
  package func attempt(job: UInt64, type: Int, attempt: Int) -> AttemptPlan {
    var plan = AttemptPlan(service: .zero, ending: .succeeds, cycles: 0)
    let random = jobRandom.key(job)
    let attemptRandom = random.key(UInt64(attempt))
    switch types[type].law {
    case .none: break
    case .constant: plan.service = types[type].typical
    case .exponential:
      plan.service = ServiceTime.exponential(Double(types[type].typical.rawValue), attemptRandom.key(.service).uniform)
    case .other: plan.service = types[type].service!.quantile(attemptRandom.key(.service).uniform)
    }
    if attempt == 1, let stall = types[type].stall, stall.job == job { plan.service += stall.length }
    if types[type].course == .cycles, case .cycles(_, let needed, _, _) = types[type].work {
      let draw = random.key(0).key(.cycles).uniform
      plan.cycles = needed.lowerBound + min(needed.count - 1, Int(draw * Double(needed.count)))
    }
    // The service time of the log applies, plus any injected time.
    if !recordedService.isEmpty { plan.service += recordedService[Int(job)] }
    if !recordedEndings.isEmpty { plan.ending = recordedEndings[Int(job)] }
    if types[type].slowdown != 1 { plan.service = plan.service.scaled(by: types[type].slowdown) }
    if types[type].canFail { plan.ending = ending(types[type].failures, random, attemptRandom) }
    return plan
  }

  private func ending(_ failures: Failures, _ job: KeyedRandom, _ attempt: KeyedRandom) -> AttemptEnding {
    // One uniform number decides; the rarest and worst ending has the lowest values.
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

extension ServiceTime? {
  fileprivate var law: Tape.TypeDraws.Law {
    switch self {
    case nil: .none
    case .constant: .constant
    case .exponential: .exponential
    case .lognormal, .uniform, .pareto, .bimodal, .empirical: .other
    }
  }

  fileprivate var typical: Nanoseconds {
    switch self {
    case .constant(let value), .exponential(let value): value
    case nil, .lognormal, .uniform, .pareto, .bimodal, .empirical: .zero
    }
  }
}

extension Work {
  fileprivate var course: Tape.TypeDraws.Course {
    switch self {
    case .sleep, .spin, .memory: .plain
    case .sqlite, .subprocess, .events: .operation
    case .cycles: .cycles
    }
  }
}
