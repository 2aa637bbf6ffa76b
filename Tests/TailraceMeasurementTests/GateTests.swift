import TailraceCore
import Testing

@testable import TailraceMeasurement

/// Bounds on regressions and what a gate makes of them.
@Suite struct GateTests {
  private func bound(_ text: String) throws -> RegressionTarget {
    try RegressionTarget(parsing: text, types: ["a", "b"])
  }

  @Test func boundsAreRead() throws {
    let throughput = try bound("vs(main).throughput > -3%")
    #expect(throughput.baseline == "main")
    #expect(throughput.metric.name == "throughput")
    #expect(abs(throughput.allowance - 0.03) < 1e-12)
    #expect(try bound("response{type=a}.p99 < +10%").baseline == nil)
    #expect(abs(try bound("waiting.mean<5%").allowance - 0.05) < 1e-12)
  }

  @Test(arguments: [
    ("throughput < 3%", "wrong way round"), ("response.p99 > -3%", "wrong way round"),
    ("throughput > 3%", "allows no change"), ("throughput > -3", "write a percentage"),
    ("vs().throughput > -3%", "no baseline"),
    ("vs(main)throughput > -3%", "vs(NAME).METRIC"), ("utilization < 3%", "neither more nor less"),
    ("vs(main).nonsense > -3%", "unknown metric"), ("throughput", "no comparison"),
  ])
  func wrongBoundsAreExplained(_ text: String, _ words: String) {
    let problem = #expect(throws: TargetProblem.self) { try bound(text) }
    #expect(problem?.message.contains(words) == true, "\(problem?.message ?? "")")
  }

  @Test func anIntervalDecidesABound() throws {
    let less = try bound("response.p99 < +10%")
    #expect(less.verdict(low: -0.5, high: 0.09) == .met)
    #expect(less.verdict(low: 0.11, high: 0.2) == .missed)
    #expect(less.verdict(low: 0.05, high: 0.2) == .unclear)
    let more = try bound("throughput > -3%")
    #expect(more.verdict(low: -0.02, high: 0.4) == .met)
    #expect(more.verdict(low: -0.2, high: -0.04) == .missed)
    #expect(more.verdict(low: -0.2, high: 0.1) == .unclear)
  }

  /// Bounds of which the true change is exactly what they allow: each alone is missed by its interval in one of forty
  /// gates; corrected for each other and by rank, next to none of forty gates of six says that any is.
  @Test func boundsAreCorrectedForEachOther() throws {
    let rules = ComparisonRules(looks: LookPlan(least: 12, most: 12))
    let bound = try bound("response.mean < +10%")
    var (missed, beyond) = (0, 0)
    for gate in 0..<40 {
      let all = (0..<6).map { index -> BoundedContrast in
        var random = ResamplingGenerator(seed: UInt64(gate * 10 + index))
        let pairs = (0..<12).map { _ -> (baseline: Double?, candidate: Double?) in
          (100, 110 * (1 + 0.03 * (Double(random.next(below: 2_001)) / 1_000 - 1)))
        }
        let values = PairedValues(metric: bound.metric, scenario: "s", candidate: 1, pairs: pairs, reason: "")
        let contrast = Contrast.contrasts(of: [values], rules: rules, share: 1, decides: false, seed: 1)[0]
        return BoundedContrast(bound: bound, contrast: contrast, scenario: "s")
      }
      let checks = GateCheck.checks(of: all, rules: rules)
      if checks.contains(where: { $0.verdict == .missed }) { missed += 1 }
      if checks.contains(where: { $0.low! > 0.1 }) { beyond += 1 }
      for check in checks where check.verdict == .unclear && check.low! > 0.1 {
        #expect(check.words.contains("not significantly among 6 bounds"), "\(check.words)")
      }
    }
    #expect(missed <= 2 && beyond > missed, "missed in \(missed), intervals beyond in \(beyond) of 40")
  }

  /// The candidate's rounds had another machine than the stored ones: an unchanged program must not be called worse.
  @Test func whereTheMachineDiffersFromTheStoredOneTheGateIsInvalid() throws {
    typealias Change = (inout Observations) -> Void
    func lines(baseline: Change = { _ in }, candidate: Change = { _ in }) throws -> [String] {
      let comparison = try ComparisonTests.comparison(rounds: 4) { round, side in
        var suite = try ComparisonTests.suite(round: round, salt: UInt64(side))
        var observations = suite.scenarios[0].runs[0].observations
        observations.otherPrograms = Reading(0.01)
        observations.runDelay = Reading(1e6)
        observations.processorTime = Reading(1e9)
        observations.spinSpeed = Reading(0.7)
        observations.generatorLateness = Self.lateness(.microseconds(5))
        (side == 0 ? baseline : candidate)(&observations)
        suite.scenarios[0].runs[0].observations = observations
        return suite
      }
      return comparison.conditionDifferences(of: 1, labels: ["main", "candidate"])
    }
    let busy: Change = {
      $0.otherPrograms = Reading(0.5)
      $0.runDelay = Reading(0.4e9)
    }
    #expect(try lines() == [])
    #expect(try lines(baseline: busy, candidate: busy) == [])
    let disturbed = try lines(candidate: busy)
    #expect(disturbed.count == 1)
    #expect(disturbed[0].contains("used by other programs: 1.0 % in the rounds of main, 50.0 %"))
    #expect(try lines(baseline: busy).count == 1)
    // They used processors that nobody wanted.
    #expect(try lines(candidate: { $0.otherPrograms = Reading(0.5) }) == [])
    #expect(try lines(candidate: { $0.hostSteal = Reading(0.05) })[0].contains("taken by the host: 0.0 %"))
    #expect(try lines(candidate: { $0.spinSpeed = Reading(0.6) })[0].contains("14.3 % slower"))
    #expect(try lines(candidate: { $0.generatorLateness = Self.lateness(.microseconds(400)) })[0].contains("generator"))
    // A baseline of a version that kept nothing of it.
    let old: Change = {
      ($0.otherPrograms, $0.runDelay, $0.spinSpeed) = (nil, nil, nil)
    }
    #expect(try lines(baseline: old) == [])
    #expect(try lines(baseline: old, candidate: busy)[0].contains("is unknown"))

    var comparison = try ComparisonTests.comparison(rounds: 12) { round, side in
      try ComparisonTests.suite(
        round: round, salt: UInt64(side), slower: side == 1 ? 1 : nil, by: 1.5, noise: 0.002)
    }
    comparison.distrust(disturbed)
    let contrasts = comparison.contrasts(isLast: true)
    let findings = ComparisonFindings(
      name: "n", command: "", version: "1", started: "", candidates: [], comparison: comparison, contrasts: contrasts,
      ending: "", forced: [], first: [])
    let checks = GateCheck.checks(of: comparison, contrasts, regressions: [], baseline: "main")
    #expect(checks.contains { $0.verdict == .missed })
    #expect(GateFindings(comparison: findings, confirmation: nil, checks: checks).exitStatus == 4)
  }

  private static func lateness(_ time: Nanoseconds) -> Distribution? {
    var histogram = LatencyHistogram()
    for _ in 0..<100 { histogram.record(time) }
    return histogram.distribution
  }

  /// Response time counts the generator's own lag, which is no regression of the program; what a full queue that the
  /// program left full did to it is.
  @Test(arguments: [false, true])
  func submissionLagIsNoRegressionUnlessAFullQueueHeldTheGeneratorBack(isHeldBack: Bool) throws {
    let comparison = try ComparisonTests.comparison(rounds: 12) { round, side in
      var suite = try ComparisonTests.suite(round: round, salt: UInt64(side), noise: 0.002, lag: side == 1 ? 900 : 5)
      if isHeldBack, side == 1 { suite.scenarios[0].runs[0].observations.heldBack = .milliseconds(400) }
      return suite
    }
    let checks = GateCheck.checks(
      of: comparison, comparison.contrasts(isLast: true), regressions: ["response.mean < +3%"], baseline: "main")
    #expect(checks.map(\.verdict) == [isHeldBack ? .missed : .unclear], "\(checks)")
    #expect(checks[0].words.contains("submission lag") == !isHeldBack)
  }

  @Test func aGateThatCouldSeeNothingIsInconclusive() throws {
    let rules = ComparisonRules(looks: LookPlan(least: 4, most: 4))
    let comparison = try ComparisonTests.comparison(rounds: 4, rules: rules) { round, candidate in
      try ComparisonTests.suite(
        round: round, salt: UInt64(candidate), slower: candidate == 1 ? 1 : nil, by: 2, noise: 0.002)
    }
    let contrasts = comparison.contrasts(isLast: true)
    for bounds in [[], ["response.mean < +3%"]] {
      let checks = GateCheck.checks(of: comparison, contrasts, regressions: bounds, baseline: "main")
        .filter { bounds.isEmpty ? $0.metric == "response.mean" : true }
      #expect(checks.map(\.verdict) == [.unclear] && checks.sawNothing, "\(checks)")
      let gate = GateFindings(
        comparison: ComparisonFindings(
          name: "n", command: "", version: "1", started: "", candidates: [], comparison: comparison,
          contrasts: contrasts, ending: "", forced: [], first: []), confirmation: nil, checks: checks)
      #expect(gate.exitStatus == 5 && gate.word == "INCONCLUSIVE")
    }
  }

  /// Some metrics are shown to be the same, the one that may be worse is not, and no change of it could be called.
  @Test(arguments: [(1.0, false), (2.0, true)])
  func whatIsTheSameDoesNotHideThatNothingCouldBeSeen(_ factor: Double, _ isBlind: Bool) throws {
    let rules = ComparisonRules(looks: LookPlan(least: 4, most: 4))
    let comparison = try ComparisonTests.comparison(rounds: 4, rules: rules) { round, candidate in
      try ComparisonTests.suite(round: round, salt: 1, slower: candidate == 1 ? 1 : nil, by: factor)
    }
    let checks = GateCheck.checks(of: comparison, comparison.contrasts(isLast: true), regressions: [], baseline: "main")
    #expect(
      checks.contains { $0.verdict == .met } && checks.contains { $0.verdict == .unclear } == isBlind, "\(checks)")
    #expect(checks.sawNothing == isBlind, "\(checks)")
  }

  @Test func aMetricThatTheUserNamedNeedsAValue() throws {
    var comparison = Comparison(rules: ComparisonRules(), metrics: ["response.mean", "response{type=c}.p50"])
    for round in 1...12 {
      comparison.add(
        ComparisonRound(number: round, seed: UInt64(round), order: [0, 1]),
        [try ComparisonTests.suite(round: round, salt: 1), try ComparisonTests.suite(round: round, salt: 1)],
        labels: ["main", "change"])
    }
    let contrasts = comparison.contrasts(isLast: true)
    func verdicts(types: [String]) -> [GateCheck.Verdict] {
      GateCheck.checks(
        of: comparison, contrasts, regressions: [], baseline: "main", types: ["mixed": types],
        asked: comparison.metrics
      ).filter { $0.kind == .regression }.map(\.verdict)
    }
    #expect(verdicts(types: ["a", "b", "c"]) == [.met, .noValue])
    // Another scenario's job type.
    #expect(verdicts(types: ["a", "b"]) == [.met, .unclear])
  }

  @Test(arguments: [(3, 11 as Int?), (10, 11), (11, nil), (12, nil)])
  func aBaselineKnowsHowManyRoundsItsGatesNeed(_ rounds: Int, _ needed: Int?) throws {
    let suites = try (1...rounds).map { try ComparisonTests.suite(round: $0, salt: 1) }
    let baseline = Baseline(
      name: "main", saved: "", version: "1", command: "", scenarios: [], arguments: [], rounds: suites)
    #expect(baseline.usualMetrics == Metric.compared(in: try #require(suites[0].scenarios[0].primary)).count)
    #expect(baseline.roundsNeeded == needed, "\(baseline.usualMetrics) metrics")
  }

  @Test func failuresCountOnlyWhereFreshRoundsFailToo() throws {
    func checks(_ factor: Double) throws -> [GateCheck] {
      let comparison = try ComparisonTests.comparison(rounds: 12) { round, candidate in
        try ComparisonTests.suite(
          round: round, salt: UInt64(candidate), slower: candidate == 1 ? 1 : nil, by: factor, noise: 0.002)
      }
      return GateCheck.checks(
        of: comparison, comparison.contrasts(isLast: false), regressions: ["response.mean < +3%"], baseline: "main")
    }
    let failing = try checks(1.1)
    #expect(failing.map(\.verdict) == [.missed])
    #expect(GateCheck.confirmed(failing, by: try checks(1.1)).map(\.verdict) == [.missed])
    #expect(GateCheck.confirmed(failing, by: try checks(1)).map(\.verdict) == [.unconfirmed])
    #expect(GateCheck.confirmed(failing, by: []).map(\.verdict) == [.unconfirmed])
  }

  @Test func whatWasMeasuredDecidesTheStatus() throws {
    let comparison = try ComparisonTests.comparison(rounds: 12) { round, candidate in
      try ComparisonTests.suite(
        round: round, salt: UInt64(candidate), slower: candidate == 1 ? 1 : nil, by: 1.5, noise: 0.002,
        lost: candidate)
    }
    func findings(_ comparison: Comparison) -> ComparisonFindings {
      let contrasts = comparison.contrasts(isLast: false)
      return ComparisonFindings(
        name: "n", command: "", version: "1", started: "", candidates: [], comparison: comparison,
        contrasts: contrasts, ending: "", forced: [], first: [])
    }
    var gate = GateFindings(
      comparison: findings(comparison), confirmation: nil,
      checks: GateCheck.checks(
        of: comparison, comparison.contrasts(isLast: false), regressions: [], baseline: "main"))
    #expect(gate.count(.regression, .missed) > 0)
    #expect(gate.exitStatus == 4)
    gate.comparison.invalid = []
    #expect(gate.exitStatus == 3)
    gate.checks.append(
      GateCheck(
        kind: .target, scenario: "n", expression: "e", metric: "m", unit: .time, verdict: .missed, words: ""))
    #expect(gate.exitStatus == 2)
    gate.checks = [
      GateCheck(kind: .target, scenario: "n", expression: "e", metric: "m", unit: .time, verdict: .unclear, words: "")
    ]
    #expect(gate.exitStatus == 0)
    gate.isStrict = true
    #expect(gate.exitStatus == 5)
  }

  @Test func theFloorOfNoiseShrinksWithTheRootOfTheRounds() throws {
    let comparison = try ComparisonTests.comparison(rounds: 12) { round, candidate in
      try ComparisonTests.suite(round: round, salt: UInt64(candidate), noise: 0.05)
    }
    let floor = NoiseFloor(
      ComparisonFindings(
        name: "n", command: "", version: "1", started: "", candidates: [], comparison: comparison,
        contrasts: comparison.contrasts(isLast: true), ending: "", forced: [], first: []))
    let twelve = try #require(floor.floor(of: "response.mean", in: "mixed", rounds: 12))
    let fortyEight = try #require(floor.floor(of: "response.mean", in: "mixed", rounds: 48))
    #expect(abs(twelve / fortyEight - 2) < 1e-9)
    // Rounds vary by 3 %, differences of two by 4 %: twelve of them show some 4 %.
    #expect((0.02...0.08).contains(twelve))
    #expect(floor.floor(of: "waiting.max", in: "mixed", rounds: 12) == nil)
  }
}
