// Goal: a program that reads a tape and writes rows can be run and compared; what is wrong with it is said.

import Foundation
import Subprocess
import Testing

@Suite struct DriverTests {
  private static let scenario = """
    name: driven
    jobs:
      thumbnail: {priority: high, service: 4ms}
      report: {priority: low, service: "exponential(mean: 20ms)"}
    load: {poisson: 40/s, of: {thumbnail: 3, report: 1}}
    duration: 5s
    scheduler: {workers: 2}
    targets:
      - success == 100%
      - lost == 0

    """

  /// Turns a tape's rows into rows of `jobs.csv` by arithmetic, first come, first served, on as many workers as it is
  /// told: no instant depends on the machine. `report` jobs take `factor` times as long; `filter` may spoil rows.
  private func driver(_ name: String, factor: Double = 1, filter: String = "{ print }", in folder: TemporaryFolder)
    throws
  {
    try script(
      name,
      """
      awk -F, -v workers="$TAILRACE_WORKERS" '
        NR == 1 {
          print "job,job_type,priority,attempt,worker,intended_ns,submitted_ns,accepted_ns,eligible_ns,started_ns," \\
            "finished_ns,outcome"
          next
        }
        {
          best = 0
          for (worker = 1; worker < workers; worker++) if (free[worker] + 0 < free[best] + 0) best = worker
          start = free[best] > $4 + 1000 ? free[best] : $4 + 1000
          free[best] = start + $9 * ($2 == "report" ? \(factor) : 1)
          printf "%s,%s,%s,1,async-%d,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,succeeded\\n", $1, $2, $3, best, $4, $4 + 500, \\
            $4 + 1000, $4 + 1000, start, free[best]
        }' "$1" | awk -F, -v OFS=, '\(filter)' > "$2"
      """, in: folder)
  }

  private func script(_ name: String, _ text: String, in folder: TemporaryFolder) throws {
    let path = folder.url.appendingPathComponent(name).path
    try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  private func folderWithScenario() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try Data(Self.scenario.utf8).write(to: folder.url.appendingPathComponent("driven.yaml"))
    return folder
  }

  @Test func aProgramReplaysATapeAndIsReported() async throws {
    let folder = try folderWithScenario()
    try driver("first", in: folder)
    let outcome = try await Binary.run(
      ["run", "driven.yaml", "--system", "exec:./first", "--jobs", "--progress", "none"], in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.hasPrefix("PASSED"), "\(outcome)")
    #expect(try folder.text("reports/latest/report.md").contains("exec:./first"))
    let tape = try await Binary.run(["show", "driven.yaml", "--tape"], in: folder)
    let jobs = try folder.files(under: "reports/latest").filter { $0.path.hasSuffix("jobs.csv") }
    #expect(jobs.count == 1)
    // What it wrote comes out again: a row for each job of the tape, the same columns.
    let rows = String(decoding: jobs.first?.bytes ?? Data(), as: UTF8.self).split(separator: "\n")
    #expect(rows.count == tape.outputLines.count)
  }

  @Test func aProgramIsToldWhatItNeeds() async throws {
    let folder = try folderWithScenario()
    try script("curious", "env | grep ^TAILRACE_ | sort > told.txt; cp \"$1\" tape.csv; exit 3", in: folder)
    let outcome = try await Binary.run(
      ["run", "pipeline-phases", "--system", "exec:./curious", "--seed", "7", "--set", "scheduler.workers=3"],
      in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    let told = try folder.text("told.txt").split(separator: "\n")
    #expect(told.contains("TAILRACE_SEED=7") && told.contains("TAILRACE_WORKERS=3"), "\(told)")
    // The tape that is shown, dependencies and all.
    let tape = try await Binary.run(["show", "pipeline-phases", "--tape", "--seed", "7"], in: folder)
    #expect(try folder.text("tape.csv") == tape.output)
    #expect(tape.output.contains("dependencies"))
    let timed = try await Binary.run(["run", "driven.yaml", "--system", "exec:./curious"], in: folder)
    #expect(timed.status == 4, "\(timed)")
    #expect(try folder.text("told.txt").contains("TAILRACE_DURATION_NS=5000000000\n"))
  }

  /// The filter that spoils the rows, the status, and what is said of it.
  static let broken: [(filter: String, status: Int32, words: [String])] = [
    (
      "NR == 3 { $2 = \"reprot\" } { print }", 4,
      ["Error: driven: exec:./broken", "JOBS.csv:3: unknown job type 'reprot'; the tape's are thumbnail, report"]
    ),
    (
      "NR == 4 { $11 = $10 - 1 } NR == 6 { $1 = 99999 } { print }", 4,
      ["JOBS.csv:4: finished_ns", "is before started_ns", "JOBS.csv:6: job '99999' is not on the tape"]
    ),
    ("NR > 1 { $12 = \"won\" } { print }", 4, ["'won' is no outcome of an attempt", "failed_permanently", "more"]),
    ("NR > 1 { print }", 4, ["JOBS.csv:1: the first line is '", ",finished_ns,outcome"]),
    ("NR == 3 { $5 = \"async-60021\" } { print }", 4, ["JOBS.csv:3: worker 'async-60021' does not exist: there are 2"]),
    ("{ print } NR == 5 { print }", 4, ["JOBS.csv:6: attempt 1 of job 3 is in line 5 too (none_duplicated)"]),
    (
      "NR > 1 { $5 = \"\"; $10 = $9; $11 = sprintf(\"%.0f\", $9 + 3000000000) } { print }", 4,
      ["others run; there are 2 workers", "more"]
    ),
  ]

  @Test(arguments: broken.indices) func rowsThatCannotBeReadAreNamed(_ index: Int) async throws {
    let folder = try folderWithScenario()
    let (filter, status, words) = Self.broken[index]
    try driver("broken", filter: filter, in: folder)
    let outcome = try await Binary.run(["run", "driven.yaml", "--system", "exec:./broken"], in: folder)
    #expect(outcome.status == status, "\(outcome)")
    for word in words { #expect(outcome.error.contains(word), "'\(word)' is not in: \(outcome.error)") }
    let report = try folder.text("reports/latest/report.md")
    #expect(report.hasPrefix("# INVALID") && report.contains("**The run on exec:./broken failed**"), "\(report)")
  }

  @Test(arguments: [
    ("NR != 5 { print }", "none_lost"),
    ("NR > 1 { for (i = 7; i <= 11; i++) $i = sprintf(\"%.0f\", $i + 300000000) } { print }", "generator_lateness"),
  ])
  func whatAProgramLosesOrSubmitsLateMakesItsRunInvalid(_ filter: String, _ check: String) async throws {
    let folder = try folderWithScenario()
    try driver("careless", filter: filter, in: folder)
    let outcome = try await Binary.run(
      ["run", "driven.yaml", "--system", "exec:./careless", "--progress", "none"], in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains(check), "\(outcome)")
  }

  @Test func aProgramThatFailsIsQuotedOneThatWritesNothingIsTold() async throws {
    let folder = try folderWithScenario()
    try script("fails", "echo starting >&2; echo 'the store is closed' >&2; exit 3", in: folder)
    let failed = try await Binary.run(["run", "driven.yaml", "--system", "exec:./fails"], in: folder)
    #expect(failed.status == 4, "\(failed)")
    #expect(failed.error.contains("Error: driven: exec:./fails ended with status 3"), "\(failed)")
    #expect(failed.output.contains("0 of 2 targets met, 0 of 0 runs valid, 1 run failed"), "\(failed)")
    #expect(try folder.text("reports/latest/report.md").contains("the store is closed"))
    #expect(failed.error.contains("the store is closed"), "\(failed)")
    try script("idle", "exit 0", in: folder)
    let idle = try await Binary.run(["run", "driven.yaml", "--system", "exec:./idle"], in: folder)
    #expect(idle.status == 4 && idle.error.contains("wrote no JOBS.csv, though "), "\(idle)")
    // A first line alone, and a file without any.
    let tape = try await Binary.run(["show", "driven.yaml", "--tape"], in: folder)
    try driver("silent", filter: "NR == 1 { print }", in: folder)
    let silent = try await Binary.run(["run", "driven.yaml", "--system", "exec:./silent"], in: folder)
    let words = "exited with status 0 and wrote no row, though \(tape.outputLines.count - 1) jobs were intended"
    #expect(silent.status == 4 && silent.error.contains(words), "\(silent)")
  }

  /// Whichever of them fails, what the other did is reported.
  @Test(arguments: [["exec:./good", "exec:./fails"], ["exec:./fails", "exec:./good"]])
  func oneThatFailsDoesNotHideTheOther(_ systems: [String]) async throws {
    let folder = try folderWithScenario()
    try driver("good", in: folder)
    try script("fails", "echo 'the store is closed' >&2; exit 3", in: folder)
    let outcome = try await Binary.run(
      ["run", "driven.yaml", "--system", systems.joined(separator: ","), "--jobs"], in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("1 of 1 run valid, 1 run failed"), "\(outcome)")
    #expect(outcome.error.contains("Error: driven: exec:./fails ended with status 3"), "\(outcome)")
    let report = try folder.text("reports/latest/report.md")
    #expect(
      report.contains("**The run on exec:./fails failed**") && report.contains("the store is closed"), "\(report)")
    let results = try folder.text("reports/latest/results.csv")
    #expect(results.contains("driven,exec:./good,all,response,mean"), "\(results.prefix(400))")
    // The targets are about the first system.
    let targets = try folder.text("reports/latest/targets.csv")
    #expect(targets.contains(systems[0] == "exec:./good" ? ",met," : ",no samples,"), "\(targets)")
    #expect(systems[0] == "exec:./good" || !targets.contains(",met,"), "\(targets)")
    let again = try await Binary.run(["report", "reports/latest"], in: folder)
    #expect(again.status == 0, "\(again)")
    #expect(try folder.text("reports/latest/report.md") == report)
  }

  /// Nobody inside the program can notice.
  @Test func aProgramThatWasStoppedIsInvalid() async throws {
    let folder = try folderWithScenario()
    try driver("good", in: folder)
    try script("stopped", "(sleep 2; kill -CONT $$) & kill -STOP $$; exec ./good \"$@\"", in: folder)
    let outcome = try await Binary.run(["run", "driven.yaml", "--system", "exec:./stopped"], in: folder)
    #expect(outcome.status == 4 && outcome.output.contains("process_standstill"), "\(outcome)")
  }

  /// A driver that fails in a later round, by a count that it keeps in a file.
  @Test func aRoundThatFailsLeavesThoseBeforeIt() async throws {
    let folder = try folderWithScenario()
    try driver("good", in: folder)
    try script(
      "tired", "echo >> runs.txt; test $(wc -l < runs.txt) -lt 6 || { echo worn out >&2; exit 3; }; exec ./good \"$@\"",
      in: folder)
    let compared = try await Binary.run(
      ["compare", "driven.yaml", "--system", "exec:./good,exec:./tired", "--rounds", "12", "--progress", "none"],
      in: folder)
    #expect(compared.status == 4, "\(compared)")
    #expect(
      compared.output.contains("round 6 failed on exec:./tired") && compared.output.contains("worn out"), "\(compared)")
    #expect(compared.output.contains("5 rounds of each; round 6 failed."), "\(compared)")
    #expect(try folder.text("reports/latest/report.md").contains("| `throughput` |"))
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("runs.txt"))
    let saved = try await Binary.run(
      ["baseline", "save", "main", "driven.yaml", "--system", "exec:./tired", "--rounds", "12"], in: folder)
    #expect(saved.status == 4 && saved.error.contains("Not saved: 5 of 12 rounds are valid"), "\(saved)")
    #expect(saved.error.contains("round 6 failed") && saved.outputLines.count == 6, "\(saved)")
    #expect(!folder.exists(".tailrace"))
  }

  @Test func whatCannotBeRunOrReplayedIsRefusedBeforeAnythingRuns() async throws {
    let folder = try folderWithScenario()
    for (name, words) in [("exec:./none", "does not exist"), ("exec:driven.yaml", "chmod +x"), ("exec:", "missing")] {
      let outcome = try await Binary.run(["run", "driven.yaml", "--system", "live,\(name)"], in: folder)
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.error.contains("Error: \(name): ") && outcome.error.contains(words), "\(outcome)")
    }
    try driver("first", in: folder)
    let retried = try await Binary.run(
      ["run", Binary.scenario("steady"), "--system", "exec:./first"], in: folder)
    #expect(retried.status == 64 && retried.error.contains("retries of failed attempts"), "\(retried)")
    let closed = try await Binary.run(
      ["run", "driven.yaml", "--system", "exec:./first", "--set", "load={closed: 2}"], in: folder)
    #expect(closed.status == 64, "\(closed)")
    #expect(!folder.exists("reports"))
  }

  @Test func aSlowerProgramIsCalledWorse() async throws {
    let folder = try folderWithScenario()
    try driver("old", in: folder)
    try driver("new", factor: 1.2, in: folder)
    let outcome = try await Binary.run(
      ["compare", "driven.yaml", "--system", "exec:./old,exec:./new", "--rounds", "12", "--progress", "none"],
      in: folder)
    #expect(outcome.status == 3, "\(outcome)")
    #expect(outcome.output.contains("exec:./new against exec:./old: WORSE"), "\(outcome)")
    #expect(outcome.output.contains("The cause is the service time of `report`"), "\(outcome)")
  }

  /// Rows of a part of the jobs: the certificate counts what the tape intended, and not what was written.
  @Test func whatAProgramDoesNotTellOfWasStillIntended() async throws {
    let folder = try folderWithScenario()
    try driver("half", filter: "NR == 1 || NR % 2 { print }", in: folder)
    let outcome = try await Binary.run(
      ["run", "driven.yaml", "--system", "exec:./half", "--progress", "none"], in: folder)
    let tape = try await Binary.run(["show", "driven.yaml", "--tape"], in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    let report = try folder.text("reports/latest/report.md")
    #expect(report.contains("\(tape.outputLines.count - 1) were due in the window"), "\(report)")
    #expect(!report.contains("no job was intended"))
  }

  /// Both pools are told, so that no program has half of the workers of what it is compared with.
  @Test func aProgramIsToldBothPools() async throws {
    let folder = try folderWithScenario()
    try script("curious", "env | grep ^TAILRACE_ | sort > told.txt; exit 3", in: folder)
    let settings = [
      "jobs.report.pool=thread", "scheduler.workers=3", "scheduler.thread_workers=5",
    ].flatMap { ["--set", $0] }
    _ = try await Binary.run(["run", "driven.yaml", "--system", "exec:./curious"] + settings, in: folder)
    let told = try folder.text("told.txt").split(separator: "\n")
    for line in [
      "TAILRACE_ASYNC_WORKERS=3", "TAILRACE_THREAD_WORKERS=5", "TAILRACE_WORKERS=8", "TAILRACE_THREAD_TYPES=report",
    ] { #expect(told.contains(Substring(line)), "\(told)") }
    // A pool that no job uses has no workers for the program.
    _ = try await Binary.run(
      ["run", "driven.yaml", "--system", "exec:./curious", "--set", "scheduler.thread_workers=5"], in: folder)
    #expect(try folder.text("told.txt").contains("TAILRACE_WORKERS=2\n"))
    #expect(try folder.text("told.txt").contains("TAILRACE_THREAD_WORKERS=0\n"))
  }

  /// A program that ends leaves nothing running, nor does one that is ended.
  @Test(arguments: [1, 2]) func theChildrenOfAProgramEndWithIt(_ signals: Int) async throws {
    let folder = try folderWithScenario()
    try script("parent", "sleep 600 & echo $! > child.txt; trap '' TERM; sleep 600; sleep 600", in: folder)
    let outcome = try await Binary.interrupt(
      ["run", "driven.yaml", "--system", "exec:./parent", "--grace", signals == 1 ? "100ms" : "10m"], with: .terminate,
      times: signals, made: "child.txt", in: folder)
    #expect(outcome.status == (signals == 1 ? 4 : 143), "\(outcome)")
    let child = try folder.text("child.txt").trimmingCharacters(in: .whitespacesAndNewlines)
    func isAlive() -> Bool {
      guard let stat = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8) else { return false }
      return stat.split(separator: ")").last?.split(separator: " ").first != "Z"
    }
    for _ in 0..<1_000 where isAlive() { try await Task.sleep(for: .milliseconds(5)) }
    #expect(!isAlive(), "\(outcome)")
  }

  @Test func anInterruptionEndsTheProgramAndIsReported() async throws {
    let folder = try folderWithScenario()
    try script("endless", "exec sleep 600", in: folder)
    let outcome = try await Binary.interrupt(
      ["run", "driven.yaml", "--system", "exec:./endless"], with: .interrupt, times: 1, in: folder)
    #expect(outcome.status == 4, "\(outcome)")
    #expect(folder.exists("reports/latest/report.md"))
  }
}
