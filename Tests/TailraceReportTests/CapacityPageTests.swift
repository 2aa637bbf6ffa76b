// Goal: one fixed result of a search for the highest rate gives exactly the files beside this test, and the same bytes
// after a trip through JSON; the words say what was found and what was not.

import Foundation
import TailraceMeasurement
import Testing

@testable import TailraceReport

@Suite struct CapacityPageTests {
  private static let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

  /// Compares bytes with a golden file; with RECORD_GOLDEN=1 rewrites the file, and fails.
  private func expectGolden(_ name: String, _ bytes: [UInt8]) throws {
    let url = Self.golden.appending(path: name)
    if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
      try Data(bytes).write(to: url)
      Issue.record("\(name) was rewritten; run again without RECORD_GOLDEN")
      return
    }
    let expected = try #require(try? Data(contentsOf: url), "no golden file \(name); RECORD_GOLDEN=1 writes it")
    #expect(String(decoding: bytes, as: UTF8.self) == String(decoding: expected, as: UTF8.self), "\(name) differs")
  }

  private func point(_ rate: Double, _ verdict: CapacityPoint.Verdict, _ reason: String = "") -> CapacityPoint {
    let wait = rate * rate * 500
    return CapacityPoint(
      rate: rate, runs: 8, verdict: verdict, reason: reason,
      targets: [
        CapacityTargetPoint(
          target: "waiting.p99 < 50ms", unit: .time, limit: 50e6,
          observed: CapacityEstimate(wait, low: wait * 0.9, high: wait * 1.125),
          verdict: verdict == .sustained ? .met : verdict == .unclear ? .unclear : .missed)
      ],
      responseP50: CapacityEstimate(wait / 4), responseP99: CapacityEstimate(wait * 1.25, low: wait, high: wait * 1.5),
      throughput: CapacityEstimate(min(rate, 400), low: min(rate, 400) - 1, high: min(rate, 400) + 1),
      growth: CapacityEstimate(max(0, rate - 400), low: max(0, rate - 400) - 0.5, high: max(0, rate - 400) + 0.5),
      turnedAway: 0, cutOff: 0, pools: [CapacityPoolUse(pool: "async", utilization: min(1, rate / 400))])
  }

  private func search(_ system: String, shift: Double = 0) -> CapacitySearch {
    CapacitySearch(
      system: system, outcome: .found,
      limit: CapacityLimit(
        rate: CapacityEstimate(318.5 + shift, low: 312 + shift, high: 325 + shift), method: .crossing,
        reason: "waiting.p99 < 50ms", rounds: 24),
      points: [
        point(120, .sustained), point(240 + shift, .sustained), point(320 + shift, .unclear, "waiting.p99 < 50ms"),
        point(360 + shift, .missed, "waiting.p99 < 50ms"),
        point(440 + shift, .growing, "growing queue: 40 jobs longer each second"),
      ], runs: 41, invalidRuns: system == "live" ? 1 : 0,
      invalidity: system == "live" ? ["host_steal: CPU time taken by the host"] : [], elapsed: 4e9)
  }

  private func configuration(_ workers: Int, shift: Double) -> CapacityConfiguration {
    CapacityConfiguration(
      varied: [Setting("scheduler.workers", "\(workers)")],
      theory: CapacityTheory(
        bounds: [
          CapacityTheory.Bound(
            resource: "workers of the pool async", rate: Double(workers) * 100,
            formula: "\(workers) workers ÷ 10 ms of work a job")
        ],
        exact: [
          CapacityTheory.Exact(
            target: "waiting.p99 < 50ms", rate: 318.46479 + shift, formula: "M/M/\(workers): root of the quantile")
        ]),
      search: search("live", shift: shift), simulation: search("simulated", shift: shift + 1),
      sensitivities: [
        ConstraintSensitivity(
          constraint: "workers of the pool async: \(workers) → \(workers + 1)",
          change: CapacityEstimate(-29e6, low: -33e6, high: -25e6), unit: .time, helps: true),
        ConstraintSensitivity(
          constraint: "queue: 10000 → 20000 jobs", change: CapacityEstimate(0, low: 0, high: 0), unit: .time,
          helps: false),
      ], firstToGiveOut: "workers of the pool async")
  }

  private func result() -> CapacityResult {
    CapacityResult(
      version: "0.1.0", started: "2026-01-05T00:00:00Z", environment: [Setting("processors", "2")],
      command: "tailrace capacity four-servers --system live --seed 1", seed: 1, scenario: "four-servers",
      summary: "M/M/4.", settings: [Setting("workers", "4")], notes: [], system: "live",
      targets: ["waiting.p99 < 50ms"],
      precision: 0.02, lowestRate: nil, highestRate: 500, window: 12e9,
      configurations: [configuration(4, shift: 0), configuration(5, shift: 90)], isInterrupted: false)
  }

  @Test(arguments: ["report.md", "capacity.csv", "capacity.json"]) func fileIsAsBefore(path: String) throws {
    let file = try #require(try CapacityFiles.render(result()).first { $0.path == path })
    try expectGolden("capacity-" + path, file.bytes)
  }

  /// The sensitivities had another name in earlier versions.
  @Test func theFormerNameOfSensitivitiesIsRead() throws {
    let files = try CapacityFiles.render(result())
    let json = String(decoding: try #require(files.first { $0.path == "capacity.json" }).bytes, as: UTF8.self)
    #expect(json.contains("\"sensitivities\":["))
    let former = json.replacing("\"sensitivities\":", with: "\"reliefs\":")
    #expect(try CapacityFiles.decode(Array(former.utf8)) == result())
  }

  @Test func renderingAgainFromJSONGivesTheSameBytes() throws {
    let files = try CapacityFiles.render(result())
    let again = try CapacityFiles.render(CapacityFiles.decode(try #require(files.last).bytes))
    #expect(files.map(\.path) == again.map(\.path) && files.map(\.bytes) == again.map(\.bytes))
    #expect(throws: ReportProblem.self) { try CapacityFiles.decode(Array("{\"format\":99}".utf8)) }
  }

  /// Markdown, HTML and JSON of one search.
  @Test func documentsAgree() throws {
    let result = result()
    let files = Dictionary(uniqueKeysWithValues: try CapacityFiles.render(result).map { ($0.path, $0.bytes) })
    let page = String(decoding: try #require(files["report.html"]), as: UTF8.self).replacing(/<[^>]*>/, with: "")
      .replacing("&lt;", with: "<")
    let text = String(decoding: try #require(files["report.md"]), as: UTF8.self).replacing("`", with: "")
    for configuration in result.configurations {
      let answer = CapacityWords.answer(configuration.search)
      #expect(page.contains(answer) && text.contains(answer), "\(answer)")
      for target in result.targets { #expect(page.contains(target) && text.contains(target)) }
    }
    struct Judged: Decodable {
      var verdict: String
      var exitStatus: Int32
      enum CodingKeys: String, CodingKey { case verdict, exitStatus = "exit_status" }
    }
    let json = try JSONDecoder().decode(Judged.self, from: Data(try #require(files["capacity.json"])))
    #expect(json.verdict == result.word && json.exitStatus == result.exitStatus)
  }

  @Test func answersAreSentences() {
    var found = search("simulated")
    #expect(CapacityWords.answer(found) == "319 /s (95 % interval 312 to 325 /s); waiting.p99 < 50ms ends it")
    found.limit = CapacityLimit(
      rate: CapacityEstimate(195, low: 195, high: 202), method: .bracket, reason: "growing queue", rounds: 8)
    #expect(CapacityWords.answer(found) == "195 /s is sustained, 202 /s is not; a growing queue ends it")
    (found.outcome, found.limit, found.isCutShort) = (.none, nil, true)
    found.points = [point(360, .missed, "waiting.p99 < 50ms")]
    #expect(
      CapacityWords.answer(found)
        == "no rate is sustained: even at 360 /s, the target 'waiting.p99 < 50ms' is missed; cut short")
    (found.outcome, found.isCutShort) = (.beyond, false)
    #expect(CapacityWords.answer(found).hasPrefix("360 /s, the highest rate tried, is sustained"))
    (found.outcome, found.points) = (.inconclusive, [])
    #expect(CapacityWords.answer(found) == "inconclusive")
  }
}
