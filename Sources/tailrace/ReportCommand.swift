import ArgumentParser
import TailraceHarness

/// `tailrace report`
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make the files of a report again from its result.json, or what else it holds.",
    discussion: """
      Every file but jobs.csv follows from that file alone: the same version of tailrace makes the same bytes.

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
