// Goal: the pages of a comparison and of a search for the highest rate stand alone, say the verdict first and draw
// every interval.

import Foundation
import TailraceMeasurement
import Testing

@testable import TailraceReport

struct ComparisonDocumentTests {
  private static func findings(longer: Double, forced: [String] = [], labels: [String] = ["main", "change"]) throws
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
    let page = ComparisonDocument.render(findings)
    try PageRules.expectHeld(page, pictures: 4)
    let drawn = findings.contrasts.count { $0.low != nil }
    #expect(drawn > 3)
    #expect(page.matches(of: /class="estimate [a-z]+" *\/><\/svg>/).count >= drawn)
    #expect(page.contains("It begins in the <strong>service time</strong> of <code>long</code>"))
    let files = try ComparisonFiles.render(findings)
    #expect(files.first { $0.path == "report.html" }.map { $0.bytes == Array(page.utf8) } == true)
  }

  @Test func largeChangesAreDrawnAsRatios() throws {
    let page = ComparisonDocument.render(try Self.findings(longer: 3))
    #expect(page.contains("Half and double are equally far") && page.contains(">× 2</text>"))
  }

  @Test func whatIsForcedStandsFirstAndNothingBecomesMarkup() throws {
    let hostile = "<img src=x onerror=alert(1)>"
    var findings = try Self.findings(longer: 0.2, forced: ["another \(hostile)"], labels: [hostile, "\(hostile)2"])
    findings.name = hostile
    let page = ComparisonDocument.render(findings)
    #expect(!page.contains("<img"))
    let forced = try #require(page.firstRange(of: "Forced: these are not alike"))
    let picture = try #require(page.firstRange(of: "class=\"picture"))
    #expect(forced.lowerBound < picture.lowerBound)
  }

  @Test func aComparisonWithoutRoundsHasAPage() {
    let findings = ComparisonFindings(
      name: "none", command: "c", version: "1", started: "s",
      candidates: [ComparedCandidate(label: "a", source: ""), ComparedCandidate(label: "b", source: "")],
      comparison: Comparison(rules: ComparisonRules()), contrasts: [], ending: "cut short", forced: [], first: [])
    #expect(ComparisonDocument.render(findings).contains("! Invalid"))
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

  private static func result(_ configurations: [[Setting]], search: CapacitySearch? = nil) -> CapacityResult {
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
          reliefs: [
            CapacityRelief(
              constraint: "workers: 4 → 5", change: CapacityEstimate(-3e7, low: -3.2e7, high: -2.8e7), unit: .time,
              helps: true)
          ], firstToGiveOut: "workers of the pool async")
      }, isInterrupted: false)
  }

  @Test func theAnswerItsIntervalTheoryAndSimulationAreBesideEachOther() throws {
    let page = CapacityDocument.render(Self.result([[]]))
    try PageRules.expectHeld(page, pictures: 1)
    for words in ["✓ 372 /s", "369 to 376 /s", "theory, exact: 374 /s", "theory, at most: 400 /s", "▲ helps"] {
      #expect(page.contains(words), "\(words)")
    }
    // Four rates on two systems, each with both ends of its interval.
    #expect(page.matches(of: /<line [^>]*class="range r[01]"/).count == 8)
    #expect(page.contains("Four &lt;servers&gt;."))
  }

  @Test func configurationsShareAPicture() throws {
    let page = CapacityDocument.render(
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
