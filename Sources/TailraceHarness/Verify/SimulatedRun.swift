import TailraceCore
import TailraceMeasurement
import TailraceSimulation
import TailraceWorkload

/// One replication in virtual time, for whoever makes many of them and wants no report.
enum SimulatedRun {
  /// Replays a scenario's tape; keeps no list of attempts.
  static func result(_ scenario: Scenario, seed: UInt64, isInterrupted: () -> Bool = { false }) -> RunResult {
    let tape = Tape(scenario: scenario, seed: seed)
    let recorder = Recorder(
      Recorder.Settings(
        types: scenario.jobs.map(\.name), window: MeasurementWindow(start: scenario.warmup, end: scenario.duration),
        attemptLimit: 0, hasDependencies: scenario.hasDependencies))
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
