// Goal: the steps of the GitHub action turn its inputs into one call of the gate, and what came of it into outputs and
// a single comment.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

struct ActionTests {
  private let action = Binary.tests.deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".github/actions/gate")

  /// A program that stands in for another: it notes its arguments, one a line, and does what the script says.
  private func makeProgram(_ name: String, _ script: String, in folder: TemporaryFolder) throws {
    let text = "#!/usr/bin/env bash\nprintf '%s\\n' \"$@\" >> \"${0%/*}/\(name).arguments\"\n\(script)\n"
    let file = folder.url.appendingPathComponent(name)
    try text.write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
  }

  private func run(
    _ script: String, _ arguments: [String] = [], in folder: TemporaryFolder, _ variables: [String: String]
  ) async throws -> Outcome {
    var updates: [Environment.Key: String?] = [
      "PATH": "\(folder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
      "RUNNER_TEMP": folder.path, "GITHUB_OUTPUT": folder.url.appendingPathComponent("output").path,
      "TAILRACE": folder.url.appendingPathComponent("tailrace").path, "GITHUB_REPOSITORY": "o/r",
    ]
    for (name, value) in variables { updates[Environment.Key(stringLiteral: name)] = value }
    let result = try await Subprocess.run(
      .path(FilePath(action.appendingPathComponent(script).path)), arguments: Arguments(arguments),
      environment: .inherit.updating(updates), workingDirectory: FilePath(folder.path),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    guard case .exited(let status) = result.terminationStatus else { throw CancellationError() }
    return Outcome(
      arguments: [script] + arguments, status: status, output: result.standardOutput, error: result.standardError)
  }

  @Test(arguments: [(0, "passed"), (3, "worse than what it was compared with"), (1, "internal error")])
  func inputsBecomeOneCall(_ status: Int32, _ verdict: String) async throws {
    let folder = try TemporaryFolder()
    try makeProgram(
      "tailrace",
      "for word in \"$@\"; do case $word in --comment=*) echo '**words**' > \"${word#*=}\";; esac; done\nexit \(status)",
      in: folder)
    let outcome = try await run(
      "gate", in: folder,
      [
        "GATE_SCENARIOS": "quick-start\n  more/*.yaml", "GATE_AGAINST": "main",
        "GATE_REGRESSIONS": "throughput > -3%\n\n  response.p99 < +10%\n", "GATE_ROUNDS": "12", "GATE_STRICT": "true",
      ])
    #expect(outcome.status == status, "\(outcome)")
    let arguments = try folder.text("tailrace.arguments").split(separator: "\n").map(String.init)
    #expect(
      arguments.prefix(9) == [
        "gate", "quick-start", "more/*.yaml", "--against=main", "--regression=throughput > -3%",
        "--regression=response.p99 < +10%", "--rounds=12", "--strict", "--github",
      ])
    #expect(arguments.dropFirst(9).map { $0.prefix { $0 != "=" } } == ["--junit", "--comment", "--output"])
    let output = try folder.text("output")
    #expect(output.contains("status=\(status)\nverdict=\(verdict)\n"))
    #expect(output.contains("\nreport=\(folder.path)/tailrace-gate.") && output.contains("/comment.md\n"), "\(output)")
  }

  @Test func wrongInputsRunNothing() async throws {
    let folder = try TemporaryFolder()
    try makeProgram("tailrace", "exit 0", in: folder)
    for wrong in [
      [:], ["GATE_AGAINST": "main", "GATE_BASELINE": "main"], ["GATE_BASELINE": "main", "GATE_STRICT": "maybe"],
    ] {
      let outcome = try await run("gate", in: folder, wrong)
      #expect(outcome.status == 64 && outcome.output.hasPrefix("::error title=Tailrace gate::"), "\(outcome)")
    }
    #expect(!folder.exists("tailrace.arguments"))
  }

  @Test(arguments: ["", "77"])
  func thereIsOneComment(_ before: String) async throws {
    let folder = try TemporaryFolder()
    try makeProgram(
      "gh", "case \"$*\" in *--paginate*) echo '\(before)';; *) cat \"${@: -1}\" 2>/dev/null || true;; esac", in: folder
    )
    try "**words**\n".write(
      to: folder.url.appendingPathComponent("comment.md"), atomically: true, encoding: .utf8)
    let outcome = try await run(
      "comment", in: folder,
      [
        "COMMENT": folder.url.appendingPathComponent("comment.md").path, "COMMENT_NAME": "nightly",
        "PULL_REQUEST": "5",
      ])
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome)")
    let said = try folder.text("gh.arguments")
    #expect(said.contains("repos/o/r/issues/5/comments\n--jq"))
    #expect(said.contains("--method\nPOST\nrepos/o/r/issues/5/comments\n") == before.isEmpty, "\(said)")
    #expect(said.contains("--method\nPATCH\nrepos/o/r/issues/comments/77\n") == !before.isEmpty, "\(said)")
  }

  @Test func aCommentThatCannotBePostedFailsNothing() async throws {
    let folder = try TemporaryFolder()
    try makeProgram("gh", "exit 1", in: folder)
    try "words\n".write(to: folder.url.appendingPathComponent("comment.md"), atomically: true, encoding: .utf8)
    let outcome = try await run(
      "comment", in: folder,
      ["COMMENT": folder.url.appendingPathComponent("comment.md").path, "COMMENT_NAME": "a", "PULL_REQUEST": "5"])
    #expect(outcome.status == 0 && outcome.output.hasPrefix("::warning "), "\(outcome)")
  }

  @Test func whatIsBuiltHasAKey() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await run("build", ["key"], in: folder, [:])
    #expect(outcome.status == 0 && outcome.output.wholeMatch(of: /key=[0-9a-f]{64}\n/) != nil, "\(outcome)")
  }
}
