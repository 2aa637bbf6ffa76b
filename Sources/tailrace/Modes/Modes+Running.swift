import TailraceReplay

extension RunCommand: ModalCommand {
  private static let shared =
    ["scenarios", "target", "grace", "force"] + OptionNames.changes + OptionNames.load
  private static let files = ["jobs", "record-tape", "allocations", "output", "quiet", "progress"]

  private static let plain = CommandMode("", honors: shared + files + ["counts-allocations", "emit-result"])
  private static let emitting = CommandMode(
    "with --emit-result", honors: shared + ["emit-result"],
    refuses: [(files + ["counts-allocations"], "only the result is written, to standard output")])
  private static let counting = CommandMode(
    "with --counts-allocations", honors: shared + ["counts-allocations"],
    refuses: [(files + ["emit-result"], "only the counts are written, to standard output")])

  static var modes: [CommandMode] { [plain, emitting, counting] }
  var mode: CommandMode {
    output.countsAllocations ? Self.counting : output.emitResult ? Self.emitting : Self.plain
  }

  var circumstances: [Circumstance] {
    // The comparison has already checked the options that it passes to its rounds.
    guard !output.emitResult, !output.countsAllocations else { return [] }
    var all = load.circumstances(default: ["live"]) + Circumstance.quiet(output.place.quiet, output.progress)
    if !load.systems.isEmpty, !load.systems.contains("live") {
      all.append(
        Circumstance(
          name: "without the system 'live'", refused: ["allocations"],
          reason: "allocations are counted on 'live' only; add it to --system"))
    }
    return all
  }
}

extension CrashCommand: ModalCommand {
  static var modes: [CommandMode] {
    [
      CommandMode(
        "",
        honors: [
          "scenarios", "target", "grace", "force", "kill", "every", "at", "signal", "restart", "patience", "jobs",
          "record-tape", "output", "quiet", "progress",
        ] + OptionNames.changes + OptionNames.load,
        refuses: [
          (["allocations"], "allocations are counted in Tailrace's own process only"),
          (["counts-allocations", "emit-result"], "they are for the child processes of other commands"),
        ])
    ]
  }
  var mode: CommandMode { Self.modes[0] }
  var circumstances: [Circumstance] { Circumstance.quiet(output.place.quiet, output.progress) }
}

extension LoadOptions {
  /// Circumstances in which the systems make options ineffective.
  ///
  /// - Parameter others: The systems that are used if none is named.
  func circumstances(default others: [String]) -> [Circumstance] {
    let names = systems.isEmpty ? others : systems
    let known = names.compactMap { Composition.systems.named($0) }
    guard known.count == names.count else { return [] }
    var heeded: Set<ReplaySetting> = []
    for system in known { heeded.formUnion(system.heeds) }
    return ReplaySetting.allCases.filter { !heeded.contains($0) }.map { setting in
      Circumstance(
        name: "on \(names.map { "'\($0)'" }.joined(separator: ", "))", refused: [setting.rawValue],
        reason: setting.reason)
    }
  }
}

extension ReplaySetting {
  /// Why the option may not apply to a system.
  fileprivate var reason: String {
    switch self {
    case .pacer: "tailrace's load generator does not run there"
    case .maxLag: "no job is dropped there"
    case .grace: "jobs do not continue there after an interruption"
    }
  }
}

extension ListCommand: PlainCommand {
  static let options: [String] = []
}

extension ShowCommand: ModalCommand {
  private static let taped = CommandMode(
    "with --tape", honors: ["name", "tape", "limit", "seed"] + OptionNames.changes)
  private static let plain = CommandMode(
    "without --tape", honors: ["name", "tape"],
    refuses: [
      (["limit", "seed"] + OptionNames.changes, "it changes the tape, but the file is printed unchanged; add --tape")
    ])

  static var modes: [CommandMode] { [taped, plain] }
  var mode: CommandMode { tape ? Self.taped : Self.plain }
}

extension ValidateCommand: ModalCommand {
  static let modes = [
    CommandMode(
      "", honors: ["files", "set", "duration"],
      refuses: [(["time-scale"], "a time scale does not affect whether a file is valid")])
  ]
  var mode: CommandMode { Self.modes[0] }
}

extension ReportCommand: PlainCommand {
  static let options = ["directory"]
}

extension CleanCommand: PlainCommand {
  static let options = ["folders", "output", "store", "dry-run"]
}

extension DoctorCommand: PlainCommand {
  static let options = ["json"]
}

extension VerifyCommand: PlainCommand {
  static let options = ["seed", "live", "json"]
}

extension TraceCommand: ModalCommand {
  private static let log = CommandMode("of a log", honors: ["file", "column", "format", "json", "fit"])
  private static let scenario = CommandMode(
    "of a scenario file", honors: ["file", "json", "fit"],
    refuses: [(["column", "format"], "the scenario defines how its trace is read")])

  static var modes: [CommandMode] { [log, scenario] }
  var mode: CommandMode { file.hasSuffix(".yaml") || file.hasSuffix(".yml") ? Self.scenario : Self.log }
  var circumstances: [Circumstance] {
    fit
      ? [Circumstance(name: "with --fit", refused: ["json"], reason: "the output is a scenario file, which is YAML")]
      : []
  }
}

extension DriversList: PlainCommand { static let options = ["json"] }
extension DriversInstall: PlainCommand { static let options = ["names"] }
extension DriversCheck: PlainCommand { static let options = ["driver", "json"] }
