extension PlanCommand: ModalCommand {
  static let modes = [
    CommandMode(
      "",
      honors: [
        "scenario", "vary", "set", "duration", "target", "seed", "replications", "budget", "confirm", "force",
      ] + OptionNames.reporting,
      refuses: [
        (["time-scale"], "virtual time takes no longer for a longer scenario, and the figures would be of another load")
      ])
  ]
  var mode: CommandMode { Self.modes[0] }
  var circumstances: [Circumstance] { Circumstance.quiet(reporting.place.quiet, reporting.progress) }
}

extension CapacityCommand: ModalCommand {
  static let modes = [
    CommandMode(
      "",
      honors: [
        "scenario", "target", "vary", "system", "rates", "set", "duration", "seed", "rounds", "precision", "budget",
        "strict", "force",
      ] + OptionNames.reporting,
      refuses: [(["time-scale"], "it would change the rate that is sought")])
  ]
  var mode: CommandMode { Self.modes[0] }
  var circumstances: [Circumstance] { Circumstance.quiet(reporting.place.quiet, reporting.progress) }
}
