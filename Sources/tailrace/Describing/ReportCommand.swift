import ArgumentParser
import TailraceHarness

/// `tailrace report`
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Recreate a report's files from its result.json, comparison.json, gate.json, capacity.json or plan.json.",
    discussion: """
      Recreates every file except the jobs' rows. The same version of tailrace writes the same bytes.

      EXAMPLES
        tailrace report reports/latest
      """)

  @Argument(help: "A report directory.", completion: .directory)
  var directory: String

  func run() throws {
    do {
      try ReportDirectory.rerender(directory)
    } catch {
      guard error.isOfWriting else { throw Refusal.usage(error.description) }
      Terminal.error.write("Error: \(error.description)\n")
      throw ExitCode(1)
    }
    let path = PathText.short(directory)
    Terminal.output.write("Report: \(path)/report.html\nAs text: \(path)/report.md\n")
  }
}
