import Foundation
import TailraceCore
import TailraceWorkload

/// A fit to a log, and how well it matches the log.
package struct TraceFitting: Sendable {
  package private(set) var fit: TraceFit
  /// The scenario file.
  package private(set) var scenario: String
  package private(set) var log: TraceDescription
  /// Statistics of the jobs that the scenario draws with the default seed.
  package private(set) var drawn: TraceDescription
  /// Service times of each job type in nanoseconds: the log's, and those of the scenario's distribution.
  package private(set) var classes: [(name: String, log: TraceDescription.Quantiles, mean: Double, p99: Double)]
  package private(set) var sizing: TraceSizing?
  /// Properties of the log that the fit does not reproduce.
  package private(set) var losses: [String]

  /// The default seed.
  private static let seed: UInt64 = 1
  /// The maximum number of jobs to draw when determining the fit's length.
  private static let drawnJobs = 6_000_000

  /// Fits a log, draws the fit's jobs, and sizes both.
  ///
  /// - Throws: Problems of an invalid fitted scenario, which would be a bug of this type.
  package init(_ trace: Trace) throws(ScenarioProblems) {
    log = TraceDescription(trace)
    fit = TraceFit(log)
    let plain = try Self.parse(fit.scenario(of: log))
    fit.length = Self.length(fit, log, plain)
    let whole = try Self.parse(fit.scenario(of: log))
    classes = zip(log.classes, plain.jobs).compactMap { kind, job in
      guard let times = kind.service, let service = job.service, let mean = service.mean else { return nil }
      return (kind.name, times, Double(mean.rawValue), Double(service.quantile(0.99).rawValue))
    }
    drawn = TraceDescription(Self.draw(whole, like: trace))
    sizing = TraceSizing(trace, log, fitted: plain)
    losses = Self.losses(trace, log)
    scenario = fit.scenario(of: log, workers: sizing?.log, renamed: trace.renamed)
  }

  private static func parse(_ yaml: String) throws(ScenarioProblems) -> Scenario {
    try ScenarioParser.parse(yaml: yaml, file: "fitted.yaml").get()
  }

  /// The fit's length as a multiple of the log's, such that its jobs offer the log's load within 1 %. Bursts and long
  /// jobs are rare, so a short run's load may vary by 10 %; with few jobs, the span is shorter than the duration.
  private static func length(_ fit: TraceFit, _ log: TraceDescription, _ plain: Scenario) -> Int {
    guard let wanted = log.offeredLoad, wanted > 0, log.spanNs > 0 else { return 1 }
    let longest = max(1, min(400, drawnJobs / max(1, log.kept), Int(3e18 / log.spanNs)))
    guard longest > 1 else { return 1 }
    var scenario = plain
    scenario.duration = Nanoseconds(Int64(log.spanNs) * Int64(longest))
    let tape = Tape(scenario: scenario, seed: seed)
    var cursor = tape.makeCursor()
    var (work, jobs, length, best) = (0.0, 0, 1, (length: 1, distance: Double.infinity))
    func judge() {
      let distance = abs(work / (log.spanNs * Double(length)) / wanted - 1)
      if distance < best.distance { best = (length, distance) }
    }
    while let job = cursor.next() {
      while Double(job.intended.nanoseconds) >= log.spanNs * Double(length) {
        if jobs >= 1_000 { judge() }
        if best.distance < 0.01 { return best.length }
        length += 1
      }
      jobs += 1
      work += Double(tape.attempt(job: job.number, type: job.type, attempt: 1).service.rawValue)
    }
    judge()
    return best.length
  }

  /// A scenario's jobs in the form of a log.
  private static func draw(_ scenario: Scenario, like trace: Trace) -> Trace {
    let tape = Tape(scenario: scenario, seed: seed)
    var drawn = Trace(file: "fitted.yaml")
    drawn.types = scenario.jobs.map(\.name)
    var cursor = tape.makeCursor()
    while let job = cursor.next() {
      drawn.submitted.append(Nanoseconds(job.intended.nanoseconds))
      if !trace.service.isEmpty {
        drawn.service.append(tape.attempt(job: job.number, type: job.type, attempt: 1).service)
      }
      drawn.type.append(UInt16(job.type))
    }
    let first = drawn.submitted.first ?? .zero
    for index in drawn.submitted.indices { drawn.submitted[index] = drawn.submitted[index] - first }
    drawn.rows = drawn.count
    return drawn
  }

  // MARK: - What is lost

  private static func losses(_ trace: Trace, _ log: TraceDescription) -> [String] {
    var losses: [String] = []
    let sizes = trace.service.map { Foundation.log(Double($0.rawValue)) }
    let correlation = correlation(sizes)
    if correlation > 0.05 {
      losses.append(
        String(format: "correlation between jobs (run times of neighbors: %.2f, in the fit 0)", correlation))
    }
    let same = Double(zip(trace.type, trace.type.dropFirst()).count { $0 == $1 }) / Double(max(1, trace.count - 1))
    let chance = log.classes.reduce(0) { $0 + $1.share * $1.share }
    if same > chance + 0.05 {
      losses.append(
        String(format: "runs of one job type (neighbors alike: %.0f %%, by chance %.0f %%)", same * 100, chance * 100))
    }
    if let swing = dailySwing(trace), swing > 1.5 {
      let words =
        swing > 100
        ? "some hours of the day have almost no jobs"
        : String(format: "the busiest hour of the day has %.1f times as many jobs as the quietest", swing)
      losses.append("the daily pattern (\(words))")
    }
    if losses.isEmpty, trace.count > 1 {
      losses.append("the order of the log's jobs and the exact shape of its bursts")
    }
    return losses
  }

  /// The correlation of each value with the next.
  private static func correlation(_ values: [Double]) -> Double {
    guard values.count > 30 else { return 0 }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    guard variance > 0 else { return 0 }
    return zip(values, values.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / variance
  }

  /// Jobs in the busiest hour of the day ÷ jobs in the quietest; nil: the log has too few days or jobs.
  private static func dailySwing(_ trace: Trace) -> Double? {
    let day: Int64 = 86_400_000_000_000
    let days = trace.span.rawValue / day
    guard days >= 3, trace.count >= 1_000 else { return nil }
    var hours = [Double](repeating: 0, count: 24)
    for instant in trace.submitted where instant.rawValue < days * day {
      hours[Int(instant.rawValue % day / (day / 24))] += 1
    }
    return (hours.max() ?? 0) / max(1, hours.min() ?? 0)
  }
}
