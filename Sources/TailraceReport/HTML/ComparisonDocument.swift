import Foundation
import TailraceCore
import TailraceMeasurement

/// `report.html` of a comparison: the text and tables of ``ComparisonPage``, with charts of intervals, curves and
/// parts.
struct ComparisonDocument {
  let result: ComparisonFindings

  /// The maximum number of candidates in one chart, including the baseline.
  private static let curveLimit = 6
  /// The maximum number of job types with bars before and after.
  private static let typeLimit = 6

  static func render(_ result: ComparisonFindings) throws(ReportProblem) -> String {
    let result = try ForeignText.unmarked(result)
    let document = ComparisonDocument(result: result)
    let page = Page(title: "Comparison: \(result.name)", kind: "comparison", version: result.version)
    return page.render(
      header: { document.addHead(to: &$0) },
      body: { document.addBody(of: "", id: "scenario", to: &$0) })
  }

  /// The scenarios, and the method.
  ///
  /// - Parameters:
  ///   - title: The title of these rounds, if the page has several sets.
  ///   - id: The prefix of element identifiers.
  func addBody(of title: String, id: String, to html: inout HTML) {
    for scenario in scenarios.enumerated() {
      addScenario(scenario.element, id: "\(id)-\(scenario.offset + 1)", to: &html)
    }
    let method = "Method" + (title.isEmpty ? "" : ": \(title.lowercased())")
    html.element("section", ["class": "scenario", "aria-label": method]) {
      $0.add(blocks { $0.addMethod() }, level: 2, caption: method)
    }
  }

  private var baseline: String { result.candidates.first?.label ?? "baseline" }

  /// In the order in which they were compared.
  private var scenarios: [String] {
    var seen: Set<String> = []
    return (result.pooled.map(\.scenario) + result.contrasts.map(\.scenario)).filter { seen.insert($0).inserted }
  }

  private func blocks(_ add: (inout ComparisonPage) -> Void) -> [Markdown.Block] {
    var page = ComparisonPage(result: result)
    add(&page)
    return page.page.blocks
  }

  // MARK: - What it comes to

  private func addHead(to html: inout HTML) {
    let candidates = result.candidates.indices.dropFirst()
    html.element("h1") {
      if !result.invalid.isEmpty {
        $0.element("span", ["class": "verdict invalid"], "! Invalid")
      } else if let only = candidates.first, candidates.count == 1 {
        $0.add(badge(candidate: only))
      }
      $0.words(result.name)
    }
    for index in candidates {
      html.element("p", ["class": "lead"]) {
        if candidates.count > 1 { $0.add(badge(candidate: index)) }
        let sum = ComparisonPage.sum(result, candidate: index)
        $0.prose("**\(result.candidates[index].label)** against \(baseline): \(sum).")
      }
    }
    RunPage.addFates(result.fates, to: &html)
    for line in ComparisonPage.tapeLines(result) { html.element("p", line) }
    html.element(
      "p",
      "\(HumanUnits.counted(result.counted, "round")) of each; \(result.ending).\(ComparisonPage.setAside(result))")
    addWarnings(to: &html)
    html.element("dl", ["class": "meta"]) { html in
      for (name, value) in [
        ("Started", result.started), ("No difference", "±\(HumanUnits.share(result.rules.indifference))"),
        ("Confidence", HumanUnits.share(result.rules.confidence)),
        ("False alarms at most", HumanUnits.share(result.rules.falseAlarm)),
      ] {
        html.element("div") {
          $0.element("dt", name + " ")
          $0.element("dd", value)
        }
      }
    }
  }

  private func addWarnings(to html: inout HTML) {
    let warnings = [
      ("Do not trust the figures:", result.invalid),
      ("Forced. The candidates differ in more than the tested change:", result.forced),
    ]
    for (words, lines) in warnings where !lines.isEmpty {
      html.element("div", ["class": "notice"]) {
        $0.element("p") { $0.prose("**\(words)**") }
        $0.element("ul") { html in for line in lines { html.element("li") { $0.prose(line) } } }
      }
    }
  }

  /// A candidate's word, with the sign and color of its contrasts.
  private func badge(candidate: Int) -> HTML {
    let own = result.contrasts.filter { $0.candidate == candidate }
    func has(_ verdict: ComparisonVerdict) -> Bool { own.contains { $0.verdict == verdict } }
    let (sign, kind) =
      if result.isInconclusive(own) {
        ("?", "unclear")
      } else if has(.worse) {
        ("▼", "worse")
      } else if has(.better) {
        ("▲", "better")
      } else if has(.unclear) {
        ("?", "unclear")
      } else {
        ("=", "same")
      }
    let word = result.word(of: own)
    return HTML("span", ["class": "verdict \(kind)"], "\(sign) \(word.prefix(1) + word.dropFirst().lowercased())")
  }

  // MARK: - A scenario

  private func addScenario(_ scenario: String, id: String, to html: inout HTML) {
    html.element("section", ["class": "scenario", "id": id, "aria-labelledby": "\(id)-name"]) { html in
      html.element("h2", ["id": "\(id)-name"], scenario)
      for candidate in result.candidates.indices.dropFirst() {
        addCandidate(candidate, scenario, id: "\(id)-\(candidate)", to: &html)
      }
      addCurves(scenario, id: id, to: &html)
    }
  }

  private func addCandidate(_ candidate: Int, _ scenario: String, id: String, to html: inout HTML) {
    let label = result.candidates[candidate].label
    let own = result.contrasts.filter { $0.candidate == candidate && $0.scenario == scenario }
    if result.candidates.count > 2 { html.element("h3", label) }
    addIntervals(own, label, id: "\(id)-intervals", to: &html)
    html.table(
      "\(label) against \(baseline), \(scenario)",
      columns: Self.verdictSecond(ComparisonPage.columns(baseline: baseline, candidate: label)),
      cells: own.map { Self.verdictSecond(ComparisonPage.row($0)) })
    guard let explanation = result.explanation(of: candidate, in: scenario) else { return }
    html.add(blocks { $0.addExplanation(explanation) }, caption: "Cause of the change, \(label)")
    addParts(candidate, scenario, id: "\(id)-parts", to: &html)
  }

  /// A row's cells, with the verdict next to the metric, so that it is visible on a phone.
  private static func verdictSecond<Cell>(_ cells: [Cell]) -> [Cell] {
    let columns = ComparisonPage.columns(baseline: "", candidate: "")
    guard let verdict = columns.firstIndex(where: { $0.kind == .verdict }) else { return cells }
    return [cells[0], cells[verdict]] + cells.indices.dropFirst().filter { $0 != verdict }.map { cells[$0] }
  }

  private func addIntervals(_ contrasts: [Contrast], _ label: String, id: String, to html: inout HTML) {
    let known = contrasts.filter { $0.low != nil && $0.high != nil && $0.estimate != nil }
    // On a logarithmic axis half and double are equally far from no change; for small changes this makes no difference.
    let isWide = known.contains { max(abs($0.low ?? 0), abs($0.high ?? 0)) > 0.4 }
    func place(_ logRatio: Double?) -> Double { isWide ? logRatio ?? 0 : Contrast.change(logRatio ?? 0) }
    let rows = known.map { contrast in
      let ends = [contrast.low, contrast.high].map { ExplanationWords.signed(Contrast.change($0 ?? 0)) }
      return IntervalPlot.Row(
        name: contrast.metric,
        words: "\(ExplanationWords.signed(contrast.change ?? 0)) (\(ends.joined(separator: " to ")))",
        low: place(contrast.low), estimate: place(contrast.estimate), high: place(contrast.high),
        verdict: contrast.verdict.rawValue)
    }
    guard !rows.isEmpty else { return }
    let plot = IntervalPlot(
      id: id, title: "Changes of \(label) against \(baseline), with their intervals",
      description: rows.map { "\($0.name) \($0.words), \($0.verdict)" }.joined(separator: "; ") + ".", rows: rows,
      delta: isWide ? log1p(result.rules.indifference) : result.rules.indifference, step: isWide ? log(2) : nil,
      label: { isWide ? "× \(Scale.shortNumber(exp($0)))" : ExplanationWords.signed($0) })
    var legend = HTML()
    legend.element("ul", ["class": "legend"]) { html in
      for verdict in ComparisonVerdict.allCases where rows.contains(where: { $0.verdict == verdict.rawValue }) {
        html.element("li") {
          $0.element("svg", ["width": "14", "height": "14", "viewBox": "-7 -7 14 14", "aria-hidden": "true"]) {
            $0.empty("path", ["d": IntervalPlot.shape(verdict.rawValue), "class": "estimate \(verdict.rawValue)"])
          }
          $0.words(verdict.rawValue)
        }
      }
    }
    html.figure(
      "Change against \(baseline)",
      note: "Left: less than \(baseline), right: more. Differences within the gray band count as none "
        + "(±\(HumanUnits.share(result.rules.indifference)))."
        + (isWide ? " Half and double are equally far from the middle." : ""),
      legend: legend, picture: plot.html
    ) { _ in }
  }

  // MARK: - Curves and parts

  private func pooled(_ scenario: String, _ candidate: Int) -> PooledRuns? {
    result.pooled.first { $0.scenario == scenario && $0.candidate == candidate }
  }

  private func curves(_ scenario: String, of key: ClassKey) -> [(name: String, samples: Distribution)] {
    result.candidates.indices.prefix(Self.curveLimit).compactMap { candidate in
      guard let samples = pooled(scenario, candidate)?.classes.first(where: { $0.key == key })?[.response],
        samples.count >= ScenarioPage.fewSamples
      else { return nil }
      return (result.candidates[candidate].label, samples)
    }
  }

  /// Response times of all candidates in one chart: for all jobs, and for the types that caused a change.
  private func addCurves(_ scenario: String, id: String, to html: inout HTML) {
    let all = curves(scenario, of: .all)
    guard all.count > 1 else { return }
    html.element("h3", "Response time")
    html.element("p", ["class": "note"]) {
      $0.prose(
        "The counted rounds of each candidate, merged. The axis is logarithmic in the tail: 90 %, 99 % and 99.9 % are "
          + "evenly spaced.")
    }
    var types: [String] = []
    for explanation in result.explanations where explanation.scenario == scenario {
      if let type = explanation.origin?.type, !types.contains(type), type != "all" { types.append(type) }
    }
    let left = result.candidates.count - min(result.candidates.count, Self.curveLimit)
    html.element("div", ["class": types.isEmpty ? "pictures one" : "pictures"]) { html in
      PercentilePicture(
        id: "\(id)-response", title: "All jobs", of: scenario, curves: all, height: 220,
        note: left > 0 ? "\(left) more candidates are shown in the tables only." : ""
      ).add(to: &html)
      for (index, type) in types.prefix(3).enumerated() {
        PercentilePicture(
          id: "\(id)-response-\(index + 1)", title: type, of: scenario,
          curves: curves(scenario, of: ClassKey(type: type)),
          height: 220, note: "cause of a change"
        ).add(to: &html)
      }
    }
  }

  /// The parts of each type's time, before and after.
  private func addParts(_ candidate: Int, _ scenario: String, id: String, to html: inout HTML) {
    guard let before = pooled(scenario, 0), let after = pooled(scenario, candidate) else { return }
    let label = result.candidates[candidate].label
    let types = before.classes.filter { $0.key.type != nil && $0.key.priority == nil && $0.parts.settled > 0 }
    let chosen = Set(types.sorted { $0.parts.whole > $1.parts.whole }.prefix(Self.typeLimit).map(\.key))
    let keys = types.count > 1 ? types.map(\.key).filter(chosen.contains) : [ClassKey.all]
    let rows = keys.flatMap { key -> [StackedBars.Row] in
      var group: String? = key == .all ? "all jobs" : key.name
      return [(before, baseline), (after, label)].compactMap { side, name -> StackedBars.Row? in
        guard let jobs = side.classes.first(where: { $0.key == key }), jobs.parts.whole > 0, jobs.parts.settled > 0
        else { return nil }
        defer { group = nil }
        return PartsPicture.row(name, jobs, group: group)
      }
    }
    let left = types.count - chosen.count
    PartsPicture(
      id: id, title: "Parts of response time, \(baseline) and \(label)", of: scenario, rows: rows,
      note: "Mean per job, from intended arrival to settlement."
        + (left > 0 ? " \(left) more job types, which take less time in total, are omitted." : "")
    ).add(to: &html)
  }
}
