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
  private static let scenario = """
    name: many
    jobs:
      store: {work: {sqlite: mixed}}
      block: {service: 1ms, pool: thread}
    load: [{batch: 100, of: store}, {batch: 100, of: block}]
    scheduler: {workers: 30, thread_workers: 4}

    """

  /// Runs the program in a shell that sets a limit first.
  private func run(_ limit: String, _ settings: [String] = []) async throws -> Outcome {
    let folder = try TemporaryFolder()
    try Data(Self.scenario.utf8).write(to: folder.url.appendingPathComponent("many.yaml"))
    let arguments = ["run", "many.yaml"] + settings.flatMap { ["--set", $0] }
    let line = "\(limit); exec \"$0\" \(arguments.joined(separator: " "))"
    let result = try await Subprocess.run(
      .path("/bin/bash"), arguments: ["-c", line, Binary.path], workingDirectory: .init(folder.path), input: .none,
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    guard case .exited(let status) = result.terminationStatus else {
      Issue.record("\(line) was ended by a signal: \(result.standardError)")
      return Outcome(arguments: arguments, status: -1, output: "", error: result.standardError)
    }
    return Outcome(arguments: arguments, status: status, output: result.standardOutput, error: result.standardError)
  }

  @Test func tooFewFileDescriptorsAreNamed() async throws {
    let outcome = try await run("ulimit -n 40")
    #expect(outcome.status == 1, "\(outcome)")
    #expect(outcome.error.contains("with 30 connections: unable to open database file (SQLite error 14)"), "\(outcome)")
    #expect(outcome.error.contains("raise the limit of open files (ulimit -n)"), "\(outcome)")
  }

  @Test func moreWorkersThanConnectionsWaitForOne() async throws {
    let outcome = try await run("true", ["scheduler.workers=350"])
    #expect(outcome.status == 0 || outcome.status == 4, "\(outcome)")
    #expect(outcome.output.contains("200 jobs"), "\(outcome)")
  }
}
