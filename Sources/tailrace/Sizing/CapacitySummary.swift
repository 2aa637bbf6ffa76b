import TailraceMeasurement
import TailraceReport

/// A one-screen summary of a capacity search, the answer first.
struct CapacitySummary {
  private let result: CapacityResult
  private let terminal: Terminal

  init(_ result: CapacityResult, terminal: Terminal) {
    self.result = result
    self.terminal = terminal
  }

  var text: String {
    var text = ""
    if result.isInterrupted { text += terminal.styled("NOT FINISHED", .yellow) + ": results so far:\n" }
    for configuration in result.configurations {
      let name = configuration.varied.isEmpty ? result.scenario : configuration.name
      let search = configuration.search
      text += "\(terminal.styled(name, .bold)), \(search.system): \(CapacityWords.answer(search)).\n"
      if let failure = search.failure {
        text += "  " + terminal.styled("INVALID", .yellow) + ": a run failed: \(failure)\n"
      }
      if search.isInvalid {
        text += "  " + terminal.styled("INVALID", .yellow)
        text +=
          ": \(search.invalidRuns) of \(search.runs) runs are invalid: \(search.invalidity.first ?? "")\n"
      }
    }
    if result.configurations.count > 1 {
      text += "\n" + overview
    } else if let only = result.configurations.first {
      text += "\n" + beside(only) + "\n" + curve(only.search)
    }
    for note in result.notes { text += "Note: \(note).\n" }
    return text
  }

  private var overview: String {
    var table = Columns(
      ["configuration", ">limit", "95 % interval", ">simulated", ">exact", ">at most", "bottleneck"])
    for configuration in result.configurations {
      let limit = configuration.search.limit
      table.add([
        configuration.name, limit.map { CapacityWords.rate($0.rate.value) } ?? "–",
        limit.map { CapacityWords.interval($0.rate) } ?? "–",
        (configuration.simulation ?? (result.system == "simulated" ? configuration.search : nil))?.limit
          .map { CapacityWords.rate($0.rate.value) } ?? "–",
        configuration.theory.exact.first.map { CapacityWords.rate($0.rate) } ?? "–",
        configuration.theory.bounds.first.map { CapacityWords.rate($0.rate) } ?? "–", configuration.firstToGiveOut,
      ])
    }
    return table.text
  }

  /// Results of theory and simulation, and the bottleneck.
  private func beside(_ configuration: CapacityConfiguration) -> String {
    var text = ""
    if let simulation = configuration.simulation { text += "Simulated:      \(CapacityWords.answer(simulation))\n" }
    for exact in configuration.theory.exact.prefix(3) + (configuration.theory.exactAsMeasured ?? []).prefix(3) {
      text += "Theory, exact:  \(CapacityWords.rate(exact.rate)) for \(exact.target) (\(exact.formula))\n"
    }
    for bound in configuration.theory.bounds.prefix(3) {
      text += "Theory, bound:  \(CapacityWords.rate(bound.rate)) for \(bound.resource) (\(bound.formula))\n"
    }
    for note in configuration.theory.notes { text += "                \(note)\n" }
    text += "Bottleneck:     \(configuration.firstToGiveOut)"
    if let sensitivity = configuration.sensitivities.first, sensitivity.helps {
      let change = HumanUnits.difference(sensitivity.change.value, sensitivity.unit)
      text += " (\(sensitivity.constraint): \(sensitivity.change.value > 0 ? "+" : "")\(change))"
    }
    return text + "\n"
  }

  private func curve(_ search: CapacitySearch) -> String {
    let targets = search.points.first?.targets.map(\.target) ?? []
    let hasFailures = search.hasFailures
    var table = Columns(
      [">rate"] + targets.map { ">" + $0 } + (hasFailures ? [">success"] : []) + [
        ">response p50", ">p99", ">busy", ">runs", "verdict",
      ])
    // Show the rates next to the limit.
    let place = search.limit?.rate.value ?? search.points.last?.rate ?? 0
    let near = search.points.sorted { abs($0.rate - place) < abs($1.rate - place) }.prefix(14)
    for point in near.sorted(by: { $0.rate < $1.rate }) {
      let observed = point.targets.map { target -> String in
        guard let estimate = target.observed else { return "–" }
        return HumanUnits.value(estimate.value, target.unit)
      }
      table.add(
        [CapacityWords.rate(point.rate)] + observed + (hasFailures ? [HumanUnits.value(point.success, .ratio)] : []) + [
          HumanUnits.value(point.responseP50?.value, .time), HumanUnits.value(point.responseP99?.value, .time),
          point.pools.map { HumanUnits.share($0.utilization) }.joined(separator: ", "), "\(point.runs)",
          CapacityWords.verdict(point)
            + (point.reason.isEmpty || targets.contains(point.reason) ? "" : ": " + point.reason),
        ])
    }
    return table.text
  }
}
