import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceRuntime
import TailraceWorkload

/// Holds simulated figures against exact ones.
///
/// A system of chance is replayed with independent seeds; the mean over the replications is held against the exact
/// value by its standard error. Student's t of that comparison is turned into the z of a normal distribution with the
/// same tail, so that a limit of 4 means the same whatever the number of replications: one false alarm in 16,000
/// figures. A system without chance must agree to the last digit.
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
    /// Half of the 95 % confidence interval; 0: there was no chance.
    package var halfWidth: Double
    package var replications: Int
    package var z: Double
    package var agrees: Bool
  }

  /// A mistake planted on purpose, to see that it is found.
  package enum Fault: String, Sendable, CaseIterable {
    case prioritiesSwapped, boostIgnored, percentileOffByOneBucket, lastWorkerUnused, latenessLeftOut
  }

  /// Above which a figure does not agree.
  package static let limit = 4.0
  private let seed: UInt64
  private let replications: Int
  private let fault: Fault?

  /// - Parameter replications: independent runs of each system of chance; at least 2.
  package init(seed: UInt64, replications: Int = 32, fault: Fault? = nil) {
    self.seed = seed
    self.replications = replications
    self.fault = fault
  }

  /// Verifies systems, on all processors.
  ///
  /// - Parameter onProgress: told how many of the systems are done.
  package func run(
    _ cases: [VerificationCase] = VerificationCase.all, onProgress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws -> [Line] {
    let queue = Locked((next: 0, done: 0, lines: [[Line]](repeating: [], count: cases.count)))
    // On threads of their own: computing for seconds has no place on the threads that all tasks share.
    try await withThrowingTaskGroup(of: Result<Void, any Error>.self) { group in
      for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount) {
        group.addTask { [self] in await DedicatedThread.run { work(on: cases, queue, onProgress) } }
      }
      for try await result in group { try result.get() }
    }
    return queue.withLock { $0.lines.flatMap { $0 } }
  }

  /// Verifies one system after another that nobody else has taken.
  private func work(
    on cases: [VerificationCase], _ queue: Locked<(next: Int, done: Int, lines: [[Line]])>,
    _ onProgress: (Int, Int) -> Void
  ) -> Result<Void, any Error> {
    while true {
      let index = queue.withLock { queue in
        defer { queue.next += 1 }
        return queue.next
      }
      guard index < cases.count else { return .success(()) }
      do {
        let found = try verify(cases[index], number: index)
        let done = queue.withLock { queue in
          queue.lines[index] = found
          queue.done += 1
          return queue.done
        }
        onProgress(done, cases.count)
      } catch {
        return .failure(error)
      }
    }
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
    let n = Double(samples.count)
    let mean = samples.reduce(0, +) / n
    var line = Line(
      system: system.name, theory: system.theory, metric: expected.metric, unit: metric.unit, exact: expected.exact,
      simulated: mean, halfWidth: 0, replications: samples.count, z: 0, agrees: true)
    let variance = n > 1 ? samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1) : 0
    guard variance > 0 else {
      line.agrees = Self.isSame(mean, expected.exact, metric)
      line.z = line.agrees ? 0 : .infinity
      return line
    }
    let error = (variance / n).squareRoot()
    line.halfWidth = Statistics.studentQuantile975(Int(n) - 1) * error
    line.z = Statistics.normalScore(t: (mean - expected.exact) / error, degrees: n - 1)
    line.agrees = abs(line.z) < Self.limit
    return line
  }

  /// Without chance, times agree to the nanosecond and percentiles to the bin.
  private static func isSame(_ value: Double, _ exact: Double, _ metric: Metric) -> Bool {
    guard case .quantity(_, .percentile) = metric.subject else {
      return abs(value - exact) <= 1e-9 * max(abs(exact), 1)
    }
    guard value >= 0, exact >= 0 else { return false }
    return bin(UInt64(value)) == bin(UInt64(exact))
  }

  private static func bin(_ value: UInt64) -> UInt64 {
    let width: UInt64 = value < 2_048 ? 1 : 1 << UInt64(63 - value.leadingZeroBitCount - 10)
    return value / width * width
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
    let lowest = bin(UInt64(value))
    let width: UInt64 = lowest < 2_048 ? 1 : 1 << UInt64(63 - lowest.leadingZeroBitCount - 10)
    return Double(lowest + width)
  }
}

/// The little statistics that a comparison of replications needs.
enum Statistics {
  /// The 97.5 % quantile of Student's t, by the expansion of Cornish and Fisher about the normal quantile: exact to
  /// three digits from 5 degrees of freedom on. Source: M. Abramowitz, I. A. Stegun, *Handbook of Mathematical
  /// Functions*, 26.7.5.
  static func studentQuantile975(_ degrees: Int) -> Double {
    let x = 1.959963984540054
    let n = Double(degrees)
    let g1 = (x * x * x + x) / 4
    let g2 = (5 * pow5(x) + 16 * x * x * x + 3 * x) / 96
    let g3 = (3 * pow5(x) * x * x + 19 * pow5(x) + 17 * x * x * x - 15 * x) / 384
    return x + g1 / n + g2 / (n * n) + g3 / (n * n * n)
  }

  private static func pow5(_ x: Double) -> Double { x * x * x * x * x }

  /// The normal score with the tail of a Student's t. Source: D. L. Wallace, *Bounds on Normal Approximations to
  /// Student's and the Chi-Square Distributions*, Annals of Mathematical Statistics 30 (1959).
  static func normalScore(t: Double, degrees n: Double) -> Double {
    guard t.isFinite else { return .infinity }
    let score = (8 * n + 1) / (8 * n + 3) * (n * log1p(t * t / n)).squareRoot()
    return t < 0 ? -score : score
  }
}
