import ArgumentParser
import TailraceHarness
import TailraceReport

/// Flags of commands that run rounds: where their report goes and what is said meanwhile.
struct ReportingOptions: ParsableArguments {
  @OptionGroup var place: ReportPlace
  @Option(
    help: ArgumentHelp(
      "auto: how far it is, on a terminal; plain: a line for each round; tui: how the intervals narrow, where there are "
        + "some; none.", valueName: "style"))
  var progress: ProgressStyle = .auto

  /// What is shown meanwhile.
  var style: ProgressStyle { place.quiet ? .none : progress }

  /// Writes a report's files, and returns the directory that holds them, as people read it.
  func write(_ files: [(path: String, bytes: [UInt8])], name: String, started: String) throws -> String {
    PathText.short(
      try ReportDirectory.write(
        files: files, name: ReportDirectory.stamped(name, started: started), under: place.directory))
  }
}
