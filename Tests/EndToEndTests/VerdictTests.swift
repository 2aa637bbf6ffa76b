// Goal: a verdict is earned and reaches its reader: no check is no success, no file hides a verdict, nothing that
// belongs to somebody else is replaced, and output that is lost is an error.

import Foundation
import Testing

@Suite struct VerdictTests {
  private static let yaml = """
    name: gb
    jobs: {a: {service: 10ms}, b: {service: 10ms}}
    load: {constant: 10/s, of: a}
    duration: 2s

    """
  private static let simulated = ["--system", "simulated", "--progress", "none"]

  /// A folder with a scenario whose type `b` has no jobs.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try Data(Self.yaml.utf8).write(to: folder.url.appendingPathComponent("gb.yaml"))
    return folder
  }

  private func withBaseline() async throws -> TemporaryFolder {
    let folder = try folder()
    let saved = try await Binary.run(["baseline", "save", "gb", "gb.yaml", "--system", "simulated"], in: folder)
    #expect(saved.status == 0, "\(saved)")
    return folder
  }

  /// Runs a shell's command line with `T` for the program.
  private func shell(
    _ line: String, in folder: TemporaryFolder
  ) throws -> (status: Int32, output: String, error: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", "T() { '\(Binary.path)' \"$@\"; }; \(line)"]
    process.currentDirectoryURL = folder.url
    let (output, error) = (folder.url.appendingPathComponent("out.txt"), folder.url.appendingPathComponent("err.txt"))
    for file in [output, error] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: error)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try folder.text("out.txt"), try folder.text("err.txt"))
  }

  // MARK: - No check is no success

  @Test func aTargetBesideAStoredBaselineIsChecked() async throws {
    let folder = try await withBaseline()
    let missed = try await Binary.run(["gate", "--baseline", "gb", "--target", "response.p50 < 1us"], in: folder)
    #expect(missed.status == 2 && missed.output.hasPrefix("MISSED: 0 of 1 targets met"), "\(missed)")
    let stored = try await Binary.run(
      ["run", "gb.yaml", "--seed", "1", "--output", "runs", "--quiet"] + Self.simulated, in: folder)
    #expect(stored.status == 0, "\(stored)")
    let judged = try await Binary.run(
      ["gate", "--baseline", "gb", "--results", "runs/latest", "--force", "--target", "response.p50 < 1us"], in: folder)
    #expect(judged.status == 2 && judged.output.hasPrefix("MISSED"), "\(judged)")
    for path in ["report.md", "report.html", "gate.xml"] {
      #expect(try folder.text("reports/latest/\(path)").contains("response.p50"), "\(path)")
    }
    #expect(try folder.text("reports/latest/report.html").contains("✗ Missed"))
  }

  @Test func aBoundWithoutAValueFails() async throws {
    let folder = try await withBaseline()
    let outcome = try await Binary.run(
      ["gate", "--baseline", "gb", "--regression", "response{type=b}.p99 < +1%", "--junit", "j.xml"], in: folder)
    #expect(outcome.status == 2 && outcome.output.contains("no job of b was measured"), "\(outcome)")
    #expect(try folder.text("j.xml").contains("failures=\"1\""))
    let other = try await Binary.run(
      ["gate", "--baseline", "gb", "--regression", "vs(main).throughput > -3%"], in: folder)
    #expect(other.status == 64 && other.error.contains("not with 'main'"), "\(other)")
  }

  @Test func aRunWithoutTargetsSaysSo() async throws {
    let folder = try folder()
    let outcome = try await Binary.run(["run", "gb.yaml"] + Self.simulated, in: folder)
    #expect(outcome.status == 0 && outcome.output.hasPrefix("NO TARGETS gb: nothing was checked"), "\(outcome)")
    for path in ["report.md", "result.json"] {
      let text = try folder.text("reports/latest/\(path)")
      #expect(text.contains("NO TARGETS") && !text.contains("PASSED"), "\(path)")
    }
    #expect(try folder.text("reports/latest/report.html").contains("No targets"))
    let bound = try await Binary.run(
      ["run", "gb.yaml", "--target", "vs(main).throughput > -3%"] + Self.simulated, in: folder)
    #expect(bound.status == 64 && bound.error.contains("tailrace gate"), "\(bound)")
  }

  /// What depends on what a scenario is, rather than on the mode.
  @Test(arguments: [
    (["run", "governance-five", "--system", "simulated", "--duration", "1s"], "--duration does not apply"),
    (["validate", "governance-five", "--duration", "1s"], "all jobs arrive at the start"),
    (["show", "governance-five", "--tape", "--duration", "1s"], "--duration"),
    (["noise", "gb.yaml", "--metric", "nonsense"], "nonsense"),
    (["gate", "gb.yaml", "--self-test", "--slow-type", "c"], "--slow-type c"),
    (["gate", "--results", "x", "--against", "y"], "--baseline"),
  ])
  func whatHasNoEffectIsRefused(_ arguments: [String], _ word: String) async throws {
    let outcome = try await Binary.run(arguments, in: try folder())
    #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.error.contains(word), "\(outcome)")
  }

  @Test func aComparisonOfNothingIsInvalid() async throws {
    let folder = try folder()
    let outcome = try await Binary.run(
      [
        "compare", "gb.yaml", "--vary", "scheduler.workers=1,2", "--rounds", "2", "--metric", "response{type=b}.p50",
      ] + Self.simulated, in: folder)
    #expect(outcome.status == 4 && outcome.output.contains("nothing was compared"), "\(outcome)")
  }

  // MARK: - Files

  @Test(arguments: [
    (["--junit", "none/j.xml"], "--junit"), (["--comment", "gb.yaml/c.md"], "--comment"),
    (["--junit", "."], "--junit"),
    (["--output", "gb.yaml"], "--output"), (["--junit", "x", "--comment", "x"], "same file"),
    (["--junit", "gb.yaml"], "was not written by tailrace"), (["--comment", "gb.yaml"], "was not written by tailrace"),
    (["--comment", ".tailrace/baselines/gb.json"], "was not written by tailrace"),
  ])
  func placesAreCheckedBeforeAnythingRuns(_ flags: [String], _ word: String) async throws {
    let folder = try await withBaseline()
    let kept = ["gb.yaml", ".tailrace/baselines/gb.json"].map { folder.url.appendingPathComponent($0) }
    let before = try kept.map { try Data(contentsOf: $0) }
    let outcome = try await Binary.run(["gate", "--baseline", "gb"] + flags, in: folder)
    #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.error.contains(word), "\(outcome)")
    #expect(!folder.exists("reports") && !folder.exists("x"))
    #expect(try kept.map { try Data(contentsOf: $0) } == before)
  }

  @Test func filesOfAnEarlierGateAreReplaced() async throws {
    let folder = try await withBaseline()
    try Data().write(to: folder.url.appendingPathComponent("j.xml"))
    for target in ["response.p50 < 1s", "response.p50 < 2s"] {
      let outcome = try await Binary.run(
        ["gate", "--baseline", "gb", "--target", target, "--junit", "j.xml", "--comment", "c.md"], in: folder)
      #expect(outcome.status == 0, "\(outcome)")
    }
    #expect(try String(contentsOf: folder.url.appendingPathComponent("j.xml"), encoding: .utf8).contains("&lt; 2s"))
    #expect(try String(contentsOf: folder.url.appendingPathComponent("c.md"), encoding: .utf8).contains("< 2s"))
  }

  @Test func everyPlaceThatCannotBeWrittenIsNamedAtOnce() async throws {
    let folder = try await withBaseline()
    let outcome = try await Binary.run(
      ["gate", "--baseline", "gb", "--junit", "none/a", "--comment", "none/b", "--github"], in: folder,
      environment: ["GITHUB_STEP_SUMMARY": "none/c"])
    #expect(outcome.status == 64 && outcome.errorLines.count == 3, "\(outcome)")
    for command in [["baseline", "save", "n", "gb.yaml"], ["noise", "gb.yaml"]] {
      let outcome = try await Binary.run(command + ["--store", "gb.yaml", "--system", "simulated"], in: folder)
      #expect(outcome.status == 64 && outcome.error.contains("--store"), "\(outcome)")
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFileThatFailsHidesNoVerdict() async throws {
    let folder = try await withBaseline()
    let passed = try await Binary.run(["gate", "--baseline", "gb", "--junit", "/dev/full"], in: folder)
    #expect(passed.status == 1 && passed.output.hasPrefix("PASSED"), "\(passed)")
    #expect(passed.error.contains("cannot write '/dev/full': no space is left on the device"), "\(passed)")
    let missed = try await Binary.run(
      ["gate", "--baseline", "gb", "--target", "response.p50 < 1us", "--comment", "/dev/full"], in: folder)
    #expect(missed.status == 2 && missed.output.hasPrefix("MISSED") && !missed.error.isEmpty, "\(missed)")
    #expect(folder.exists("reports/latest/report.html"))
  }

  @Test(arguments: ["a folder", "a file", "a link to 'gb.yaml'"])
  func nothingThatIsNotOursIsReplaced(_ kind: String) async throws {
    let folder = try folder()
    let latest = folder.url.appendingPathComponent("reports/latest")
    try FileManager.default.createDirectory(
      at: kind == "a folder" ? latest : latest.deletingLastPathComponent(), withIntermediateDirectories: true)
    if kind == "a file" { try Data("mine".utf8).write(to: latest) }
    if kind.hasPrefix("a link") {
      try FileManager.default.createSymbolicLink(atPath: latest.path, withDestinationPath: "gb.yaml")
    }
    let outcome = try await Binary.run(
      ["run", "gb.yaml", "--target", "response.p50 < 1us"] + Self.simulated, in: folder)
    #expect(outcome.status == 2 && outcome.output.hasPrefix("MISSED gb") && outcome.output.contains("/report.html"))
    #expect(outcome.error.contains("'reports/latest' is \(kind) that tailrace did not make"), "\(outcome)")
    if kind == "a file" { #expect(try folder.text("reports/latest") == "mine") }
    let entries = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/reports")
    #expect(entries.count == 2 && entries.contains { $0.hasPrefix("gb-") }, "\(entries)")
    let other = try await Binary.run(["run", "gb.yaml", "--output", "own"] + Self.simulated, in: folder)
    let again = try await Binary.run(["run", "gb.yaml", "--output", "own"] + Self.simulated, in: folder)
    #expect(other.status == 0 && again.status == 0 && again.error.isEmpty, "our own link is moved: \(again)")
  }

  // MARK: - Output that is lost

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")),
    arguments: [
      "list", "show quick-start", "show quick-start --tape", "validate gb.yaml", "--help", "--version", "help run",
      "--generate-completion-script bash", "baseline list", "run gb.yaml --system simulated",
      "compare gb.yaml --vary scheduler.workers=1,2 --system simulated --rounds 2",
      "plan gb.yaml --vary scheduler.workers=1..2 --target response.p50<1s --replications 2",
    ])
  func lostOutputIsAnError(_ line: String) throws {
    let folder = try folder()
    let quoted = line.replacing("response.p50<1s", with: "'response.p50<1s'")
    let outcome = try shell("T \(quoted) > /dev/full", in: folder)
    #expect(outcome.status == 1, "\(outcome)")
    #expect(outcome.error.contains("cannot write to standard output: no space is left on the device"), "\(outcome)")
    if line.hasPrefix("run") || line.hasPrefix("compare") { #expect(folder.exists("reports/latest/report.html")) }
  }

  @Test func aVerdictIsKeptWhereItsWordsAreLost() throws {
    let folder = try folder()
    let outcome = try shell(
      "T run gb.yaml --system simulated --target 'response.p50 < 1us' > /dev/full", in: folder)
    #expect(outcome.status == 2 && outcome.error.contains("cannot write to standard output"), "\(outcome)")
    let closed = try shell("T list >&-", in: folder)
    #expect(closed.status == 1 && closed.error.contains("it is closed"), "\(closed)")
    let quiet = try shell("T run gb.yaml --system simulated -q >&-", in: folder)
    #expect(quiet.status == 0 && quiet.error.isEmpty, "nothing was to be printed: \(quiet)")
    #expect(folder.exists("reports/latest/report.html"))
  }

  @Test func aReaderThatGoesEndsNothingElse() throws {
    let folder = try folder()
    let tape = try shell("T show quick-start --tape --duration 10min | head -1; echo ${PIPESTATUS[0]}", in: folder)
    #expect(tape.output.hasPrefix("job,job_type,") && tape.output.hasSuffix("\n141\n"), "\(tape)")
    // Progress goes to the same pipe, whose reader goes after the first line.
    let progress = try shell(
      "T run gb.yaml --system simulated --progress plain 2>&1 | head -1 | cut -c1; echo ${PIPESTATUS[0]}", in: folder)
    #expect(progress.output == "[\n141\n" || progress.output == "[\n0\n", "\(progress)")
    #expect(folder.exists("reports/latest/report.html"), "\(progress)")
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("reports"))
    let run = try shell("T run gb.yaml --system simulated | true; echo ${PIPESTATUS[0]}", in: folder)
    #expect(run.output == "141\n" || run.output == "0\n", "\(run)")
    #expect(run.error.isEmpty && folder.exists("reports/latest/report.html"), "\(run)")
  }

  // MARK: - Words of the system

  @Test func damagedFilesAreToldOfInWords() async throws {
    let folder = try await withBaseline()
    for (name, text, word) in [
      ("empty", "", "is empty"), ("cut", "{\"format\":1,", "not valid JSON"), ("bare", "{\"format\":1}", "it has no '"),
      ("new", "{\"format\":99}", "format 99"), ("list", "[]", "'"),
    ] {
      try Data(text.utf8).write(to: folder.url.appendingPathComponent(".tailrace/baselines/\(name).json"))
      try FileManager.default.createDirectory(
        at: folder.url.appendingPathComponent("r-\(name)"), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: folder.url.appendingPathComponent("r-\(name)/result.json"))
      for arguments in [
        ["gate", "--baseline", name], ["baseline", "show", name], ["report", "r-\(name)"],
        ["compare", "--results", "r-\(name)", "--results", "r-\(name)"],
      ] {
        let outcome = try await Binary.run(arguments, in: folder)
        #expect(outcome.status == 64 && outcome.error.contains(word), "\(outcome)")
        for raw in ["DecodingError", "Cocoa", "Swift.", "CodingKeys", "Problem error", "NSError"] {
          #expect(!outcome.error.contains(raw), "\(outcome)")
        }
      }
    }
    let list = try await Binary.run(["baseline", "list"], in: folder)
    #expect(list.status == 0 && !list.output.contains("DecodingError"), "\(list)")
  }
}
