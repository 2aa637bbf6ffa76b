import ArgumentParser

/// One way in which a command is used, and what becomes of each of its options in it.
struct CommandMode: Sendable {
  /// As a refusal names it: `with --results`, `on simulated systems`.
  var name: String
  /// Names of options and arguments that are used.
  var honored: Set<String>
  /// Names of those that are refused, each with the reason.
  var refused: [String: String]

  /// - Parameters:
  ///   - honored: names of options, without dashes, and of arguments.
  ///   - refused: names of options with a reason that they share.
  init(_ name: String, honors honored: [String], refuses refused: [(names: [String], reason: String)] = []) {
    self.name = name
    self.honored = Set(honored)
    self.refused = [:]
    for (names, reason) in refused {
      for name in names { self.refused[name] = reason }
    }
  }
}

/// A command that says in which modes it uses which of its options, so that none is ignored without a word.
protocol ModalCommand: ParsableCommand {
  /// All of them. Each honors or refuses every option of the command.
  static var modes: [CommandMode] { get }
  /// That of this invocation.
  var mode: CommandMode { get }
  /// What the values of some options say of others.
  var circumstances: [Circumstance] { get }
}

extension ModalCommand {
  var circumstances: [Circumstance] { [] }
}

/// A command whose options are all used, whatever else is given.
protocol PlainCommand: ModalCommand {
  /// Names of its options and arguments.
  static var options: [String] { get }
}

extension PlainCommand {
  static var modes: [CommandMode] { [CommandMode("", honors: options)] }
  var mode: CommandMode { Self.modes[0] }
}

/// Something about an invocation that leaves options without effect.
struct Circumstance: Sendable {
  /// As a refusal names it.
  var name: String
  /// Names of the options, without dashes.
  var refused: [String]
  var reason: String

  /// `--quiet` beside a kind of progress.
  static func quiet(_ isQuiet: Bool, _ progress: ProgressStyle) -> [Circumstance] {
    guard isQuiet, progress != .none else { return [] }
    return [Circumstance(name: "with --quiet", refused: ["progress"], reason: "nothing is shown meanwhile")]
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
