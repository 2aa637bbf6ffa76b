import ArgumentParser
import Foundation
import TailraceHost

/// The command line: parses, chooses the parts, and turns what came of it into words and an exit status.
struct Tailrace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tailrace",
    abstract: "Load-tests job schedulers, and says whether its own figures can be trusted.",
    discussion: """
      Tailrace replays a described mix of jobs against a scheduler, measures every job from the instant it should have \
      arrived, checks the figures against targets, and writes a report.

      EXAMPLES
        tailrace run                            the five documented job mixes
        tailrace run quick-start                one scenario
        tailrace show quick-start > mine.yaml   start a scenario of your own
        tailrace validate mine.yaml             check it
        tailrace run mine.yaml --target 'response.p99 < 50ms'
        tailrace doctor                         what this machine is good for
        tailrace compare mine.yaml --vary scheduler.workers=2,4
        tailrace gate mine.yaml --against main  decide whether a change may pass
        tailrace verify                         hold its figures against theory

      EXIT STATUS
        0 passed
        1 internal error
        2 a target was missed
        3 worse than the baseline
        4 the run is invalid, so that its figures are not to be trusted, or it was interrupted
        5 inconclusive (only with --strict)
        64 wrong usage or a bad file

      SHELL COMPLETION
        tailrace --generate-completion-script bash   (or zsh, fish)
      """,
    version: Composition.version,
    subcommands: [
      RunCommand.self, ListCommand.self, ShowCommand.self, ValidateCommand.self, ReportCommand.self,
      DoctorCommand.self, VerifyCommand.self, TraceCommand.self, PlanCommand.self, CapacityCommand.self,
      CompareCommand.self, BaselineCommand.self, GateCommand.self, NoiseCommand.self, CleanCommand.self,
    ])

  /// Does what the arguments say, and ends the program.
  static func answer() async {
    let arguments = ProgressStyle.completing(Array(CommandLine.arguments.dropFirst()))
    if let words = MisspeltCommand.refusal(of: arguments) {
      Terminal.error.write(words)
      end(Refusal.status)
    }
    var status: Int32 = 0
    do {
      var command = try parseAsRoot(arguments)
      if let command = command as? any ModalCommand { try OptionCheck(arguments).check(command) }
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      status = say(error)
    }
    end(status)
  }

  /// Says what a command threw.
  ///
  /// - Returns: the status to end with.
  private static func say(_ error: any Error) -> Int32 {
    if let code = error as? ExitCode { return code.rawValue }
    let status = exitCode(for: error).rawValue
    if status == 0 {
      // Help, the version, a completion script.
      let text = fullMessage(for: error)
      if !text.isEmpty { Terminal.output.write(text + "\n") }
    } else if status == Refusal.status {
      Terminal.error.write(fullMessage(for: error) + "\n")
    } else {
      Terminal.error.write("Error: \(ErrorWords.of(error))\n")
    }
    return status
  }

  /// Of a command that was interrupted.
  static let interruptedStatus: Int32 = 4

  /// Ends the program. Output that was lost is no success, and hides no verdict.
  static func end(_ status: Int32) -> Never {
    Terminal.output.finish()
    let failure = Terminal.output.failure
    guard failure != 0 else { Foundation.exit(status) }
    // A reader that has seen enough (`| head`) needs no words: the status is that of a program that a signal ended.
    if failure == EPIPE { Foundation.exit(status == 0 ? 128 + SIGPIPE : status) }
    Terminal.error.write(
      "Error: cannot write to standard output: \(FileProblem.reason(failure)); what was printed is not whole\n")
    Foundation.exit(status == 0 ? 1 : status)
  }
}
