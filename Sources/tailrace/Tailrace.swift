import ArgumentParser
import Foundation
import TailraceHost

/// The command line: parses the arguments, runs the command, and reports errors and the exit status.
struct Tailrace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tailrace",
    abstract: "Load-test job schedulers, and check that the measurements can be trusted.",
    discussion: """
      Tailrace replays a mix of jobs on a scheduler. It measures every job's response time from its intended arrival, \
      checks the figures against targets, and writes a report.

      EXAMPLES
        tailrace run                            the five documented job mixes
        tailrace run quick-start                one scenario
        tailrace show quick-start > mine.yaml   create your own scenario
        tailrace validate mine.yaml             check it
        tailrace run mine.yaml --target 'response.p99 < 50ms'
        tailrace doctor                         check this machine's precision
        tailrace compare mine.yaml --vary scheduler.workers=2,4
        tailrace gate mine.yaml --against main  decide whether a change passes
        tailrace verify                         compare its figures with theory

      EXIT STATUS
        0 passed
        1 internal error
        2 a target was missed
        3 worse than the baseline
        4 the run is invalid (do not trust its figures), or it was interrupted
        5 inconclusive (with --strict; 'gate' and 'plan' also without)
        64 wrong usage or a bad file

      SHELL COMPLETION
        tailrace --generate-completion-script bash   (or zsh, fish)
      """,
    version: Composition.version,
    subcommands: [
      RunCommand.self, CrashCommand.self, ListCommand.self, ShowCommand.self, ValidateCommand.self, ReportCommand.self,
      DoctorCommand.self, VerifyCommand.self, TraceCommand.self, PlanCommand.self, CapacityCommand.self,
      CompareCommand.self, BaselineCommand.self, GateCommand.self, NoiseCommand.self, DriversCommand.self,
      CleanCommand.self,
    ])

  /// Runs the command and ends the program.
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

  /// Prints an error that a command threw.
  ///
  /// - Returns: The exit status.
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

  /// The exit status of an interrupted command.
  static let interruptedStatus: Int32 = 4

  /// Ends the program. Lost output turns success into an error, but never hides a verdict.
  static func end(_ status: Int32) -> Never {
    Terminal.output.finish()
    let failure = Terminal.output.failure
    guard failure != 0 else { Foundation.exit(status) }
    // If the reader has closed the pipe (`| head`), print nothing; the status is that of a program ended by SIGPIPE.
    if failure == EPIPE { Foundation.exit(status == 0 ? 128 + SIGPIPE : status) }
    Terminal.error.write(
      "Error: cannot write to standard output: \(FileProblem.reason(failure)); the output is incomplete\n")
    Foundation.exit(status == 0 ? 1 : status)
  }
}
