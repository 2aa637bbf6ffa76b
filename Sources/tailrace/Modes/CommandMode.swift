import ArgumentParser

/// A mode of a command, and whether each option applies in it.
struct CommandMode: Sendable {
  /// The name in error messages: `with --results`, `on simulated systems`.
  var name: String
  /// Names of options and arguments that are used.
  var honored: Set<String>
  /// Names of rejected options and arguments, each with the reason.
  var refused: [String: String]

  /// - Parameters:
  ///   - honored: Names of options, without dashes, and of arguments.
  ///   - refused: Groups of options, each with a common reason.
  init(_ name: String, honors honored: [String], refuses refused: [(names: [String], reason: String)] = []) {
    self.name = name
    self.honored = Set(honored)
    self.refused = [:]
    for (names, reason) in refused {
      for name in names { self.refused[name] = reason }
    }
  }
}

/// A command that declares which options apply in each mode, so that no option is silently ignored.
protocol ModalCommand: ParsableCommand {
  /// All modes. Each honors or refuses every option of the command.
  static var modes: [CommandMode] { get }
  /// The mode of this invocation.
  var mode: CommandMode { get }
  /// Circumstances in which the value of one option makes others ineffective.
  var circumstances: [Circumstance] { get }
}

extension ModalCommand {
  var circumstances: [Circumstance] { [] }
}

/// A command whose options always apply.
protocol PlainCommand: ModalCommand {
  /// Names of the command's options and arguments.
  static var options: [String] { get }
}

extension PlainCommand {
  static var modes: [CommandMode] { [CommandMode("", honors: options)] }
  var mode: CommandMode { Self.modes[0] }
}

/// A circumstance of an invocation that makes options ineffective.
struct Circumstance: Sendable {
  /// The name in error messages.
  var name: String
  /// Names of the options, without dashes.
  var refused: [String]
  var reason: String

  /// `--quiet` with `--progress`.
  static func quiet(_ isQuiet: Bool, _ progress: ProgressStyle) -> [Circumstance] {
    guard isQuiet, progress != .none else { return [] }
    return [Circumstance(name: "with --quiet", refused: ["progress"], reason: "no progress is shown")]
  }
}

/// Names of options that several commands have.
enum OptionNames {
  /// Of ``ScenarioChanges``.
  static let changes = ["set", "duration", "time-scale"]
  /// Of ``LoadOptions``, without `--grace`, `--target` and `--force`.
  static let load = ["system", "seed", "pacer", "max-lag", "plant"]
  /// Of ``RoundOptions``.
  static let verdicts = ["rounds", "budget", "delta", "metric", "false-alarms", "strict"]
  /// Of ``ReportingOptions``.
  static let reporting = ["output", "quiet", "progress"]
}
