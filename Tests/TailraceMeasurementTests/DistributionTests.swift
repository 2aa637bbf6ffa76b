// Goal: what a histogram says of samples is what the sorted samples say, within its three significant digits.
import Foundation
import Histogram
import TailraceCore
import Testing

@testable import TailraceMeasurement

@Suite struct DistributionTests {
  private func makeSamples(_ count: Int, seed: UInt64) -> [Int64] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // Spread over eight orders of magnitude, as waiting times are.
      return Int64(1) << Int64(state >> 59) + Int64(state >> 40 & 0xff)
    }
  }

  private func distribution(of samples: [Int64]) -> Distribution? {
    let histogram = fold(samples)
    return histogram.distribution
  }

  private func fold(_ samples: [Int64]) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for sample in samples { histogram.record(Nanoseconds(sample)) }
    return histogram
  }

  @Test(arguments: [1, 10, 1_000, 10_000])
  func percentilesMatchSortedSamples(count: Int) throws {
    let samples = makeSamples(count, seed: 7)
    let sorted = samples.sorted()
    let folded = try #require(distribution(of: samples))
    let wanted = [0.1, 10, 50, 90, 99, 99.9, 99.99]
    for (p, got) in zip(wanted, folded.samplePercentiles(wanted)) {
      let rank = min(max(Int((p / 100 * Double(count)).rounded(.up)), 1), count)
      let exact = sorted[rank - 1]
      let value = try #require(got).rawValue
      #expect(value >= exact && Double(value) <= Double(exact) * 1.001 + 1, "p\(p) of \(count) samples")
    }
    #expect(folded.min.rawValue == sorted.first)
    #expect(folded.max.rawValue == sorted.last)
    #expect(folded.sum == samples.reduce(0) { $0 + Int128($1) })
    #expect(folded.count == UInt64(count))
  }

  @Test func percentilesAnswerInTheOrderAskedFor() throws {
    let folded = try #require(distribution(of: Array(1...1_000)))
    #expect(folded.samplePercentiles([99, 50, 99]).map { $0?.rawValue } == [990, 500, 990])
  }

  @Test func percentileNeedsEnoughSamples() throws {
    #expect([50, 90, 99, 99.9].map { Distribution.samplesNeeded(for: $0) } == [5, 29, 299, 2_995])
    let few = try #require(distribution(of: Array(1...298)))
    #expect(few.percentile(99) == nil)
    #expect(few.percentile(90)?.rawValue == 269)
    let enough = try #require(distribution(of: Array(1...299)))
    #expect(enough.percentile(99)?.rawValue == 297)
  }

  @Test func valuesOutOfRangeAreCountedNotLost() throws {
    let folded = try #require(distribution(of: [-5, 0, 10, LatencyHistogram.limit.rawValue + 1]))
    #expect((folded.below, folded.above, folded.count, folded.total) == (1, 1, 2, 4))
    #expect(folded.min.rawValue == -5)
  }

  @Test func mergingIsTheSameAsRecordingTogether() throws {
    let (one, two) = (makeSamples(500, seed: 1), makeSamples(700, seed: 2))
    let together = distribution(of: one + two)
    var histogram = fold(one)
    histogram.merge(fold(two))
    let merged = histogram.distribution
    #expect(merged == together)
    var sum = try #require(distribution(of: one))
    sum.merge(try #require(distribution(of: two)))
    #expect(sum == together)
  }

  @Test func jsonRoundTripIsExact() throws {
    let folded = try #require(distribution(of: makeSamples(2_000, seed: 3) + [0, 0, -1]))
    let data = try JSONEncoder().encode(folded)
    #expect(try JSONDecoder().decode(Distribution.self, from: data) == folded)
  }

  @Test(arguments: ["{\"bins\":\"5:1,0:2\",", "{\"bins\":\"x\",", "{\"bins\":\"18446744073709551615:1\","])
  func brokenJSONIsAnError(start: String) {
    let json = start + "\"sum_ns\":\"5\",\"min_ns\":5,\"max_ns\":5}"
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Distribution.self, from: Data(json.utf8)) }
  }

  /// Samples far from 0 and close to each other, samples without any spread, samples that have no bin: the squares are
  /// whole numbers, so that none of them costs a digit.
  @Test(
    arguments: [
      ([2, 4, 4, 4, 5, 5, 7, 9].map { $0 * 1_000_000 }, 2_000_000.0),
      (Array(repeating: 10_000_000, count: 1_000), 0), ([1_000_000_007], 0),
      ([86_400_000_000_000, 86_400_000_000_002], 1), ([0, 0, 0, 4], 3.0.squareRoot()), ([-3, 3], 3),
      ([LatencyHistogram.limit.rawValue + 1, LatencyHistogram.limit.rawValue + 21], 10),
      ([.max, .max, .max - 20, .max - 20], 10), ([.min, .min], 0), ([], 0),
    ] as [([Int64], Double)])
  func momentsAreExact(samples: [Int64], deviation: Double) throws {
    guard let folded = distribution(of: samples) else {
      #expect(samples.isEmpty)
      return
    }
    #expect(folded.standardDeviation.rawValue == Int64(deviation.rounded()))
    #expect(folded.max.rawValue == samples.max() && folded.min.rawValue == samples.min())
    // However they are split, merged and written, they are the same samples.
    var parts = fold(Array(samples.prefix(1)))
    parts.merge(fold(Array(samples.dropFirst())))
    #expect(parts.distribution == folded)
    let data = try JSONEncoder().encode(folded)
    #expect(try JSONDecoder().decode(Distribution.self, from: data).standardDeviation == folded.standardDeviation)
  }

  /// Against the sum over the samples, each of which 128-bit numbers hold.
  @Test func deviationsMatchTheSamples() throws {
    for seed in [1, 2, 3] as [UInt64] {
      let samples = makeSamples(5_000, seed: seed)
      let mean = Double(samples.reduce(0) { $0 + Int128($1) }) / 5_000
      let squares = samples.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      let deviation = (squares / 5_000).squareRoot()
      let folded = try #require(distribution(of: samples))
      #expect(abs(Double(folded.standardDeviation.rawValue) - deviation) <= 1 + 1e-12 * deviation)
    }
  }

  @Test func resultsWithoutSquaresAreStillRead() throws {
    let folded = try #require(distribution(of: [2, 4, 4, 4, 5, 5, 7, 9].map { $0 * 1_000_000 }))
    let text = String(decoding: try JSONEncoder().encode(folded), as: UTF8.self)
    let old = text.replacing(/"squares_ns2":"[0-9]*",?/, with: "")
    #expect(old != text)
    let read = try JSONDecoder().decode(Distribution.self, from: Data(old.utf8))
    #expect(abs(read.standardDeviation.rawValue - 2_000_000) < 4_000)
    // Squares of other samples are found out.
    let wrong = text.replacing(/"squares_ns2":"[0-9]*"/, with: "\"squares_ns2\":\"5\"")
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Distribution.self, from: Data(wrong.utf8)) }
  }

  @Test(arguments: [1, 3, 1_000])
  func percentileStepsAreThoseOfHdrHistogram(count: Int) throws {
    let samples = makeSamples(count, seed: 11)
    var peer = Histogram<UInt64>(
      lowestDiscernibleValue: 1, highestTrackableValue: 1 << 33, numberOfSignificantValueDigits: .three)
    for sample in samples { peer.record(UInt64(sample)) }
    let expected = peer.percentiles(ticksPerHalfDistance: 5).map {
      Distribution.PercentileStep(
        value: min(peer.highestEquivalentForValue($0.value), UInt64(samples.max()!)),
        percentile: $0.percentileLevelIteratedTo,
        count: $0.totalCountToThisValue)
    }
    #expect(try #require(distribution(of: samples)).percentileSteps() == expected)
  }
}
