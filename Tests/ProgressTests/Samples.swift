// Goal: a run and a comparison under way, the same in every test, and the comparison of frames with golden files.

import Foundation
import TailraceCore
import TailraceHarness
import TailraceMeasurement
import Testing
@testable import TailraceReplay

@testable import tailrace

enum Samples {
  /// Half a minute of a run whose throughput and queue rise and fall.
  static func history(_ change: (inout SuiteProgress) -> Void = { _ in }) -> ProgressHistory {
    var history = ProgressHistory()
    for step in 0...150 {
      var progress = SuiteProgress(
        scenario: "orders", system: "live", index: 1, count: 2, jobs: step * 80,
        elapsed: .milliseconds(Int64(step) * 200),
        left: .milliseconds(90_000 - Int64(step) * 200))
      progress.share = Double(step) / 300
      var figures = LiveFigures()
      figures.settled = step * 79
      figures.counts = JobCounts(waiting: step % 50 * 3, running: 4, later: 2)
      figures.throughput = 400 + Double(step % 75) * 2
      figures.response = LiveFigures.Percentiles(
        p50: .microseconds(1_230), p90: .microseconds(3_400), p99: .microseconds(12_300), max: .milliseconds(40))
      figures.waiting = LiveFigures.Percentiles(
        p50: .microseconds(120), p90: .microseconds(800), p99: nil, max: .microseconds(3_900))
      figures.targets = targets
      progress.figures = figures
      change(&progress)
      history.add(progress)
    }
    return history
  }

  static let targets = [
    TargetSoFar(expression: "response.p99 < 50ms", verdict: .met, observed: 12.3e6, unit: .time),
    TargetSoFar(expression: "waiting{priority=high}.p99 < 5ms", verdict: .missed, observed: 7.2e6, unit: .time),
    TargetSoFar(expression: "success{type=data_export} >= 99%", verdict: .noSamples, unit: .ratio),
    TargetSoFar(expression: "lost == 0", verdict: .atTheEnd, unit: .count),
  ]

  static func comparison(round: Int) -> ComparisonProgress {
    let width = 0.12 / Double(round)
    return ComparisonProgress(
      title: "main → candidate", round: round, rounds: 12, left: .seconds(190),
      metrics: [
        IntervalLine(
          name: "throughput", low: -width, high: width, delta: 0.02, verdict: width < 0.02 ? .same : .unclear),
        IntervalLine(name: "response.p99", low: 0.08 - width / 3, high: 0.08 + width / 3, delta: 0.02, verdict: .worse),
        IntervalLine(name: "waiting{priority=high}.p99", low: -0.3, high: -0.1, delta: 0.02, verdict: .better),
        IntervalLine(name: "processor_time", delta: 0.02),
      ])
  }
}

/// A frame without colours.
func plain(_ lines: [FrameLine]) -> String { lines.map { $0.text(hasColor: false) + "\n" }.joined() }

/// Compares a text with the golden file of this name; `RECORD_GOLDEN=1` writes it and fails.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/\(name)")
  if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
    try text.write(to: file, atomically: true, encoding: .utf8)
    Issue.record("recorded \(name)", sourceLocation: sourceLocation)
    return
  }
  #expect(text == (try String(contentsOf: file, encoding: .utf8)), sourceLocation: sourceLocation)
}
