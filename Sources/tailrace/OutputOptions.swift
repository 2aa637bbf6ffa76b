import ArgumentParser
import Foundation

/// Flags that say where a report goes and what is said meanwhile.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "Write the report to a new directory in this one, and point 'latest' in it at the report.", valueName: "directory"
    ),
    completion: .directory)
  var directory = "reports"
  @Flag(help: "Write jobs.csv too: one row for each attempt.")
  var jobs = false
  @Flag(help: "Write tape.csv and tape.yaml too: the run's jobs as a trace, and the scenario that replays it.")
  var recordTape = false
  @Flag(help: "Count allocations per job on 'live' exactly, in a run of its own before: takes twice as long.")
  var allocations = false
  @Flag(help: .hidden)
  var countsAllocations = false
  @Flag(help: .hidden)
  var emitResult = false
  @Flag(name: .shortAndLong, help: "Print nothing but errors; the exit status says how it went.")
  var quiet = false
  @Option(
    help: ArgumentHelp(
      "auto: one line with the time left on a terminal, nothing elsewhere; line: that line everywhere; tui: a "
        + "screenful of live figures on a terminal, plain elsewhere; plain: a line for each run, and one every five "
        + "seconds while it goes on; none. Without a value: plain where auto shows nothing.",
      valueName: "style"))
  var progress: ProgressStyle = .auto

  /// Finds out before a run of minutes that its report could not be written.
  func check() throws { try Self.check(directory) }

  /// Finds out whether a report could be written to a directory.
  static func check(_ directory: String) throws {
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

/// What is shown while a suite runs.
enum ProgressStyle: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// `line` on a terminal, `none` elsewhere.
  case auto
  /// `line` on a terminal, `plain` elsewhere.
  case always
  /// One line that is drawn again and again.
  case line
  /// A screenful of live figures that is drawn again and again; `line` on a terminal that knows no escape sequences,
  /// `plain` elsewhere.
  case tui
  /// A line for each run when it starts, and one every five seconds while it goes on.
  case plain
  case none

  /// What is shown on this stream.
  func resolved(for terminal: Terminal) -> ProgressStyle {
    switch self {
    case .auto: terminal.isInteractive ? .line : .none
    case .always: terminal.isInteractive ? .line : .plain
    case .tui: terminal.isInteractive ? .tui : terminal.isTerminal ? .line : .plain
    case .line, .plain, .none: self
    }
  }

  /// Gives a bare `--progress` its value, so that it may stand before an argument that is none.
  static func completing(_ arguments: [String]) -> [String] {
    guard ["run", "compare", "gate", "noise", "capacity"].contains(arguments.first) else { return arguments }
    var completed: [String] = []
    for (index, argument) in arguments.enumerated() {
      // After `--` all are names of scenarios.
      if argument == "--" { return completed + arguments[index...] }
      let next = index + 1 < arguments.count ? arguments[index + 1] : ""
      completed.append(
        argument == "--progress" && ProgressStyle(rawValue: next) == nil ? "--progress=always" : argument)
    }
    return completed
  }
}
