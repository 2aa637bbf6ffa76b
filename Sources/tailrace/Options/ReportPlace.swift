import ArgumentParser

/// The report's directory, and whether to print anything.
struct ReportPlace: ParsableArguments {
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "Create the report's directory in this one, and point the link 'latest' to it.", valueName: "directory"
    ),
    completion: .directory)
  var directory = "reports"
  @Flag(name: .shortAndLong, help: "Print nothing but errors; the exit status shows the result.")
  var quiet = false

  /// Checks before the runs that their report can be written.
  func check() throws {
    var places = OutputPlaces()
    places.reports(directory)
    try places.check()
  }
}
