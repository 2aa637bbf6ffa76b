import ArgumentParser
import Foundation

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
    var url = URL(fileURLWithPath: directory, isDirectory: true).standardizedFileURL
    var isFolder: ObjCBool = false
    while !FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), url.path != "/" {
      url.deleteLastPathComponent()
    }
    guard isFolder.boolValue else {
      throw Refusal.usage("--output \(directory): '\(url.path)' is not a directory; name another place")
    }
    guard access(url.path, W_OK | X_OK) == 0 else {
      throw Refusal.usage("--output \(directory): '\(url.path)' cannot be written to; name another place")
    }
  }
}
