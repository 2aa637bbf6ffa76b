import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceSimulation
import TailraceWorkload

/// Measures this machine's simulation speed.
package enum SimulationPace {
  private static let yardstick = """
    name: yardstick
    jobs: {job: {service: exponential(mean: 30ms)}}
    load: {poisson: 100/s, count: 20_000}
    scheduler: {workers: 4}

    """

  /// The time to simulate one attempt, measured over some thousands.
  package static func measure() -> Nanoseconds {
    guard case .success(let scenario) = ScenarioParser.parse(yaml: yardstick, file: "yardstick") else {
      preconditionFailure("the yardstick is not a valid scenario")
    }
    let start = MonotonicClock.now()
    let run = SimulatedRun.result(scenario, seed: 1)
    let jobs = Int64(max(1, run.measurement.all.causes.total))
    return Nanoseconds(max(1, (MonotonicClock.now() - start).rawValue / jobs))
  }
}
