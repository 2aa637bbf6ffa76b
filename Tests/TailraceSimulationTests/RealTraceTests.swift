// Goal: replayed in virtual time, real logs start each job in the second in which an independent simulator starts it.

import Foundation
import TailraceCore
import TailraceSimulation
import TailraceWorkload
import Testing

/// The folder of real logs, which the project does not ship: `TAILRACE_TRACES`, else `../shared/traces` beside it.
private let folder: String? = {
  let named = ProcessInfo.processInfo.environment["TAILRACE_TRACES"]
  let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("../shared/traces").standardized.path
  let path = named ?? beside
  return FileManager.default.fileExists(atPath: path) ? path : nil
}()

@Suite(.serialized, .enabled(if: folder != nil, "the real logs are not here: set TAILRACE_TRACES to their folder"))
struct RealTraceTests {
  /// On a thread of its own: computing for seconds would take the threads that all tests share from the live ones.
  private func replay(_ load: String, workers: Int) async throws -> (trace: Trace, records: [TimelineRecord]) {
    try await withUnsafeThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result { try replayHere(load, workers: workers) }) }.start()
    }
  }

  private func replayHere(_ load: String, workers: Int) throws -> (trace: Trace, records: [TimelineRecord]) {
    let scenario = try ScenarioParser.parse(
      yaml: "name: t\nload: {\(load)}\nscheduler: {workers: \(workers), policy: fifo}\n",
      file: try #require(folder) + "/t.yaml"
    ).get()
    var records: [TimelineRecord] = []
    _ = Simulation(Tape(scenario: scenario, seed: 1)).run { records += $0 }
    return (try #require(scenario.trace), records)
  }

  @Test(arguments: [
    ("SDSC-SP2-first4961__fcfs1__N10__x1", "trace: SDSC-SP2-1998-first4961.swf.gz", 10),
    ("LCG-2005-1-first10000__fcfs1__N600__x1", "trace: LCG-2005-1.swf.gz, first: 10000", 600),
  ])
  func everyJobStartsInItsSecond(golden: String, load: String, workers: Int) async throws {
    // The golden file is read as what it is too: comma separated, gzipped.
    let starts = try ScenarioParser.parse(
      yaml: "name: g\nload: {trace: golden/\(golden).csv.gz, columns: {submitted: start, service: run, id: job_id}}\n",
      file: try #require(folder) + "/g.yaml"
    ).get()
    let expected = try #require(starts.trace)
    let byName = Dictionary(
      uniqueKeysWithValues: (0..<expected.count).map { (expected.names[$0], expected.submitted[$0]) })
    let (trace, records) = try await replay(load, workers: workers)
    #expect(records.count == expected.count)
    let different = records.filter { byName[trace.names[Int($0.number)]] != $0.started - .zero }
    #expect(different.isEmpty)
  }

  @Test func aWholeGridLogHasItsKnownWaitAndMakespan() async throws {
    let (trace, records) = try await replay("trace: LCG-2005-1.swf.gz", workers: 1_600)
    #expect(trace.count == 187_520)
    let wait = records.reduce(0.0) { $0 + ($1.started - $1.eligible).seconds } / Double(records.count)
    #expect(abs(wait - 24_300.797) < 0.001)
    #expect(records.map(\.finished).max()?.nanoseconds == 1_225_404_000_000_000)
  }

  @Test func otherLogsKeepTheRowsThatRan() async throws {
    let columns =
      "columns: {submitted: gmt_create, service: exec_time_seconds, job_type: predict_type, tenant: groupId}"
    let jobs = try await replay("trace: alibaba-GenTD26-lora_request_trace.csv.gz, \(columns)", workers: 1).trace
    #expect(jobs.rows == 26_823 && jobs.count == 26_793)
  }
}
