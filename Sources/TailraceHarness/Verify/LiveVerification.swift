import TailraceCore
import TailraceMeasurement
import TailraceTheory
import TailraceWorkload

/// Replays a few systems with known answers in real time.
///
/// A real worker is busy for longer than its job's service time, since waking, starting and ending cost something; that
/// shows in the measured service time. So the exact value is taken at the *measured* mean service time, and what the
/// machine adds to a wait beside that is stated, not judged: the verdict allows the interval of the replications and
/// two milliseconds.
package enum LiveVerification {
  /// One figure of one system in real time; times in nanoseconds.
  package struct Line: Sendable, Codable, Equatable {
    package var system: String
    package var metric: String
    package var exact: Double
    package var measured: Double
    /// Measured less simulated on the same tapes.
    package var overhead: Double
    package var z: Double
    package var agrees: Bool
  }

  private static let repetitions = 4
  /// What a machine may add to a mean waiting time.
  private static let allowance = 2e6

  /// A system, and its mean waiting time in seconds by its mean service time in seconds.
  private struct System {
    var name: String
    var yaml: String
    var wait: (Double) -> Double
  }

  private static var systems: [System] {
    [
      System(
        name: "M/M/1 at 0.5",
        yaml: """
          name: verified
          jobs: {job: {service: "exponential(mean: 10ms)"}}
          load: {poisson: 50/s, of: job}
          duration: 5s
          scheduler: {workers: 1, policy: fifo, retries: 0}
          """, wait: { Queues.meanWait(servers: 1, arrivalRate: 50, service: $0) }),
      System(
        name: "M/M/2 at 0.6",
        yaml: """
          name: verified
          jobs: {job: {service: "exponential(mean: 10ms)"}}
          load: {poisson: 120/s, of: job}
          duration: 5s
          scheduler: {workers: 2, policy: fifo, retries: 0}
          """, wait: { Queues.meanWait(servers: 2, arrivalRate: 120, service: $0) }),
      System(
        name: "three priorities, one worker, as simulated",
        yaml: """
          name: verified
          jobs:
            a: {service: "exponential(mean: 10ms)", priority: high}
            b: {service: "exponential(mean: 10ms)"}
            c: {service: "exponential(mean: 10ms)", priority: low}
          load: {poisson: 60/s, of: {a: 1, b: 1, c: 1}}
          duration: 5s
          scheduler: {workers: 1, policy: priority, retries: 0}
          """, wait: { _ in .nan }),
      System(
        name: "a rate limit of 100/s, as simulated",
        yaml: """
          name: verified
          jobs: {job: {service: 2ms, rate: 100/s}}
          load: {poisson: 60/s, of: job}
          duration: 5s
          scheduler: {workers: 8, policy: fifo, retries: 0}
          """, wait: { _ in .nan }),
      System(
        name: "M/D/2 at 0.5, as simulated",
        yaml: """
          name: verified
          jobs: {job: {service: 10ms}}
          load: {poisson: 100/s, of: job}
          duration: 5s
          scheduler: {workers: 2, policy: fifo, retries: 0}
          """, wait: { _ in .nan }),
    ]
  }

  /// Replays each system a few times, live and simulated.
  package static func run(seed: UInt64, parts: SuiteParts) async throws -> [Line] {
    var lines: [Line] = []
    for system in systems {
      let scenario = try ScenarioParser.parse(yaml: system.yaml, file: system.name).get()
      var (live, simulated, services): ([Double], [Double], [Double]) = ([], [], [])
      for repetition in 0..<repetitions {
        let tape = Tape(scenario: scenario, seed: seed &+ UInt64(repetition) << 20)
        let real = try await waits(Replay(tape: tape, meter: parts.meter), on: LiveSystem())
        live.append(real.waiting)
        services.append(real.service)
        simulated.append(try await waits(Replay(tape: tape), on: SimulatedSystem()).waiting)
      }
      let (mean, error) = Student.moments(live)
      let model = Student.moments(simulated).mean
      let theory = system.wait(Student.moments(services).mean / 1e9) * 1e9
      // Where no formula is known, the simulation of the same tapes stands for it.
      let exact = theory.isNaN ? model : theory
      // On the same tapes chance is the same: only the machine is left.
      let difference = theory.isNaN ? mean - model : mean - exact
      let beyond = max(0, abs(difference) - allowance)
      let z =
        theory.isNaN ? beyond / allowance : Statistics.normalScore(t: beyond / error, degrees: Double(repetitions - 1))
      lines.append(
        Line(
          system: system.name, metric: "waiting.mean", exact: exact, measured: mean, overhead: mean - model, z: z,
          agrees: z < Verification.limit))
    }
    return lines
  }

  private static func waits(
    _ replay: Replay, on system: any ReplaySystem
  ) async throws -> (waiting: Double, service: Double) {
    let outcome = try await system.replay(replay)
    let all = outcome.recorder.measurement(outcome.facts).all
    return (Double(all[.waiting]?.mean.rawValue ?? 0), Double(all[.service]?.mean.rawValue ?? 0))
  }
}
