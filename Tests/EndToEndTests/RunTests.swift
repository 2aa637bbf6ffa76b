// Goal: a run ends with the status that its figures deserve, leaves a whole report, and says neither more nor less than
// it was asked to.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Runs share two processors with the rest of the tests: one at a time is enough.
@Suite(.serialized) struct RunTests {
  @Test func aRunThatHoldsPassesAndLeavesAReport() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(
      ["run", Binary.scenario("steady"), Binary.scenario("graph"), "--seed", "3", "--max-lag", "60s"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.error.isEmpty, "progress on something that is no terminal: \(outcome.error)")
    #expect(outcome.output.hasPrefix("PASSED selection: 5 of 5 targets met, 3 of 3 runs valid\n"), "\(outcome)")
    #expect(!outcome.output.contains("\u{1B}"))

    let link = try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/reports/latest")
    #expect(link.wholeMatch(of: /selection-\d{8}T\d{6}Z/) != nil, "\(link)")
    let places = "\nReport: reports/\(link)/report.html\nAs text: reports/\(link)/report.md\n"
    #expect(outcome.output.hasSuffix(places), "\(outcome)")
    #expect(outcome.output.contains("  live  ") && outcome.output.contains("  sequential  "), "\(outcome)")
    let paths = try folder.files(under: "reports/latest").map(\.path)
    for path in ["report.md", "report.html", "result.json", "results.csv", "targets.csv", "checks.csv"] {
      #expect(paths.contains(path))
    }
    #expect(paths.contains { $0.hasPrefix("histograms/steady__live__") && $0.hasSuffix(".hgrm") })
    #expect(!paths.contains { $0.hasSuffix("jobs.csv") })
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/reports").sorted()
    #expect(left == ["latest", link].sorted(), "something temporary is left behind")
    let report = try folder.text("reports/latest/report.md")
    #expect(report.hasPrefix("# PASSED: selection\n"))
    #expect(report.contains("--seed 3 --max-lag 60s"))
  }

  @Test func figuresAreTidy() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(["run", Binary.scenario("graph"), "-q", "--jobs"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.isEmpty && outcome.error.isEmpty, "--quiet said something: \(outcome)")
    let results = try folder.text("reports/latest/results.csv").split(separator: "\n")
    #expect(results.first == "run,scenario,system,class,metric,statistic,unit,value")
    for row in results.dropFirst() { #expect(row.split(separator: ",", omittingEmptySubsequences: false).count == 8) }
    for system in ["live", "sequential"] { #expect(results.contains { $0.contains(",graph,\(system),all,response,") }) }

    let jobs = try folder.text("reports/latest/jobs.csv").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      jobs.first == """
        job,job_type,priority,attempt,worker,intended_ns,submitted_ns,accepted_ns,eligible_ns,started_ns,finished_ns,\
        outcome
        """)
    let rows = jobs.dropFirst().dropLast().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(rows.count == 9 && jobs.last == "")
    for row in rows {
      let instants = row[5...10].compactMap { Int($0) }
      #expect(instants.count == 6 && instants == instants.sorted(), "\(row)")
      #expect(row[3] == "1" && row.last == "succeeded", "\(row)")
    }
    #expect(folder.exists("reports/latest/jobs/graph__sequential.csv"))
  }

  @Test func retriedJobsHaveARowForEachAttempt() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(["run", Binary.scenario("steady"), "--quiet", "--jobs"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    let rows = try folder.text("reports/latest/jobs.csv").split(separator: "\n").dropFirst()
      .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(Set(rows.map { $0[0] }).count == 40)
    #expect(rows.count { $0.last == "succeeded" } == 40)
    for row in rows { #expect(row.last == "succeeded" || row.last == "failed") }
  }

  @Test func aMissedTargetIsStatus2() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(
      ["run", Binary.scenario("steady"), "--target", "response.p50 < 1us", "--output", "out"], in: folder)
    #expect(outcome.status == 2, "\(outcome)")
    #expect(outcome.output.hasPrefix("MISSED steady: 3 of 4 targets met"))
    #expect(outcome.output.contains("Missed targets\n  steady: response.p50 < 1us, observed "))
    #expect(try folder.text("out/latest/report.md").hasPrefix("# MISSED: steady\n"))
    #expect(!folder.exists("reports"))
  }

  @Test func allocationsAreCountedInAChild() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(
      ["run", Binary.scenario("graph"), "--allocations", "--quiet"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    let rows = try folder.text("reports/latest/results.csv").split(separator: "\n")
    let row = try #require(rows.first { $0.contains(",graph,live,all,allocations_per_job,value,") })
    #expect(row.split(separator: ",").last.flatMap { Double($0) } ?? 0 > 0, "\(row)")
  }

  @Test func aReportIsMadeAgainByteForByte() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(["run", Binary.scenario("graph"), "--quiet"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    let before = try folder.files(under: "reports/latest")
    for (path, _) in before where path != "result.json" {
      try FileManager.default.removeItem(atPath: "\(folder.path)/reports/latest/\(path)")
    }
    let again = try await Binary.runUndisturbed(["report", "reports/latest"], in: folder)
    #expect(again.status == 0, "\(again)")
    let after = try folder.files(under: "reports/latest")
    #expect(before.map(\.path) == after.map(\.path))
    for (old, new) in zip(before, after) { #expect(old.bytes == new.bytes, "\(old.path) changed") }
  }

  @Test func theTimeScaleIsNamed() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(
      ["run", Binary.scenario("steady"), "--time-scale", "0.5"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains(", time scale 0.5"))
    #expect(try folder.text("reports/latest/report.md").contains("**Time scale 0.5"))
  }

  @Test(arguments: [["--progress", "plain"], ["--progress"]])
  func plainProgressNamesEachRun(_ flags: [String]) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(["run"] + flags + [Binary.scenario("graph")], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.errorLines == ["[1/2] graph on live", "[2/2] graph on sequential"])
  }

  @Test func plainProgressGoesOnEveryFewSeconds() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.run(
      ["run", Binary.scenario("endless"), "--duration", "6s", "--progress", "plain"], in: folder)
    #expect(outcome.errorLines.first == "[1/1] endless on live")
    let line = try #require(outcome.errorLines.dropFirst().first, "\(outcome)")
    #expect(line.hasPrefix("[1/1] endless on live: 5 s, "), "\(line)")
    for words in ["jobs submitted", "settled", " /s, ", "queue ", "targets so far: 1 at the end", " left"] {
      #expect(line.contains(words), "\(line)")
    }
    #expect(!outcome.error.contains("\u{1B}") && !outcome.error.contains("\r"))
  }

  /// `--progress tui` draws where a terminal can show it, and nowhere else.
  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script")),
    arguments: ["TERM=xterm", "TERM=xterm NO_COLOR=1", "TERM=dumb"])
  func framesAreForTerminalsThatCanDrawThem(_ environment: String) async throws {
    let folder = try TemporaryFolder()
    let shown = try await Self.onATerminal(
      "env -u NO_COLOR LANG=C.UTF-8 \(environment) \(Binary.path) run --progress tui \(Binary.scenario("steady"))",
      in: folder)
    let canDraw = !environment.contains("dumb")
    #expect(shown.contains("\u{1B}[K") == canDraw, "\(shown)")
    #expect(shown.contains("\u{1B}[32m") == (environment == "TERM=xterm"), "\(shown)")
    #expect(shown.contains("\u{1B}") == canDraw)
    // A summary of a disturbed run may contain the other words too.
    if canDraw { #expect(shown.contains("targets so far: "), "\(shown)") }
    for words in ["throughput", "queue depth", "p99"] where canDraw { #expect(shown.contains(words), "\(shown)") }
    #expect(!shown.contains("?25l") && !shown.contains("?1049"), "what would have to be undone")
    #expect(shown.contains("steady: 3 of 3 targets met"))
  }

  @Test func framesAreNotForLogs() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await Binary.runUndisturbed(
      ["run", Binary.scenario("graph"), "--progress", "tui"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.errorLines == ["[1/2] graph on live", "[2/2] graph on sequential"])
  }

  /// `script` gives the program a terminal.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script")), arguments: [true, false])
  func coloursAreOnlyForTerminalsThatWantThem(_ wanted: Bool) async throws {
    let folder = try TemporaryFolder()
    let environment = wanted ? "TERM=xterm" : "TERM=xterm NO_COLOR=1"
    let shown = try await Self.onATerminal(
      "env -u NO_COLOR \(environment) \(Binary.path) run \(Binary.scenario("graph"))", in: folder)
    #expect(shown.contains("[1/2] graph on live, "), "no progress on a terminal: \(shown)")
    #expect(shown.contains(" left"))
    #expect(shown.contains("\u{1B}[") == wanted, "\(shown)")
  }

  /// All that a command shows on a terminal.
  private static func onATerminal(_ command: String, in folder: TemporaryFolder) async throws -> String {
    // Not Foundation's Process: it can miss the end of a child while others start beside it.
    _ = try await Subprocess.run(
      .path("/usr/bin/script"), arguments: ["-qec", command, "typescript"], workingDirectory: .init(folder.path),
      input: .none, output: .discarded, error: .discarded)
    return try folder.text("typescript")
  }
}
