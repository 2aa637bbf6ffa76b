// Goal: what is said of a target while the run goes on is what will be said in the end, as far as anyone can know.

import TailraceCore
import Testing

@testable import TailraceMeasurement

struct TargetSoFarTests {
  /// A run of ten jobs of 1 to 10 ms, all of which have settled after 20 ms of a second.
  private func run() -> RunResult {
    let recorder = Recorder(
      Recorder.RecorderSettings(
        types: ["a", "b"], window: MeasurementWindow(start: .zero, end: .seconds(1)), attemptLimit: 0, expectedJobs: 1))
    for index in 1...10 {
      var record = TimelineRecord(
        number: UInt64(index), type: JobTypeID(rawValue: 0), priority: .normal, intended: .zero)
      (record.submitted, record.accepted, record.eligible, record.started) = (.zero, .zero, .zero, .zero)
      record.finished = .zero + .milliseconds(Int64(index))
      (record.settles, record.cause, record.outcome) = (true, .succeeded, .succeeded)
      recorder.record(record)
    }
    return RunResult(
      system: "live", seed: 1, timeScale: 1, fingerprint: "",
      measurement: recorder.measurement(RunFacts(intended: recorder.settledJobs), at: .milliseconds(20)),
      observations: Observations())
  }

  private func verdict(_ text: String, isWhole: Bool = true) throws -> TargetSoFar.Verdict {
    let expression = try TargetExpression(parsing: text, types: ["a", "b"])
    return TargetSoFar(expression, as: text, run: run(), scale: 1, isWhole: isWhole).verdict
  }

  @Test(arguments: [
    ("response.p50 < 6ms", TargetSoFar.Verdict.met), ("response.p50 < 4ms", .missed), ("response.p50 > 4ms", .met),
    ("response{type=b}.p50 < 6ms", .noSamples), ("success >= 99%", .met),
    // Ten jobs in the 20 ms so far, not in the whole second.
    ("throughput > 400/s", .met), ("throughput > 600/s", .missed),
    // What only grows may yet come to a lower bound, and never returns below an upper one.
    ("completed >= 10", .met), ("completed >= 11", .atTheEnd), ("completed == 10", .atTheEnd),
    ("completed == 11", .atTheEnd), ("completed == 9", .missed), ("completed < 10", .missed),
    ("response.max < 9ms", .missed), ("response.max < 11ms", .met), ("makespan < 1s", .met),
    // The whole run alone can say.
    ("lost == 0", .atTheEnd), ("speedup > 2", .atTheEnd), ("concurrency_max <= 4", .atTheEnd),
    ("peak_memory < 1GiB", .atTheEnd),
  ])
  func verdictSoFar(_ text: String, _ expected: TargetSoFar.Verdict) throws {
    #expect(try verdict(text) == expected)
  }

  @Test func aPartOfTheRecordsCountsNothing() throws {
    #expect(try verdict("completed >= 10", isWhole: false) == .atTheEnd)
    #expect(try verdict("response.p50 < 6ms", isWhole: false) == .met)
    // Throughput is a count over time.
    #expect(try verdict("throughput > 400/s", isWhole: false) == .atTheEnd)
  }

  @Test func nothingMeasuredIsNoVerdict() throws {
    let expression = try TargetExpression(parsing: "response.p50 < 6ms", types: [])
    #expect(TargetSoFar(expression, as: "", run: nil, scale: 1).verdict == .noSamples)
  }
}
