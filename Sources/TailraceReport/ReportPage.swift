import TailraceCore
import TailraceMeasurement

/// `report.md`: what held, what did not and why, then the figures behind it.
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
    page.list(Array(suite.fateLines.prefix(Self.findingLimit)))
    if suite.timeScale != 1 {
      page.paragraph(
        "**Time scale \(HumanUnits.digits(suite.timeScale)).** Declared durations were multiplied by it, limits and "
          + "published values of those scenarios too; rates were divided. Scenarios of real operations run unscaled.")
    }
    page.table(
      [
        "Scenario", "Verdict", "System", ">Jobs", ">Success", ">Throughput", ">Response p50", ">p99", ">Targets met",
      ], suite.scenarios.map(overviewRow))
    addFindings()
    page.paragraph(
      "Response time counts from the instant a job *should* have arrived until it settled, and is that of the jobs that "
        + "ran to their end: completed or dead-lettered ones. A percentile is printed only "
        + "where its sample holds it with 95 % confidence (p50: 5 samples, p90: 29, p99: 299, p99.9: 2,995); "
        + "elsewhere `–` stands for it and the maximum says more.")
  }

  var headline: String {
    let targets = suite.scenarios.flatMap(\.targets)
    let met = targets.count { $0.verdict == .met }
    let judged = suite.scenarios.count { !$0.targets.isEmpty }
    let scenarios = counted(judged, "scenario")
    let unjudged = suite.scenarios.count - judged
    let others = unjudged > 0 ? " \(counted(unjudged, "scenario")) set no targets, so nothing was checked there." : ""
    switch suite.verdict {
    case .noTargets:
      return "**NO TARGETS**: every run is valid, and nothing was checked. Set targets in the scenario or by --target."
    case .passed:
      return "**PASSED**: every run is valid, and all \(targets.count) targets of \(scenarios) are met.\(others)"
    case .missed:
      return
        "**MISSED** \(targets.count - met) of \(targets.count) targets in \(scenarios); every run is valid.\(others)"
    case .invalid:
      let invalid = suite.scenarios.filter { $0.verdict == .invalid }.map(\.name)
      let failed = suite.scenarios.reduce(0) { $0 + ($1.failedRuns?.count ?? 0) }
      var why =
        suite.isInterrupted
        ? "the suite is not finished: it was interrupted" : "not to be trusted: \(invalid.joined(separator: ", "))"
      if failed > 0 { why = "\(counted(failed, "run")) failed; \(why)" }
      return "**INVALID**: \(why). \(met) of \(targets.count) targets are met, but an invalid run passes nothing."
    }
  }

  private func overviewRow(_ scenario: ScenarioResult) -> [String] {
    let met = scenario.targets.count { $0.verdict == .met }
    let head = ["[\(scenario.name)](#\(HTML.identifier(scenario.name)))", scenario.verdict.word]
    let targets = scenario.targets.isEmpty ? "none set" : "\(met) of \(scenario.targets.count)"
    guard let run = scenario.primary else { return head + ["–", "0", "–", "–", "–", "–", targets] }
    let response = run.measurement.all[.response]?.percentiles([50, 99]) ?? [nil, nil]
    return head + [
      run.system, HumanUnits.count(Double(run.measurement.all.causes.total)), JobFates(run).share,
      HumanUnits.value(run.measurement[.throughput], .rate), time(response[0]), time(response[1]), targets,
    ]
  }

  /// What was missed or failed, in one list: a reader need not look for it.
  private mutating func addFindings() {
    let findings = findings
    guard !findings.isEmpty else { return }
    page.heading(2, "What did not hold")
    page.list(Array(findings.prefix(Self.findingLimit)))
    if findings.count > Self.findingLimit {
      page.paragraph("… and \(findings.count - Self.findingLimit) more, in the scenarios below.")
    }
  }

  /// Findings that are listed in one place.
  static let findingLimit = 40

  var findings: [String] {
    var findings: [String] = []
    for scenario in suite.scenarios {
      for failure in scenario.failedRuns ?? [] {
        findings.append("**\(scenario.name)** on \(failure.system) failed: \(failure.line)")
      }
      for target in scenario.targets where target.verdict != .met {
        let observed = target.observed.map { "observed \(HumanUnits.value($0, target.unit))" } ?? "no samples"
        // A time scale moves such limits: what was written is then not what was asked for.
        let isScaled = scenario.primary?.timeScale != 1 && (target.unit == .time || target.unit == .rate)
        let limit = isScaled ? ", scaled limit \(HumanUnits.value(target.limit, target.unit))" : ""
        findings.append(
          "**\(scenario.name)** missed `\(target.expression)`: \(observed)\(limit)\(noted(target.note))")
      }
      for run in scenario.runs {
        for check in run.validity where check.verdict == .failed {
          findings.append("**\(scenario.name)** on \(run.system) is invalid, `\(check.name)`: \(check.words)")
        }
        for check in run.validity where check.verdict == .warning {
          let observed = check.observed.map { " (\(HumanUnits.value($0, check.unit)))" } ?? ""
          findings.append("\(scenario.name) on \(run.system), warning, `\(check.name)`\(observed): \(check.words)")
        }
      }
    }
    return findings
  }

  /// The figures that scenarios want to see beside each other's.
  mutating func addSideBySide() {
    let shown = suite.scenarios.filter { !($0.figures ?? []).isEmpty }
    guard shown.count > 1 else { return }
    var metrics: [String] = []
    for figure in shown.flatMap({ $0.figures ?? [] }) where !metrics.contains(figure.metric) {
      metrics.append(figure.metric)
    }
    page.heading(2, "Side by side")
    page.table(
      ["Figure"] + shown.map { ">\($0.name)" },
      metrics.map { metric in
        ["`\(metric)`"]
          + shown.map { scenario in
            guard let figure = scenario.figures?.first(where: { $0.metric == metric }) else { return "" }
            return HumanUnits.value(figure.measured, figure.unit)
          }
      })
  }

  private mutating func addAppendix() {
    page.heading(2, "How it was measured")
    page.paragraph("The command that repeats it:")
    page.figure([suite.command])
    addEnvironment()
    page.paragraph(
      "Beside this page: `report.html` (the same with pictures, in one file), `results.csv` (every figure, one a row), "
        + "`targets.csv`, `histograms/` (HdrHistogram's text format, in ms) and `result.json`, from which "
        + "`tailrace report` makes all of them again.")
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
      ["Tape", "System", "Fingerprint", ">Seed", ">Time scale"],
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
