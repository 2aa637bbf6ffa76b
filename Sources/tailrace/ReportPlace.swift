import ArgumentParser

/// Where a command's report goes, and whether it says so.
struct ReportPlace: ParsableArguments {
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "Write the report to a new directory in this one, and point 'latest' in it at the report.", valueName: "directory"
    ),
    completion: .directory)
  var directory = "reports"
  @Flag(name: .shortAndLong, help: "Print nothing but errors; the exit status says how it went.")
  var quiet = false

  /// Finds out before minutes of runs that their report could not be written.
  func check() throws {
    var places = OutputPlaces()
    places.reports(directory)
    try places.check()
  }
}
