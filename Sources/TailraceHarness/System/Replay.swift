import TailraceCore
import TailraceMeasurement
import TailraceRuntime
import TailraceWorkload

/// One tape about to be replayed, and everything that a system needs for it.
package struct Replay: Sendable {
  package var tape: Tape
  package var pacing: Pacing
  /// A job that the generator would submit later than this after its intended arrival is dropped and counted.
  package var dropAfter: Nanoseconds
  /// How long jobs may go on once the run is interrupted.
  package var grace: Nanoseconds
  package var calibration: SpinCalibration
  package var database: (any DatabaseWork)?
  package var meter: any AllocationMeter
  /// Set from outside to cut the run short.
  package var interruption: StopFlag
  /// Keeps the records for `jobs.csv`; nil: nobody asked.
  package var log: AttemptLog?
  /// Told how far the run is; nil: nobody watches.
  package var progress: RunProgress?
  /// The window in which starts are counted: one second of the scenario's time.
  package var startsWindow = Nanoseconds.seconds(1)

  package init(
    tape: Tape, pacing: Pacing = .hybrid, dropAfter: Nanoseconds = .seconds(10), grace: Nanoseconds = .seconds(10),
    calibration: SpinCalibration = SpinCalibration(iterationsPerNanosecond: 1), database: (any DatabaseWork)? = nil,
    meter: any AllocationMeter = NoAllocationMeter(reason: "no counting allocator"),
    interruption: StopFlag = StopFlag(), log: AttemptLog? = nil, progress: RunProgress? = nil
  ) {
    self.tape = tape
    self.pacing = pacing
    self.dropAfter = dropAfter
    self.grace = grace
    self.calibration = calibration
    self.database = database
    self.meter = meter
    self.interruption = interruption
    self.log = log
    self.progress = progress
  }

  var scenario: Scenario { tape.scenario }

  /// What every recorder of the run must know.
  func recorderSettings(origin: Instant) -> Recorder.Settings {
    var settings = Recorder.Settings(
      types: scenario.jobs.map(\.name),
      window: MeasurementWindow(start: scenario.warmup, end: scenario.duration), origin: origin,
      hasDependencies: scenario.hasDependencies, expectedJobs: scenario.jobsInBatches)
    settings.deadlines = scenario.jobs.map(\.deadline)
    if scenario.jobs.count > 1 { settings.weights = scenario.jobs.map(\.weight) }
    settings.peakEnd = scenario.peakEnd
    return settings
  }
}

/// What a system leaves when a replay is over.
package struct ReplayOutcome {
  package var recorder: Recorder
  package var facts: RunFacts
  package var observations: Observations
}

/// A setting of a replay that some systems have no use for; its raw value is the name of the flag.
package enum ReplaySetting: String, CaseIterable, Sendable {
  case pacer
  case maxLag = "max-lag"
  case grace
}

/// Something that can be handed a tape.
package protocol ReplaySystem: Sendable {
  /// The name in flags and reports.
  var name: String { get }
  /// Whether it needs no real time: nothing of the machine shows in its figures.
  var runsInVirtualTime: Bool { get }
  /// Whether jobs are done by means of its own: it needs no rehearsal, no database and no calibration.
  var bringsItsWork: Bool { get }
  /// The settings that make a difference to it.
  var heeds: Set<ReplaySetting> { get }
  /// Why it can replay nothing at all, in words; nil: nothing is in the way.
  var obstacle: String? { get }
  /// What the scenario needs and this system lacks, in words; empty: it can be replayed.
  ///
  /// - Parameter interruption: once it is set, what only the tape's jobs would tell may be left out: nothing is
  ///   replayed any more.
  func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String]
  /// What it starts and keeps for the scenario's jobs, so that it can be compared with what the machine gives.
  func demand(of scenario: Scenario) -> RunDemand
  /// Replays the tape.
  func replay(_ replay: Replay) async throws -> ReplayOutcome
}

extension ReplaySystem {
  package var runsInVirtualTime: Bool { false }
  package var bringsItsWork: Bool { false }
  package var heeds: Set<ReplaySetting> { Set(ReplaySetting.allCases) }
  package var obstacle: String? { nil }
  /// The same where nobody interrupts.
  package func lacks(_ scenario: Scenario) -> [String] { lacks(scenario, interruption: StopFlag()) }
  /// In virtual time nothing is started.
  package func demand(of scenario: Scenario) -> RunDemand { RunDemand() }
}

/// The systems that this program can replay a tape on.
package enum Systems {
  /// `live` first; those that come with the program.
  package static let all: [any ReplaySystem] = [
    LiveSystem(), SimulatedSystem(), SequentialSystem(), SimulatedSequentialSystem(), TaskGroupSystem(),
    OperationQueueSystem(), DispatchSystem(),
  ]
  /// How a program of somebody else is named: ``ExternalSystem``.
  package static let external = "exec:PATH"
  /// A system by its name.
  package static func named(_ name: String) -> (any ReplaySystem)? {
    ExternalSystem(named: name) ?? all.first { $0.name == name }
  }
}

extension Scenario {
  /// Jobs that come in batches, so that their number is known ahead.
  var jobsInBatches: Int {
    streams.reduce(0) { sum, stream in
      guard case .batch = stream.arrivals else { return sum }
      return switch stream.mix {
      case .sequence(let types): sum + types.count
      case .weighted: sum + (stream.count ?? 0)
      case .graph(let graph): sum + (stream.count ?? 0) * graph.nodes.count
      }
    }
  }

  /// What it asks of a system beyond running jobs on a bounded number of workers, in words.
  func needs(tape: Tape) -> [String] {
    var needs: [String] = []
    if hasDependencies { needs.append("dependencies between jobs") }
    if !failFastBatches.isEmpty { needs.append("fail-fast batches") }
    let priorities = Set(jobs.map(\.priority))
    switch scheduler.policy {
    case .fifo: break
    case .priority, .aging, .slopeAging: if priorities.count > 1 { needs.append("priorities") }
    case .deadline: needs.append("the policy deadline")
    case .shortest: needs.append("the policy shortest")
    case .fair(.jobType): if jobs.count > 1 { needs.append("the policy fair") }
    case .fair(.tagKey): needs.append("the policy fair by tag")
    }
    if jobs.contains(where: { $0.failures != .none && ($0.retry ?? scheduler.retry).limit > 0 }) {
      needs.append("retries")
    }
    if jobs.contains(where: { $0.failures.hangs > 0 }) { needs.append("timeouts") }
    if jobs.contains(where: { $0.delay != nil }) { needs.append("delayed jobs") }
    if jobs.contains(where: { $0.cancel != nil }) { needs.append("cancellation") }
    if jobs.contains(where: { $0.uniqueKeys != nil }) { needs.append("unique keys") }
    if ([scheduler.tags.each] + scheduler.tags.named.values).contains(where: { $0.concurrency != nil || $0.rate != nil }
    ) {
      needs.append("limits by tag")
    }
    if scheduler.adaptive != nil { needs.append("adaptive limits") }
    if scheduler.autoscaling != nil { needs.append("autoscaling") }
    if scheduler.controlledDelay != nil { needs.append("shedding by waiting time (codel)") }
    if jobs.contains(where: { $0.concurrency != nil }) { needs.append("concurrency limits per job type") }
    if scheduler.concurrency.map({ $0 < scheduler.workers }) == true { needs.append("a concurrency limit") }
    if scheduler.rate != nil || jobs.contains(where: { $0.rate != nil }) { needs.append("rate limits") }
    if scheduler.memoryBudget != nil, jobs.contains(where: { $0.memory > 0 }) { needs.append("a memory budget") }
    if jobs.contains(where: { $0.resolvedPool == .thread }), jobs.contains(where: { $0.resolvedPool == .async }) {
      needs.append("two pools of workers")
    }
    if queueMayFill(tape) { needs.append("a bounded queue") }
    return needs + needsOfSimulation
  }

  /// Whether more jobs come than the queue holds, so that its bound may matter.
  private func queueMayFill(_ tape: Tape) -> Bool {
    var cursor = tape.makeCursor()
    for _ in 0..<min(scheduler.queueCapacity, 2_000_000) where cursor.next() == nil { return false }
    return cursor.next() != nil
  }
}
