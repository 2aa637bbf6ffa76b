// Goal: a trace is described by the numbers that it has, and what is fitted to it has the same rate, classes and
// burstiness.

import Foundation
import TailraceCore
import TailraceWorkload
import Testing
@testable import TailraceStudies

@testable import TailraceHarness

struct TraceDescriptionTests {
  /// The trace that a scenario's tape would leave: its arrivals, types and service times.
  private func trace(_ load: String, seconds: Int, seed: UInt64 = 3) throws -> Trace {
    let scenario = try ScenarioParser.parse(
      yaml: """
        name: t
        jobs: {short: {service: 1s}, long: {service: "lognormal(median: 2s, p99: 10s)"}}
        load: {\(load), of: {short: 3, long: 1}}
        duration: \(seconds)s
        """, file: "t.yaml"
    ).get()
    let tape = Tape(scenario: scenario, seed: seed)
    var trace = Trace(file: "t.swf")
    trace.types = ["short", "long"]
    var cursor = tape.makeCursor()
    var origin: Instant?
    while let job = cursor.next() {
      let start = origin ?? job.intended
      origin = start
      trace.submitted.append(job.intended - start)
      trace.service.append(tape.attempt(job: job.number, type: job.type, attempt: 1).service)
      trace.type.append(UInt16(job.type))
    }
    return trace
  }

  @Test func countsAreExact() {
    var trace = Trace(file: "log.csv")
    trace.types = ["a", "b"]
    trace.rows = 7
    trace.submitted = ContiguousArray([0, 1, 1, 2, 7_200, 7_201].map { Nanoseconds.seconds($0) })
    trace.service = ContiguousArray([1, 2, 3, 4, 5, 9].map { Nanoseconds.seconds($0) })
    trace.type = [0, 0, 1, 0, 0, 0]
    trace.tenants = ["x", "y"]
    trace.tenant = [0, 1, 1, 1, 0, 1]
    let found = TraceDescription(trace)
    #expect(found.kept == 6 && found.rows == 7)
    #expect(found.spanNs == 7_201e9)
    #expect(found.arrivalRatePerS == 5.0 / 7_201)
    #expect(found.classes.map(\.name) == ["a", "b"] && found.classes.map(\.jobs) == [5, 1])
    #expect(found.service?.meanNs == 4e9 && found.service?.p50Ns == 3e9 && found.service?.p99Ns == 9e9)
    #expect(found.offeredLoad == 5.0 / 7_201 * 4)
    #expect(found.busiestHourJobs == 4 && found.busiestHourStartNs == 0)
    #expect(found.tenants == 2 && found.largestTenants.map(\.jobs) == [4, 2])
    // Two whole hours, of four jobs and none: variance 4, mean 2.
    #expect(found.dispersion[2].windows == 2 && found.dispersion[2].index == 2)
  }

  @Test func regularArrivalsHaveNoDispersionAndPoissonOnesHaveOne() throws {
    let regular = TraceDescription(try trace("constant: 2/s", seconds: 5_000))
    #expect(regular.interarrivalVariation < 1e-6)
    #expect(try #require(regular.dispersion[1].index) < 0.01)
    let poisson = TraceDescription(try trace("poisson: 2/s", seconds: 30_000))
    #expect(abs(poisson.interarrivalVariation - 1) < 0.03)
    #expect(abs(try #require(poisson.dispersion[1].index) - 1) < 0.2)
    #expect(TraceFit(poisson).arrivals == .poisson(rate: poisson.arrivalRatePerS))
  }

  @Test func aFitHasTheBurstinessOfWhatItWasFittedTo() throws {
    let original = TraceDescription(try trace("bursty: {rate: 0.1/s, on: 300s, off: 900s}", seconds: 3_000_000))
    let fit = TraceFit(original)
    guard case .bursty(let rate, let on, let off) = fit.arrivals else {
      Issue.record("not bursty: \(fit.arrivals)")
      return
    }
    #expect(abs(rate - 0.1) < 0.015 && abs(on - 300) < 60 && abs(off - 900) < 180, "\(fit.arrivals)")
    // The fitted file is one that can be replayed, and gives such a trace again.
    let scenario = try ScenarioParser.parse(yaml: fit.scenario(of: original), file: "fitted.yaml").get()
    #expect(scenario.jobs.map(\.name) == ["short", "long"])
    let again = TraceDescription(
      try trace("bursty: {rate: \(rate)/s, on: \(on)s, off: \(off)s}", seconds: 3_000_000, seed: 9))
    #expect(abs(again.arrivalRatePerS / original.arrivalRatePerS - 1) < 0.1)
    let (a, b) = (try #require(original.dispersion[2].index), try #require(again.dispersion[2].index))
    #expect(abs(a / b - 1) < 0.3, "\(a) \(b)")
  }
}
