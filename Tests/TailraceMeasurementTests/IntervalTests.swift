import Foundation
import Testing

@testable import TailraceMeasurement

/// Whether intervals, tests and corrections keep what they promise.
@Suite struct IntervalTests {
  /// A law of paired log ratios, with its true mean.
  struct Law: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var mean: Double
    var draw: @Sendable (inout ResamplingGenerator) -> Double
  }

  private static func uniform(_ random: inout ResamplingGenerator) -> Double {
    (Double(random.next() >> 11) + 0.5) / 9_007_199_254_740_992
  }
  private static func normal(_ random: inout ResamplingGenerator) -> Double { Student.normalQuantile(uniform(&random)) }

  static let laws = [
    Law(testDescription: "normal", mean: 0.05) { 0.05 + 0.03 * normal(&$0) },
    Law(testDescription: "exponential", mean: 0.04) { -0.04 * log(uniform(&$0)) },
    Law(testDescription: "exponential, to the left", mean: -0.04) { 0.04 * log(uniform(&$0)) },
    Law(testDescription: "lognormal", mean: exp(0.125)) { exp(0.5 * normal(&$0)) },
    // What a comparison sees of p99s with a long tail: each lognormal with σ = 1, their ratio's logarithm taken.
    Law(testDescription: "log ratio of skewed values", mean: log(1.1)) {
      log(1.1 * exp(normal(&$0)) / exp(normal(&$0)))
    },
    // Mean response times of twenty exponential jobs each.
    Law(testDescription: "log ratio of means of exponential times", mean: 0) {
      func mean(_ random: inout ResamplingGenerator) -> Double {
        (0..<20).reduce(0.0) { sum, _ in sum - log(uniform(&random)) }
      }
      let a = mean(&$0)
      return log(mean(&$0) / a)
    },
  ]

  /// Two sides of which other programs lengthen single runs: log ratios with heavy tails to either side.
  private static func disturbed(oneRunIn count: Int, by deviations: Double) -> Law {
    Law(testDescription: "one run in \(count) longer by \(Int(deviations)) σ", mean: 0) { random in
      func run(_ random: inout ResamplingGenerator) -> Double {
        0.01 * (normal(&random) + (random.next(below: count) == 0 ? deviations : 0))
      }
      let baseline = run(&random)
      return run(&random) - baseline
    }
  }
  static let heavyTails = [
    disturbed(oneRunIn: 10, by: 10), disturbed(oneRunIn: 5, by: 30), disturbed(oneRunIn: 20, by: 30),
    disturbed(oneRunIn: 3, by: 10),
  ]

  @Test(arguments: heavyTails, [8, 12, 24])
  func intervalsHoldTheTruthWhereSingleRunsAreDisturbed(_ law: Law, rounds: Int) {
    let held = Self.held(law, rounds: rounds)
    // Wider than it must be is no error here: 94 % at least.
    #expect(held >= 940, "\(held) of 1000 intervals hold the truth")
  }

  /// The bootstrap alone does not: else the test above would show nothing.
  @Test func theBootstrapAloneIsTooNarrowThere() {
    let held = Self.held(Self.heavyTails[0], rounds: 12) {
      StudentizedBootstrap($0, resamples: 999, seed: $1).interval(level: 0.95)
    }
    #expect(held < 920, "\(held) of 1000 intervals hold the truth")
  }

  private static func held(
    _ law: Law, rounds: Int,
    by interval: (_ samples: [Double], _ seed: UInt64) -> (low: Double, high: Double) = {
      MeanInterval($0, resamples: 999, seed: $1).interval(level: 0.95)
    }
  ) -> Int {
    (0..<1_000).count { experiment in
      var random = ResamplingGenerator(seed: UInt64(experiment) &* 7_919 &+ UInt64(rounds))
      let samples = (0..<rounds).map { _ in law.draw(&random) }
      let ends = interval(samples, UInt64(experiment))
      return ends.low <= law.mean && law.mean <= ends.high
    }
  }

  @Test(arguments: laws, [12, 24])
  func intervalsHoldTheTruthAsOftenAsTheySay(_ law: Law, rounds: Int) {
    let held = Self.held(law, rounds: rounds)
    // Of two intervals the wider is a little wider than it must be: some 96 % where both are exact.
    #expect((930...975).contains(held), "\(held) of 1000 intervals hold the truth")
  }

  @Test func pValuesAndIntervalsAgree() {
    var random = ResamplingGenerator(seed: 5)
    for _ in 0..<50 {
      let samples = (0..<10).map { _ in 0.5 + Self.normal(&random) }
      let mean = MeanInterval(samples, resamples: 1_999)
      let interval = mean.interval(level: 0.95)
      let holdsZero = interval.low <= 0 && 0 <= interval.high
      #expect(holdsZero == (mean.pValue() > 0.05) || abs(mean.pValue() - 0.05) < 0.002)
    }
  }

  @Test func samplesWithoutSpreadAndSingleOnes() {
    let same = MeanInterval([0.1, 0.1, 0.1]).interval(level: 0.95)
    #expect(same.low == same.high)
    #expect(MeanInterval([0, 0, 0]).pValue() == 1)
    let single = MeanInterval([0.1]).interval(level: 0.95)
    #expect(single == (-.infinity, .infinity))
    #expect(MeanInterval([0.1]).pValue() == 1)
  }

  /// One round in twelve differed: the interval has two ends, and the estimate between them.
  @Test(arguments: [1, 2, 11])
  func rareValuesAmongEqualOnes(_ odd: Int) {
    for rest in [0, 1e-16] {
      let samples = (0..<12).map { $0 < odd ? 0.01 : rest }
      let interval = MeanInterval(samples).interval(level: 0.99)
      let mean = samples.reduce(0, +) / 12
      #expect(interval.low <= mean && mean <= interval.high)
      #expect(interval.high - interval.low < 0.1)
    }
  }

  @Test func theSameSeedGivesTheSameInterval() {
    let samples = [0.1, 0.2, -0.1, 0.4, 0.3, 0.0]
    let first = StudentizedBootstrap(samples, seed: 3).interval(level: 0.9)
    let second = StudentizedBootstrap(samples, seed: 3).interval(level: 0.9)
    #expect(first == second)
  }

  @Test func signedRankHasItsExactValues() {
    // All of one sign: 2 of the 2^n assignments are as extreme.
    #expect(SignedRank.pValue([1, 2, 3, 4, 5, 6]) == 2.0 / 64)
    #expect(SignedRank.pValue([-1, -2, -3, -4, -5, -6]) == 2.0 / 64)
    #expect(SignedRank.leastPValue(count: 6) == 2.0 / 64)
    // Ranks 1…8, only rank 1 negative: 2 · P(W ≤ 1) = 2 · 2/256.
    #expect(SignedRank.pValue([-1, 2, 3, 4, 5, 6, 7, 8]) == 4.0 / 256)
    // Zeros are left out; ties share ranks: of ±1 ±1 all four sums are 0, 3/2, 3/2, 3.
    #expect(SignedRank.pValue([0, 0]) == 1)
    #expect(SignedRank.pValue([1, 1]) == 0.5)
    #expect(SignedRank.pValue([1, -1]) == 1)
  }

  /// Wilcoxon's own example (Darwin's maize), whose exact p is in the literature: T = 24 of 15 pairs, 0.041.
  @Test func signedRankOfDarwinsMaize() {
    let differences: [Double] = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    #expect(abs(SignedRank.pValue(differences) - 0.0413) < 0.0005)
  }

  @Test func holmAdjustsStepByStep() {
    let adjusted = Holm.adjusted([0.01, 0.04, 0.03])
    #expect(zip(adjusted, [0.03, 0.06, 0.06]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(Holm.adjusted([]) == [])
    #expect(Holm.adjusted([0.9, 0.8]).allSatisfy { $0 <= 1 })
  }

  /// From tables.
  @Test(
    arguments: [
      (0.975, 1, 12.7062), (0.9995, 1, 636.6192), (0.975, 2, 4.3027), (0.975, 3, 3.1824), (0.975, 4, 2.7764),
      (0.025, 5, -2.5706), (0.975, 11, 2.2010), (0.8, 11, 0.8755), (0.995, 9, 3.2498), (0.5, 7, 0), (0.975, 31, 2.0395),
      (0.975, 100, 1.9840), (0.975, 1_000, 1.9623),
    ])
  func studentsQuantiles(_ p: Double, _ degrees: Int, _ value: Double) {
    #expect(abs(Student.quantile(p, degrees: degrees) - value) <= 0.00006)
  }

  /// A p-value is the level of the quantile that it belongs to.
  @Test(arguments: [1, 2, 5, 11, 23, 200, 500], [0.6, 0.9, 0.975, 0.9999])
  func studentsPValuesAreThoseOfTheQuantiles(_ degrees: Int, _ p: Double) {
    let t = Student.quantile(p, degrees: degrees)
    #expect(abs(Student.pValue(t, degrees: degrees) - 2 * (1 - p)) < (degrees > 200 ? 2e-3 : 1e-8))
    #expect(Student.pValue(t, degrees: degrees) == Student.pValue(-t, degrees: degrees))
  }

  @Test func studentsQuantilesGoOnWhereTheExpansionTakesOver() {
    let (summed, expanded) = (Student.quantile(0.999, degrees: 200), Student.quantile(0.999, degrees: 201))
    #expect(summed > expanded && summed - expanded < 1e-3)
  }

  /// The effect that is named is found in four experiments of five.
  @Test func theDetectableEffectIsDetectedAsOftenAsItSays() {
    let (rounds, deviation) = (12, 0.02)
    let effect = Student.detectableEffect(
      error: deviation / Double(rounds).squareRoot(), count: rounds, alpha: 0.05)
    var found = 0
    for experiment in 0..<1_000 {
      var random = ResamplingGenerator(seed: UInt64(experiment) + 77)
      let samples = (0..<rounds).map { _ in effect + deviation * Self.normal(&random) }
      if MeanInterval(samples, resamples: 499).pValue() <= 0.05 { found += 1 }
    }
    #expect((740...870).contains(found), "found in \(found) of 1000")
  }

  @Test func looksSpendNoMoreThanThereIs() {
    let plan = LookPlan(least: 8, most: 24)
    #expect(plan.looks == [8, 16, 24])
    #expect(LookPlan(least: 12, most: 24).looks == [12, 18, 24])
    #expect(LookPlan(least: 8, most: 12).looks == [8, 12])
    let shares = plan.looks.map { plan.share(after: $0, isLast: $0 == 24) }
    #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
    #expect(shares.allSatisfy { $0 > 0 })
    // Cut short by its budget, it may spend what is left.
    #expect(abs(plan.share(after: 8, isLast: false) + plan.share(after: 11, isLast: true) - 1) < 1e-12)
    #expect(plan.share(after: 9, isLast: false) == 0)
    #expect(LookPlan(least: 6, most: 6).looks == [6])
  }

  /// Peeking at pure noise until it looks like something: the spent error must hold over all looks together.
  @Test func lookingAgainAndAgainRaisesNoFalseAlarms() {
    let plan = LookPlan(least: 8, most: 24)
    var alarms = 0
    for experiment in 0..<600 {
      var random = ResamplingGenerator(seed: UInt64(experiment) + 9_000)
      let samples = (0..<24).map { _ in Self.normal(&random) }
      for look in plan.looks {
        let level = 0.05 * plan.share(after: look, isLast: look == 24)
        if MeanInterval(Array(samples.prefix(look)), resamples: 999).pValue() <= level {
          alarms += 1
          break
        }
      }
    }
    // 5 % are allowed; the binomial spread about 30 is 5.
    #expect(alarms <= 42, "\(alarms) of 600")
  }
}
