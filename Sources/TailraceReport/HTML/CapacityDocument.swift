import TailraceMeasurement

/// `report.html` of a capacity search: the answer, each target's curve against the load, and the results of theory
/// and simulation.
package struct CapacityDocument {
  let result: CapacityResult

  /// The maximum number of configurations in one chart.
  private static let curveLimit = 6
  /// The maximum number of configurations shown in full.
  private static let configurationLimit = 40

  /// The page as text.
  ///
  /// - Throws: ``ReportProblem`` if the result cannot be encoded and decoded.
  package static func render(_ result: CapacityResult) throws(ReportProblem) -> String {
    let result = try ForeignText.unmarked(result)
    let document = CapacityDocument(result: result)
    let page = Page(title: "Capacity: \(result.scenario)", kind: "capacity", version: result.version)
    return page.render(
      header: { document.addHead(to: &$0) },
      body: { html in
        document.addTogether(to: &html)
        for (index, configuration) in result.configurations.prefix(configurationLimit).enumerated() {
          document.addConfiguration(configuration, id: "configuration-\(index + 1)", to: &html)
        }
        document.addAppendix(to: &html)
      })
  }

  // MARK: - The answer

  private func addHead(to html: inout HTML) {
    html.element("h1") {
      if result.isInterrupted { $0.element("span", ["class": "verdict unclear"], "! Not finished") }
      if let badge = badge { $0.add(badge) }
      $0.words(result.scenario)
    }
    html.element("p", ["class": "lead"]) {
      $0.prose(
        "The highest arrival rate on \(result.system) that meets "
          + "\(result.targets.map { "`\($0)`" }.joined(separator: " and ")) and at which the queue does not grow.")
    }
    if !result.summary.isEmpty { html.element("p") { $0.prose(result.summary) } }
    if !result.notes.isEmpty {
      html.element("ul", ["class": "note"]) { html in
        for note in result.notes { html.element("li") { $0.prose(note) } }
      }
    }
    html.element("dl", ["class": "meta"]) { html in
      for (name, value) in [
        ("Started", result.started), ("Seed", "\(result.seed)"),
        ("Measured in each run", HumanUnits.time(result.window)),
        ("Precision", "±\(HumanUnits.share(result.precision))"),
      ] {
        html.element("div") {
          $0.element("dt", name + " ")
          $0.element("dd", value)
        }
      }
    }
  }

  /// The answer, if there is one.
  private var badge: HTML? {
    guard result.configurations.count == 1, let search = result.configurations.first?.search else { return nil }
    if search.isInvalid || search.failure != nil { return HTML("span", ["class": "verdict invalid"], "! Invalid") }
    switch search.outcome {
    case .found:
      return search.limit.map { HTML("span", ["class": "verdict passed"], "✓ \(Self.rate($0.rate.value))") }
    case .none: return HTML("span", ["class": "verdict missed"], "✗ No rate")
    case .beyond: return HTML("span", ["class": "verdict passed"], "✓ Beyond")
    case .inconclusive: return HTML("span", ["class": "verdict unclear"], "? Unclear")
    }
  }

  static func rate(_ perSecond: Double) -> String { HumanUnits.value(perSecond, .rate) }

  private static func interval(_ estimate: CapacityEstimate) -> String {
    guard let low = estimate.low, let high = estimate.high else { return "–" }
    return "\(HumanUnits.digits(low)) to \(rate(high))"
  }

  private static func estimate(_ estimate: CapacityEstimate?, _ unit: FigureUnit) -> String {
    guard let estimate else { return "–" }
    guard let low = estimate.low, let high = estimate.high, low != high else {
      return HumanUnits.value(estimate.value, unit)
    }
    return
      "\(HumanUnits.value(estimate.value, unit)) (\(HumanUnits.value(low, unit)) to \(HumanUnits.value(high, unit)))"
  }

  // MARK: - All configurations

  private func addTogether(to html: inout HTML) {
    html.element("h3", result.configurations.count == 1 ? "The answer" : "The configurations")
    html.table(
      "Limits of \(result.scenario)",
      columns: [
        "Configuration", .number("Limit"), "95 % interval", "Ended by", .number("Simulated"), .number("Theory, exact"),
        .number("Theory, bound"),
        "Bottleneck",
      ],
      rows: result.configurations.enumerated().map { index, configuration in
        let search = configuration.search
        let words = [
          search.limit.map { Self.rate($0.rate.value) } ?? CapacityWords.answer(search),
          search.limit.map { Self.interval($0.rate) } ?? "–", search.limit?.reason ?? "–",
          configuration.simulation?.limit.map { Self.rate($0.rate.value) } ?? "–",
          configuration.theory.exact.first.map { Self.rate($0.rate) } ?? "–",
          configuration.theory.bounds.first.map { Self.rate($0.rate) } ?? "–", configuration.firstToGiveOut,
        ]
        let name =
          index < Self.configurationLimit
          ? HTML("a", ["href": "#configuration-\(index + 1)"], configuration.name) : HTML(configuration.name)
        return [name] + words.map { HTML(prose: $0) }
      })
    guard result.configurations.count > 1 else { return }
    let drawn = result.configurations.prefix(Self.curveLimit)
    let left = result.configurations.count - drawn.count
    html.element("div", ["class": "pictures one"]) { html in
      for (index, target) in targets.enumerated() {
        CapacityPicture(
          id: "together-\(index + 1)", title: "\(target), by configuration", target: target,
          curves: drawn.map { ($0.name, $0.search) }, marks: [], band: nil,
          note: left > 0 ? "\(left) more configurations are shown below." : ""
        ).add(to: &html)
      }
    }
  }

  /// Targets with observations.
  private var targets: [String] {
    result.targets.filter { target in
      result.configurations.contains { configuration in
        configuration.search.points.contains { $0.targets.contains { $0.target == target && $0.observed != nil } }
      }
    }
  }

  // MARK: - One configuration

  private func addConfiguration(_ configuration: CapacityConfiguration, id: String, to html: inout HTML) {
    html.element("section", ["class": "scenario", "id": id, "aria-labelledby": "\(id)-name"]) { html in
      html.element("h2", ["id": "\(id)-name"], configuration.name)
      html.element("p", ["class": "lead"]) { $0.prose(CapacityWords.answer(configuration.search) + ".") }
      addTiles(configuration, to: &html)
      let searches = [configuration.search] + [configuration.simulation].compactMap { $0 }
      html.element("h3", "Against the load")
      html.element("div", ["class": "pictures one"]) { html in
        for (index, target) in targets.enumerated() {
          CapacityPicture(
            id: "\(id)-\(index + 1)", title: target, target: target, curves: searches.map { ($0.system, $0) },
            marks: marks(configuration, target), band: configuration.search.limit?.rate, note: ""
          ).add(to: &html)
        }
      }
      for search in searches { addPoints(search, to: &html) }
      addSensitivities(configuration, to: &html)
      addTheory(configuration.theory, to: &html)
    }
  }

  private func addTiles(_ configuration: CapacityConfiguration, to html: inout HTML) {
    var tiles: [(String, String)] = []
    if let limit = configuration.search.limit {
      tiles += [("Limit", Self.rate(limit.rate.value)), ("95 % interval", Self.interval(limit.rate))]
    }
    if let limit = configuration.simulation?.limit { tiles.append(("Simulated", Self.rate(limit.rate.value))) }
    if let exact = configuration.theory.exact.first { tiles.append(("Theory, exact", Self.rate(exact.rate))) }
    if let bound = configuration.theory.bounds.first { tiles.append(("Theory, bound", Self.rate(bound.rate))) }
    tiles.append(("Runs", HumanUnits.count(Double(configuration.search.runs))))
    html.element("dl", ["class": "tiles wide"]) { html in
      for (name, value) in tiles {
        html.element("div") {
          $0.element("dt", name)
          $0.element("dd", value)
        }
      }
    }
  }

  /// Theory's rates, as marks on the load axis.
  private func marks(_ configuration: CapacityConfiguration, _ target: String) -> [(x: Double, words: String)] {
    var marks: [(x: Double, words: String)] = []
    if let exact = configuration.theory.exact.first(where: { $0.target == target }) {
      marks.append((exact.rate, "theory, exact: \(Self.rate(exact.rate))"))
    }
    if let bound = configuration.theory.bounds.first {
      marks.append((bound.rate, "theory, bound: \(Self.rate(bound.rate))"))
    }
    return marks
  }

  private func addPoints(_ search: CapacitySearch, to html: inout HTML) {
    html.element("h3", "Rates tried, \(search.system)")
    let targets = search.points.first?.targets.map(\.target) ?? []
    var columns: [Table.Column] = [.number("Rate"), .verdict("Verdict")]
    columns += targets.map { Table.Column.number($0) }
    if search.hasFailures { columns.append(.number("Success")) }
    let figures = ["Response p50", "p99", "Completed", "Queue growth", "Busy", "Runs"]
    columns += figures.map { Table.Column.number($0) } + ["Why"]
    html.table(
      "Rates tried, \(search.system)", columns: columns,
      cells: search.points.map { point in
        var figures = point.targets.map { Self.estimate($0.observed, $0.unit) }
        if search.hasFailures { figures.append(HumanUnits.value(point.success, .ratio)) }
        figures += [
          HumanUnits.value(point.responseP50?.value, .time), HumanUnits.value(point.responseP99?.value, .time),
          Self.rate(point.throughput.value), Self.rate(point.growth.value),
          point.pools.map { HumanUnits.share($0.utilization) }.joined(separator: ", "), "\(point.runs)", point.reason,
        ]
        let head: [Table.Cell] = [.words(Self.rate(point.rate)), .verdict(VerdictLabel(point.verdict))]
        return head + [Table.Cell](words: figures)
      })
    guard search.invalidRuns > 0 else { return }
    html.element("p", "\(search.invalidRuns) of \(search.runs) runs were invalid and are not counted:")
    html.element("ul") { html in for line in search.invalidity { html.element("li") { $0.prose(line) } } }
  }

  private func addSensitivities(_ configuration: CapacityConfiguration, to html: inout HTML) {
    html.element("h3", "Bottleneck")
    html.element("p") { $0.prose("Bottleneck: \(configuration.firstToGiveOut).") }
    html.table(
      "The effect of widening each constraint a little",
      columns: [
        "Constraint, widened a little", .verdict("Verdict"), .number("Change at the limit"), .number("95 % interval"),
      ],
      cells: configuration.sensitivities.map { sensitivity in
        let change = sensitivity.change
        let ends = [change.low, change.high].compactMap { $0 }.map { HumanUnits.difference($0, sensitivity.unit) }
        return [
          .words(sensitivity.constraint), .verdict(VerdictLabel(sensitivity)),
          .words((change.value > 0 ? "+" : "") + HumanUnits.difference(change.value, sensitivity.unit)),
          .words(ends.joined(separator: " to ")),
        ]
      })
  }

  private func addTheory(_ theory: CapacityTheory, to html: inout HTML) {
    html.element("h3", "Bounds from theory")
    html.table(
      "The rate above which each resource cannot keep up", columns: ["Resource", .number("At most"), "Because"],
      words: theory.bounds.map { [$0.resource, Self.rate($0.rate), $0.formula] })
    html.table(
      "The exact rate at which each target is reached", columns: ["Target", .number("Reached at"), "Formula"],
      words: theory.exact.map { ["`\($0.target)`", Self.rate($0.rate), $0.formula] })
    guard !theory.notes.isEmpty else { return }
    html.element("ul", ["class": "note"]) { html in
      for note in theory.notes { html.element("li") { $0.prose(note) } }
    }
  }

  private func addAppendix(to html: inout HTML) {
    html.element("section", ["class": "scenario", "aria-labelledby": "how"]) { html in
      html.element("h2", ["id": "how"], "Method")
      html.element("p") {
        $0.prose(
          "A rate is *sustained* if the 95 % confidence interval of every target lies on the right side of its "
            + "limit and the queue does not grow; *missed* if an interval lies on the wrong side; *growing* if more "
            + "jobs arrive than complete; otherwise *unclear*. The unit of replication is the run; each has its seed.")
      }
      html.element("p", "Command to repeat this search:")
      html.element("pre", result.command)
      html.table(
        "Settings and environment", columns: ["Setting", ""],
        words: (result.settings + result.environment).map { [$0.name, $0.value] })
    }
  }
}
