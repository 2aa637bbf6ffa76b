// Goal: a log is described, fitted and replayed from the command line, and its jobs keep their own names.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

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
    #expect(missing.status == 64 && missing.error.contains("none.csv': it does not exist"))
  }

  @Test func columnsThatAreMissingOrMisspeltAreAnsweredWithThoseThereAre() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String, _ text: String) throws -> String {
      let url = folder.appendingPathComponent(name)
      try text.write(to: url, atomically: true, encoding: .utf8)
      return url.path
    }
    let log = try path("log.csv", "when;took;user\n1;2;\n2;2;x\n")
    let json = try path("log.jsonl", "{\"at\": 1, \"took\": {\"s\": 2}}\n")
    let nameless = try path("log", "when,took\n1,2\n")
    for (arguments, words) in [
      ([log], "add --column submitted=COLUMN, or --format swf for a log in the Standard Workload Format; columns: "),
      ([json], "columns: at, took.s"), ([try path("none.csv", "")], "none.csv:1: the file is empty"),
      ([log, "--column", "submited=when"], "unknown key 'submited' in --column; did you mean 'submitted'?"),
      ([log, "--column", "service=took"], "--column has no 'submitted'"),
      ([nameless], "has no known extension; add --format with one of swf, csv, jsonl"),
      ([log, "--format", "csw", "--column", "submitted=when"], "--format: unknown 'csw'; did you mean"),
    ] {
      let outcome = try await Binary.run(["trace"] + arguments)
      #expect(outcome.status == 64 && outcome.error.contains(words), "\(outcome)")
    }
    let words = try await Binary.run(["trace", log, "--column", "submitted=when", "--column", "tenant=user"])
    #expect(words.output.contains("(no name) 1"), "\(words)")
  }

  @Test func aPipeIsReadToItsEnd() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let result = try await Subprocess.run(
      .path("/bin/bash"),
      arguments: ["-c", "exec '\(Binary.path)' trace <(cat log.swf) --format swf --column job_type=queue"],
      workingDirectory: FilePath(folder.path), input: .none, output: .string(limit: 1 << 20),
      error: .string(limit: 1 << 20))
    #expect(result.terminationStatus == .exited(0), "\(result.standardError)")
    #expect(result.standardOutput.contains("queue-1"))
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

  /// Runs a log's scenario in simulation, and gives what was printed and the report's directory.
  private func replay(
    _ folder: URL, _ log: String, _ load: String, named name: String = "log.csv"
  ) async throws -> (output: String, report: URL) {
    try log.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    let scenario = folder.appendingPathComponent("replay.yaml")
    try "name: replay\nload: {trace: \(name), \(load)}\nscheduler: {workers: 2, policy: fifo}\n".write(
      to: scenario, atomically: true, encoding: .utf8)
    let run = try await Binary.run(
      ["run", scenario.path, "--system", "simulated", "--jobs", "--output", folder.path])
    #expect(run.status == 0, "\(run)")
    return (run.output, folder.appendingPathComponent("latest").resolvingSymlinksInPath())
  }

  @Test func rowsThatAreLeftOutAreShownWhereverTheRunIs() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = "t,s,k,ok\n0,10,日本,1\n5,,日本,1\n20,0,a,1\n30,40,中国,0\n40,NULL,a,1\n50,2,a,1\n"
    let (output, report) = try await replay(
      folder, log, "columns: {submitted: t, service: s, job_type: k, outcome: ok}, failed: [0, false]")
    let words = "log.csv, 6 rows: 3 replayed, 3 skipped (2 run time unknown, 1 run time of 0)"
    let remark = "failed names 'false', which no row has in the column ok; it has '1', '0'"
    for file in ["report.md", "report.html"] {
      let text = try String(contentsOf: report.appendingPathComponent(file), encoding: .utf8)
      #expect(text.contains(words), "\(file)")
      for part in ["日本", "中国", "which no row has in the column ok"] { #expect(text.contains(part), "\(file)") }
    }
    #expect(output.contains(words) && output.contains(remark) && output.contains("job type '日本' is called type-"))
    let result = try String(contentsOf: report.appendingPathComponent("result.json"), encoding: .utf8)
    let leftOut = #""left_out":[{"reason":"run time unknown","rows":2},{"reason":"run time of 0","rows":1}]"#
    #expect(result.contains(leftOut))
    #expect(result.contains(#""renamed":[{"name":"type-"#) && result.contains(remark))
    // The log's own offered load is the run's: draining is not part of it.
    let described = try await Binary.run(
      [
        "trace", folder.appendingPathComponent("log.csv").path, "--column", "submitted=t", "--column", "service=s",
        "--json",
      ])
    #expect(described.output.contains("\"offered_load\" : 0.6933"), "\(described)")
    let rows = try String(contentsOf: report.appendingPathComponent("results.csv"), encoding: .utf8)
    #expect(rows.contains(",all,offered_load,value,factor,0.6933"), "\(rows)")
  }

  @Test func noTwoKeysOfAnyOutputAreTheSame() async throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let names = ["all", "unknown", "ALL", "priority=high", "a b", "a_b", "type=all", "日本", "中国"]
    let log = names.enumerated().map { "\($0),1,\"\($1)\",\(1 + $0 % 5)\n" + "\($0),1,\"\($1)\",3\n" }.joined()
    let (_, report) = try await replay(folder, log, "columns: {submitted: 1, service: 2, job_type: 3, priority: 4}")
    func rows(_ name: String) throws -> [Substring] {
      try String(contentsOf: report.appendingPathComponent(name), encoding: .utf8).split(separator: "\n")
    }
    // Values are the last column; what is before them names them.
    let results = try rows("results.csv").map { $0[..<($0.lastIndex(of: ",") ?? $0.endIndex)] }
    #expect(Set(results).count == results.count && results.count > 500)
    let classes = Set(results.dropFirst().map { $0.split(separator: ",")[3] })
    #expect(classes.isSuperset(of: ["all", "type=all", "unknown", "ALL", "a_b"]), "\(classes)")
    let files = try FileManager.default.contentsOfDirectory(
      atPath: report.appendingPathComponent("histograms").path)
    #expect(Set(files.map { $0.lowercased() }).count == files.count)
    // A class for each name, whatever it is called: waiting times of all, nine types, five priorities and more.
    #expect(files.count { $0.hasSuffix("__waiting.hgrm") } >= 1 + 9 + 5)
    #expect(Set(try rows("jobs.csv").dropFirst().map { $0.split(separator: ",")[1] }).count == names.count)
  }

  @Test func pathsMayLeadUpwards() async throws {
    let (folder, other) = (try folder(), try TemporaryFolder())
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = "../\(folder.lastPathComponent)/log.swf"
    let found = try await Binary.run(["trace", path], in: other)
    #expect(found.status == 0 && found.output.hasPrefix("\(path)\n"), "\(found)")
    let missing = try await Binary.run(["trace", "../no.swf"], in: other)
    #expect(missing.status == 64 && missing.error.contains("'../no.swf': it does not exist"), "\(missing)")
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
    #expect(report.contains("The counts of jobs by outcome are the same in both."))
  }
}
