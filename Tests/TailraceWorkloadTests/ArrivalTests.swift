// Arrival processes have the rates, the spread and the limits that they promise, over seeded samples.

import Foundation
import TailraceCore
import TailraceWorkload
import Testing

@Suite struct ArrivalTests {
  private func arrivals(_ load: String, duration: String = "1000s", seed: UInt64 = 7) throws -> [Double] {
    let yaml = "name: t\njobs: {a: {service: 1ms}}\nduration: \(duration)\nload: \(load)\n"
    let scenario = try ScenarioParser.parse(yaml: yaml, file: "t.yaml").get()
    var cursor = Tape(scenario: scenario, seed: seed).makeCursor()
    var instants: [Double] = []
    while let job = cursor.next() { instants.append(Double(job.intended.nanoseconds) / 1e9) }
    return instants
  }

  /// The variance of the number of arrivals in windows of a second, over its mean: 1 for Poisson.
  private func dispersion(_ instants: [Double], seconds: Int) -> Double {
    var counts = [Double](repeating: 0, count: seconds)
    for instant in instants { counts[Int(instant)] += 1 }
    let mean = counts.reduce(0, +) / Double(seconds)
    return counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(seconds - 1) / mean
  }

  @Test func constantArrivalsAreEvenAndDoNotDrift() throws {
    let instants = try arrivals("{constant: 3/s, start: 2s}", duration: "1002s")
    #expect(instants.count == 3_000)
    #expect(instants.first == 2)
    #expect(abs(try #require(instants.last) - (2 + 2_999.0 / 3)) < 1e-8)
  }

  @Test func poissonHasItsRateAndItsSpread() throws {
    let instants = try arrivals("{poisson: 20/s}")
    // Four standard deviations of a Poisson count of 20,000 are 566.
    #expect(abs(Double(instants.count) - 20_000) < 566)
    let dispersion = dispersion(instants, seconds: 1_000)
    #expect(dispersion > 0.85 && dispersion < 1.15, "dispersion \(dispersion)")
  }

  @Test func burstyArrivalsAreRarerAndFarMoreSpread() throws {
    let instants = try arrivals("{bursty: {rate: 40/s, on: 1s, off: 3s}}")
    // A quarter of the time at 40/s; the number of periods is itself of chance.
    #expect(abs(Double(instants.count) / 10_000 - 1) < 0.2, "\(instants.count) arrivals")
    #expect(dispersion(instants, seconds: 1_000) > 5)
  }

  @Test func stagesFollowTheIntegralOfTheirRate() throws {
    let instants = try arrivals("{stages: [{to: 100/s, for: 100s}, {to: 100/s, for: 50s}, {to: 0/s, for: 100s}]}")
    // Expected in each: 5,000 and 5,000 and 5,000; four standard deviations are 283.
    let counts = [0.0..<100, 100.0..<150, 150.0..<250].map { range in instants.count { range.contains($0) } }
    for count in counts { #expect(abs(count - 5_000) < 283, "\(counts)") }
    // Half way up a ramp from 0, a quarter of it has arrived.
    #expect(abs(instants.count { $0 < 50 } - 1_250) < 142)
    #expect(try #require(instants.last) < 250)
  }

  @Test func countStartAndDurationBoundAStream() throws {
    #expect(try arrivals("{poisson: 20/s, count: 7}").count == 7)
    let bounded = try arrivals("{poisson: 50/s, start: 5s, duration: 2s}")
    #expect(try #require(bounded.first) >= 5)
    #expect(try #require(bounded.last) < 7)
    #expect(try arrivals("{batch: {a: 9}}") == [Double](repeating: 0, count: 9))
  }

  @Test func streamsMergeInOrderAndKeepTheirOwnDraws() throws {
    let one = try arrivals("[{poisson: 5/s}]", duration: "100s")
    let merged = try arrivals("[{poisson: 5/s}, {constant: 1/s}]", duration: "100s")
    #expect(merged == merged.sorted())
    #expect(merged.count == one.count + 100)
    #expect(Set(one).isSubset(of: Set(merged)))
  }
}
