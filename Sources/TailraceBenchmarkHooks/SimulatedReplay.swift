import TailraceCore
import TailraceMeasurement
import TailraceSimulation
import TailraceWorkload

/// Replays a scenario in virtual time with full measurement, for the benchmarks. Not for embedding: it changes whenever
/// they need it to.
public struct SimulatedReplay: Sendable {
  private let scenario: Scenario

  /// Reads a scenario.
  ///
  /// - Parameter yaml: the text of a scenario file.
  /// - Precondition: the text is a scenario without problems.
  public init(scenario yaml: String) {
    switch ScenarioParser.parse(yaml: yaml, file: "benchmark.yaml") {
    case .success(let scenario): self.scenario = scenario
    case .failure(let problems): preconditionFailure("a benchmark's scenario has problems: \(problems)")
    }
  }

  /// Replays it once, on the calling thread, every job in all histograms.
  ///
  /// - Returns: how many jobs settled.
  public func run(seed: UInt64) -> Int {
    let recorder = Recorder(
      Recorder.RecorderSettings(
        types: scenario.jobs.map(\.name), attemptLimit: 0, hasDependencies: scenario.hasDependencies))
    _ = Simulation(Tape(scenario: scenario, seed: seed)).run { recorder.record($0) }
    return recorder.endedJobs
  }
}
