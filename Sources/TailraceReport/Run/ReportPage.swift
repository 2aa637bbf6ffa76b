import TailraceCore
import TailraceMeasurement

/// `report.md`: the verdict, what failed and why, then the figures.
struct ReportPage {
  let suite: SuiteResult
  var page = Markdown()

  static func render(_ suite: SuiteResult) throws(ReportProblem) -> String {
    let suite = try ForeignText.unmarked(suite)
    var report = ReportPage(suite: suite)
    report.addVerdict()
    report.addSideBySide()
    for scenario in suite.scenarios { report.addScenario(scenario) }
    report.addAppendix()
    return report.page.text
  }

  private mutating func addVerdict() {
    page.heading(1, "\(suite.verdict.word): \(suite.suite)")
    page.paragraph(headline)
    page.list(Array(fates.prefix(Self.findingLimit).map(\.words)))
    if suite.timeScale != 1 {
      page.paragraph(
        "**Time scale \(HumanUnits.digits(suite.timeScale)).** Declared durations, limits and published values were "
          + "multiplied by it; rates were divided. Scenarios with real operations are not scaled.")
    }
    addFindings()
    if let only { addTargets(only) }
    addOverview()
    page.paragraph(
      "Response time runs from the instant when a job *should* have arrived until it settled. It includes jobs that "
        + "ran to their end: completed or dead-lettered. `–` means too few samples to report this percentile with "
        + "95 % confidence (p50: 5 samples, p90: 29, p99: 299, p99.9: 2,995).")
  }

  /// A row per scenario. The verdict and targets of a single scenario are above it.
  private mutating func addOverview() {
    let figures: [Table.Column] = [
      "System", .number("Jobs"), .number("Success"), .number("Throughput"), .number("Response p50"), .number("p99"),
    ]
    if let only {
      page.table(["Scenario"] + figures, cells: [overviewRow(only)].map { [$0[0]] + $0[2...7] })
    } else {
      page.heading(2, "Scenarios")
      page.table(
        ["Scenario", .verdict("Verdict")] + figures + [.number("Targets met")],
        cells: suite.scenarios.map(overviewRow))
    }
  }

  /// The only scenario of a suite, whose verdict and targets are at the top.
  var only: ScenarioResult? { suite.scenarios.count == 1 ? suite.scenarios[0] : nil }

  /// What the verdict above it means.
  var headline: String {
    let targets = suite.scenarios.flatMap(\.targets)
    let met = targets.count { $0.verdict == .met }
    let judged = suite.scenarios.count { !$0.targets.isEmpty }
    let scenarios = counted(judged, "scenario")
    let unjudged = suite.scenarios.count - judged
    let others = unjudged > 0 ? " \(counted(unjudged, "scenario")) set no targets, so nothing was checked in them." : ""
    switch suite.verdict {
    case .noTargets:
      return "Every run is valid; nothing was checked. Set targets in the scenario or with --target."
    case .passed:
      return "Every run is valid, and all \(targets.count) targets of \(scenarios) are met.\(others)"
    case .missed:
      return
        "\(targets.count - met) of \(targets.count) targets in \(scenarios) "
        + "\(targets.count - met == 1 ? "is" : "are") missed; every run is valid.\(others)"
    case .invalid:
      let invalid = suite.scenarios.filter { $0.verdict == .invalid }.map(\.name)
      let failed = suite.scenarios.reduce(0) { $0 + ($1.failedRuns?.count ?? 0) }
      var why =
        suite.isInterrupted
        ? "The suite is not finished: it was interrupted" : "Do not trust \(invalid.joined(separator: ", "))"
      if failed > 0 { why = "\(counted(failed, "run")) failed. \(why)" }
      return "\(why). \(met) of \(targets.count) targets are met, but an invalid run always fails."
    }
  }

  private func overviewRow(_ scenario: ScenarioResult) -> [Table.Cell] {
    let met = scenario.targets.count { $0.verdict == .met }
    let head: [Table.Cell] = [
      "[\(scenario.name)](#\(HTML.identifier(scenario.name)))", .verdict(VerdictLabel(scenario.verdict)),
    ]
    let targets = scenario.targets.isEmpty ? "none set" : "\(met) of \(scenario.targets.count)"
    guard let run = scenario.primary else {
      return head + [Table.Cell](words: ["–", "0", "–", "–", "–", "–", targets])
    }
    let response = run.measurement.all[.response]?.percentiles([50, 99]) ?? [nil, nil]
    let figures = [
      run.system, HumanUnits.count(Double(run.measurement.all.causes.total)), JobFates(run).share,
      HumanUnits.value(run.measurement[.throughput], .rate), time(response[0]), time(response[1]), targets,
    ]
    return head + [Table.Cell](words: figures)
  }

  /// The figures that scenarios list for comparison with other scenarios.
  mutating func addSideBySide() {
    let shown = suite.scenarios.filter { !($0.figures ?? []).isEmpty }
    guard shown.count > 1 else { return }
    var metrics: [String] = []
    for figure in shown.flatMap({ $0.figures ?? [] }) where !metrics.contains(figure.metric) {
      metrics.append(figure.metric)
    }
    page.heading(2, "Side by side")
    page.table(
      ["Figure"] + shown.map { Table.Column.number($0.name) },
      metrics.map { metric in
        ["`\(metric)`"]
          + shown.map { scenario in
            guard let figure = scenario.figures?.first(where: { $0.metric == metric }) else { return "" }
            return HumanUnits.value(figure.measured, figure.unit)
          }
      })
  }

  private mutating func addAppendix() {
    page.heading(2, "Method")
    page.paragraph("Command to repeat this run:")
    page.figure([suite.command])
    addEnvironment()
    page.paragraph(
      "See also `report.html` (the same with charts, in one file), `results.csv` (one figure per row), "
        + "`targets.csv`, `checks.csv`, `histograms/` (HdrHistogram's text format, in ms) and `result.json`, from "
        + "which `tailrace report` recreates all of them.")
    addQuantities()
  }

  mutating func addQuantities() {
    page.table(
      ["Quantity", "From → to"], Quantity.allCases.map { ["`\($0.name)`", $0.span] })
  }

  mutating func addEnvironment() {
    var rows = [["seed", "\(suite.seed)"], ["time scale", HumanUnits.digits(suite.timeScale)]]
    rows += [["started", suite.started], ["tailrace", suite.version], ["result format", "\(suite.format)"]]
    rows += suite.environment.map { [$0.name, $0.value] }
    page.table(["Environment", ""], rows)
    page.table(
      ["Tape", "System", "Fingerprint", .number("Seed"), .number("Time scale")],
      suite.scenarios.flatMap { scenario in
        scenario.runs.map {
          [scenario.name, $0.system, "`\($0.fingerprint)`", "\($0.seed)", HumanUnits.digits($0.timeScale)]
        }
      })
  }

  func noted(_ note: String) -> String { note.isEmpty ? "" : " – \(note)" }

  func time(_ value: Nanoseconds?) -> String { value.map { HumanUnits.time(Double($0.rawValue)) } ?? "–" }

  func counted(_ count: Int, _ word: String) -> String { HumanUnits.counted(count, word) }
}
