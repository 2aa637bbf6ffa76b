import TailraceMeasurement

/// `report.md` of a capacity search: the answer, the curves, the bottleneck, and the method.
struct CapacityPage {
  let result: CapacityResult
  var page = Markdown()

  static func render(_ result: CapacityResult) throws(ReportProblem) -> String {
    let result = try ForeignText.unmarked(result)
    var report = CapacityPage(result: result)
    report.addAnswer()
    report.addCurves()
    for (index, configuration) in result.configurations.enumerated() { report.addConfiguration(configuration, index) }
    report.addAppendix()
    return report.page.text
  }

  private mutating func addAnswer() {
    page.heading(1, "Capacity of \(result.scenario), \(result.system)")
    if result.isInterrupted {
      page.paragraph("**NOT FINISHED**: the search was interrupted. Results so far:")
    }
    page.paragraph(
      "The highest arrival rate that meets \(result.targets.map { "`\($0)`" }.joined(separator: " and ")) and at which "
        + "the queue does not grow.")
    for configuration in result.configurations {
      let search = configuration.search
      let invalid =
        search.isInvalid ? " **INVALID**: \(search.invalidRuns) of \(search.runs) runs are invalid." : ""
      page.paragraph("**\(configuration.name)**: \(CapacityWords.answer(search)).\(invalid)")
      if let failure = search.failure { page.paragraph("**INVALID**: a run failed: \(failure)") }
    }
    page.table(
      [
        "", "Configuration", .number("Limit"), "95 % interval", "Ended by", .number("Simulated"),
        .number("Theory, exact"), .number("Theory, bound"),
        "Bottleneck",
      ],
      result.configurations.enumerated().map { index, configuration in
        let limit = configuration.search.limit
        return [
          String(Self.letter(index)), configuration.name, limit.map { CapacityWords.rate($0.rate.value) } ?? "–",
          limit.map { CapacityWords.interval($0.rate) } ?? "–", limit.map { CapacityWords.reason($0) } ?? "–",
          configuration.simulation?.limit.map { CapacityWords.rate($0.rate.value) } ?? "–",
          configuration.theory.exact.first.map { CapacityWords.rate($0.rate) } ?? "–",
          configuration.theory.bounds.first.map { CapacityWords.rate($0.rate) } ?? "–",
          configuration.firstToGiveOut,
        ]
      })
    page.list(result.notes)
  }

  static func letter(_ index: Int) -> Character {
    let letters = Array("abcdefghijklmnopqrstuvwxyz")
    return letters[index % letters.count]
  }

  private mutating func addCurves() {
    let curves = result.configurations.enumerated().map { (letter: Self.letter($0), search: $1.search) }
    let picture = CapacityPlot.render(curves)
    guard !picture.isEmpty else { return }
    page.heading(2, "Response time against load")
    page.figure(picture)
    page.paragraph(
      "Each letter is a configuration at one rate; `*` is two in one place; `|` marks a limit. The axis is logarithmic."
    )
  }

  private mutating func addConfiguration(_ configuration: CapacityConfiguration, _ index: Int) {
    page.heading(2, "\(Self.letter(index)): \(configuration.name)")
    addSearch(configuration.search)
    if let simulation = configuration.simulation { addSearch(simulation) }
    page.heading(3, "Bottleneck")
    page.paragraph("Bottleneck: \(configuration.firstToGiveOut).")
    page.table(
      ["Constraint, widened a little", .number("Change at the limit"), "95 % interval", .verdict("Verdict")],
      cells: configuration.sensitivities.map { sensitivity in
        let change = sensitivity.change
        let ends = [change.low, change.high].compactMap { $0 }.map { HumanUnits.difference($0, sensitivity.unit) }
        return [
          .words(sensitivity.constraint),
          .words((change.value > 0 ? "+" : "") + HumanUnits.difference(change.value, sensitivity.unit)),
          .words(ends.joined(separator: " to ")), .verdict(VerdictLabel(sensitivity)),
        ]
      })
    addTheory(configuration.theory)
  }

  private mutating func addSearch(_ search: CapacitySearch) {
    page.heading(3, "Rates tried, \(search.system)")
    page.paragraph("\(CapacityWords.answer(search)).")
    let targets = search.points.first?.targets.map(\.target) ?? []
    var columns: [Table.Column] = [.number("Rate"), .verdict("Verdict")]
    columns += targets.map { Table.Column.number(Self.metric($0)) }
    if search.hasFailures { columns.append(.number("Success")) }
    let figures = ["Response p50", "p99", "Completed", "Queue growth", "Busy", "Runs"]
    columns += figures.map { Table.Column.number($0) } + ["Why"]
    page.table(
      columns,
      cells: search.points.map { point in
        let busy = point.pools.map { HumanUnits.share($0.utilization) }.joined(separator: ", ")
        var figures = point.targets.map { CapacityWords.estimate($0.observed, $0.unit) }
        if search.hasFailures { figures.append(HumanUnits.value(point.success, .ratio)) }
        figures += [
          HumanUnits.value(point.responseP50?.value, .time), HumanUnits.value(point.responseP99?.value, .time),
          CapacityWords.rate(point.throughput.value), CapacityWords.rate(point.growth.value), busy, "\(point.runs)",
          point.reason,
        ]
        let head: [Table.Cell] = [.words(CapacityWords.rate(point.rate)), .verdict(VerdictLabel(point.verdict))]
        return head + [Table.Cell](words: figures)
      })
    guard search.invalidRuns > 0 else { return }
    page.paragraph("\(search.invalidRuns) of \(search.runs) runs were invalid and are not counted:")
    page.list(search.invalidity)
  }

  /// A target without its comparison operator.
  private static func metric(_ target: String) -> String {
    String(target.prefix { !"<>".contains($0) }.reversed().drop { $0 == " " || $0 == "=" }.reversed())
  }

  private mutating func addTheory(_ theory: CapacityTheory) {
    page.heading(3, "Bounds from theory")
    page.table(
      ["Resource", .number("At most"), "Because"],
      theory.bounds.map { [$0.resource, CapacityWords.rate($0.rate), $0.formula] })
    page.table(
      ["Target", .number("Reached exactly at"), "Formula"],
      (theory.exact + (theory.exactAsMeasured ?? [])).map { ["`\($0.target)`", exact($0.rate), $0.formula] })
    page.list(theory.notes)
  }

  private func exact(_ rate: Double) -> String { "\(HumanUnits.fixed(rate, decimals: 2)) /s" }

  private mutating func addAppendix() {
    page.heading(2, "Method")
    page.paragraph(
      "A rate is *sustained* if the 95 % confidence interval of every target lies on the right side of its limit "
        + "and the queue does not grow; *missed* if an interval lies on the wrong side; *growing* if more jobs arrive "
        + "than complete; otherwise *unclear*. The unit of replication is the run. Each run of a rate has a different "
        + "seed; the n-th run of every rate and configuration has the same seed. The limit is the rate at which the "
        + "target's fitted curve crosses its limit; the interval comes from the rounds around it. "
        + "docs/measurement.md has the formulas.")
    page.paragraph("Command to repeat this search:")
    page.figure([result.command])
    var rows = [["seed", "\(result.seed)"], ["precision", HumanUnits.share(result.precision)]]
    rows += [["measured in each run", HumanUnits.time(result.window)], ["started", result.started]]
    rows += [["tailrace", result.version], ["result format", "\(result.format)"]]
    rows += result.settings.map { [$0.name, $0.value] } + result.environment.map { [$0.name, $0.value] }
    page.table(["Environment", ""], rows)
    page.paragraph("See also `capacity.csv` (one figure per row) and `capacity.json`.")
  }
}
