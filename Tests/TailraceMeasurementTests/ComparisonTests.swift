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
      one.unlikeness(service, varied: [])[0].contains("the work of b differs; arrival times are equal"))
    #expect(one.unlikeness(service, varied: ["b"]) == [] && one.unlikeness(service, varied: ["a"]) != [])
    let later = try suite("h", arrivals: "5")
    #expect(one.unlikeness(later, varied: ["load"]) == [] && one.unlikeness(later, varied: ["b"]) != [])
    #expect(one.tapeDifferences(later) == ["mixed: jobs arrive at other times, and only the seeds are equal"])
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
