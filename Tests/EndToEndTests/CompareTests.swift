// Goal: comparisons, baselines, gates and noise from the command line, in virtual time: words, files and exit status.

import Foundation
import FoundationXML
import Testing

@Suite struct CompareTests {
  /// Runs in virtual time, so that nothing depends on the machine.
  private static let simulated = ["--system", "simulated", "--progress", "none"]

  private func run(_ arguments: [String], in folder: TemporaryFolder) async throws -> Outcome {
    try await Binary.run(arguments, in: folder)
  }

  /// A wrapper around the program that makes one job type slower, as a change of its code would.
  private func slowProgram(_ factor: String, in folder: TemporaryFolder) throws -> String {
    let path = folder.url.appendingPathComponent("slow-\(factor)").path
    try Data("#!/bin/sh\nexec '\(Binary.path)' \"$@\" --plant report=\(factor)\n".utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  @Test func moreWorkersAreBetterAndThePageSaysWhere() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(
      ["compare", "quick-start", "--vary", "scheduler.workers=2,4", "--rounds", "12"] + Self.simulated, in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("scheduler.workers=4 against scheduler.workers=2: BETTER"))
    #expect(outcome.output.contains("The cause is the waiting time of `thumbnail`"))
    let report = try folder.text("reports/latest/report.md")
    #expect(report.contains("| `response.mean` |") && report.contains("**better** ▲"))
    #expect(try folder.text("reports/latest/comparison.csv").hasPrefix("scenario,baseline,candidate,metric,unit"))
    #expect(folder.exists("reports/latest/comparison.json"))
  }

  @Test func fewerWorkersAreWorseAndStatus3() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(
      ["compare", "quick-start", "--vary", "scheduler.workers=4,2", "--rounds", "12"] + Self.simulated, in: folder)
    #expect(outcome.status == 3, "\(outcome)")
  }

  @Test func roundsThatCannotCallAnythingAreTold() async throws {
    let folder = try TemporaryFolder()
    let flags = ["compare", "quick-start", "--vary", "scheduler.workers=4,2", "--system", "simulated"]
    let few = try await run(flags + ["--rounds", "5"], in: folder)
    #expect(few.status == 0, "\(few)")
    let words =
      "8 metrics in 5 rounds at most: none can be called better or worse, however large its change. Use"
    #expect(few.error == words + " 11 (--rounds, --metric).\n")
    #expect(
      try folder.text("reports/latest/report.md").contains("11 rounds are needed before any of these metrics can"))
    let one = try await run(flags + ["--rounds", "8", "--metric", "response.mean"], in: folder)
    #expect(one.status == 3 && one.error.isEmpty, "\(one)")
  }

  @Test func equalsAreTheSame() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(
      ["compare", "quick-start", "--binary", Binary.path, "--binary", Binary.path, "--strict"] + Self.simulated,
      in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("SAME: of 8 metrics 8 same"))
    #expect(outcome.output.contains("12 rounds of each; every verdict was reached."))
  }

  @Test func aSlowerProgramIsCalledWorseAndBlamedOnTheRightPart() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(
      ["compare", "quick-start", "--binary", Binary.path, "--binary", try slowProgram("1.1", in: folder)]
        + Self.simulated, in: folder)
    #expect(outcome.status == 3, "\(outcome)")
    #expect(outcome.output.contains("The cause is the service time of `report`"), "\(outcome)")
    #expect(outcome.output.contains("+10.0 %"), "\(outcome)")
  }

  /// What was named may change jobs and arrivals; the page says what differs, and the arrivals stay where they can.
  @Test(arguments: [
    (
      "jobs.report.service=60ms,66ms", "the work of report differs; arrival times are equal"
    ),
    ("load.poisson=30/s,40/s", "jobs arrive at other times, and only the seeds are equal ("),
    ("jobs.report.work=sleep,spin", "the work of report differs"),
    ("duration=2s,3s", "jobs arrive at other times"),
  ])
  func whatIsVariedMayChangeTheTape(_ setting: String, _ words: String) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(
      ["compare", "quick-start", "--vary", setting, "--rounds", "2"] + Self.simulated, in: folder)
    #expect(outcome.status == 0 && outcome.output.contains("differs as intended: quick-start: "), "\(outcome)")
    #expect(outcome.output.contains(words), "\(outcome)")
    for page in ["report.md", "report.html"] { #expect(try folder.text("reports/latest/\(page)").contains(words)) }
    #expect(!outcome.output.contains("Forced"))
  }

  @Test func aLongerServiceTimeThatIsVariedIsCalledWorse() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(
      ["compare", "quick-start", "--vary", "jobs.report.service=60ms,66ms", "--rounds", "12"] + Self.simulated,
      in: folder)
    #expect(outcome.status == 3 && outcome.output.contains("The cause is the service time of `report`"), "\(outcome)")
    #expect(outcome.output.contains("(+10.0 %) per job"), "\(outcome)")
  }

  @Test func filesThatDifferInAServiceTimeAreCompared() async throws {
    let folder = try TemporaryFolder()
    for (name, service) in [("before", "10ms"), ("after", "11ms")] {
      let text =
        "name: \(name)\njobs: {a: {service: 5ms}, b: {service: \(service)}}\nload: {constant: 20/s, of: [a, b]}\n"
      try Data((text + "duration: 4s\n").utf8).write(to: folder.url.appendingPathComponent("\(name).yaml"))
    }
    let outcome = try await run(
      ["compare", "before.yaml", "after.yaml", "--rounds", "12"] + Self.simulated, in: folder)
    #expect(outcome.status == 3, "\(outcome)")
    #expect(
      outcome.output.contains("The tape of after.yaml differs as intended: before: the work of b"), "\(outcome)")
  }

  /// A program whose tape is another one, though the same was asked of it.
  @Test func tapesThatNobodyNamedAreRefusedUnlessForcedAndThenSaidOnTop() async throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("other").path
    try Data("#!/bin/sh\nexec '\(Binary.path)' \"$@\" --set load.poisson=40/s\n".utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let arguments =
      ["compare", "quick-start", "--binary", Binary.path, "--binary", path, "--rounds", "2"] + Self.simulated
    let refused = try await run(arguments, in: folder)
    #expect(refused.status == 64 && refused.error.contains("another tape, so other jobs"), "\(refused)")
    #expect(refused.error.contains("jobs arrive at other times"), "\(refused)")
    #expect(!folder.exists("reports"))
    let forced = try await run(arguments + ["--force"], in: folder)
    #expect(forced.output.contains("Compared anyway (--force)"), "\(forced)")
    let report = try folder.text("reports/latest/report.md")
    #expect(report.split(separator: "\n").dropFirst().first?.hasPrefix("**Forced.**") == true)
  }

  @Test func storedResultsAreComparedBySeed() async throws {
    let folder = try TemporaryFolder()
    for seed in 1...3 {
      for (name, workers) in [("before", 2), ("after", 4)] {
        let outcome = try await run(
          [
            "run", "quick-start", "--system", "simulated", "--seed", "\(seed)", "--quiet", "--set",
            "scheduler.workers=\(workers)", "--output", "\(name)/\(seed)",
          ], in: folder)
        #expect(outcome.status == 0, "\(outcome)")
      }
    }
    // `latest` is a link to one of them: it is not counted twice.
    let arguments = ["compare", "--results", "before", "--results", "after"]
    let refused = try await run(arguments, in: folder)
    #expect(refused.status == 64 && refused.error.contains("another workers: 2, here 4"), "\(refused)")
    let outcome = try await run(arguments + ["--varied", "workers"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("3 rounds of each; these were stored."), "\(outcome)")
    #expect(outcome.output.contains("same =, too few rounds to detect a change"), "\(outcome)")
    #expect(!outcome.output.contains("none: too few"), "\(outcome)")
  }

  @Test(arguments: [
    (["quick-start"], "nothing varies"), ([], "name a scenario"),
    (["quick-start", "--vary", "scheduler.policy=fifo,nonsense"], "nonsense"),
    (["quick-start", "--vary", "scheduler.policy=fifo,priority", "--metric", "nonsense.p99"], "unknown metric"),
    (["quick-start", "--vary", "scheduler.policy=fifo,priority", "--metric", "utilization"], "nor a lower value"),
    (["quick-start", "--vary", "scheduler.policy=fifo,priority", "--rounds", "0"], "number of rounds"),
    (["quick-start", "--binary", "/nowhere", "--binary", "/else"], "is not an executable program"),
    (["--results", "a", "--results", "b"], "does not exist"), (["--results", "a"], "name at least two"),
    (["quick-start", "governance-five"], "another"),
  ])
  func whatIsWrongIsSaid(_ arguments: [String], _ words: String) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(["compare"] + arguments, in: folder)
    #expect(outcome.status == 64, "\(outcome)")
    #expect(outcome.error.contains(words), "\(outcome)")
  }
}

@Suite struct GateCommandTests {
  private func run(_ arguments: [String], in folder: TemporaryFolder) async throws -> Outcome {
    try await Binary.run(arguments, in: folder)
  }

  private func withBaseline(_ more: [String] = []) async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let saved = try await run(["baseline", "save", "main", "quick-start", "--system", "simulated"] + more, in: folder)
    #expect(saved.status == 0, "\(saved)")
    return folder
  }

  @Test func baselinesAreSavedListedShownAndRemoved() async throws {
    let folder = try await withBaseline()
    #expect(folder.exists(".tailrace/baselines/main.json"))
    let again = try await run(["baseline", "save", "main", "quick-start"], in: folder)
    #expect(again.status == 64 && again.error.contains("--replace"), "\(again)")
    let list = try await run(["baseline", "list"], in: folder)
    #expect(list.output.contains("main") && list.output.contains("quick-start"), "\(list)")
    let show = try await run(["baseline", "show", "main"], in: folder)
    #expect(show.output.contains("main: 12 rounds") && show.output.contains("cpu_model"), "\(show)")
    let removed = try await run(["baseline", "remove", "main"], in: folder)
    #expect(removed.status == 0, "\(removed)")
    let missing = try await run(["gate", "--baseline", "main"], in: folder)
    #expect(missing.status == 64 && missing.error.contains("tailrace baseline save main SCENARIO"), "\(missing)")
    let wrong = try await run(["baseline", "save", "../x", "quick-start"], in: folder)
    #expect(wrong.status == 64 && wrong.error.contains("is not a valid baseline name"), "\(wrong)")
  }

  @Test func anUnchangedProgramPassesAndASlowerOneIsStatus3() async throws {
    let folder = try await withBaseline()
    let same = try await run(["gate", "--baseline", "main"], in: folder)
    #expect(same.status == 0 && same.output.hasPrefix("PASSED: 3 of 3 targets met, 8 held"), "\(same)")
    let summary = folder.url.appendingPathComponent("summary.md")
    let worse = try await Binary.run(
      [
        "gate", "quick-start", "--baseline", "main", "--system", "simulated", "--plant", "report=1.2", "--junit",
        "gate.xml", "--comment", "gate.md", "--github", "--regression", "vs(main).response{type=report}.mean < +5%",
        "--regression", "response{type=thumbnail}.mean < +50%",
      ], in: folder, environment: ["GITHUB_STEP_SUMMARY": summary.path])
    #expect(worse.status == 3, "\(worse)")
    #expect(worse.output.contains("confirmed in fresh rounds"), "\(worse)")
    #expect(worse.output.contains("::error title=tailrace"), "\(worse)")
    #expect(worse.output.contains("The cause is the service time of `report`"), "\(worse)")
    let before = try folder.files(under: "reports/latest")
    let again = try await run(["report", "reports/latest"], in: folder)
    #expect(again.status == 0, "\(again)")
    let after = try folder.files(under: "reports/latest")
    #expect(before.map(\.path) == after.map(\.path) && before.map(\.bytes) == after.map(\.bytes))
    let comment = try folder.text("gate.md")
    #expect(comment.hasPrefix("<!-- tailrace gate -->\n") && comment.contains("## WORSE: gate"))
    #expect(comment.contains("**FAILED** ✗") && comment.contains("held ✓"))
    #expect(try String(contentsOf: summary, encoding: .utf8).contains("## WORSE: gate"))
    let xml = try XMLDocumentProbe(try folder.text("gate.xml"))
    #expect(xml.count("testcase") == 5 && xml.count("failure") == 1, "\(xml)")
  }

  @Test func aMissedTargetComesFirst() async throws {
    let folder = try await withBaseline(["--target", "response.mean < 1ms"])
    let outcome = try await run(["gate", "--baseline", "main"], in: folder)
    #expect(outcome.status == 2 && outcome.output.hasPrefix("MISSED"), "\(outcome)")
  }

  @Test func anotherTapeIs64AndAnInvalidRun4() async throws {
    let folder = try await withBaseline()
    let other = try await run(
      ["gate", "quick-start", "--baseline", "main", "--system", "simulated", "--duration", "4s"], in: folder)
    #expect(other.status == 64 && other.error.contains("another tape"), "\(other)")
    // A stored result whose certificate failed, however good its figures.
    let made = try await run(
      ["run", "quick-start", "--system", "simulated", "--output", "runs", "--quiet"], in: folder)
    #expect(made.status == 0, "\(made)")
    let path = folder.url.appendingPathComponent("runs/latest/result.json").resolvingSymlinksInPath()
    let json = try String(contentsOf: path, encoding: .utf8)
    let failed = json.replacing(
      #""name":"none_lost","observed":0,"unit":"count","verdict":"passed""#,
      with: #""name":"none_lost","observed":7,"unit":"count","verdict":"failed""#)
    #expect(failed != json)
    try Data(failed.utf8).write(to: path)
    let one = try await run(
      ["baseline", "save", "one", "quick-start", "--system", "simulated", "--rounds", "1"], in: folder)
    #expect(
      one.status == 0 && one.output.contains("Note: with 1 round a gate can call none of its 8 metrics"), "\(one)")
    let invalid = try await run(["gate", "--baseline", "one", "--results", path.path], in: folder)
    #expect(invalid.status == 4 && invalid.output.hasPrefix("INVALID"), "\(invalid)")
  }

  @Test func whatIsUnclearIsAnErrorOnlyWhereItIsAskedFor() async throws {
    let folder = try await withBaseline()
    let arguments = [
      "gate", "--baseline", "main", "--plant", "report=1.1", "--regression", "response{type=report}.mean < +10%",
    ]
    #expect(try await run(arguments, in: folder).status == 0)
    let strict = try await run(arguments + ["--strict"], in: folder)
    #expect(strict.status == 5 && strict.output.hasPrefix("INCONCLUSIVE"), "\(strict)")
  }

  @Test func aScenarioBringsItsOwnBounds() async throws {
    let folder = try TemporaryFolder()
    let shown = try await run(["show", "quick-start"], in: folder)
    let text = shown.output + "  - vs(main).response{type=report}.mean < +5%\n"
    try Data(text.utf8).write(to: folder.url.appendingPathComponent("own.yaml"))
    let single = try await run(["run", "own.yaml", "--system", "simulated"], in: folder)
    #expect(single.status == 0 && single.output.contains("3 of 3 targets"), "\(single)")
    #expect(try folder.text("reports/latest/report.md").contains("vs(main).response{type=report}.mean < +5%"))
    let saved = try await run(["baseline", "save", "main", "own.yaml", "--system", "simulated"], in: folder)
    #expect(saved.status == 0, "\(saved)")
    let gate = try await run(
      ["gate", "own.yaml", "--baseline", "main", "--system", "simulated", "--plant", "report=1.2"], in: folder)
    #expect(gate.status == 3, "\(gate)")
  }

  @Test func aBoundBelowTheNoiseIsRefusedWithTheFloor() async throws {
    let folder = try TemporaryFolder()
    // Half of the jobs' luck is drawn anew by other retries: a figure that varies from tape to tape.
    let noise = try await run(
      ["noise", "quick-start", "--system", "simulated", "--progress", "none", "--rounds", "4"], in: folder)
    #expect(noise.status == 0 && noise.output.contains("smallest detectable change"), "\(noise)")
    let path = folder.url.appendingPathComponent(".tailrace/noise/quick-start.json")
    // In virtual time there is none: as a machine would have it.
    let floor = try String(contentsOf: path, encoding: .utf8)
      .replacing(#""floor":0,"metric":"throughput""#, with: #""floor":0.04,"metric":"throughput""#)
    try Data(floor.utf8).write(to: path)
    let refused = try await run(
      [
        "gate", "quick-start", "--system", "simulated", "--against", Binary.path, "--rounds", "4", "--regression",
        "throughput > -1%",
      ], in: folder)
    #expect(refused.status == 64, "\(refused)")
    let words = "below this machine's noise floor: 4 rounds detect changes from 4.00 %"
    #expect(refused.error.contains(words), "\(refused)")
    #expect(refused.error.contains("about 64 rounds"), "\(refused)")
  }

  @Test func theSelfTestFindsWhatItPlantedAndNothingElse() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(
      [
        "gate", "quick-start", "--self-test", "--slowdown", "10%", "--slow-type", "report", "--trials", "2", "--system",
        "simulated", "--rounds", "12", "--progress", "none",
      ], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("called worse in 2 of 2"), "\(outcome)")
    #expect(outcome.output.contains("is named as the cause in 2 of those 2"), "\(outcome)")
    #expect(outcome.output.contains("an identical copy is called worse in 0 of 2"), "\(outcome)")
  }

  @Test(arguments: [
    (["quick-start"], "nothing to compare with"),
    (["quick-start", "--against", "no-such-revision"], "neither an executable program nor a revision"),
    (["quick-start", "--against", "/bin/true", "--regression", "throughput < 3%"], "wrong way round"),
    (["--against", "/bin/true"], "needs a scenario"),
    (["quick-start", "--baseline", "a", "--against", "b"], "nothing to compare with"),
  ])
  func whatIsWrongIsSaid(_ arguments: [String], _ words: String) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run(["gate"] + arguments, in: folder)
    #expect(outcome.status == 64 && outcome.error.contains(words), "\(outcome)")
  }
}

/// Counts a document's elements; refuses what is not well formed.
private final class XMLDocumentProbe: NSObject, XMLParserDelegate {
  private var names: [String] = []

  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    if !parser.parse() { throw parser.parserError ?? CocoaError(.formatting) }
  }

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) { names.append(element) }

  func count(_ name: String) -> Int { names.count { $0 == name } }
}

/// `--against` a revision: of a repository whose program is built by copying this one.
@Suite struct RevisionTests {
  @Test func aRevisionIsBuiltBesideTheWorkingCopyOnce() async throws {
    let folder = try TemporaryFolder()
    let script = """
      set -e
      git init -q . && git config user.email a@b.c && git config user.name n
      cp "$0" program && git add program && git commit -qm first
      """
    let made = Process()
    made.executableURL = URL(filePath: "/bin/sh")
    made.arguments = ["-c", script, Binary.path]
    made.currentDirectoryURL = folder.url
    try made.run()
    made.waitUntilExit()
    #expect(made.terminationStatus == 0)
    let arguments = [
      "gate", "quick-start", "--system", "simulated", "--rounds", "12", "--against", "HEAD", "--build",
      "cp program built && echo once >> ../count", "--product", "built",
    ]
    for _ in 0..<2 {
      let outcome = try await Binary.run(arguments, in: folder)
      #expect(outcome.status == 0 && outcome.output.hasPrefix("PASSED"), "\(outcome)")
    }
    #expect(try folder.text(".tailrace/revisions/count") == "once\n")
    #expect(try folder.text(".tailrace/revisions/.gitignore") == "*\n")
    let broken = try await Binary.run(
      ["gate", "quick-start", "--against", "HEAD", "--build", "echo no such compiler; false", "--product", "else"],
      in: folder)
    #expect(broken.status == 64 && broken.error.contains("no such compiler"), "\(broken)")
  }
}
