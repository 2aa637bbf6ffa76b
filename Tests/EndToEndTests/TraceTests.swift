// Goal: a log is described, fitted and replayed from the command line, and its jobs keep their own names.

import Foundation
import Testing

@Suite struct TraceTests {
  private static let log = (0..<40).map { number in
    let (id, submitted, ran) = (number * 3 + 1, number * 10, 5 + number % 7)
    return "\(id) \(submitted) -1 \(ran) 1 -1 -1 1 -1 -1 1 \(number % 3) 1 -1 \(1 + number % 2) -1 -1 -1"
  }.joined(separator: "\n")

  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Self.log.write(to: folder.appendingPathComponent("log.swf"), atomically: true, encoding: .utf8)
    return folder
  }

  @Test func aLogIsDescribedAndFitted() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("log.swf").path
    let words = try await Binary.run(["trace", path, "--column", "job_type=queue", "--column", "tenant=user"])
    #expect(words.status == 0, "\(words)")
    #expect(
      words.output.contains("6.00 a minute") && words.output.contains("queue-1") && words.output.contains("tenants"))
    let fitted = try await Binary.run(["trace", path, "--fit"])
    #expect(fitted.status == 0 && fitted.output.hasPrefix("name: fitted\n"))
    let file = folder.appendingPathComponent("fitted.yaml")
    try fitted.output.write(to: file, atomically: true, encoding: .utf8)
    #expect(try await Binary.run(["validate", file.path]).status == 0)
    let missing = try await Binary.run(["trace", folder.appendingPathComponent("none.csv").path])
    #expect(missing.status == 64 && missing.error.contains("--column submitted="))
  }

  @Test func aReplayedLogKeepsItsNames() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let scenario = folder.appendingPathComponent("replay.yaml")
    try "name: replay\nload: {trace: log.swf}\nscheduler: {workers: 1, policy: fifo}\n".write(
      to: scenario, atomically: true, encoding: .utf8)
    let outcome = try await Binary.run(
      ["run", scenario.path, "--system", "simulated", "--jobs", "--output", folder.path])
    #expect(outcome.status == 0, "\(outcome)")
    let rows = try String(
      contentsOf: folder.appendingPathComponent("latest/jobs.csv"), encoding: .utf8
    ).split(separator: "\n")
    #expect(rows.count == 41)
    #expect(rows[1].hasPrefix("1,job,normal,1,async-0,0,0,0,0,0,5000000000,succeeded"))
    #expect(rows[2].hasPrefix("4,job,normal,1,async-0,10000000000,"))
  }

  @Test func aRunIsRecordedAndReplayed() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = try await Binary.run(
      ["run", "governance-five", "--system", "simulated", "--record-tape", "--output", folder.path])
    #expect(first.status == 0, "\(first)")
    let report = folder.appendingPathComponent("latest").resolvingSymlinksInPath()
    let rows = try String(contentsOf: report.appendingPathComponent("tape.csv"), encoding: .utf8)
    #expect(rows.contains("\n4,0.000000000,0.501000000,data_export,low,succeeded\n"), "\(rows)")
    let again = try await Binary.run(
      [
        "run", report.appendingPathComponent("tape.yaml").path, "--system", "simulated", "--output", folder.path,
        "--set", "scheduler.workers=3", "--target", "makespan == 651ms",
      ])
    #expect(again.status == 0, "\(again)")
  }

  @Test func liveAndSimulatedAreShownSideBySide() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let outcome = try await Binary.run(
      ["run", "governance-five", "--system", "live,simulated", "--time-scale", "0.1", "--output", folder.path])
    // A host that stalls makes the live run invalid; the report is written all the same.
    #expect(outcome.status == 0 || outcome.status == 4, "\(outcome)")
    let report = try String(contentsOf: folder.appendingPathComponent("latest/report.md"), encoding: .utf8)
    #expect(report.contains("### Live beside simulated"))
    #expect(report.contains("| all | `service` |"))
    #expect(report.contains("Every count of jobs by how they ended is the same in both."))
  }
}
