import TailraceCore
import TailraceMeasurement

/// The section of one scenario.
struct ScenarioPage {
  let suite: SuiteResult
  let scenario: ScenarioResult
  /// Unique in the page; also the prefix of the charts' identifiers.
  let id: String

  /// With fewer samples, a curve adds nothing to the table of jobs.
  static let fewSamples: UInt64 = 5

  func add(to html: inout HTML) {
    html.element("section", ["class": "scenario", "id": id, "aria-labelledby": "\(id)-name"]) {
      addHead(to: &$0)
      $0.add(blocks { $0.addTrace(scenario) })
      $0.add(blocks { $0.addFailedRuns(scenario) })
      guard let run = scenario.primary else {
        $0.element("p", scenario.failedRuns == nil ? "No run was made." : "Nothing was measured.")
        return
      }
      addTiles(run, to: &$0)
      if suite.scenarios.count > 1 { addTargets(to: &$0) }
      addResponse(run, to: &$0)
      addSeries(run, to: &$0)
      addParts(run, to: &$0)
      addTimelines(to: &$0)
      $0.add(blocks { $0.addJobs(run) })
      $0.add(blocks { $0.addFailures(scenario) })
      $0.add(blocks { $0.addWork(scenario) })
      $0.add(blocks { $0.addPublished(scenario) })
      $0.add(blocks { $0.addComparison(scenario) })
      addFolded(to: &$0)
    }
  }

  /// The scenario's Markdown page.
  func blocks(_ add: (inout ReportPage) -> Void) -> [Markdown.Block] {
    var report = ReportPage(suite: suite)
    add(&report)
    return report.page.blocks
  }

  private func addHead(to html: inout HTML) {
    html.element("h2", ["id": "\(id)-name"]) {
      if suite.scenarios.count > 1 { $0.add(RunPage.badge(scenario.verdict)) }
      $0.words(scenario.name)
    }
    html.element("p", ["class": "lead"]) { $0.prose(scenario.summary) }
    if let run = scenario.primary {
      let others = scenario.runs.dropFirst().map(\.system)
      html.element("p") {
        $0.prose(
          others.isEmpty
            ? "On **\(run.system)**."
            : "On **\(run.system)** and \(others.joined(separator: ", ")). Figures are from **\(run.system)** unless "
              + "another system is named.")
      }
    }
    if !scenario.source.isEmpty { html.element("p", ["class": "note"]) { $0.prose("Source: \(scenario.source)") } }
    guard !scenario.notes.isEmpty else { return }
    html.element("ul", ["class": "note"]) { html in
      for note in scenario.notes { html.element("li") { $0.prose(note) } }
    }
  }

  private func addTiles(_ run: RunResult, to html: inout HTML) {
    let measurement = run.measurement
    let response = measurement.all[.response]
    let percentiles = response?.percentiles([50, 99]) ?? [nil, nil]
    let report = ReportPage(suite: suite)
    var tiles = [
      ("Jobs", HumanUnits.count(Double(measurement.all.causes.total))),
      ("Success", HumanUnits.value(measurement[.success], .ratio)),
      ("Throughput", HumanUnits.value(measurement[.throughput], .rate)),
    ]
    if percentiles[0] != nil { tiles.append(("Response p50", report.time(percentiles[0]))) }
    if percentiles[1] != nil { tiles.append(("Response p99", report.time(percentiles[1]))) }
    tiles.append(("Response max", report.time(response?.max)))
    tiles.append(("Utilization", HumanUnits.value(measurement[.utilization], .ratio)))
    html.element("dl", ["class": "tiles"]) { html in
      for (name, value) in tiles {
        html.element("div") {
          $0.element("dt", name)
          $0.element("dd", value)
        }
      }
    }
  }

  func addTargets(to html: inout HTML) {
    guard !scenario.targets.isEmpty else { return }
    html.element("h3", "Targets")
    html.table(
      "Targets of \(scenario.name)", style: "targets",
      columns: [
        "Target", .number("Observed"), .number("Limit"), .verdict("Verdict"), "Observed, limit", .number("Margin"),
        .number("Samples"),
      ],
      rows: scenario.targets.map(targetRow))
  }

  private func targetRow(_ target: TargetOutcome) -> [HTML] {
    let observed = HumanUnits.value(target.observed, target.unit)
    let limit = "\(target.comparison.rawValue) \(HumanUnits.value(target.limit, target.unit))"
    let isMet = target.verdict == .met
    let bar = target.observed.flatMap { value in
      MarginBar(
        observed: value, limit: target.limit, isMet: isMet, words: "observed \(observed), limit \(limit)"
      ).html
    }
    let margin = target.margin.map { margin in
      let relative = target.relativeMargin.map { " (\(HumanUnits.share($0)))" } ?? ""
      return HumanUnits.difference(margin, target.unit) + relative
    }
    let note = target.note.isEmpty ? "" : " – \(target.note)"
    return [
      HTML("code", [:], target.expression), HTML(observed), HTML(limit),
      HTML.chip(VerdictLabel(target.verdict, note: note)),
      bar ?? HTML("–"), HTML(margin ?? "–"), HTML(HumanUnits.count(Double(target.samples))),
    ]
  }

  private func addFolded(to html: inout HTML) {
    html.folded(blocks { $0.addModel(scenario) })
    let runs = scenario.runs
    html.folded(blocks { $0.addValidity(scenario) }, isOpen: runs.contains { !$0.isValid })
    html.folded(blocks { $0.addResources(scenario) })
    if !scenario.settings.isEmpty {
      html.element("details", ["class": "more"]) {
        $0.element("summary", "Settings")
        $0.table(
          "Settings of \(scenario.name)", columns: ["Setting", ""],
          words: scenario.settings.map { [$0.name, $0.value] })
      }
    }
    html.element("p", ["class": "note back"]) { $0.element("a", ["href": "#content"], "Back to all scenarios") }
  }
}
