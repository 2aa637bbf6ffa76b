extension PlanCommand: ModalCommand {
  private static let shared = ["scenario", "vary", "set", "duration", "target", "seed", "replications", "confirm"]
  private static let scaling = (
    ["time-scale"], "virtual time takes no longer for a longer scenario, and the figures would be of another load"
  )

  private static let simulated = CommandMode(
    "without --confirm", honors: shared, refuses: [(["output"], "no report is written; add --confirm"), scaling])
  private static let confirming = CommandMode("with --confirm", honors: shared + ["output"], refuses: [scaling])

  static var modes: [CommandMode] { [simulated, confirming] }
  var mode: CommandMode { confirm ? Self.confirming : Self.simulated }
}

extension CapacityCommand: ModalCommand {
  static let modes = [
    CommandMode(
      "",
      honors: [
        "scenario", "target", "vary", "system", "rates", "set", "duration", "seed", "rounds", "precision", "budget",
        "strict",
      ] + OptionNames.reporting,
      refuses: [(["time-scale"], "it would change the rate that is sought")])
  ]
  var mode: CommandMode { Self.modes[0] }
  var circumstances: [Circumstance] { Circumstance.quiet(reporting.place.quiet, reporting.progress) }
}
