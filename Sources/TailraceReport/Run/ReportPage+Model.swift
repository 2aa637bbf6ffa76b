import TailraceCore
import TailraceMeasurement

extension ReportPage {
  /// Live compared with simulated: the cost of the real machine compared with the model, by class and quantity.
  mutating func addModel(_ scenario: ScenarioResult) {
    guard let live = scenario.runs.first(where: { !$0.isSimulated && !$0.isSequential && $0.system == "live" }),
      let model = scenario.runs.first(where: { $0.system == "simulated" && $0.fingerprint == live.fingerprint })
    else { return }
    page.heading(3, "Live beside simulated")
    var rows: [[String]] = []
    var quiet = 0
    for jobs in live.measurement.classesWithoutRepeats {
      guard let same = model.measurement[jobs.key] else { continue }
      for quantity in Quantity.allCases {
        guard let real = jobs[quantity], let virtual = same[quantity], real.total > 0, virtual.total > 0 else {
          continue
        }
        // Differences of microseconds are not meaningful.
        guard abs((real.mean - virtual.mean).rawValue) >= Self.notable || real.max.rawValue >= Self.notable else {
          quiet += 1
          continue
        }
        rows.append(row(jobs.key, quantity, real, virtual))
      }
    }
    page.table(
      [
        "Class", "Quantity", .number("Live mean"), .number("Simulated"), .number("Machine adds"), .number("Live p99"),
        .number("Simulated"), .number("Machine adds"),
        .number("Samples"),
      ], rows)
    let differing = FigureName.allCases.filter { name in
      guard name.hasClasses, let real = live.measurement[name], let virtual = model.measurement[name] else {
        return false
      }
      return real != virtual
    }
    var words =
      "Both replayed one tape: the same jobs, service times and failures. The simulation has no overhead, so the "
      + "difference is the machine's cost: waking threads, starting and ending jobs, and the work itself."
    if quiet > 0 { words += " \(counted(quiet, "row")) below 100 µs omitted." }
    page.paragraph(words)
    page.paragraph(
      differing.isEmpty
        ? "The counts of jobs by outcome are the same in both."
        : "Different in both: "
          + differing.map { name in
            let real = HumanUnits.value(live.measurement[name], name.unit)
            return "\(name.rawValue) \(real) live, \(HumanUnits.value(model.measurement[name], name.unit)) simulated"
          }.joined(separator: "; ") + ".")
  }

  private static let notable: Int64 = 100_000

  private func row(
    _ key: ClassKey, _ quantity: Quantity, _ real: Distribution, _ virtual: Distribution
  ) -> [String] {
    let (a, b) = (real.percentiles([99])[0], virtual.percentiles([99])[0])
    return [
      key.name, "`\(quantity.name)`", time(real.mean), time(virtual.mean), added(real.mean, virtual.mean), time(a),
      time(b), a.flatMap { a in b.map { added(a, $0) } } ?? "–", HumanUnits.count(Double(real.total)),
    ]
  }

  private func added(_ real: Nanoseconds, _ virtual: Nanoseconds) -> String {
    let difference = Double((real - virtual).rawValue)
    let words = (difference > 0 ? "+" : "") + HumanUnits.time(difference)
    guard virtual.rawValue > 0 else { return words }
    let share = difference / Double(virtual.rawValue)
    return "\(words) (\(share > 0 ? "+" : "")\(HumanUnits.share(share)))"
  }
}
