// Goal: a run whose process stood still is not believed, and commands that meet do each other no harm.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

@Suite struct TruthTests {
  private static let scenario = """
    name: steady
    jobs: {work: {service: 50ms}}
    load: {closed: {clients: 4}, of: work, count: 200}
    scheduler: {workers: 2}

    """

  /// Runs a line of a shell in a folder that holds the scenario; `$0` is the program.
  private func shell(_ line: String, _ scenario: String = scenario) async throws -> (Outcome, TemporaryFolder) {
    let folder = try TemporaryFolder()
    try Data(scenario.utf8).write(to: folder.url.appendingPathComponent("mine.yaml"))
    let result = try await Subprocess.run(
      .path("/bin/bash"), arguments: ["-c", line, Binary.path], workingDirectory: FilePath(folder.path), input: .none,
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    guard case .exited(let status) = result.terminationStatus else {
      Issue.record("\(line) was ended by a signal")
      return (Outcome(arguments: [line], status: -1, output: "", error: result.standardError), folder)
    }
    return (
      Outcome(arguments: [line], status: status, output: result.standardOutput, error: result.standardError), folder
    )
  }

  /// Stops the program for three seconds as soon as it says that it runs on a system.
  private func frozen(on system: String, _ words: String) -> String {
    """
    "$0" run mine.yaml \(words) --progress plain 2> said.txt & it=$!
    until grep -q "on \(system)" said.txt; do sleep 0.05; done
    sleep 0.7; kill -STOP $it; sleep 3; kill -CONT $it; wait $it
    """
  }

  /// No generator notices: clients wait for their jobs.
  @Test func aStoppedClosedLoopIsInvalid() async throws {
    let (outcome, folder) = try await shell(frozen(on: "live", ""))
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("process_standstill"), "\(outcome)")
    #expect(try folder.text("reports/latest/report.md").contains("| process_standstill | **failed** |"))
  }

  @Test func noSpeedupIsClaimedFromAStoppedSequentialRun() async throws {
    let batch = Self.scenario.replacing(
      "load: {closed: {clients: 4}, of: work, count: 200}", with: "load: {batch: 60, of: work}")
    let (outcome, folder) = try await shell(
      frozen(on: "sequential", "--system live,sequential --target 'speedup > 0.1'"), batch)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("steady on sequential: process_standstill"), "\(outcome)")
    let targets = try folder.text("reports/latest/targets.csv")
    #expect(targets.contains("no samples") && !targets.contains(",met,"), "\(targets)")
  }

  @Test func ofFourCommandsThatSaveABaselineOneWins() async throws {
    let (outcome, folder) = try await shell(
      """
      for i in 1 2 3 4; do
        ("$0" baseline save main mine.yaml --system simulated --rounds 12 > out$i.txt 2>&1; echo $? > status$i.txt) &
      done
      wait
      """)
    let statuses = try (1...4).map {
      try folder.text("status\($0).txt").trimmingCharacters(in: .whitespacesAndNewlines)
    }
    #expect(statuses.sorted() == ["0", "64", "64", "64"], "\(outcome) \(statuses)")
    for (place, status) in statuses.enumerated() where status == "64" {
      let words = try folder.text("out\(place + 1).txt")
      #expect(words.contains("is creating the baseline 'main'") || words.contains("already exists"), "\(words)")
    }
    #expect(try folder.files(under: ".tailrace").map(\.path) == ["baselines/main.json"])
    let shown = try await Binary.run(["baseline", "show", "main"], in: folder)
    #expect(shown.status == 0 && shown.output.contains("main: 12 rounds"), "\(shown)")
  }

  // MARK: - Results that cannot be written

  private static let quick = """
    name: quick
    jobs: {work: {service: 5ms}}
    load: {constant: 100/s, of: work}
    duration: 2s
    targets: [lost == 0]

    """

  /// The place for the report goes away while the program runs.
  @Test func aReportThatCannotBeWrittenGoesElsewhere() async throws {
    let (outcome, folder) = try await shell(
      """
      mkdir spare; export TMPDIR=$PWD/spare
      "$0" run mine.yaml --output out --progress plain 2> said.txt & it=$!
      until grep -q "on live" said.txt; do sleep 0.05; done
      rm -rf out; touch out; wait $it; status=$?; cat said.txt >&2; exit $status
      """, Self.quick)
    // Invalid where the machine was disturbed: that is the worse news.
    #expect(outcome.status == 1 || outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("quick: 1 of 1 target met"), "\(outcome)")
    #expect(outcome.error.contains("Error: cannot write the report to 'out'"), "\(outcome)")
    #expect(
      outcome.error.contains("The report is in '") && outcome.error.contains("/spare/kept-by-tailrace-"), "\(outcome)")
    let files = try folder.files(under: "spare").map { $0.path.split(separator: "/").last ?? "" }
    #expect(files.contains("report.md") && files.contains("result.json"), "\(files)")
  }

  @Test(arguments: ["run mine.yaml --system simulated", "plan mine.yaml --vary scheduler.workers=1..3"])
  func whereNoFileCanBeWrittenTheResultIsPrinted(_ command: String) async throws {
    let (outcome, folder) = try await shell("ulimit -f 0; \"$0\" \(command)", Self.quick)
    #expect(outcome.status == 1, "\(outcome)")
    #expect(outcome.error.contains("the last line of standard output is result.json"), "\(outcome)")
    let result = try #require(outcome.outputLines.last)
    #expect((try? JSONSerialization.jsonObject(with: Data(result.utf8))) != nil, "\(result.prefix(200))")
    #expect(try folder.files(under: ".").map(\.path) == ["mine.yaml"])
  }

  @Test func aBaselineThatCannotBeWrittenGoesElsewhere() async throws {
    let (outcome, folder) = try await shell(
      """
      mkdir spare; export TMPDIR=$PWD/spare
      ("$0" baseline save main mine.yaml --system simulated --rounds 12; echo $? > status.txt) 2> said.txt & it=$!
      until test -s .tailrace/baselines/.main.lock; do sleep 0.01; done
      rm -rf .tailrace; touch .tailrace; wait $it; cat said.txt >&2; exit $(cat status.txt)
      """, Self.quick)
    #expect(outcome.status == 1, "\(outcome)")
    #expect(outcome.error.contains("the results are in '") && outcome.error.contains("main.json'"), "\(outcome)")
    #expect(try folder.files(under: "spare").contains { $0.path.hasSuffix("/main.json") })
  }

  // MARK: - Overload

  @Test func overloadDoesNotReadLikeSuccess() async throws {
    let folder = try TemporaryFolder()
    let overload = """
      name: overload
      jobs: {work: {service: 20ms}}
      load: {constant: 1000/s, of: work}
      duration: 5s
      scheduler: {workers: 2, queue: {capacity: 50, when_full: reject}}

      """
    try Data(overload.utf8).write(to: folder.url.appendingPathComponent("mine.yaml"))
    let plain = try await Binary.run(["run", "mine.yaml", "--system", "simulated"], in: folder)
    #expect(plain.status == 0 && plain.output.hasPrefix("NO TARGETS"), "\(plain)")
    let row = try #require(plain.outputLines.first { $0.contains("simulated") })
    #expect(
      row.wholeMatch(
        of: /.* 5,000 jobs, 4,\d+ rejected \(1\d\.\d % succeeded\) +median response of the \d+ that ran .*/) != nil,
      "\(row)")
    let met = try await Binary.run(
      ["run", "mine.yaml", "--system", "simulated", "--target", "response.p99 < 10s"], in: folder)
    #expect(
      met.output.hasPrefix(
        "PASSED overload: 1 of 1 target met, 1 of 1 run valid; jobs failed or were turned away in 1 run"), "\(met)")
    for file in ["report.md", "report.html"] {
      let text = try folder.text("reports/latest/\(file)")
      #expect(text.contains(" of 5,000 jobs did not succeed: 4,"), "\(file)")
      #expect(text.contains("Response times are those of the "), "\(file)")
    }
    let gate = try await Binary.run(
      [
        "gate", "mine.yaml", "--system", "simulated", "--against", Binary.path, "--rounds", "12", "--progress", "none",
        "--junit", "gate.xml", "--comment", "gate.md", "--github", "--target", "response.p99 < 10s", "--metric",
        "throughput",
      ], in: folder)
    #expect(gate.status == 0, "\(gate)")
    for text in [
      gate.output, try folder.text("gate.xml"), try folder.text("gate.md"), try folder.text("reports/latest/report.md"),
    ] {
      #expect(text.contains("did not succeed: 5"), "\(text.prefix(600))")
    }
    let capacity = try await Binary.run(
      ["capacity", "mine.yaml", "--target", "success > 90%", "--target", "response.p50 < 1s", "--progress", "none"],
      in: folder)
    #expect(capacity.output.contains("success"), "\(capacity)")
  }
}
