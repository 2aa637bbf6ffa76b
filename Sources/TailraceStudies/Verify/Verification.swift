import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceSimulation
import TailraceWorkload

/// Compares simulated figures with exact ones.
///
/// A random system is replayed with independent seeds. The mean over the replications is compared with the exact value
/// in units of its standard error. Student's t of that comparison is converted to the z of a normal distribution with
/// the same tail, so that a limit of 4 has the same meaning for any number of replications: one false alarm in 16,000
/// figures. A deterministic system must agree to the last digit.
package struct Verification: Sendable {
  /// One figure of one system.
  package struct Line: Sendable, Codable, Equatable {
    package var system: String
    package var theory: String
    package var metric: String
    /// `time` in nanoseconds, `rate` per second, `ratio`, `count`.
    package var unit: FigureUnit
    package var exact: Double
    /// The mean over the replications.
    package var simulated: Double
    /// The half-width of the 95 % confidence interval; 0: the system is deterministic.
    package var halfWidth: Double
    package var replications: Int
    package var z: Double
    package var agrees: Bool
  }

  /// A planted error, to test that it is found.
  package enum Fault: String, Sendable, CaseIterable {
    case prioritiesSwapped, boostIgnored, percentileOffByOneBucket, lastWorkerUnused, latenessLeftOut
  }

  /// The limit above which a figure does not agree.
  package static let limit = 4.0
  private let seed: UInt64
  private let replications: Int
  private let fault: Fault?

  /// - Parameter replications: Independent runs of each random system, at least 2.
  package init(seed: UInt64, replications: Int = 32, fault: Fault? = nil) {
    self.seed = seed
    self.replications = replications
    self.fault = fault
  }

  /// The results of some systems.
  package struct Findings: Sendable {
    package var lines: [Line] = []
    /// Systems that failed, with the reason, one per line.
    package var failures: [String] = []
  }

  /// Verifies systems on all processors. A system that fails does not affect the others.
  ///
  /// - Parameter onProgress: told how many of the systems are done.
  package func run(
    _ cases: [VerificationCase] = VerificationCase.all, onProgress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async -> Findings {
    typealias Found = Result<[Line], any Error>
    let found = Locked([Found?](repeating: nil, count: cases.count))
    await DedicatedThread.forEach(below: cases.count) { index in
      let lines = Found { try verify(cases[index], number: index) }
      let done = found.withLock { found in
        found[index] = lines
        return found.count { $0 != nil }
      }
      onProgress(done, cases.count)
      return true
    }
    var findings = Findings()
    for (system, found) in zip(cases, found.withLock { $0 }) {
      switch found {
      case .success(let lines): findings.lines += lines
      case .failure(let error): findings.failures.append("\(system.name): \(ErrorWords.line(of: error))")
      case nil: findings.failures.append("\(system.name): it was not run")
      }
    }
    return findings
  }

  private func verify(_ system: VerificationCase, number: Int) throws -> [Line] {
    let scenario = planted(try ScenarioParser.parse(yaml: system.yaml, file: system.name).get())
    let metrics = try system.expected.map { try Metric(parsing: measured($0.metric), types: scenario.jobs.map(\.name)) }
    let count = system.isDeterministic ? 1 : replications
    var samples = [[Double]](repeating: [], count: metrics.count)
    var agreesWithItself = true
    for replication in 0..<count {
      let run = SimulatedRun.result(scenario, seed: seed &+ UInt64(number) << 40 &+ UInt64(replication) << 20)
      agreesWithItself = agreesWithItself && Self.obeysLaws(run)
      for index in metrics.indices {
        let value = metrics[index].answer(from: [run]).value ?? .nan
        samples[index].append(fault == .percentileOffByOneBucket ? Self.shifted(value, metrics[index]) : value)
      }
    }
    var lines = metrics.indices.map { index in
      line(system, system.expected[index], metrics[index], samples[index])
    }
    lines.append(
      Line(
        system: system.name, theory: "Little's law; every job settles once", metric: "laws", unit: .count, exact: 0,
        simulated: agreesWithItself ? 0 : 1, halfWidth: 0, replications: count, z: agreesWithItself ? 0 : .infinity,
        agrees: agreesWithItself))
    return lines
  }

  /// Laws that hold in every run, whatever chance did: mean jobs in system = rate × mean time in system, and each
  /// intended job settles exactly once.
  private static func obeysLaws(_ run: RunResult) -> Bool {
    let jobs = Double(run.measurement.acceptedJobs) * run.measurement.meanTimeInSystem
    let integral = (run.observations.meanJobsInSystem.value ?? .nan) * Double(run.observations.observedFor.rawValue)
    let isLittle = abs(jobs - integral) <= 1e-9 * max(jobs, 1)
    return isLittle && run.measurement[.lost] == 0 && run.measurement[.duplicated] == 0
  }

  // MARK: - Comparison

  private func line(
    _ system: VerificationCase, _ expected: VerificationCase.Expected, _ metric: Metric, _ samples: [Double]
  ) -> Line {
    let (mean, error) = Student.moments(samples)
    var line = Line(
      system: system.name, theory: system.theory, metric: expected.metric, unit: metric.unit, exact: expected.exact,
      simulated: mean, halfWidth: 0, replications: samples.count, z: 0, agrees: true)
    guard error > 0 else {
      line.agrees = Self.isSame(mean, expected.exact, metric)
      line.z = line.agrees ? 0 : .infinity
      return line
    }
    line.halfWidth = Student.halfWidth95(error, count: samples.count)
    line.z = Statistics.normalScore(t: (mean - expected.exact) / error, degrees: Double(samples.count - 1))
    line.agrees = abs(line.z) < Self.limit
    return line
  }

  /// Without chance, times agree to the nanosecond and percentiles to the bin.
  private static func isSame(_ value: Double, _ exact: Double, _ metric: Metric) -> Bool {
    guard case .quantity(_, .percentile) = metric.subject else {
      return abs(value - exact) <= 1e-9 * max(abs(exact), 1)
    }
    guard value >= 0, exact >= 0 else { return false }
    return Distribution.Bin.lowest(of: UInt64(value)) == Distribution.Bin.lowest(of: UInt64(exact))
  }

  // MARK: - Planted mistakes

  private func planted(_ scenario: Scenario) -> Scenario {
    var scenario = scenario
    switch fault {
    case .prioritiesSwapped:
      for index in scenario.jobs.indices {
        scenario.jobs[index].priority = Priority(rawValue: 6 - scenario.jobs[index].priority.rawValue)!
      }
    case .boostIgnored:
      if case .aging = scenario.scheduler.policy { scenario.scheduler.policy = .fifo }
    case .lastWorkerUnused: scenario.scheduler.workers = max(1, scenario.scheduler.workers - 1)
    case .percentileOffByOneBucket, .latenessLeftOut, nil: break
    }
    return scenario
  }

  private func measured(_ metric: String) -> String {
    fault == .latenessLeftOut && metric.hasPrefix("response.")
      ? metric.replacing("response.", with: "response_uncorrected.", maxReplacements: 1) : metric
  }

  private static func shifted(_ value: Double, _ metric: Metric) -> Double {
    guard case .quantity(_, .percentile) = metric.subject, value >= 0 else { return value }
    return Double(Distribution.Bin.lowest(of: UInt64(value)) + Distribution.Bin.width(around: UInt64(value)))
  }
}
