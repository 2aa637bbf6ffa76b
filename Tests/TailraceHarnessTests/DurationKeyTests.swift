// Goal: every length of time that a scenario may name may have its greatest value: such a scenario is refused in words,
// or it runs in virtual time, ends when it is asked to, stays within its memory, and its report can be written.

import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceReport
import TailraceRuntime
import TailraceWorkload
import Testing
@testable import TailracePlatform
@testable import TailraceReplay

@testable import TailraceHarness

@Suite struct DurationKeyTests {
  /// Every key that holds a length of time, written `«value»`, with a value that goes with the others.
  private static let template = """
    name: keys
    duration: «2s»
    warmup: «1s»
    drain: «30s»
    jobs:
      a:
        service: «1ms»
        delay: «1ms»
        deadline: «1s»
        expected_service: «1ms»
        timeout: «1s»
        failures: 20%
        retries: {limit: 2, backoff: exponential, base: «10ms», cap: «1s»}
        cancel: {share: 10%, after: «1ms»}
        stall: {at: «1s», for: «10ms»}
      b: {work: {sqlite: read}, simulated_service: «1ms»}
      c: {work: {cycles: {limit: 5, needed: 1..3, pause: «1ms»}}, service: «1ms»}
    load:
      - {constant: 20/s, start: «0s», duration: «1s»}
      - {poisson: 20/s}
      - {bursty: {rate: 100/s, on: «100ms», off: «100ms»}}
      - {stages: [{to: 20/s, for: «1s»}, {to: 5/s, for: «1s»}]}
      - {closed: {clients: 2, think: «50ms»}, of: a}
      - {interval: «100ms»}
      - {cron: "@every «200ms»"}
      - {batch: 5}
    faults:
      - {fail: 5%, from: «0s», until: «1s»}
      - {stall: «1ms», at: «1s»}
      - {step_clock: +«10ms», at: «1s»}
      - {crash: 1, restart: «10ms», every: «500ms»}
    scheduler:
      workers: 2
      policy: {aging: {boost: «1s»}}
      timeout: «10s»
      adaptive: {aimd: {target: «1s»}}
      autoscaling: {queue_age: «100ms», interval: «100ms», cooldown: «1s»}
      codel: {target: «1s», interval: «1s»}

    """
  private static let parts = template.split(separator: "«", omittingEmptySubsequences: false)
    .map { $0.split(separator: "»", maxSplits: 1, omittingEmptySubsequences: false).map(String.init) }

  /// The template with one value, or with all of them, replaced.
  private static func yaml(_ place: Int?, _ value: String?) -> String {
    parts.enumerated().map { index, part in
      guard part.count == 2 else { return part[0] }
      return (value.flatMap { place == nil || place == index ? $0 : nil } ?? part[0]) + part[1]
    }.joined()
  }

  @Test func theTemplateHasEveryKey() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/TailraceWorkload/Reading")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasPrefix("ScenarioReader") || $0 == "ScenarioParser.swift" }
    var keys: Set<String> = ["stall", "step_clock", "at", "every", "interval", "boost", "timeout", "queue_age"]
    for name in names {
      let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      for match in text.matches(of: /(?:duration|span|serviceTime)\((?:fields|options)\["(\w+)"\]/) {
        keys.insert(String(match.1))
      }
    }
    #expect(keys.count > 25)
    for key in keys.sorted() {
      #expect(Self.template.contains(try Regex("\\b\(key): (?:\"@every |\\+)?«")), "no value of '\(key)' is tried")
    }
    guard case .success = ScenarioParser.parse(yaml: Self.yaml(nil, nil), file: "keys.yaml") else {
      return #expect(Bool(false), "the template is no scenario")
    }
  }

  private static let places = [Int](parts.indices.dropFirst())

  @Test(arguments: places, ["36525d", "exponential(mean: 36525d)"])
  func eachKeyMayHaveItsExtremes(_ place: Int, _ value: String) async throws {
    try await meets(Self.yaml(place, value))
  }

  @Test(arguments: ["36525d", "1ns", "18262d"]) func soMayAllTogether(_ value: String) async throws {
    try await meets(Self.yaml(nil, value))
    try await meets(Self.yaml(nil, value).replacing("step_clock: +", with: "step_clock: -"))
  }

  private func meets(_ yaml: String) async throws {
    let scenario: Scenario
    switch ScenarioParser.parse(yaml: yaml, file: "keys.yaml") {
    case .failure(let problems): return #expect(!problems.problems.isEmpty)
    case .success(let read): scenario = read
    }
    try await runs(scenario)
    let scaled = scenario.scaled(by: 10_000)
    if scaled.longestTime <= .longest, scaled.timesOutOfReach.isEmpty { try await runs(scaled) }
  }

  private func runs(_ scenario: Scenario) async throws {
    let forecast = LoadForecast(scenario)
    guard forecast.refusal == nil, RunNeeds.jobBytes(forecast) < 8e9 else { return }
    var options = SuiteOptions()
    options.systems = ["simulated"]
    let parts = SuiteParts.forTests()
    let interruption = StopFlag()
    let clock = Task {
      try? await Task.sleep(for: .milliseconds(50))
      interruption.stop()
    }
    let run = try await SuiteRunner(options, parts: parts, interruption: interruption).run([scenario]) { _ in }
    clock.cancel()
    let files = try ReportFiles.render(run.result)
    #expect(files.contains { $0.path == "report.md" })
    // Other tests run beside this one, and none needs as much.
    let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
    #expect(Int(pages)! * 4_096 < 4 << 30)
  }

}
