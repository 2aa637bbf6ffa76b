import TailraceCore
import TailraceMeasurement

/// `report.html` of a run: the text of `report.md`, with charts.
struct RunPage {
  let suite: SuiteResult
  /// The maximum number of scenarios shown in full, so that the page stays loadable.
  static let scenarioLimit = 40

  private var report: ReportPage { ReportPage(suite: suite) }

  static func render(_ suite: SuiteResult) throws(ReportProblem) -> String {
    let suite = try ForeignText.unmarked(suite)
    let run = RunPage(suite: suite)
    let page = Page(
      title: "\(suite.verdict.word): \(suite.suite)", kind: "report of a run", version: suite.version)
    return page.render(
      header: { run.addVerdict(to: &$0) },
      body: { html in
        run.addOverview(to: &html)
        for (index, scenario) in suite.scenarios.prefix(scenarioLimit).enumerated() {
          ScenarioPage(suite: suite, scenario: scenario, id: "scenario-\(index + 1)").add(to: &html)
        }
        if suite.scenarios.count > scenarioLimit {
          html.element(
            "p", "\(suite.scenarios.count - scenarioLimit) more scenarios are in the table above and in report.md only."
          )
        }
        run.addAppendix(to: &html)
      })
  }

  private func addVerdict(to html: inout HTML) {
    html.element("h1") {
      $0.add(Self.badge(suite.verdict))
      $0.words(suite.suite)
    }
    html.element("p", ["class": "lead"]) { $0.prose(report.headline) }
    Self.addFates(report.fates, to: &html)
    var facts = [("Started", suite.started), ("Seed", "\(suite.seed)")]
    facts.append(("Systems", unique(suite.scenarios.flatMap { $0.runs.map(\.system) }).joined(separator: ", ")))
    if suite.timeScale != 1 { facts.append(("Time scale", HumanUnits.digits(suite.timeScale))) }
    html.element("dl", ["class": "meta"]) { html in
      for (name, value) in facts {
        html.element("div") {
          $0.element("dt", name + " ")
          $0.element("dd", value)
        }
      }
    }
  }

  static func badge(_ verdict: Verdict) -> HTML {
    switch verdict {
    case .noTargets: HTML("span", ["class": "verdict none"], "– No targets")
    case .passed: HTML("span", ["class": "verdict passed"], "✓ Passed")
    case .missed: HTML("span", ["class": "verdict missed"], "✗ Missed")
    case .invalid: HTML("span", ["class": "verdict invalid"], "! Invalid")
    }
  }

  /// The outcomes of jobs in runs where not all succeeded; in red where some count as failures.
  static func addFates(_ lines: [FateLine], to html: inout HTML) {
    guard !lines.isEmpty else { return }
    html.element("ul", ["class": "findings"]) { html in
      for line in lines.prefix(ReportPage.findingLimit) {
        html.element("li", line.hasFailures ? [:] : ["class": "excused"]) { $0.prose(line.words) }
      }
    }
  }

  private func addOverview(to html: inout HTML) {
    addFindings(to: &html)
    if let only = report.only { ScenarioPage(suite: suite, scenario: only, id: "scenario-1").addTargets(to: &html) }
    if suite.timeScale != 1 {
      html.element("p") {
        $0.prose(
          "**Time scale \(HumanUnits.digits(suite.timeScale)).** Declared durations, limits and published values were "
            + "multiplied by it; rates were divided. Scenarios with real operations are not scaled.")
      }
    }
    if report.only == nil { addScenarios(to: &html) }
    var sideBySide = report
    sideBySide.addSideBySide()
    html.add(sideBySide.page.blocks)
    html.element("p", ["class": "note"]) {
      $0.prose(
        "Response time runs from the instant when a job *should* have arrived until it settled. It includes jobs that "
          + "ran to their end: completed or dead-lettered. `–` means too few samples to report this percentile with "
          + "95 % confidence (p50: 5 samples, p90: 29, p99: 299, p99.9: 2,995). Lines are faint there.")
    }
  }

  private func addScenarios(to html: inout HTML) {
    html.element("nav", ["aria-label": "Scenarios"]) {
      $0.element("h3", "The scenarios")
      $0.table(
        "Scenarios, with links to their sections",
        columns: [
          "Scenario", .verdict("Verdict"), "System", .number("Jobs"), .number("Success"), .number("Throughput"),
          .number("Response p50"), .number("p99"), .number("Targets met"),
        ], rows: suite.scenarios.enumerated().map(overviewRow))
    }
  }

  private func overviewRow(_ index: Int, _ scenario: ScenarioResult) -> [HTML] {
    var name = HTML(scenario.name)
    if index < Self.scenarioLimit {
      name = HTML("a", ["href": "#scenario-\(index + 1)"], scenario.name)
    }
    let met = scenario.targets.count { $0.verdict == .met }
    let targets = HTML(scenario.targets.isEmpty ? "none set" : "\(met) of \(scenario.targets.count)")
    let verdict = HTML.chip(VerdictLabel(scenario.verdict, word: scenario.verdict.word.lowercased()))
    guard let run = scenario.primary else {
      return [name, verdict] + ["–", "0", "–", "–", "–", "–"].map { HTML($0) } + [targets]
    }
    let response = run.measurement.all[.response]?.percentiles([50, 99]) ?? [nil, nil]
    let figures = [
      run.system, HumanUnits.count(Double(run.measurement.all.causes.total)), JobFates(run).share,
      HumanUnits.value(run.measurement[.throughput], .rate), report.time(response[0]), report.time(response[1]),
    ]
    return [name, verdict] + figures.map { HTML($0) } + [targets]
  }

  private func addAppendix(to html: inout HTML) {
    html.element("section", ["class": "scenario", "aria-labelledby": "how"]) { html in
      html.element("h2", ["id": "how"], "Method")
      html.element("p", "Command to repeat this run:")
      html.element("pre", suite.command)
      var environment = report
      environment.addEnvironment()
      html.add(environment.page.blocks, caption: "Environment and tapes")
      var quantities = report
      quantities.addQuantities()
      html.add(quantities.page.blocks, caption: "Start and end of each quantity")
      html.element("p", ["class": "note"]) {
        $0.prose(
          "See also `report.md` (the same as text), `results.csv` (one figure per row), `targets.csv`, "
            + "`checks.csv`, `histograms/` (HdrHistogram's text format, in ms) and `result.json`, from which "
            + "`tailrace report` recreates all of them.")
      }
    }
  }

  private func unique(_ words: [String]) -> [String] {
    var seen: Set<String> = []
    return words.filter { seen.insert($0).inserted }
  }
}
