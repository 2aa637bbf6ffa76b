// Goal: help, version and completion say what the program can do, and say it in the same words until someone means to
// change them.

import Testing

@Suite struct HelpTests {
  @Test(arguments: [
    "", "run", "list", "show", "validate", "report", "doctor", "verify", "trace", "plan", "compare", "baseline", "gate",
    "noise", "capacity", "clean", "crash", "drivers",
  ])
  func helpIsAsRecorded(_ command: String) async throws {
    let outcome = try await Binary.run(["help"] + (command.isEmpty ? [] : [command]))
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("EXAMPLES"))
    #expect(outcome.error.isEmpty)
    try expectGolden(outcome.output, command.isEmpty ? "help.txt" : "help-\(command).txt")
  }

  @Test func withoutACommandItPrintsHelp() async throws {
    let outcome = try await Binary.run([])
    #expect(outcome.status == 0 && outcome.output.contains("SUBCOMMANDS"))
  }

  @Test func versionIsOneLine() async throws {
    let outcome = try await Binary.run(["--version"])
    #expect(outcome.status == 0)
    #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(outcome)")
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completionIsGenerated(_ shell: String) async throws {
    let outcome = try await Binary.run(["--generate-completion-script", shell])
    #expect(outcome.status == 0 && outcome.output.contains("time-scale"))
  }
}
