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

  /// Hands over a verdict in words and the report behind it.
  func deliver(
    _ text: String, status: Int32, name: String, started: String,
    files: () throws -> [(path: String, bytes: [UInt8])]
  ) throws {
    var delivery = Delivery(status: status, isQuiet: place.quiet)
    delivery.say(text)
    delivery.report { try write(try files(), name: name, started: started) }
    try delivery.end()
  }

  /// Writes a report's files.
  func write(
    _ files: [(path: String, bytes: [UInt8])], name: String, started: String
  ) throws -> ReportDirectory.Written {
    try ReportDirectory.write(
      files: files, name: ReportDirectory.stamped(name, started: started), under: place.directory)
  }
}
