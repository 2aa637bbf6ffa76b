// Large seeded samples agree with each distribution's theoretical mean and quantiles.

import Foundation
import TailraceCore
import TailraceWorkload
import Testing

@Suite struct DistributionTests {
  static let seed: UInt64 = 20_240_607
  static let size = 100_000

  static func sample(_ distribution: ServiceTime) -> [Double] {
    let random = KeyedRandom(seed: seed)
    return (0..<size).map { Double(distribution.quantile(random.key(UInt64($0)).uniform).rawValue) }.sorted()
  }

  private func expectMean(_ distribution: ServiceTime, within tolerance: Double) throws {
    let sample = Self.sample(distribution)
    let mean = sample.reduce(0, +) / Double(sample.count)
    let theory = Double(try #require(distribution.mean).rawValue)
    #expect(abs(mean / theory - 1) < tolerance, "mean \(mean), theory \(theory), seed \(Self.seed)")
  }

  @Test func meansAgree() throws {
    try expectMean(.constant(.milliseconds(7)), within: 1e-12)
    try expectMean(.exponential(mean: .milliseconds(20)), within: 0.015)
    try expectMean(.lognormal(median: .milliseconds(40), p99: .milliseconds(400)), within: 0.02)
    try expectMean(.uniform(min: .milliseconds(10), max: .milliseconds(30)), within: 0.005)
    try expectMean(.pareto(min: .milliseconds(10), alpha: 3, max: nil), within: 0.02)
    try expectMean(.pareto(min: .milliseconds(10), alpha: 1.2, max: .seconds(1)), within: 0.03)
    try expectMean(.pareto(min: .milliseconds(10), alpha: 1, max: .seconds(1)), within: 0.03)
    try expectMean(.bimodal(fast: .milliseconds(5), slow: .milliseconds(500), share: 0.1), within: 0.03)
    try expectMean(.empirical(file: "x", values: [.milliseconds(1), .milliseconds(2), .milliseconds(6)]), within: 0.01)
    #expect(ServiceTime.pareto(min: .milliseconds(1), alpha: 1, max: nil).mean == nil)
  }

  @Test func quantilesAgree() {
    func expectQuantile(_ distribution: ServiceTime, _ p: Double, _ milliseconds: Double, within tolerance: Double) {
      let value = Self.sample(distribution)[Int(p * Double(Self.size))] / 1e6
      #expect(abs(value / milliseconds - 1) < tolerance, "\(distribution) p\(p) is \(value) ms, seed \(Self.seed)")
    }
    let lognormal = ServiceTime.lognormal(median: .milliseconds(40), p99: .milliseconds(900))
    expectQuantile(lognormal, 0.5, 40, within: 0.03)
    expectQuantile(lognormal, 0.99, 900, within: 0.08)
    expectQuantile(.exponential(mean: .milliseconds(20)), 0.5, 20 * log(2), within: 0.02)
    expectQuantile(.exponential(mean: .milliseconds(20)), 0.99, 20 * log(100), within: 0.04)
    expectQuantile(.pareto(min: .milliseconds(10), alpha: 2, max: nil), 0.99, 100, within: 0.06)
    expectQuantile(.uniform(min: .milliseconds(10), max: .milliseconds(30)), 0.25, 15, within: 0.01)
    #expect(Self.sample(.pareto(min: .milliseconds(10), alpha: 0.5, max: .seconds(1))).last! <= 1e9)
    #expect(Self.sample(.pareto(min: .milliseconds(10), alpha: 0.5, max: .seconds(1))).first! >= 1e7)
  }

  /// Reference values of Φ⁻¹ in each of the three regions of AS 241.
  @Test(arguments: [
    (0.5, 0.0), (0.75, 0.6744897501960817), (0.975, 1.9599639845400545), (0.99, 2.3263478740408408),
    (0.001, -3.090232306167813), (1e-9, -5.997807015007774), (1e-20, -9.262340089798408),
  ])
  func normalQuantileIsExact(_ p: Double, _ z: Double) {
    #expect(abs(ServiceTime.normalQuantile(p) - z) < 1e-14 * max(1, abs(z) * 4))
  }

  @Test func uniformsFillTheUnitInterval() {
    let random = KeyedRandom(seed: Self.seed)
    var bins = [Int](repeating: 0, count: 100)
    for number in 0..<Self.size {
      let value = random.key(UInt64(number)).uniform
      #expect(value > 0 && value < 1)
      bins[Int(value * 100)] += 1
    }
    // Chi square with 99 degrees of freedom: 148.2 is its 99.9th percentile.
    let expected = Double(Self.size) / 100
    let chiSquare = bins.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    #expect(chiSquare < 148.2, "chi square \(chiSquare), seed \(Self.seed)")
  }
}
