// Goal: what the machine refuses ends the run with its reason and with the numbers, never with a crash or a hang.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

@Suite struct MachineLimitTests {
  private static let usual = """
    name: many
    jobs:
      store: {work: {sqlite: mixed}}
      block: {service: 1ms, pool: thread}
    load: [{batch: 100, of: store}, {batch: 100, of: block}]
    scheduler: {workers: 30, thread_workers: 4}

    """

  /// Runs the program in a shell that sets a limit first.
  ///
  /// - Parameter user: as which; nil: as the one who runs the tests.
  private func run(
    _ limit: String, _ settings: [String] = [], scenario: String = usual, user: Int? = nil
  ) async throws -> Outcome {
    let folder = try TemporaryFolder()
    try Data(scenario.utf8).write(to: folder.url.appendingPathComponent("many.yaml"))
    var (shell, program) = (["/bin/bash"], Binary.path)
    if let user {
      // The program may lie where another user does not come.
      program = folder.url.appendingPathComponent("tailrace").path
      try FileManager.default.copyItem(atPath: Binary.path, toPath: program)
      try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
      shell = ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"] + shell
    }
    let arguments = ["run", "many.yaml"] + settings.flatMap { ["--set", $0] }
    let line = "\(limit); exec \"$0\" \(arguments.joined(separator: " "))"
    let result = try await Subprocess.run(
      .path(FilePath(shell[0])), arguments: Arguments(Array(shell.dropFirst()) + ["-c", line, program]),
      workingDirectory: .init(folder.path), input: .none,
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    guard case .exited(let status) = result.terminationStatus else {
      Issue.record("\(line) was ended by a signal: \(result.standardError)")
      return Outcome(arguments: arguments, status: -1, output: "", error: result.standardError)
    }
    return Outcome(arguments: arguments, status: status, output: result.standardOutput, error: result.standardError)
  }

  /// The limit that a refusal advises: the number behind `ulimit -n `.
  private func advised(_ flag: String, _ outcome: Outcome) throws -> String {
    let text = outcome.error
    let start = try #require(text.range(of: "raise it (ulimit -\(flag) "), "\(outcome)").upperBound
    return String(text[start...].prefix { $0.isNumber })
  }

  /// Libraries that get no memory end the program, so that the little that starting takes is refused before.
  @Test func smallAddressSpacesAreRefusedOrEnough() async throws {
    let folder = try TemporaryFolder()
    for size in stride(from: 120_000, through: 260_000, by: 10_000) {
      let result = try await Subprocess.run(
        .path("/bin/bash"), arguments: ["-c", "ulimit -v \(size); exec \"$0\" validate quick-start", Binary.path],
        workingDirectory: .init(folder.path), input: .none, output: .discarded, error: .string(limit: 1 << 20))
      let words = result.standardError
      let isRefused = result.terminationStatus == .exited(64) && (words.contains("ulimit -v"))
      #expect(isRefused || result.terminationStatus == .exited(0), "\(size): \(result.terminationStatus) \(words)")
    }
  }

  /// A stack that is too small ends a program by a signal, wherever it is used up.
  @Test func smallStacksAreRefusedAndTheAdvisedOnesAreEnough() async throws {
    for size in [64, 91, 300] {
      let outcome = try await run("ulimit -s \(size)")
      #expect(outcome.status == 64 && outcome.error.contains("the limit is \(size) KiB"), "\(outcome)")
    }
    let advised = try advised("s", try await run("ulimit -s 91"))
    let outcome = try await run("ulimit -s \(advised)")
    #expect(outcome.status == 0 || outcome.status == 4, "\(outcome)")
    let folder = try TemporaryFolder()
    for arguments in [
      "capacity four-servers --precision 10%", "plan four-servers --vary scheduler.workers=1..4",
      "run quick-start --system simulated", "compare quick-start --vary scheduler.workers=1,2 --system simulated",
    ] {
      let result = try await Subprocess.run(
        .path("/bin/bash"), arguments: ["-c", "ulimit -s \(advised); exec \"$0\" \(arguments)", Binary.path],
        workingDirectory: .init(folder.path), input: .none, output: .discarded, error: .string(limit: 1 << 20))
      guard case .exited(let status) = result.terminationStatus, [0, 2, 5].contains(status) else {
        Issue.record("\(arguments): \(result.terminationStatus) \(result.standardError)")
        continue
      }
    }
  }

  private static let works = [
    "{store: {work: {sqlite: mixed}}, read: {work: {sqlite: read}, pool: thread}}",
    "{store: {work: {subprocess: [sleep, '0.05']}}, read: {work: {subprocess: [sleep, '0.05']}, pool: thread}}",
    "{store: {work: {events: 3}}, read: {service: 1ms, pool: thread}}",
  ]

  private static func scenario(_ jobs: String) -> String {
    "name: many\njobs: \(jobs)\nload: [{batch: 100, of: store}, {batch: 100, of: read}]\n"
      + "scheduler: {workers: 30, thread_workers: 20}\n"
  }

  @Test(arguments: works, ["n", "v"])
  func theLimitThatARefusalAdvisesIsEnough(jobs: String, flag: String) async throws {
    let scenario = Self.scenario(jobs)
    let refused = try await run("ulimit -\(flag) \(flag == "n" ? "12" : "260000")", scenario: scenario)
    #expect(refused.status == 64, "\(refused)")
    #expect(!refused.output.contains("jobs"), "\(refused)")
    let limit = try advised(flag, refused)
    let outcome = try await run("ulimit -\(flag) \(limit)", scenario: scenario)
    #expect(outcome.status == 0 || outcome.status == 4, "\(limit): \(outcome)")
    #expect(outcome.output.contains("200 jobs"), "\(limit): \(outcome)")
    #expect(!outcome.output.contains("failed:"), "\(limit): \(outcome)")
  }

  @Test func aSoftLimitIsRaised() async throws {
    let outcome = try await run("ulimit -Sn 20")
    #expect(outcome.status == 0 || outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("200 jobs"), "\(outcome)")
  }

  @Test func childrenHaveTheSoftLimitThatTheProgramWasGiven() async throws {
    let jobs = """
      {store: {work: {subprocess: [sh, '-c', 'sleep 0.3; test $(ulimit -Sn) = 77']}}, read: {service: 1ms}}
      """
    let outcome = try await run("ulimit -Sn 77", scenario: Self.scenario(jobs))
    #expect(outcome.status == 0 || outcome.status == 4, "\(outcome)")
    #expect(!outcome.output.contains("exited with status"), "\(outcome)")
  }

  @Test func asManyThreadsAsAScenarioMayNameAreAnsweredAtOnce() async throws {
    let outcome = try await run("true", ["scheduler.workers=65534", "scheduler.thread_workers=65534"])
    // A machine may be set up for so many.
    guard outcome.status != 0, outcome.status != 4 else { return }
    #expect(outcome.status == 64, "\(outcome)")
    #expect(outcome.error.contains("needs 65,"), "\(outcome)")
  }

  @Test(.enabled(if: getuid() == 0), arguments: [3, 40])
  func aPlainUserIsToldOfTheLimitOfProcesses(limit: Int) async throws {
    let outcome = try await run("ulimit -u \(limit)", user: 64_321)
    #expect(outcome.status == 64, "\(outcome)")
    #expect(outcome.error.contains("ulimit -u"), "\(outcome)")
  }

  @Test func moreWorkersThanConnectionsWaitForOne() async throws {
    let outcome = try await run("true", ["scheduler.workers=350"])
    #expect(outcome.status == 0 || outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("200 jobs"), "\(outcome)")
  }

  /// Has the machine refuse open files from a moment on when jobs run, or are about to.
  @Test func whatTheMachineRefusesDuringARunFailsJobsWithTheReason() async throws {
    let folder = try TemporaryFolder()
    let jobs = "{a: {work: {subprocess: [sleep, '0.2']}}, b: {work: {subprocess: [sleep, '0.2']}, pool: thread}}"
    let scenario =
      "name: many\njobs: \(jobs)\nload: [{constant: 60/s, of: [a, b]}]\nduration: 8s\n"
      + "scheduler: {workers: 40, retries: 0}\n"
    try Data(scenario.utf8).write(to: folder.url.appendingPathComponent("many.yaml"))
    let result = try await Subprocess.run(
      .path(FilePath(Binary.path)), arguments: ["run", "many.yaml", "--output", "out"],
      workingDirectory: .init(folder.path), input: .none, output: .string(limit: 1 << 20),
      error: .string(limit: 1 << 20)
    ) { run in
      let process = run.processIdentifier.value
      // Only children open so many files: those of the rehearsal or of the first jobs.
      for _ in 0..<1_200 {
        if Self.openFiles(process) >= 12 { break }
        try await Task.sleep(for: .milliseconds(25))
      }
      try await Self.setOpenFiles("20:", process)
    }
    let outcome = Outcome(
      arguments: [], status: { if case .exited(let status) = result.terminationStatus { status } else { -1 } }(),
      output: result.standardOutput, error: result.standardError)
    #expect(outcome.status == 0 || outcome.status == 4, "\(outcome)")
    let words = "cannot start a process: too many files are open (EMFILE)"
    #expect(outcome.output.contains(words), "\(outcome)")
    let reports = folder.url.appendingPathComponent("out/latest")
    for name in ["report.md", "report.html", "result.json"] {
      #expect(try String(contentsOf: reports.appendingPathComponent(name), encoding: .utf8).contains(words), "\(name)")
    }
  }

  /// 0 before the program has begun: until then the process has the files of the tests.
  private static func openFiles(_ process: pid_t) -> Int {
    let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
    guard program == URL(fileURLWithPath: Binary.path).resolvingSymlinksInPath().path else { return 0 }
    return (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd"))?.count ?? 0
  }

  private static func setOpenFiles(_ limit: String, _ process: pid_t) async throws {
    _ = try await Subprocess.run(
      .name("prlimit"), arguments: ["--nofile=\(limit)", "--pid", "\(process)"], input: .none, output: .discarded,
      error: .discarded)
  }
}
