// Goal: the report of a plan says what was found, what is undecided and what binds, and no more than that.

import Foundation
import TailraceMeasurement
import Testing

@testable import TailraceReport

@Suite struct PlanPageTests {
  /// Compares bytes with a golden file; with RECORD_GOLDEN=1 rewrites the file, and fails.
  private func expectGolden(_ name: String, _ bytes: [UInt8]) throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/\(name)")
    if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
      try Data(bytes).write(to: url)
      Issue.record("\(name) was rewritten; run again without RECORD_GOLDEN")
      return
    }
    let expected = try Data(contentsOf: url)
    #expect(String(decoding: bytes, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
  }

  private func candidate(
    _ workers: Int, waiting: Double, half: Double, verdict: CapacityTargetPoint.Verdict, replications: Int = 10,
    length: Double = 15e9, trouble: String = "", isUnsettled: Bool = false
  ) -> PlanCandidate {
    let target: CapacityTargetPoint.Verdict = isUnsettled || !trouble.isEmpty ? .met : verdict
    return PlanCandidate(
      values: ["\(workers)"], verdict: verdict, isOverloaded: trouble.hasPrefix("its queue grows"),
      isUnsettled: isUnsettled, trouble: trouble,
      targets: [
        CapacityTargetPoint(
          target: "waiting.mean < 8ms", unit: .time, limit: 8e6,
          observed: CapacityEstimate(waiting, low: waiting - half, high: waiting + half), verdict: target),
        CapacityTargetPoint(
          target: "success >= 99%", unit: .ratio, limit: 0.99, observed: CapacityEstimate(1, low: 1, high: 1),
          verdict: .met),
      ], replications: replications, length: length, jobs: 25_000 * replications, isOutOfLooks: false,
      pools: [CapacityPoolUse(pool: "async", utilization: 3.2 / Double(workers))])
  }

  private func result(_ candidates: [PlanCandidate], binding: PlanBinding?) -> PlanResult {
    PlanResult(
      version: "0.1.0", started: "2000-01-01T00:00:00Z", environment: [Setting("processors", "2")],
      command: "tailrace plan mine.yaml --vary scheduler.workers=3..6 --seed 7", seed: 7, scenario: "mine",
      summary: "A fixed plan.", settings: [Setting("load", "poisson 320/s")], notes: [],
      targets: ["waiting.mean < 8ms", "success >= 99%"], varied: ["scheduler.workers"], count: 4, replications: 10,
      budget: 20_000_000, length: 15e9, candidates: candidates, binding: binding, isInterrupted: false)
  }

  var found: PlanResult {
    result(
      [
        candidate(3, waiting: 3e6, half: 1e6, verdict: .missed, trouble: "its queue grows by 4.1 jobs a second"),
        candidate(4, waiting: 7.9e6, half: 0.2e6, verdict: .unclear, replications: 640, length: 60e9),
        candidate(5, waiting: 1.6e6, half: 0.1e6, verdict: .met),
        candidate(6, waiting: 0.4e6, half: 0.1e6, verdict: .unclear, isUnsettled: true),
      ],
      binding: PlanBinding(
        subject: 2, ground: .hasLeastToSpare, target: "waiting.mean < 8ms",
        sensitivities: [
          ConstraintSensitivity(
            constraint: "workers of the pool async: 5 → 6", change: CapacityEstimate(-1.2e6, low: -1.4e6, high: -1e6),
            unit: .time, helps: true),
          ConstraintSensitivity(
            constraint: "queue: 10000 → 20000 jobs", change: CapacityEstimate(0, low: 0, high: 0), unit: .time,
            helps: false),
        ],
        spares: [
          PlanBinding.Spare(
            target: "waiting.mean < 8ms", unit: .time, margin: 6.4e6, movedBy: "workers of the pool async"),
          PlanBinding.Spare(target: "success >= 99%", unit: .ratio, margin: 0.01, movedBy: nil),
        ]))
  }

  @Test(arguments: ["report.md", "plan.csv", "plan.json"]) func filesAreAsBefore(path: String) throws {
    let files = try PlanFiles.render(found)
    #expect(files.map(\.path) == ["report.md", "report.html", "plan.csv", "plan.json"])
    let file = try #require(files.first { $0.path == path })
    try expectGolden("plan-\(path)", file.bytes)
  }

  /// The sensitivities had another name in earlier versions.
  @Test func theFormerNameOfSensitivitiesIsRead() throws {
    let files = try PlanFiles.render(found)
    let json = String(decoding: try #require(files.first { $0.path == "plan.json" }).bytes, as: UTF8.self)
    #expect(json.contains("\"sensitivities\":["))
    let former = json.replacing("\"sensitivities\":", with: "\"reliefs\":")
    #expect(try PlanFiles.decode(Array(former.utf8)) == found)
  }

  @Test func renderingAgainFromJSONGivesTheSameBytes() throws {
    let files = try PlanFiles.render(found)
    let json = try #require(files.last)
    let read = try PlanFiles.decode(json.bytes)
    #expect(read == found)
    #expect(try PlanFiles.render(read).map(\.bytes) == files.map(\.bytes))
  }

  /// Both pages have the same answer, verdicts and figures, and the table has the figures.
  @Test func everyDocumentSaysTheSame() throws {
    let (page, html, table) = try (PlanPage.render(found), PlanDocument.render(found), PlanFiles.table(found))
    let text = [("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'")].reduce(html) { $0.replacing($1.0, with: $1.1) }
    let words = PlanWords(found)
    for line in [words.answer, words.effort] + words.shortfalls + words.binding {
      #expect(page.contains(line), "\(line)")
      #expect(text.contains(line), "\(line)")
    }
    for candidate in found.candidates {
      for target in candidate.targets {
        #expect(page.contains(PlanWords.value(target)) && html.contains(PlanWords.value(target)))
        let value = try #require(target.observed?.value)
        #expect(
          table.contains(
            "\(candidate.verdict.rawValue),target,\(target.target),\(target.unit.rawValue),\(HumanUnits.exact(value)),")
        )
      }
    }
  }

  /// Where jobs failed or were turned away, every document has their share; where none did, no column is spent on it.
  @Test func whereverJobsDoNotSucceedTheirShareIsShown() throws {
    var failing = found
    for (place, share) in [0.5, 0.97, 1, nil].enumerated() { failing.candidates[place].success = share }
    let (page, html, table) = try (PlanPage.render(failing), PlanDocument.render(failing), PlanFiles.table(failing))
    #expect(page.contains("| Success | Busy |") && html.contains(">Success</th>"))
    for share in ["50.0 %", "97.0 %", "100 %"] {
      #expect(page.contains("| \(share) |") && html.contains(">\(share)</td>"), "\(share)")
    }
    #expect(table.contains("scheduler.workers=4,640,60000000000,unclear,success,value,ratio,0.97,,"))
    #expect(try PlanFiles.decode(try #require(try PlanFiles.render(failing).last).bytes) == failing)
    var all = found
    for place in all.candidates.indices { all.candidates[place].success = 1 }
    #expect(try !PlanPage.render(all).contains("| Success |") && !PlanDocument.render(all).contains(">Success</th>"))
  }

  /// A configuration that failed is named in every document, and nothing is called the cheapest.
  @Test func whatFailedIsNamed() throws {
    var failing = found
    failing.failures = ["scheduler.workers=2: it needs more than there is"]
    let (page, html) = (try PlanPage.render(failing), try PlanDocument.render(failing))
    for document in [page, html] {
      #expect(document.contains("This configuration failed: scheduler.workers=2: it needs more than there is"))
      #expect(document.contains("scheduler.workers=5 meets them") && !document.contains("Cheapest"))
    }
    #expect(html.contains("! Invalid") && failing.exitStatus == 4)
    #expect(try PlanFiles.decode(try #require(try PlanFiles.render(failing).last).bytes) == failing)
  }

  /// What is not decided is never called a failure, and the answer is called the cheapest *known*.
  @Test func whatIsUndecidedDoesNotFail() throws {
    let words = PlanWords(found)
    #expect(words.answer == "Cheapest known to meet every target with 95 % confidence: scheduler.workers=5")
    #expect(!words.shortfalls.contains { $0.contains("fails") })
    #expect(words.shortfalls[0].hasPrefix("scheduler.workers=4 is undecided: waiting.mean < 8ms: 7.90 ms ± 200 µs"))
    let html = try PlanDocument.render(found)
    #expect(html.contains("Cheapest known to meet") && html.contains("✓ scheduler.workers=5"))
  }

  @Test func whatFailsIsSaidToFail() {
    let words = PlanWords(
      result(
        [
          candidate(4, waiting: 9e6, half: 0.2e6, verdict: .missed),
          candidate(5, waiting: 1e6, half: 1e5, verdict: .met),
        ], binding: nil))
    #expect(words.shortfalls == ["The next cheaper, scheduler.workers=4, fails waiting.mean < 8ms (9.00 ms)."])
    let grows = PlanWords(
      result(
        [
          candidate(4, waiting: 3e6, half: 0.2e6, verdict: .missed, trouble: "its queue grows by 4 jobs a second"),
          candidate(5, waiting: 1e6, half: 1e5, verdict: .met),
        ], binding: nil))
    #expect(
      grows.shortfalls
        == ["The next cheaper, scheduler.workers=4, does not keep up: its queue grows by 4 jobs a second."])
  }

  @Test func noneIsOnlySaidOfWhatWasDecided() throws {
    let missed = candidate(4, waiting: 9e6, half: 0.2e6, verdict: .missed)
    let unclear = candidate(5, waiting: 8e6, half: 0.2e6, verdict: .unclear)
    #expect(PlanWords(result([missed], binding: nil)).answer.contains("meets every target"))
    #expect(PlanWords(result([missed, unclear], binding: nil)).answer.contains("is known to meet every target"))
    var cut = result([missed], binding: nil)
    cut.isInterrupted = true
    #expect(PlanWords(cut).answer.hasPrefix("Not finished: "))
    #expect(try PlanDocument.render(cut).contains("! Not finished"))
    // One that meets the targets need not be the cheapest: cheaper ones were perhaps never tried.
    var found = result([missed, candidate(6, waiting: 1e6, half: 1e5, verdict: .met), unclear], binding: nil)
    found.isInterrupted = true
    let words = PlanWords(found)
    #expect(found.best == nil && found.exitStatus == 4 && found.word == "INVALID")
    #expect(words.answer.hasSuffix("tried, scheduler.workers=6 meets them"), "\(words.answer)")
    #expect(words.shortfalls.isEmpty)
    let pages = try PlanPage.render(found) + PlanDocument.render(found)
    #expect(!pages.lowercased().contains("cheapest that meets") && !pages.contains("known to meet"))
  }
}
