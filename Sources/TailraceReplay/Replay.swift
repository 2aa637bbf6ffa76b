import TailraceCore
import TailraceMeasurement
import TailracePlatform
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
  /// Keeps the records for `jobs.csv`; nil: not requested.
  package var log: AttemptLog?
  /// Receives the run's progress; nil: no display.
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

  package var scenario: Scenario { tape.scenario }
}

/// What a system leaves when a replay is over.
package struct ReplayOutcome {
  package var recorder: Recorder
  package var facts: RunFacts
  package var observations: Observations

  package init(recorder: Recorder, facts: RunFacts, observations: Observations) {
    self.recorder = recorder
    self.facts = facts
    self.observations = observations
  }
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
  /// One sentence about it, for help texts.
  var summary: String { get }
  /// Whether it needs no real time: nothing of the machine shows in its figures.
  var runsInVirtualTime: Bool { get }
  /// Whether the system does the jobs itself, without this program's kinds of work: it needs no rehearsal, no database
  /// and no calibration.
  var bringsItsWork: Bool { get }
  /// Whether it runs one job at a time: the time that a run takes is then the sum of its jobs.
  var runsOneAtATime: Bool { get }
  /// The system that stands for `name` where a scenario compares this one with it: simulated runs have simulated
  /// baselines. nil: it has none of its own.
  func baseline(for name: String) -> String?
  /// The settings that make a difference to it.
  var heeds: Set<ReplaySetting> { get }
  /// Why it can replay nothing at all, in words; nil: nothing is in the way.
  var obstacle: String? { get }
  /// What the scenario needs and this system lacks, in words; empty: it can be replayed.
  ///
  /// - Parameter interruption: If set, requirements that depend on the tape's jobs may be omitted: nothing is replayed
  ///   any more.
  func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String]
  /// What it starts and keeps for the scenario's jobs, so that it can be compared with what the machine gives.
  func demand(of scenario: Scenario) -> RunDemand
  /// Replays the tape.
  func replay(_ replay: Replay) async throws -> ReplayOutcome
}

extension ReplaySystem {
  package var runsInVirtualTime: Bool { false }
  package var bringsItsWork: Bool { false }
  package var runsOneAtATime: Bool { false }
  package func baseline(for name: String) -> String? { nil }
  package var heeds: Set<ReplaySetting> { Set(ReplaySetting.allCases) }
  package var obstacle: String? { nil }
  /// The same without an interruption.
  package func lacks(_ scenario: Scenario) -> [String] { lacks(scenario, interruption: StopFlag()) }
  /// In virtual time nothing is started.
  package func demand(of scenario: Scenario) -> RunDemand { RunDemand() }
}
