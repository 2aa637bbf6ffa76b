// Goal: the pages of a comparison and of a search for the highest rate stand alone, say the verdict first and draw
// every interval.

import Foundation
@testable import TailraceMeasurement
import Testing

@testable import TailraceReport

struct ComparisonDocumentTests {
  static func findings(longer: Double, forced: [String] = [], labels: [String] = ["main", "change"]) throws
    -> ComparisonFindings
  {
    var comparison = Comparison(rules: ComparisonRules())
    for round in 1...12 {
      comparison.add(
        ComparisonRound(number: round, seed: UInt64(round), order: [0, 1]),
        [try FixedSuite.makeRound(round), try FixedSuite.makeRound(round + 1, longer: longer)], labels: labels)
    }
    return ComparisonFindings(
      name: "stream", command: "tailrace compare stream", version: "0.1.0", started: "2000-01-01T00:00:00Z",
      candidates: labels.map { ComparedCandidate(label: $0, source: "run") }, comparison: comparison,
      contrasts: comparison.contrasts(isLast: true), ending: "every verdict is reached", forced: forced,
      first: [try FixedSuite.makeRound(1), try FixedSuite.makeRound(2)])
  }

  @Test func aPlantedSlowdownIsSaidAndDrawn() throws {
    let findings = try Self.findings(longer: 0.2)
    let page = try ComparisonDocument.render(findings)
    try PageRules.expectHeld(page, pictures: 4)
    let drawn = findings.contrasts.count { $0.low != nil }
    #expect(drawn > 3)
    #expect(page.matches(of: /class="estimate [a-z]+" *\/><\/svg>/).count >= drawn)
    #expect(page.contains("The cause is the <strong>service time</strong> of <code>long</code>"))
    let files = try ComparisonFiles.render(findings)
    #expect(files.first { $0.path == "report.html" }.map { $0.bytes == Array(page.utf8) } == true)
  }

  /// `comparison.json` has the part by name; the number of earlier versions is read too.
  @Test func partsAreNamed() throws {
    let findings = try Self.findings(longer: 0.2)
    let json = String(decoding: try ComparisonFiles.encode(findings), as: UTF8.self)
    #expect(json.contains(#""part":"service""#) && !json.contains(/"part":[0-9]/))
    #expect(try ComparisonFiles.decode(Array(json.utf8)) == findings)
    let old = Quantity.allCases.reduce(json) { text, part in
      text.replacing("\"part\":\"\(part.name)\"", with: "\"part\":\(part.rawValue)")
    }
    #expect(old != json && old.contains(/"part":[0-9]/))
    #expect(try ComparisonFiles.decode(Array(old.utf8)) == findings)
    let wrong = Array(old.replacing(/"part":[0-9]/, with: "\"part\":99").utf8)
    #expect(throws: ReportProblem.self) { try ComparisonFiles.decode(wrong) }
  }

  /// A part that moves by more than the whole, and one that moves against it: times and plain words, no share above
  /// 100 %, and every percentage beside two times is the change of those.
  @Test func sharesOfTheChangeAreNeverTakenForChanges() throws {
    func shift(_ type: String, _ part: Quantity, _ before: Double, _ after: Double, carried: Double)
      -> Explanation.Shift
    {
      Explanation.Shift(
        type: type, part: part, before: before, after: after, carried: carried, low: carried - 1, high: carried + 1,
        isClear: true)
    }
    let service = shift("a", .service, 10e6, 18e6, carried: 8e6)
    var explanation = Explanation(
      scenario: "s", candidate: 1, before: 29e6, after: 34e6,
      shifts: [
        service, shift("b", .waiting, 19e6, 3.37e6, carried: -4e6), shift("c", .backoff, 2e6, 3e6, carried: 1e6),
      ],
      origin: service, quantiles: [], utilizationBefore: nil, utilizationAfter: nil)
    var lines = ExplanationWords.lines(explanation).joined(separator: "\n")
    #expect(
      lines.contains(
        "`a`: 10.0 ms → 18.0 ms (+80.0 %) per job. That adds 8.00 ms to the mean over all jobs, more than"),
      "\(lines)")
    #expect(lines.contains("3.00 ms (+50.0 %) per job, which adds 1.00 ms to the mean over all jobs, 20.0 % of"))
    #expect(!lines.contains("160 %") && !lines.contains("carries"), "\(lines)")
    explanation.origin = explanation.shifts[1]
    explanation.after = 26e6
    lines = ExplanationWords.lines(explanation).joined(separator: "\n")
    #expect(lines.contains("19.0 ms → 3.37 ms (-82.3 %) per job"), "\(lines)")
    var findings = try Self.findings(longer: 0.2)
    findings.explanations = [explanation]
    findings.explanations[0].scenario = findings.contrasts[0].scenario
    let page = try ComparisonPage.render(findings)
    #expect(page.contains("Share of the mean's change") && page.contains("more than all of it"), "\(page)")
    #expect(page.contains("against it"))
  }

  /// The verdict's cell gives the reason, in every document.
  @Test func whatIsUnclearSaysWhyInEveryDocument() throws {
    var findings = try Self.findings(longer: 0.2)
    findings.contrasts[0].verdict = .unclear
    findings.contrasts[0].uncorrected = .worse
    findings.contrasts[0].reason = "the correction for 8 metrics: p is 0.004 alone, 0.032 corrected"
    for page in try [ComparisonPage.render(findings), ComparisonDocument.render(findings)] {
      #expect(
        page.contains("(alone: worse) – the correction for 8 metrics: p is 0.004 alone, 0.032 corrected"))
    }
  }

  @Test func theHeadLineSaysWhatWouldHaveBeenMissed() throws {
    var findings = try Self.findings(longer: 0)
    for index in findings.contrasts.indices {
      findings.contrasts[index].verdict = .unclear
      findings.contrasts[index].detectable = findings.contrasts[index].metric == "response.mean" ? 0.1 : 0.02
    }
    let line = ComparisonPage.headline(findings, candidate: 1)
    #expect(
      line.hasPrefix("UNCLEAR: of ")
        && line.hasSuffix(
          "; smaller changes would have been missed: response.mean below ±10.5 %, throughput below ±2.02 %"),
      "\(line)")
    for index in findings.contrasts.indices { findings.contrasts[index].detectable = nil }
    let blind = ComparisonPage.headline(findings, candidate: 1)
    #expect(blind.hasPrefix("UNCLEAR: no change could have been detected: 12 rounds are too few for"), "\(blind)")
    findings.contrasts[0].verdict = .worse
    #expect(!ComparisonPage.headline(findings, candidate: 1).contains("missed"))
  }

  @Test func largeChangesAreDrawnAsRatios() throws {
    let page = try ComparisonDocument.render(Self.findings(longer: 3))
    #expect(page.contains("Half and double are equally far") && page.contains(">× 2</text>"))
  }

  @Test func whatIsForcedStandsFirstAndNothingBecomesMarkup() throws {
    let hostile = "<img src=x onerror=alert(1)>"
    var findings = try Self.findings(longer: 0.2, forced: ["another \(hostile)"], labels: [hostile, "\(hostile)2"])
    findings.name = hostile
    let page = try ComparisonDocument.render(findings)
    #expect(!page.contains("<img"))
    let forced = try #require(page.firstRange(of: "Forced. The candidates differ"))
    let picture = try #require(page.firstRange(of: "class=\"picture"))
    #expect(forced.lowerBound < picture.lowerBound)
  }

  @Test func aComparisonWithoutRoundsHasAPage() throws {
    let findings = ComparisonFindings(
      name: "none", command: "c", version: "1", started: "s",
      candidates: [ComparedCandidate(label: "a", source: ""), ComparedCandidate(label: "b", source: "")],
      comparison: Comparison(rules: ComparisonRules()), contrasts: [], ending: "cut short", forced: [], first: [])
    #expect(try ComparisonDocument.render(findings).contains("! Invalid"))
  }
}

struct CapacityDocumentTests {
  private static func search(_ system: String, factor: Double) -> CapacitySearch {
    let points = [200.0, 300, 350, 380].map { rate in
      let waiting = 3e6 / (1 - rate / 400) * factor
      let target = CapacityTargetPoint(
        target: "waiting.p99 < 50ms", unit: .time, limit: 50e6,
        observed: CapacityEstimate(waiting, low: waiting * 0.95, high: waiting * 1.06),
        verdict: waiting < 50e6 ? .met : .missed)
      return CapacityPoint(
        rate: rate, runs: 8, verdict: waiting < 50e6 ? .sustained : .missed, reason: "", targets: [target],
        responseP50: CapacityEstimate(9e6), responseP99: nil, throughput: CapacityEstimate(rate),
        growth: CapacityEstimate(0), turnedAway: 0, cutOff: 0,
        pools: [CapacityPoolUse(pool: "async", utilization: rate / 400)])
    }
    return CapacitySearch(
      system: system, outcome: .found,
      limit: CapacityLimit(
        rate: CapacityEstimate(372, low: 369, high: 376), method: .crossing, reason: "waiting.p99 < 50ms", rounds: 8),
      points: points, runs: 32)
  }

  static func result(_ configurations: [[Setting]], search: CapacitySearch? = nil) -> CapacityResult {
    CapacityResult(
      version: "0.1.0", started: "2000-01-01T00:00:00Z", environment: [Setting("processors", "2")], command: "tailrace",
      seed: 1, scenario: "four-servers", summary: "Four <servers>.", settings: [Setting("workers", "4")],
      notes: ["All streams are scaled alike."], system: "live", targets: ["waiting.p99 < 50ms"], precision: 0.02,
      lowestRate: nil, highestRate: nil, window: 20e9,
      configurations: configurations.map { varied in
        CapacityConfiguration(
          varied: varied,
          theory: CapacityTheory(
            bounds: [.init(resource: "workers of the pool async", rate: 400, formula: "4 workers ÷ 10 ms")],
            exact: [.init(target: "waiting.p99 < 50ms", rate: 374.2, formula: "M/M/4")]),
          search: search ?? Self.search("live", factor: 1), simulation: Self.search("simulated", factor: 0.98),
          sensitivities: [
            ConstraintSensitivity(
              constraint: "workers: 4 → 5", change: CapacityEstimate(-3e7, low: -3.2e7, high: -2.8e7), unit: .time,
              helps: true)
          ], firstToGiveOut: "workers of the pool async")
      }, isInterrupted: false)
  }

  @Test func theAnswerItsIntervalTheoryAndSimulationAreBesideEachOther() throws {
    let page = try CapacityDocument.render(Self.result([[]]))
    try PageRules.expectHeld(page, pictures: 1)
    for words in ["✓ 372 /s", "369 to 376 /s", "theory, exact: 374 /s", "theory, bound: 400 /s", "▲ helps"] {
      #expect(page.contains(words), "\(words)")
    }
    // Four rates on two systems, each with both ends of its interval.
    #expect(page.matches(of: /<line [^>]*class="range r[01]"/).count == 8)
    #expect(page.contains("Four &lt;servers&gt;."))
  }

  @Test func configurationsShareAPicture() throws {
    let page = try CapacityDocument.render(
      Self.result(["fifo", "priority", "aging"].map { [Setting("scheduler.policy", $0)] }))
    try PageRules.expectHeld(page, pictures: 4)
    #expect(page.contains("waiting.p99 &lt; 50ms, by configuration"))
  }

  @Test(arguments: CapacitySearch.Outcome.allCases)
  func everyOutcomeHasAPage(_ outcome: CapacitySearch.Outcome) throws {
    let search = CapacitySearch(system: "live", outcome: outcome, limit: nil, points: [], runs: 0)
    try PageRules.expectHeld(CapacityDocument.render(Self.result([[]], search: search)), pictures: 0)
  }
}
