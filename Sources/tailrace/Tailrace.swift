import ArgumentParser
import Foundation

/// The command line: parses, chooses the parts, and turns what came of it into words and an exit status.
@main struct Tailrace: AsyncParsableCommand {
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
        4 the run is invalid: its figures are not to be trusted
        5 inconclusive (only with --strict)
        64 wrong usage or a bad file

      SHELL COMPLETION
        tailrace --generate-completion-script bash   (or zsh, fish)
      """,
    version: Composition.version,
    subcommands: [
      RunCommand.self, ListCommand.self, ShowCommand.self, ValidateCommand.self, ReportCommand.self,
      DoctorCommand.self, VerifyCommand.self, TraceCommand.self, PlanCommand.self, CapacityCommand.self,
      CompareCommand.self, BaselineCommand.self, GateCommand.self, NoiseCommand.self,
    ])

  static func main() async {
    let arguments = ProgressStyle.completing(Array(CommandLine.arguments.dropFirst()))
    if let words = MisspeltCommand.refusal(of: arguments) {
      Terminal.error.write(words)
      Foundation.exit(Refusal.status)
    }
    await main(arguments)
  }
}
