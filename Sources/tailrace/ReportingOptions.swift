import ArgumentParser
import TailraceHarness
import TailraceReport

/// Flags of commands that run rounds: where their report goes and what is said meanwhile.
struct ReportingOptions: ParsableArguments {
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "Write the report to a new directory in this one, and point 'latest' in it at the report.", valueName: "directory"
    ),
    completion: .directory)
  var directory = "reports"
  @Flag(name: .shortAndLong, help: "Print nothing but errors; the exit status says how it went.")
  var quiet = false
  @Option(
    help: ArgumentHelp(
      "auto: how far it is, on a terminal; plain: a line for each round; tui: how the intervals narrow, where there are "
        + "some; none.", valueName: "style"))
  var progress: ProgressStyle = .auto

  /// What is shown meanwhile.
  var style: ProgressStyle { quiet ? .none : progress }

  /// Finds out before rounds of minutes that their report could not be written.
  func check() throws { try OutputOptions.check(directory) }

  /// Writes a report's files, and returns the directory that holds them, as people read it.
  func write(_ files: [(path: String, bytes: [UInt8])], name: String, started: String) throws -> String {
    PathText.short(
      try ReportDirectory.write(
        files: files, name: ReportDirectory.stamped(name, started: started), under: directory))
  }
}
