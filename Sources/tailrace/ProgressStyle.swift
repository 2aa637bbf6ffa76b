import ArgumentParser

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
