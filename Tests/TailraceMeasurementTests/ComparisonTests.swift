import TailraceCore
import Testing

@testable import TailraceMeasurement

/// Verdicts, refusals and explanations of comparisons, on runs made of records.
@Suite struct ComparisonTests {
  /// One run of 400 jobs of the types `a` and `b`, its service times a little different in each round.
  static func suite(
    round: Int, salt: UInt64, slower type: UInt16? = nil, by factor: Double = 1, noise: Double = 0.01,
    waitingToo: Bool = false, stolen: Double = 0, lost: Int = 0, lag: Int64 = 1, fingerprint: String = "f",
    commit: String = "c"
  ) throws -> SuiteResult {
    var random = ResamplingGenerator(seed: UInt64(round) &* 1_000 &+ salt)
    let drift = 1 + noise * (Double(random.next(below: 2_001)) / 1_000 - 1)
    let records = (0..<400).map { job in
      let kind = UInt16(job % 2)
      var service = (kind == 0 ? 1_000.0 : 3_000) * (1 + Double(job % 40) / 20) * drift
      if kind == type { service *= factor }
      let waiting = waitingToo && type != nil ? 260.0 : 200
      return makeRecord(
        UInt64(job), type: kind, intended: Int64(job) * 10_000, lag: lag, waiting: Int64(waiting * drift),
        service: Int64(service))
    }
    var observations = Observations()
    observations.hostSteal = Reading(stolen)
    observations.hostTicks = 1_000
    let run = RunResult(
      system: "live", seed: UInt64(round), timeScale: 1, fingerprint: "\(fingerprint)\(round)",
      measurement: measure(records, intended: 400 + lost, workers: [(.async, 2)]), observations: observations)
    let scenario = try ScenarioResult(
      name: "mixed", summary: "", settings: [Setting("policy", "fifo")], runs: [run], types: ["a", "b"])
    return SuiteResult(
      version: "1", suite: "mixed", started: "2026-01-01T00:00:00Z",
      environment: [Setting("cpu_model", "one"), Setting("git_commit", commit)], command: "", seed: 1, timeScale: 1,
      scenarios: [scenario])
  }

  static func comparison(
    rounds: Int, rules: ComparisonRules = ComparisonRules(),
    _ make: (_ round: Int, _ candidate: Int) throws -> SuiteResult
  ) throws -> Comparison {
    var comparison = Comparison(rules: rules)
    for round in 1...rounds {
      comparison.add(
        ComparisonRound(number: round, seed: UInt64(round), order: [0, 1]),
        [try make(round, 0), try make(round, 1)], labels: ["main", "change"])
    }
    return comparison
  }

  private func verdicts(_ contrasts: [Contrast]) -> [String: ComparisonVerdict] {
    Dictionary(uniqueKeysWithValues: contrasts.map { ($0.metric, $0.verdict) })
  }

  @Test func aSlowerJobTypeIsCalledWorseAndTheOtherIsNot() throws {
    let comparison = try Self.comparison(rounds: 12) { round, candidate in
      try Self.suite(
        round: round, salt: UInt64(candidate), slower: candidate == 1 ? 1 : nil, by: 1.1, noise: 0.002)
    }
    let verdicts = verdicts(comparison.contrasts(isLast: false))
    #expect(verdicts["response{type=b}.mean"] == .worse)
    #expect(verdicts["response{type=a}.mean"] == .same)
    #expect(verdicts["response.mean"] == .worse)
    #expect(verdicts["success"] == .same)
    let explanation = try #require(comparison.explanations.first)
    #expect(explanation.origin?.type == "b")
    #expect(explanation.origin?.part == .service)
    #expect(abs((explanation.origin?.change ?? 0) - 0.1) < 0.005)
    // It carries all of it.
    let carried = try #require(explanation.origin?.carried)
    #expect(abs(carried / explanation.change - 1) < 0.05)
    #expect(abs(explanation.shifts.reduce(0) { $0 + $1.carried } - explanation.change) < 1)
  }

  @Test func aFasterOneIsCalledBetter() throws {
    let comparison = try Self.comparison(rounds: 12) { round, candidate in
      try Self.suite(round: round, salt: UInt64(candidate), slower: candidate == 0 ? 0 : nil, by: 1.3, noise: 0.002)
    }
    #expect(verdicts(comparison.contrasts(isLast: false))["response{type=a}.mean"] == .better)
  }

  /// Jobs of all types wait longer behind the slow ones; still it is the slow ones' service where it began.
  @Test func waitingThatFollowsIsNotTakenForTheOrigin() throws {
    let comparison = try Self.comparison(rounds: 12) { round, candidate in
      try Self.suite(
        round: round, salt: UInt64(candidate), slower: candidate == 1 ? 0 : nil, by: 1.02, noise: 0.001,
        waitingToo: true)
    }
    let explanation = try #require(comparison.explanations.first)
    #expect(explanation.waiting > (explanation.origin?.carried ?? 0))
    #expect(explanation.origin?.part == .service)
    #expect(explanation.origin?.type == "a")
  }

  @Test func noiseIsNeverCalledBetterOrWorse() throws {
    for salt in 0..<20 {
      let comparison = try Self.comparison(rounds: 12) { round, candidate in
        try Self.suite(round: round, salt: UInt64(salt * 2 + candidate), noise: 0.05)
      }
      for contrast in comparison.contrasts(isLast: true) {
        #expect(contrast.verdict == .same || contrast.verdict == .unclear)
        if contrast.verdict == .unclear { #expect(contrast.detectable != nil) }
      }
    }
  }

  /// A suite of many scenarios: each metric's p must be below a four-thousandth of a per cent.
  @Test func clearChangesAreCalledAmongManyMetrics() throws {
    var random = ResamplingGenerator(seed: 5)
    let metric = try Metric(parsing: "response.mean", types: [])
    let all = (0..<60).map { index in
      PairedValues(
        metric: metric, scenario: "s\(index)", candidate: 1,
        pairs: (0..<24).map { _ in
          func noisy(_ value: Double) -> Double { value * (1 + Double(random.next(below: 2_001) - 1_000) / 50_000) }
          return (noisy(100), noisy(index < 30 ? 110 : 100))
        }, reason: "")
    }
    let rules = ComparisonRules()
    let share = rules.looks.share(after: 24, isLast: true)
    let verdicts = Contrast.contrasts(of: all, rules: rules, share: share, seed: 1).map(\.verdict)
    #expect(verdicts.prefix(30).allSatisfy { $0 == .worse }, "\(verdicts)")
    #expect(verdicts.suffix(30).allSatisfy { $0 != .worse && $0 != .better }, "\(verdicts)")
    // Between looks nothing is decided, and nobody waits for so fine a p.
    let between = Contrast.contrasts(of: Array(all.prefix(1)), rules: rules, share: share, decides: false, seed: 1)
    #expect(between[0].adjustedPValue >= 2 / 10_000)
  }

  /// Twelve pairs whose ratios scatter about a change.
  private func scattered(_ index: Int, change: Double, rounds: Int = 12, spread: Double = 0.03) throws -> PairedValues {
    var random = ResamplingGenerator(seed: UInt64(index) + 40)
    return PairedValues(
      metric: try Metric(parsing: "response.mean", types: []), scenario: "s\(index)", candidate: 1,
      pairs: (0..<rounds).map { _ in
        (100, 100 * (1 + change) * (1 + spread * (Double(random.next(below: 2_001)) / 1_000 - 1)))
      }, reason: "")
  }

  /// An interval that leaves no change out and is beyond δ says in its own cell why nothing is called.
  @Test func whatIsUnclearGivesTheReason() throws {
    let rules = ComparisonRules(looks: LookPlan(least: 12, most: 12))
    let all = try (0..<20).map { try scattered($0, change: $0 == 0 ? 0.035 : 0, spread: 0.04) }
    let contrasts = Contrast.contrasts(of: all, rules: rules, share: 1, seed: 1)
    let changed = contrasts[0]
    #expect(changed.low! > 0.01 && changed.verdict == .unclear && changed.uncorrected == .worse, "\(changed)")
    #expect(changed.reason?.hasPrefix("the correction for 20 metrics: p is 0.0") == true, "\(changed)")
    let few = Contrast.contrasts(
      of: [try scattered(1, change: 0.5, rounds: 4)], rules: rules, share: 1, seed: 1)[0]
    #expect(few.reason == "too few rounds: 12 are needed for 1 metric")
    for contrast in contrasts + [few] { #expect((contrast.reason != nil) == (contrast.verdict == .unclear)) }
  }

  @Test func tooFewRoundsDecideNothingAndSaySo() throws {
    let rules = ComparisonRules(looks: LookPlan(least: 3, most: 3))
    let comparison = try Self.comparison(rounds: 3, rules: rules) { round, candidate in
      try Self.suite(round: round, salt: UInt64(candidate), slower: candidate == 1 ? 1 : nil, by: 2, noise: 0.01)
    }
    for contrast in comparison.contrasts(isLast: true) {
      #expect(contrast.verdict != .worse)
      #expect(contrast.detectable == nil)
    }
    #expect(rules.roundsNeeded(metrics: 9) == 11)
    #expect(ComparisonRules().roundsNeeded(metrics: 9) == 12)
    // A single round: no interval at all, and nothing traps.
    let single = try Self.comparison(rounds: 1) { round, _ in try Self.suite(round: round, salt: 1) }
    #expect(single.contrasts(isLast: true).allSatisfy { $0.low == nil && $0.verdict == .unclear })
  }

  @Test func aRoundThatTheMachineSpoiledIsSetAside() throws {
    let comparison = try Self.comparison(rounds: 3) { round, candidate in
      try Self.suite(round: round, salt: 1, stolen: round == 2 && candidate == 1 ? 0.5 : 0)
    }
    #expect(comparison.counted == 2)
    #expect(comparison.rounds[1].discarded.first?.contains("host_steal") == true)
    #expect(comparison.invalid.isEmpty)
  }

  private func failing(_ check: String, _ suite: SuiteResult) -> SuiteResult {
    var suite = suite
    let place = suite.scenarios[0].runs[0].validity.firstIndex { $0.name == check }!
    suite.scenarios[0].runs[0].validity[place].verdict = .failed
    return suite
  }

  /// A check that a machine can be blamed for sets its round aside: now and then always, often only where the machine
  /// was seen to be disturbed. What no machine does voids the comparison at once.
  @Test(arguments: ["littles_law", "offered_vs_achieved", "other_programs", "host_steal", "generator_lateness"])
  func aRoundThatTheMachineMayHaveSpoiledIsSetAside(_ check: String) throws {
    func comparison(spoiling spoiled: Range<Int>, stolen: Double = 0) throws -> Comparison {
      try Self.comparison(rounds: 16) { round, candidate in
        let suite = try Self.suite(round: round, salt: UInt64(candidate), stolen: stolen)
        return candidate == 1 && spoiled.contains(round) ? failing(check, suite) : suite
      }
    }
    let once = try comparison(spoiling: 5..<6)
    #expect(once.counted == 15 && once.invalid.isEmpty)
    #expect(once.rounds[4].discarded[0].contains(check), "\(once.rounds[4])")
    let often = try comparison(spoiling: 5..<10)
    let isCertain = !["littles_law", "offered_vs_achieved"].contains(check)
    #expect(often.counted == 11 && often.invalid.isEmpty == isCertain, "\(often.invalid)")
    let disturbed = try comparison(spoiling: 5..<10, stolen: 0.05)
    #expect(disturbed.counted == 11 && disturbed.invalid.isEmpty, "\(disturbed.invalid)")
  }

  @Test(arguments: ["none_lost", "none_duplicated", "parts_add_up", "within_range", "ran_to_end"])
  func whatNoMachineDoesVoidsTheComparison(_ check: String) throws {
    let comparison = try Self.comparison(rounds: 12) { round, candidate in
      let suite = try Self.suite(round: round, salt: UInt64(candidate), stolen: 0.05)
      return candidate == 1 && round == 7 ? failing(check, suite) : suite
    }
    #expect(comparison.invalid.count == 1 && comparison.invalid[0].contains("\(check),"), "\(comparison.invalid)")
  }

  @Test func aSystemThatLosesJobsMakesItInvalid() throws {
    let comparison = try Self.comparison(rounds: 3) { round, candidate in
      try Self.suite(round: round, salt: 1, lost: candidate)
    }
    #expect(comparison.invalid.count == 1)
    #expect(comparison.invalid.first?.contains("none_lost") == true)
  }

  @Test func unlikeResultsAreNamed() throws {
    let one = try Self.suite(round: 1, salt: 1)
    #expect(one.unlikeness(try Self.suite(round: 1, salt: 2, commit: "d"), varied: []).isEmpty)
    #expect(one.notableDifferences(try Self.suite(round: 1, salt: 2, commit: "d")) == [Setting("git_commit", "d")])
    let otherTape = one.unlikeness(try Self.suite(round: 1, salt: 1, fingerprint: "g"), varied: [])
    #expect(otherTape.count == 1 && otherTape[0].contains("another tape"))
    #expect(one.unlikeness(try Self.suite(round: 1, salt: 1, fingerprint: "g"), varied: nil, isTapeNamed: true) == [])
    // With another seed nothing is the same, whatever was named.
    let otherSeed = one.unlikeness(try Self.suite(round: 2, salt: 1), varied: nil, isTapeNamed: true)
    #expect(otherSeed.count == 1 && otherSeed[0].contains("another seed"))
    var other = one
    other.environment[0].value = "two"
    other.scenarios[0].settings[0].value = "priority"
    #expect(one.unlikeness(other, varied: []).count == 2)
    #expect(one.unlikeness(other, varied: ["policy"]).count == 1)
    #expect(one.unlikeness(other, varied: nil).count == 1)
    other.scenarios[0].name = "else"
    #expect(one.unlikeness(other, varied: []).contains { $0.contains("other scenarios") })
  }

  /// Stored results whose tapes differ in a part are compared where that part is named.
  @Test func partsOfATapeAreNamedOneByOne() throws {
    func suite(_ fingerprint: String, arrivals: String = "1", a: String? = "2", b: String = "3") throws -> SuiteResult {
      var suite = try Self.suite(round: 1, salt: 1, fingerprint: fingerprint)
      suite.scenarios[0].runs[0].tape = TapeParts(
        arrivals: arrivals, types: (a.map { [Setting("a", $0)] } ?? []) + [Setting("b", b)])
      return suite
    }
    let one = try suite("f")
    let service = try suite("g", b: "4")
    #expect(
      one.unlikeness(service, varied: [])[0].contains("what jobs of b do differs; jobs arrive at the same"))
    #expect(one.unlikeness(service, varied: ["b"]) == [] && one.unlikeness(service, varied: ["a"]) != [])
    let later = try suite("h", arrivals: "5")
    #expect(one.unlikeness(later, varied: ["load"]) == [] && one.unlikeness(later, varied: ["b"]) != [])
    #expect(one.tapeDifferences(later) == ["mixed: jobs arrive at other times, so only the seeds are the same"])
    let without = try suite("i", a: nil)
    #expect(without.tapeDifferences(one)[0].contains("only the candidate has jobs of a"))
    var foreign = try suite("j")
    foreign.scenarios[0].runs[0].tape?.types = [Setting("c", "1")]
    #expect(one.unlikeness(foreign, varied: nil, isTapeNamed: true)[0].contains("another set of job types"))
  }

  @Test func zerosAndMissingValuesAreSaid() throws {
    var comparison = Comparison(rules: ComparisonRules(), metrics: ["rejected", "backoff.mean", "waiting.max"])
    for round in 1...2 {
      comparison.add(
        ComparisonRound(number: round, seed: 1, order: [0, 1]),
        [try Self.suite(round: round, salt: 1), try Self.suite(round: round, salt: 1)], labels: ["a", "b"])
    }
    let contrasts = comparison.contrasts(isLast: true)
    #expect(contrasts[0].logRatios == [0, 0])
    #expect(contrasts[1].note == "no value in round 1: no sample of backoff")
    #expect(contrasts[2].change == 0)
  }
}

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
    ("throughput > 3%", "allows nothing"), ("throughput > -3", "in percent"), ("vs().throughput > -3%", "no baseline"),
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
        #expect(check.words.contains("not clearly enough among 6 bounds"), "\(check.words)")
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
    #expect(disturbed.count == 1 && disturbed[0].contains("other programs had 1.0 % in the rounds of main, 50.0 %"))
    #expect(try lines(baseline: busy).count == 1)
    // They used processors that nobody wanted.
    #expect(try lines(candidate: { $0.otherPrograms = Reading(0.5) }) == [])
    #expect(try lines(candidate: { $0.hostSteal = Reading(0.05) })[0].contains("the host took 0.0 %"))
    #expect(try lines(candidate: { $0.spinSpeed = Reading(0.6) })[0].contains("14.3 % slower"))
    #expect(try lines(candidate: { $0.generatorLateness = Self.lateness(.microseconds(400)) })[0].contains("generator"))
    // A baseline of a version that kept nothing of it.
    let old: Change = {
      ($0.otherPrograms, $0.runDelay, $0.spinSpeed) = (nil, nil, nil)
    }
    #expect(try lines(baseline: old) == [])
    #expect(try lines(baseline: old, candidate: busy)[0].contains("was not kept"))

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
