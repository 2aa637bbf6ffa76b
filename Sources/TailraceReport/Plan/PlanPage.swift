import TailraceMeasurement

/// `report.md` of a plan: the answer, the configurations tried, the bottleneck, and the method.
struct PlanPage {
  let result: PlanResult
  var page = Markdown()
  private var words: PlanWords { PlanWords(result) }

  init(_ result: PlanResult) { self.result = result }

  static func render(_ result: PlanResult) throws(ReportProblem) -> String {
    let result = try ForeignText.unmarked(result)
    var report = PlanPage(result)
    report.page.heading(1, "Plan of \(result.scenario)")
    report.addAnswer()
    report.addCandidates()
    report.addBinding()
    report.addAppendix()
    return report.page.text
  }

  /// The page's blocks, without its title.
  static func blocks(_ result: PlanResult) -> (head: [Markdown.Block], body: [Markdown.Block]) {
    var (head, body) = (PlanPage(result), PlanPage(result))
    head.addAnswer()
    body.addCandidates()
    body.addBinding()
    body.addAppendix()
    return (head.page.blocks, body.page.blocks)
  }

  private mutating func addAnswer() {
    if result.isInterrupted {
      page.paragraph("**NOT FINISHED**: the search was interrupted. Results so far:")
    }
    if !words.failures.isEmpty {
      page.paragraph("**INVALID**: not every configuration could be tried.")
      page.list(words.failures)
    }
    page.paragraph("**\(words.answer).**")
    page.paragraph(([words.effort] + [words.lengthening].compactMap { $0 }).joined(separator: " "))
    page.list(words.shortfalls)
    page.list(result.notes)
  }

  private mutating func addCandidates() {
    page.heading(2, "Configurations tried")
    var columns = result.varied.map { Table.Column.number($0) } + [.verdict("Verdict")]
    columns += result.targets.map { Table.Column.number("`\($0)`") }
    if result.hasFailures { columns.append(.number("Success")) }
    columns += [.number("Busy"), .number("Run"), .number("Replications")]
    page.table(
      columns,
      cells: result.candidates.enumerated().map { place, candidate in
        var figures = candidate.targets.map(PlanWords.value)
        if result.hasFailures { figures.append(HumanUnits.value(candidate.success, .ratio)) }
        figures += [
          candidate.pools.map { HumanUnits.share($0.utilization) }.joined(separator: ", "),
          candidate.length.map(HumanUnits.time) ?? "–", "\(candidate.replications)",
        ]
        return [Table.Cell](words: candidate.values) + [.verdict(words.label(at: place))]
          + [Table.Cell](words: figures)
      })
  }

  private mutating func addBinding() {
    guard let binding = result.binding else { return }
    page.heading(2, "Bottleneck")
    page.list(words.binding)
    page.table(
      [
        "Constraint, widened a little", .number("Change of \(PlanWords.metric(binding.target ?? ""))"),
        .verdict("Verdict"),
      ],
      cells: binding.sensitivities.map { sensitivity in
        [.words(sensitivity.constraint), .words(PlanWords.change(sensitivity)), .verdict(VerdictLabel(sensitivity))]
      })
  }

  private mutating func addAppendix() {
    page.heading(2, "Method")
    page.paragraph(
      "Every configuration was simulated with the same seeds. A target is *met* if its confidence interval (±) lies "
        + "on the right side of its limit, *missed* if it lies on the wrong side, otherwise *unclear*. The 95 % "
        + "confidence holds for all evaluations of a configuration together. If an unclear configuration could be the "
        + "answer, it got four times the replications or, if its queue had not settled, runs four times as long. There "
        + "are up to five evaluations, until the configuration is decided or the budget is used up. "
        + "docs/measurement.md has the rules.")
    page.paragraph("Command to repeat this search:")
    page.figure([result.command])
    var rows = [["seed", "\(result.seed)"], ["initial replications", "\(result.replications)"]]
    rows += [["budget in jobs", HumanUnits.count(Double(result.budget))]]
    rows += [["jobs simulated", HumanUnits.count(Double(result.candidates.reduce(0) { $0 + $1.jobs }))]]
    rows += [["started", result.started], ["tailrace", result.version], ["result format", "\(result.format)"]]
    rows += result.settings.map { [$0.name, $0.value] } + result.environment.map { [$0.name, $0.value] }
    page.table(["Environment", ""], rows)
    page.paragraph("See also `plan.csv` (one figure per row) and `plan.json`.")
  }
}
