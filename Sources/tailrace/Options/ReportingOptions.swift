import ArgumentParser
import TailraceHarness

/// Flags for the report and the progress display of commands that run rounds.
struct ReportingOptions: ParsableArguments {
  @OptionGroup var place: ReportPlace
  @Option(
    help: ArgumentHelp(
      "auto: progress on a terminal; plain: a line for each round; tui: how the intervals narrow, where there are "
        + "some; none.", valueName: "style"))
  var progress: ProgressStyle = .auto

  /// The progress display.
  var style: ProgressStyle { place.quiet ? .none : progress }

  /// Prints the verdict and writes the report.
  func deliver(
    _ text: String, status: Int32, name: String, started: String,
    files: () throws -> [(path: String, bytes: [UInt8])]
  ) throws {
    var delivery = Delivery(status: status, isQuiet: place.quiet)
    delivery.say(text)
    report(try files(), name: name, started: started, in: &delivery)
    try delivery.end()
  }

  /// Writes a report's files.
  func report(
    _ files: @autoclosure () throws -> [(path: String, bytes: [UInt8])], name: String, started: String,
    in delivery: inout Delivery
  ) {
    let made = Result { try files() }
    delivery.report(
      under: place.directory, result: { try made.get().first { $0.path.hasSuffix(".json") }?.bytes ?? [] }
    ) { parent in
      try ReportDirectory.write(
        files: try made.get(), name: ReportDirectory.stamped(name, started: started), under: parent)
    }
  }
}
