import ArgumentParser

/// The progress display while a suite runs.
enum ProgressStyle: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// `line` on a terminal, `none` elsewhere.
  case auto
  /// `line` on a terminal, `plain` elsewhere.
  case always
  /// One line that is redrawn.
  case line
  /// A full screen of live figures; `line` on a terminal without escape sequences, `plain` elsewhere.
  case tui
  /// A line when each run starts, and another every five seconds.
  case plain
  case none

  /// The style to use on this stream.
  func resolved(for terminal: Terminal) -> ProgressStyle {
    switch self {
    case .auto: terminal.isInteractive ? .line : .none
    case .always: terminal.isInteractive ? .line : .plain
    case .tui: terminal.isInteractive ? .tui : terminal.isTerminal ? .line : .plain
    case .line, .plain, .none: self
    }
  }

  /// Gives a bare `--progress` its value, so that an argument that follows is not read as the value.
  static func completing(_ arguments: [String]) -> [String] {
    guard ["run", "compare", "gate", "noise", "capacity"].contains(arguments.first) else { return arguments }
    var completed: [String] = []
    for (index, argument) in arguments.enumerated() {
      // After `--` every argument is a scenario's name.
      if argument == "--" { return completed + arguments[index...] }
      let next = index + 1 < arguments.count ? arguments[index + 1] : ""
      completed.append(
        argument == "--progress" && ProgressStyle(rawValue: next) == nil ? "--progress=always" : argument)
    }
    return completed
  }
}
