import TailraceCore
import TailraceMeasurement
import TailraceSimulation
import TailraceWorkload

/// One replication in virtual time, for whoever makes many of them and wants no report.
enum SimulatedRun {
  /// Replays a scenario's tape.
  ///
  /// - Parameter keepsAttempts: whether to keep the list of attempts, which a few figures need (`inversions`,
  ///   `queue_depth_max`, …).
  static func result(
    _ scenario: Scenario, seed: UInt64, keepsAttempts: Bool = false,
    isInterrupted: @escaping @Sendable () -> Bool = { false }
  ) -> RunResult {
    let tape = Tape(scenario: scenario, seed: seed, interruption: isInterrupted)
    var settings = Replay(tape: tape).recorderSettings(origin: .zero)
    if !keepsAttempts { settings.attemptLimit = 0 }
    let recorder = Recorder(settings)
    let summary = Simulation(tape, dropAfter: .seconds(1_000_000)).run(isInterrupted: isInterrupted) {
      recorder.record($0)
    }
    let configuration = SchedulerConfiguration(scenario, seed: seed)
    var observations = Observations()
    observations.observedFor = summary.ended - .zero
    observations.meanJobsInSystem = Reading(summary.meanJobsInSystem)
    if summary.cutOff > 0 { observations.cutOff = summary.cutOff }
    let facts = RunFacts(
      intended: summary.intended, workers: PoolID.allCases.map { ($0, configuration[$0].workers) },
      unsettled: summary.unsettled)
    return RunResult(
      system: "simulated", seed: seed, timeScale: 1, fingerprint: "", measurement: recorder.measurement(facts),
      observations: observations)
  }
}
