import TailraceCore
import TailraceMeasurement
import TailraceReplay
import TailraceWorkload

/// The one way in which a tape is replayed in virtual time: for the system `simulated` and for studies, which make many
/// replications and no report.
package enum SimulatedRun {
  /// Replays a tape.
  ///
  /// - Parameters:
  ///   - keepsAttempts: whether to keep the list of attempts, which a few figures need (`inversions`,
  ///     `queue_depth_max`, …).
  ///   - isInterrupted: asked every few hundred steps; the replay ends once it returns true.
  package static func outcome(
    _ tape: Tape, dropAfter: Nanoseconds = .seconds(10), startsWindow: Nanoseconds = .seconds(1),
    keepsAttempts: Bool = true, log: AttemptLog? = nil, progress: RunProgress? = nil,
    isInterrupted: @escaping @Sendable () -> Bool = { false }
  ) -> ReplayOutcome {
    let scenario = tape.scenario
    var settings = Recorder.RecorderSettings(scenario, origin: .zero)
    if !keepsAttempts { settings.attemptLimit = 0 }
    let recorder = Recorder(settings)
    let tap = progress?.openTap(shards: 1, settings)
    let summary = Simulation(tape, dropAfter: dropAfter).run(
      isInterrupted: isInterrupted,
      progress: {
        progress?.submitted($0, reached: $1 - .zero)
        progress?.present($2)
      },
      record: {
        recorder.record($0)
        log?.add($0)
        tap?.add($0, shard: 0)
      })
    var observations = Observations.inVirtualTime
    observations.isOpenLoop = scenario.hasOpenArrivals
    observations.heldBack = summary.heldBack
    observations.observedFor = summary.ended - .zero
    observations.meanJobsInSystem = Reading(summary.meanJobsInSystem)
    observations.isInterrupted = isInterrupted()
    if summary.cutOff > 0 { observations.cutOff = summary.cutOff }
    if !scenario.faults.isEmpty { observations.injectedFaults = InjectedFaults(summary.faults) }
    let configuration = SchedulerConfiguration(scenario, seed: tape.seed)
    let facts = RunFacts(
      intended: summary.intended, workers: PoolID.allCases.map { ($0, configuration[$0].workers) },
      unsettled: summary.unsettled, startsWindow: startsWindow
    ) { summary.dependencies[$0] ?? [] }
    return ReplayOutcome(recorder: recorder, facts: facts, observations: observations)
  }

  /// The result of one replication.
  package static func result(
    _ scenario: Scenario, seed: UInt64, keepsAttempts: Bool = false,
    isInterrupted: @escaping @Sendable () -> Bool = { false }
  ) -> RunResult {
    let tape = Tape(scenario: scenario, seed: seed, interruption: isInterrupted)
    let outcome = outcome(tape, keepsAttempts: keepsAttempts, isInterrupted: isInterrupted)
    return RunResult(
      system: "simulated", seed: seed, timeScale: 1, fingerprint: "",
      measurement: outcome.recorder.measurement(outcome.facts), observations: outcome.observations)
  }
}

extension InjectedFaults {
  fileprivate init(_ counts: [InjectedFault.Kind: Int]) {
    self.init()
    attemptsFailed = counts[.attemptFailed] ?? 0
    attemptsHung = counts[.attemptHung] ?? 0
    jobsLost = counts[.jobLost] ?? 0
    jobsDoubled = counts[.jobDoubled] ?? 0
    workersCrashed = counts[.workerCrashed] ?? 0
    stalls = counts[.stall] ?? 0
    clockSteps = counts[.clockStep] ?? 0
  }
}

extension Observations {
  /// What a run in virtual time leaves: nothing of the machine that happened to compute it.
  static var inVirtualTime: Observations {
    let reason = "the run was in virtual time"
    var observations = Observations()
    for path in [
      \Observations.processorTime, \.peakMemory, \.bytesPerJob, \.liveBytesWarm, \.liveBytesEnd, \.allocationsPerJob,
      \.hostSteal, \.wakeUpP50, \.wakeUpP99,
    ] {
      observations[keyPath: path] = .unavailable(reason)
    }
    for path in [\Observations.otherPrograms, \.runDelay, \.spinSpeed] {
      observations[keyPath: path] = .unavailable(reason)
    }
    return observations
  }
}
