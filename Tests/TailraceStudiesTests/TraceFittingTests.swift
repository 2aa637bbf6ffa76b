// Goal: a fit keeps the load of its log, and the mean of each job type to the last digit; it is a scenario that runs,
// whatever the log is like; and it says where sizing by it would mislead.

import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceWorkload
import Testing
@testable import TailraceSimulation
@testable import TailraceStudies

@testable import TailraceHarness

struct TraceFittingTests {
  /// A log of some jobs: instants and service times in seconds, and types.
  private func trace(_ jobs: [(submitted: Double, service: Double, type: Int)], types: [String] = ["job"]) -> Trace {
    var trace = Trace(file: "a: log #1 \"of\" 'mine'.swf")
    trace.types = types
    trace.rows = jobs.count
    for job in jobs {
      trace.submitted.append(Nanoseconds(Int64(job.submitted * 1e9)))
      trace.service.append(Nanoseconds(Int64(job.service * 1e9)))
      trace.type.append(UInt16(job.type))
    }
    trace.names = .rows(ContiguousArray(jobs.indices.map { Int64($0) }))
    return trace
  }

  /// Jobs whose times a distribution draws; those of one type come in runs where `run` is above 1.
  private func drawn(_ count: Int, every gap: Double, run: Int = 1, _ quantile: (Double, Int) -> Double) -> Trace {
    var state: UInt64 = 88_172_645_463_325_252
    func uniform() -> Double {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return (Double(state >> 11) + 0.5) / 9_007_199_254_740_992
    }
    var now = 0.0
    var (u, type) = (0.0, 0)
    return trace(
      (0..<count).map { index in
        now += -gap * log(1 - uniform())
        if index % run == 0 { (u, type) = (uniform(), Int(uniform() * 2)) }
        return (now, quantile(u, type), type)
      }, types: ["a", "b"])
  }

  static let shapes: [(String, @Sendable (Double, Int) -> Double)] = [
    ("exponential", { u, type in -Double(type + 1) * log(1 - u) }),
    ("lognormal", { u, _ in 3 * exp(0.8 * ServiceTime.normalQuantile(u)) }),
    ("heavy tail", { u, type in min(5_000, pow(1 - u, -0.9) * Double(type * 3 + 1)) }),
    ("two values", { u, _ in u < 0.97 ? 1 : 300 }), ("constant", { _, type in Double(type + 2) }),
    ("uniform", { u, _ in 2 + u }), ("mostly nothing", { u, _ in u < 0.5 ? 1e-6 : 100 * u }),
  ]

  @Test(arguments: shapes.map(\.0)) func theLoadIsKept(_ shape: String) throws {
    let quantile = try #require(Self.shapes.first { $0.0 == shape }?.1)
    let trace = drawn(1_200, every: 1, quantile)
    let fitting = try TraceFitting(trace)
    let scenario = try ScenarioParser.parse(yaml: fitting.scenario, file: "f.yaml").get()
    for (kind, job) in zip(fitting.log.classes, scenario.jobs) {
      let (mean, fitted) = (try #require(kind.service?.meanNs), try #require(job.service?.mean))
      #expect(abs(Double(fitted.rawValue) / mean - 1) < 1e-4, "\(kind.name): \(mean), fitted \(fitted)")
      let (p99, tail) = (try #require(kind.service?.p99Ns), try #require(job.service?.quantile(0.99)))
      #expect(abs(Double(tail.rawValue) / p99 - 1) < 0.15, "\(kind.name): \(p99), fitted \(tail)")
    }
    let (load, offered) = (try #require(fitting.log.offeredLoad), try #require(fitting.drawn.offeredLoad))
    #expect(abs(offered / load - 1) < 0.02, "\(load), drawn \(offered)")
  }

  @Test func namedDistributionsAreFoundWhereTheyFit() throws {
    func text(_ shape: String) throws -> String {
      let quantile = try #require(Self.shapes.first { $0.0 == shape }?.1)
      // Neither drawn nor sized.
      let log = TraceDescription(drawn(4_000, every: 1, quantile))
      return TraceFit(log).scenario(of: log)
    }
    #expect(try text("exponential").contains("\"exponential(mean: "))
    #expect(try text("lognormal").contains("\"lognormal(median: "))
    #expect(try text("uniform").contains("\"uniform(min: "))
    #expect(try text("constant").contains("a: {service: 2s}"))
    #expect(try text("two values").contains("\"empirical("))
  }

  @Test func sizingSaysWhenTheFitMisleads() throws {
    let quantile: @Sendable (Double, Int) -> Double = { u, type in -Double(type * 4 + 1) * log(1 - u) }
    let plain = try TraceFitting(drawn(1_500, every: 1, quantile))
    let sizing = try #require(plain.sizing)
    #expect(abs((sizing.log ?? 0) - (sizing.fit ?? 100)) <= 1, "\(sizing)")
    // The same jobs in runs of 40 alike: long jobs come together, which no fit keeps.
    let runs = try TraceFitting(drawn(1_500, every: 1, run: 40, quantile))
    let other = try #require(runs.sizing)
    #expect(other.differs && (other.log ?? 0) > (other.fit ?? 0), "\(other)")
    #expect(runs.losses.contains { $0.hasPrefix("correlation between jobs") }, "\(runs.losses)")
    #expect(runs.losses.contains { $0.hasPrefix("runs of one job type") }, "\(runs.losses)")
  }

  /// Logs at the edge of what a fit can say.
  static let edges = ["one row", "one instant", "one instant, many", "no service times", "strange names", "two rows"]

  @Test(arguments: edges) func everyFitIsAScenarioThatRuns(_ edge: String) throws {
    var log: Trace
    switch edge {
    case "one row": log = trace([(0, 5, 0)])
    case "two rows": log = trace([(0, 5, 0), (1e7, 1e-9, 0)])
    case "one instant": log = trace([(0, 5, 0), (0, 7, 1), (0, 9, 0)], types: ["a", "b"])
    case "one instant, many": log = trace((0..<120_000).map { (0, 1, $0 % 3) }, types: ["a", "b", "c"])
    case "no service times":
      log = trace((0..<50).map { (Double($0), 1, 0) })
      log.service = []
    default:
      log = trace((0..<50).map { (Double($0), 1, $0 % 5) }, types: ["-", "1.5", "true", ".x", "type-k3f9"])
      log.renamed = [("x: y #z \"q\"\n\u{1}日本", "type-k3f9")]
    }
    let isMany = edge == "one instant, many"
    // So many jobs are neither drawn nor sized.
    let description = TraceDescription(log)
    let text = isMany ? TraceFit(description).scenario(of: description) : try TraceFitting(log).scenario
    let scenario = try ScenarioParser.parse(yaml: text, file: "f.yaml").get()
    #expect(scenario.jobs.map(\.name).sorted() == log.types.sorted(), "\(text)")
    if isMany { return }
    let run = SimulatedRun.result(scenario, seed: 1)
    #expect(run.measurement.all.causes.total > 0)
    if edge.hasPrefix("one ") { #expect(run.measurement.all.causes.total == log.count) }
  }

  /// Chance moves the load of few jobs the most.
  @Test(arguments: [2, 5, 40]) func theLoadOfFewJobsIsKept(_ count: Int) throws {
    let fitting = try TraceFitting(trace((0..<count).map { (Double($0), 0.5 + Double($0 % 3), 0) }))
    let (load, drawn) = (try #require(fitting.log.offeredLoad), try #require(fitting.drawn.offeredLoad))
    #expect(abs(drawn / load - 1) < 0.02, "\(load), drawn \(drawn)")
  }

  @Test func stepsKeepTheMean() {
    for (count, steps) in [(1, 20), (20, 20), (21, 20), (1_003, 250), (997, 100)] {
      let values = (0..<count).map { pow(Double(($0 * 7_919) % count + 1), 3) }
      let found = TraceDescription.steps(values, steps)
      #expect(found.count == min(count, steps) && zip(found, found.dropFirst()).allSatisfy { $0 <= $1 })
      let (a, b) = (values.reduce(0, +) / Double(count), found.reduce(0, +) / Double(found.count))
      #expect(abs(a / b - 1) < 1e-9, "\(count) values in \(steps): \(a), \(b)")
    }
  }
}
