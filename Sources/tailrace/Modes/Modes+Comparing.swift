import Foundation

/// Reasons shared by several commands.
private enum Reason {
  static let grace = "an interrupted round does not count"
  static let nothingRuns = "stored results are read, and nothing is run"
  static let noTargets = "a comparison judges changes; use 'tailrace gate' or 'tailrace run' for targets"
}

extension CompareCommand: ModalCommand {
  private static let running = CommandMode(
    "without --results",
    honors: ["scenarios", "vary", "binary", "results", "force"] + OptionNames.changes + OptionNames.load
      + OptionNames.verdicts
      + OptionNames.reporting,
    refuses: [
      (["varied"], "it applies to stored results only"), (["grace"], Reason.grace),
      (["target"], Reason.noTargets),
    ])
  private static let stored = CommandMode(
    "with --results",
    honors: ["results", "varied", "delta", "metric", "false-alarms", "strict", "force", "output", "quiet"],
    refuses: [
      (
        ["scenarios", "vary", "binary", "grace", "rounds", "budget", "progress"] + OptionNames.changes
          + OptionNames.load, Reason.nothingRuns
      ), (["target"], Reason.noTargets),
    ])

  static var modes: [CommandMode] { [running, stored] }
  var mode: CommandMode { results.isEmpty ? Self.running : Self.stored }
  var circumstances: [Circumstance] {
    guard results.isEmpty else { return [] }
    return load.circumstances(default: ["live"]) + Circumstance.quiet(reporting.place.quiet, reporting.progress)
  }
}

extension GateCommand: ModalCommand {
  private static let files = ["github", "junit", "comment", "output", "quiet"]
  private static let judging = ["delta", "metric", "false-alarms", "strict", "force"]
  private static let selfTesting = (["slowdown", "slow-type", "trials"], "only --self-test plants a slowdown")
  private static let building = (["build", "product"], "a program is built only for --against with a git revision")

  private static let trying = CommandMode(
    "with --self-test",
    honors: [
      "self-test", "scenarios", "binary", "regression", "slowdown", "slow-type", "trials", "store", "progress", "force",
    ] + OptionNames.changes + OptionNames.load + OptionNames.verdicts.filter { $0 != "strict" },
    refuses: [
      (["baseline", "against", "results"], "the program is compared with itself"), building,
      (["target"], "a self-test counts regressions, not missed targets"),
      (["grace"], Reason.grace), (["strict"], "a self-test neither passes nor fails"),
      (files, "no report is written; the result is printed"),
    ])
  private static let storedAlone = CommandMode(
    "with --baseline and no scenario",
    honors: ["baseline", "binary", "target", "regression", "plant", "budget", "progress", "store"] + judging + files,
    refuses: [
      (
        OptionNames.changes + ["seed"],
        "it would change the baseline's tapes; save a baseline with it"
      ), (["rounds"], "the number is that of the baseline; save one with more"),
      (
        ["system", "pacer", "max-lag"],
        "it is set by the baseline; save a baseline with it, or name the scenario"
      ), (["grace"], Reason.grace),
      (["scenarios", "against", "results", "self-test"], "it cannot be combined with --baseline"),
      building, selfTesting,
    ])
  private static let storedScenario = CommandMode(
    "with --baseline",
    honors: ["baseline", "scenarios", "binary", "target", "regression", "plant", "budget", "progress", "store"]
      + ["system", "pacer", "max-lag"] + OptionNames.changes + judging + files,
    refuses: [
      (["seed"], "the candidate replays the baseline's seeds; save a baseline with it"),
      (["rounds"], "the number is that of the baseline; save one with more"), (["grace"], Reason.grace),
      (["against", "results", "self-test"], "it cannot be combined with --baseline"), building, selfTesting,
    ])
  private static let storedResults = CommandMode(
    "with --results", honors: ["baseline", "results", "target", "regression", "store"] + judging + files,
    refuses: [
      (
        ["scenarios", "binary", "rounds", "budget", "progress", "grace"] + OptionNames.changes + OptionNames.load,
        Reason.nothingRuns
      ), (["against", "self-test"], "stored results can only be compared with a baseline"), building, selfTesting,
    ])
  private static let program = CommandMode(
    "with --against",
    honors: ["against", "scenarios", "binary", "target", "regression", "progress", "store", "force"]
      + OptionNames.changes
      + OptionNames.load + OptionNames.verdicts + files,
    refuses: [
      (["grace"], Reason.grace), (["baseline", "results", "self-test"], "it cannot be combined with --against"),
      building,
      selfTesting,
    ])
  private static let revision = CommandMode(
    "with --against and a revision", honors: Array(program.honored) + ["build", "product"],
    refuses: [
      (["grace"], Reason.grace), (["baseline", "results", "self-test"], "it cannot be combined with --against"),
      selfTesting,
    ])

  static var modes: [CommandMode] { [trying, storedAlone, storedScenario, storedResults, program, revision] }
  var mode: CommandMode {
    if selfTest { return Self.trying }
    if results != nil { return Self.storedResults }
    if baseline != nil { return scenarios.isEmpty ? Self.storedAlone : Self.storedScenario }
    return Self.isProgram(against ?? "") ? Self.program : Self.revision
  }
  var circumstances: [Circumstance] {
    let quiet = Circumstance.quiet(reporting.place.quiet, reporting.progress)
    guard selfTest || against != nil || !scenarios.isEmpty else { return quiet }
    return quiet + load.circumstances(default: ["live"])
  }

  /// Whether it names an executable program rather than a revision.
  static func isProgram(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
      && FileManager.default.isExecutableFile(atPath: path)
  }
}

extension NoiseCommand: ModalCommand {
  static let modes = [
    CommandMode(
      "",
      honors: ["scenarios", "rounds", "metric", "progress", "store", "force"] + OptionNames.changes + OptionNames.load,
      refuses: [(["target"], Reason.noTargets), (["grace"], Reason.grace)])
  ]
  var mode: CommandMode { Self.modes[0] }
  var circumstances: [Circumstance] { load.circumstances(default: ["live"]) }
}

extension BaselineCommand.Save: ModalCommand {
  static let modes = [
    CommandMode(
      "",
      honors: ["name", "scenarios", "rounds", "replace", "target", "store", "force"] + OptionNames.changes
        + OptionNames.load,
      refuses: [(["grace"], Reason.grace)])
  ]
  var mode: CommandMode { Self.modes[0] }
  var circumstances: [Circumstance] { load.circumstances(default: ["live"]) }
}

extension BaselineCommand.List: PlainCommand {
  static let options = ["store"]
}

extension BaselineCommand.Show: PlainCommand {
  static let options = ["name", "store"]
}

extension BaselineCommand.Remove: PlainCommand {
  static let options = ["name", "store"]
}
