extension PlanCommand: ModalCommand {
  static let modes = [
    CommandMode(
      "",
      honors: [
        "scenario", "vary", "set", "duration", "target", "seed", "replications", "budget", "confirm", "force",
      ] + OptionNames.reporting,
      refuses: [
        (["time-scale"], "simulation does not wait in real time, so scaling would only change the load")
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
      refuses: [(["time-scale"], "it would change the arrival rate that the search varies")])
  ]
  var mode: CommandMode { Self.modes[0] }
  var circumstances: [Circumstance] { Circumstance.quiet(reporting.place.quiet, reporting.progress) }
}
