import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailraceReplay
import TailraceSimulation
import TailraceTheory
import TailraceWorkload

/// Replays a few systems with known results in real time, and compares their mean waiting times with the exact ones.
///
/// # Random variation
/// The mean wait of a few hundred jobs varies. So the test draws many tapes and chooses those whose simulated mean is
/// closest to the exact one. The remaining difference is known and counts as *chance*.
///
/// # The machine
/// A real worker is busy for longer than its job's service time, because waking, starting and ending take time. The
/// test first measures this overhead with jobs that never wait for each other. It then simulates the same tapes with
/// service times longer by the overhead, to find the effect on the mean wait. The tolerance is twice that effect plus
/// the chance.
///
/// # Other programs
/// Figures taken while other programs used the processors are not judged; such repetitions are discarded and repeated
/// a few times.
package enum LiveVerification {
  package enum Verdict: String, Sendable, Codable {
    case agrees, differs
    case notJudged = "not judged"
  }

  /// One figure of one system in real time; times in nanoseconds.
  package struct Line: Sendable, Codable, Equatable {
    package var system: String
    package var metric = "waiting.mean"
    /// The source of the exact value.
    package var theory: String
    package var exact: Double
    /// nil: every repetition was disturbed.
    package var measured: Double?
    /// The largest allowed difference from the exact value.
    package var tolerance: Double
    package var verdict: Verdict
    /// Why it is not judged; empty: it is judged.
    package var note = ""
  }

  /// This machine's overhead per job in nanoseconds, measured with jobs that never wait for each other.
  package struct Overhead: Sendable, Codable, Equatable {
    /// Time from eligible to started with an idle worker.
    package var handOff: Double
    /// Excess of the service time over its declared length.
    package var overrun: Double
    package var total: Double { handOff + overrun }

    /// The machine counts as disturbed above this: for jobs of 10 ms, the effect on the wait would be a sixth.
    static let limit = 200_000.0
  }

  /// All results.
  package struct Findings: Sendable, Codable, Equatable {
    /// nil: the machine was disturbed in every measurement.
    package var overhead: Overhead?
    package var lines: [Line]
  }

  static let repetitions = 4
  /// The maximum number of repetitions of a system, including discarded ones.
  private static let attempts = 7
  /// The number of tapes to choose from.
  private static let choice: UInt64 = 64

  /// A system, its mean service time, and a function from the mean service time to the exact mean wait, in seconds.
  struct System: Sendable {
    var name: String
    var service: Nanoseconds
    var theory: String
    /// nil: no formula is known; the simulation of the same tapes is used instead.
    var wait: (@Sendable (Double) -> Double)?
    /// `extra`: seconds by which all sequential service takes longer.
    var yaml: @Sendable (_ service: String, _ extra: Double) -> String

    /// The scenario, with mean service times longer by `extra` nanoseconds.
    func scenario(extra: Double = 0) throws -> Scenario {
      try ScenarioParser.parse(yaml: yaml("\(service.rawValue + Int64(extra))ns", extra / 1e9), file: name).get()
    }
  }

  static let systems: [System] = [
    System(
      name: "M/M/1 at 0.5", service: .milliseconds(10), theory: "Erlang C",
      wait: { Queues.meanWait(servers: 1, arrivalRate: 50, service: $0) },
      yaml: { service, _ in
        text("exponential(mean: \(service))", load: "{poisson: 50/s, of: job}", scheduler: "workers: 1")
      }),
    System(
      name: "M/M/2 at 0.6", service: .milliseconds(10), theory: "Erlang C",
      wait: { Queues.meanWait(servers: 2, arrivalRate: 120, service: $0) },
      yaml: { service, _ in
        text("exponential(mean: \(service))", load: "{poisson: 120/s, of: job}", scheduler: "workers: 2")
      }),
    System(
      name: "three priorities, one worker", service: .milliseconds(10), theory: "simulation of the same jobs",
      wait: nil,
      yaml: { service, _ in
        """
        name: verified
        jobs:
          a: {service: "exponential(mean: \(service))", priority: high}
          b: {service: "exponential(mean: \(service))"}
          c: {service: "exponential(mean: \(service))", priority: low}
        load: {poisson: 60/s, of: {a: 1, b: 1, c: 1}}
        duration: 5s
        scheduler: {workers: 1, policy: priority, retries: 0}
        """
      }),
    System(
      name: "a rate limit of 100/s", service: .milliseconds(2), theory: "simulation of the same jobs", wait: nil,
      // A late start delays the next, so the limit acts as a server whose service time grows like a worker's.
      yaml: { service, extra in
        text(
          service, more: ", rate: \(String(format: "%.6f", 1 / (0.01 + extra)))/s",
          load: "{poisson: 60/s, of: job}", scheduler: "workers: 8")
      }),
    System(
      name: "M/D/2 at 0.5", service: .milliseconds(10), theory: "simulation of the same jobs", wait: nil,
      yaml: { service, _ in text(service, load: "{poisson: 100/s, of: job}", scheduler: "workers: 2") }),
  ]

  private static func text(_ service: String, more: String = "", load: String, scheduler: String) -> String {
    """
    name: verified
    jobs: {job: {service: "\(service)"\(more)}}
    load: \(load)
    duration: 5s
    scheduler: {\(scheduler), policy: fifo, retries: 0}
    """
  }

  /// The scenario to replay.
  package static func scenarios() throws -> [Scenario] { try systems.map { try $0.scenario() } }

  // MARK: - What is expected

  /// A system's repetitions and their expected results.
  struct Expectation: Sendable {
    var seeds: [UInt64]
    var exact: Double
    /// The absolute difference between the simulated mean of the chosen tapes and the exact one.
    var chance: Double
    /// The effect of an overhead on the mean wait.
    var tolerance: @Sendable (Overhead) -> Double
  }

  private static func wait(_ scenario: Scenario, _ seed: UInt64) -> Double {
    Double(SimulatedRun.result(scenario, seed: seed).measurement.all[.waiting]?.mean.rawValue ?? 0)
  }

  static func expectation(of system: System, seed: UInt64) throws -> Expectation {
    let scenario = try system.scenario()
    let theory = system.wait.map { $0(system.service.seconds) * 1e9 }
    let seeds = (0..<choice).map { seed &+ $0 << 20 }
    var tapes = seeds.prefix(theory == nil ? repetitions : seeds.count).map { ($0, wait(scenario, $0)) }
    if let theory { tapes.sort { abs($0.1 - theory) < abs($1.1 - theory) } }
    let chosen = Array(tapes.prefix(repetitions))
    let model = Student.moments(chosen.map(\.1)).mean
    let exact = theory ?? model
    let chance = abs(model - exact)
    return Expectation(seeds: chosen.map(\.0), exact: exact, chance: chance) { overhead in
      guard let longer = try? system.scenario(extra: overhead.total) else { return 0 }
      let slower = Student.moments(chosen.map { wait(longer, $0.0) }).mean
      return 2 * (max(0, slower - model) + overhead.handOff) + chance
    }
  }

  /// The verdict on a figure.
  static func verdict(exact: Double, measured: Double?, tolerance: Double) -> Verdict {
    guard let measured else { return .notJudged }
    return abs(measured - exact) <= tolerance ? .agrees : .differs
  }

  // MARK: - Real time

  /// Replays each system a few times. A system that fails is not judged and does not affect the others.
  package static func run(seed: UInt64, parts: LiveParts) async -> Findings {
    var (overhead, disturbance): (Overhead?, String)
    do {
      (overhead, disturbance) = try await calibrate(parts)
    } catch {
      (overhead, disturbance) = (nil, "the calibration failed: \(ErrorWords.line(of: error))")
    }
    var lines: [Line] = []
    for system in systems { lines.append(await line(of: system, seed: seed, overhead, disturbance, parts)) }
    return Findings(overhead: overhead, lines: lines)
  }

  /// The results of one system.
  ///
  /// - Parameter disturbance: Why the overhead is unknown.
  static func line(
    of system: System, seed: UInt64, _ overhead: Overhead?, _ disturbance: String, _ parts: LiveParts
  ) async -> Line {
    var line = Line(
      system: system.name, theory: system.theory, exact: .nan, measured: nil, tolerance: 0, verdict: .notJudged)
    do {
      let expectation = try expectation(of: system, seed: seed)
      line.exact = expectation.exact
      guard let overhead else {
        line.note = disturbance
        return line
      }
      line.tolerance = expectation.tolerance(overhead)
      (line.measured, line.note) = try await measure(system, expectation, parts)
    } catch {
      line.note = "its run failed: \(ErrorWords.line(of: error))"
    }
    line.verdict = verdict(exact: line.exact, measured: line.measured, tolerance: line.tolerance)
    return line
  }

  /// The mean wait over undisturbed repetitions; nil and the reason if there are too few.
  private static func measure(
    _ system: System, _ expectation: Expectation, _ parts: LiveParts
  ) async throws -> (Double?, String) {
    let scenario = try system.scenario()
    var waits: [Double] = []
    var why = ""
    for _ in 0..<attempts where waits.count < repetitions {
      let (waiting, _, disturbance) = try await replay(scenario, seed: expectation.seeds[waits.count], parts)
      if let disturbance { why = disturbance } else { waits.append(waiting) }
    }
    guard waits.count == repetitions else { return (nil, "the machine was disturbed: \(why)") }
    return (Student.moments(waits).mean, "")
  }

  private static func replay(
    _ scenario: Scenario, seed: UInt64, _ parts: LiveParts
  ) async throws -> (waiting: Double, service: Double, disturbance: String?) {
    let watch = MachineWatch()
    let outcome = try await parts.system.replay(Replay(tape: Tape(scenario: scenario, seed: seed), meter: parts.meter))
    let standstill = ValidityCheck.standstill(outcome.observations)
    let disturbance = standstill.verdict == .failed ? standstill.words : watch.disturbance?.words
    let all = outcome.recorder.measurement(outcome.facts).all
    return (
      Double(all[.waiting]?.mean.rawValue ?? 0), Double(all[.service]?.mean.rawValue ?? 0), disturbance
    )
  }

  /// Measures the machine's overhead with jobs of 10 ms that arrive one by one, more than 20 ms apart for each worker.
  private static func calibrate(_ parts: LiveParts) async throws -> (Overhead?, String) {
    let scenario = try ScenarioParser.parse(
      yaml: text("10ms", load: "{constant: 40/s, of: job}", scheduler: "workers: 2"), file: "calibration"
    ).get()
    var why = ""
    for _ in 0..<3 {
      let (waiting, service, disturbance) = try await replay(scenario, seed: 1, parts)
      let overhead = Overhead(handOff: waiting, overrun: max(0, service - 1e7))
      if let disturbance {
        why = disturbance
      } else if overhead.total > Overhead.limit {
        why = "it adds \(Nanoseconds(Int64(overhead.total)).words) to a job of 10ms"
      } else {
        return (overhead, "")
      }
    }
    return (nil, "the machine was disturbed: \(why)")
  }
}
