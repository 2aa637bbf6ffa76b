import TailraceMeasurement

/// A comparison as one page of Markdown: what is better, worse or unclear, the causes, and the method.
package struct ComparisonPage {
  private let result: ComparisonFindings
  private(set) var page = Markdown()

  package static func render(_ result: ComparisonFindings) throws(ReportProblem) -> String {
    let result = try ForeignText.unmarked(result)
    return text(result, title: "Comparison: \(result.name)")
  }

  /// Builds the page from a result whose texts contain no markup.
  ///
  /// - Parameter headingDepth: How many levels lower its headings are, if it is part of another page.
  static func text(_ result: ComparisonFindings, title: String, headingDepth: Int = 0) -> String {
    var page = ComparisonPage(result: result)
    page.page.headingDepth = headingDepth
    page.page.heading(1, title)
    page.addHead()
    for candidate in result.candidates.indices.dropFirst() { page.addCandidate(candidate) }
    page.addMethod()
    return page.page.text
  }

  init(result: ComparisonFindings) { self.result = result }

  // MARK: - What it comes to

  /// One line about a candidate: `WORSE: 2 metrics worse, 5 same, 1 unclear`.
  package static func headline(_ result: ComparisonFindings, candidate: Int) -> String {
    let own = result.contrasts.filter { $0.candidate == candidate }
    return "\(result.word(of: own)): \(sum(result, candidate: candidate))"
  }

  /// The text after the word in that line.
  static func sum(_ result: ComparisonFindings, candidate: Int) -> String {
    let own = result.contrasts.filter { $0.candidate == candidate }
    func count(_ verdict: ComparisonVerdict) -> Int { own.count { $0.verdict == verdict } }
    let counts = [ComparisonVerdict.worse, .better, .same, .unclear].compactMap { verdict in
      count(verdict) > 0 ? "\(count(verdict)) \(verdict.rawValue)" : nil
    }
    let missed = MissedChange.words(own, rules: result.rules, metrics: result.contrasts.count)
    let strict = result.isInconclusive(own) ? ", which does not pass with --strict" : ""
    let sum = "of \(HumanUnits.counted(own.count, "metric")) \(counts.joined(separator: ", "))\(strict)"
    // State first that no change could have been detected, because the counts mean nothing then.
    return own.allSatisfy { $0.verdict == .unclear && $0.detectable == nil } && !missed.isEmpty
      ? "\(missed); \(sum)" : "\(sum)\(missed.isEmpty ? "" : "; \(missed)")"
  }

  private mutating func addHead() {
    if !result.forced.isEmpty {
      page.paragraph("**Forced.** The candidates differ in more than the tested change:")
      page.list(result.forced)
    }
    if !result.invalid.isEmpty {
      page.paragraph("**INVALID**: do not trust the figures.")
      page.list(result.invalid)
    }
    let baseline = result.candidates[0].label
    for (index, candidate) in result.candidates.enumerated().dropFirst() {
      page.paragraph("**\(candidate.label)** against \(baseline): \(Self.headline(result, candidate: index)).")
    }
    page.list(result.fateLines)
    page.list(Self.tapeLines(result))
    page.paragraph("\(HumanUnits.counted(result.counted, "round")) of each; \(result.ending).\(Self.setAside(result))")
  }

  /// How many rounds were discarded, and why the first was; empty: none was.
  package static func setAside(_ result: ComparisonFindings) -> String {
    let spoiled = result.rounds.filter { !$0.discarded.isEmpty }
    guard let first = spoiled.first else { return "" }
    return
      " \(HumanUnits.counted(spoiled.count, "more round")) \(spoiled.count == 1 ? "was" : "were") discarded, because "
      + "the machine may have disturbed them (round \(first.number): \(first.discarded[0]))."
  }

  /// Intended differences between the candidates' tapes and the baseline's.
  package static func tapeLines(_ result: ComparisonFindings) -> [String] {
    result.candidates.flatMap { candidate in
      (candidate.tape ?? []).map { "The tape of \(candidate.label) differs as intended: \($0)." }
    }
  }

  // MARK: - A candidate

  private mutating func addCandidate(_ candidate: Int) {
    let label = result.candidates[candidate].label
    if result.candidates.count > 2 { page.heading(2, label) }
    let scenarios = result.pooled.filter { $0.candidate == candidate }.map(\.scenario)
    for scenario in scenarios {
      let own = result.contrasts.filter { $0.candidate == candidate && $0.scenario == scenario }
      page.heading(result.candidates.count > 2 ? 3 : 2, scenario)
      page.table(Self.columns(baseline: result.candidates[0].label, candidate: label), cells: own.map(Self.row))
      if let explanation = result.explanation(of: candidate, in: scenario) { addExplanation(explanation) }
    }
    page.list(result.candidates[candidate].differences.map { "\($0.name) of \(label): `\($0.value)`" })
  }

  static func columns(baseline: String, candidate: String) -> [Table.Column] {
    [
      "Metric", .number(baseline), .number(candidate), .number("Change"), .number("Interval"), .verdict("Verdict"),
      .number("Smallest detectable change"), .number("p"),
    ]
  }

  static func row(_ contrast: Contrast) -> [Table.Cell] {
    let interval = contrast.interval.map {
      "\(ExplanationWords.signed($0.low)) to \(ExplanationWords.signed($0.high))"
    }
    let figures = [
      "`\(contrast.metric)`", HumanUnits.value(contrast.baseline, contrast.unit),
      HumanUnits.value(contrast.value, contrast.unit), contrast.change.map(ExplanationWords.signed) ?? "–",
      interval ?? "–",
    ]
    return [Table.Cell](words: figures)
      + [
        .verdict(label(contrast)), .words(detectable(contrast)), .words(contrast.logRatios.isEmpty ? "–" : p(contrast)),
      ]
  }

  /// The verdict as text that needs no color.
  package static func verdict(_ contrast: Contrast) -> String { label(contrast).plain }

  private static func label(_ contrast: Contrast) -> VerdictLabel {
    guard contrast.verdict == .unclear else { return VerdictLabel(contrast.verdict) }
    // Significant on its own, but not after correction for the number of metrics.
    let alone = contrast.uncorrected == .unclear ? "" : " (alone: \(contrast.uncorrected.rawValue))"
    return VerdictLabel(contrast.verdict, note: alone + (contrast.why.isEmpty ? "" : " – \(contrast.why)"))
  }

  /// The smallest detectable change, for metrics that are not better or worse.
  package static func detectable(_ contrast: Contrast) -> String {
    guard contrast.verdict == .same || contrast.verdict == .unclear, !contrast.logRatios.isEmpty else { return "" }
    guard let detectable = contrast.detectable else { return "none: too few rounds" }
    return detectable == 0 ? "any change" : "±\(HumanUnits.share(Contrast.change(detectable)))"
  }

  /// The same as text after the verdict; nil: nothing to add.
  package static func detectableWords(_ contrast: Contrast) -> String? {
    let seen = detectable(contrast)
    if seen.isEmpty { return nil }
    guard let detectable = contrast.detectable else {
      return contrast.why.isEmpty ? "too few rounds to detect a change" : nil
    }
    return detectable == 0 ? "any change would have been detected" : "\(seen) would have been detected"
  }

  private static func p(_ contrast: Contrast) -> String {
    contrast.adjustedPValue < 0.000_1 ? "< 0.0001" : HumanUnits.digits(contrast.adjustedPValue)
  }

  // MARK: - Where it lies

  mutating func addExplanation(_ explanation: Explanation) {
    let lines = ExplanationWords.lines(explanation)
    guard !lines.isEmpty else { return }
    page.paragraph("**Cause**")
    page.list(lines)
    page.table(
      [
        "Job type", "Part", .number("Before, per job"), .number("After, per job"), .number("Change of the part"),
        .number("Adds to the mean of all jobs"),
        .number("99 % interval"), .number("Share of the mean's change"),
      ],
      explanation.shifts.filter(\.isClear).prefix(8).map { shift in
        [
          shift.type, "`\(shift.part.name)`", HumanUnits.time(shift.before), HumanUnits.time(shift.after),
          shift.change.map(ExplanationWords.signed) ?? "–", signedTime(shift.carried),
          "\(signedTime(shift.low)) to \(signedTime(shift.high))",
          ExplanationWords.share(shift.carried, ofChange: explanation.change),
        ]
      })
    page.table(
      ["Response time", .number("Before"), .number("After"), .number("Change")],
      explanation.quantiles.map { quantile in
        [
          Statistic.percentile(quantile.percentile).name + (explanation.quantilesOf.map { " of \($0)" } ?? ""),
          HumanUnits.time(quantile.before), HumanUnits.time(quantile.after), ExplanationWords.signed(quantile.change),
        ]
      })
  }

  private func signedTime(_ nanoseconds: Double) -> String {
    guard nanoseconds.magnitude < 1e18 else { return nanoseconds > 0 ? "∞" : "-∞" }
    return (nanoseconds > 0 ? "+" : "") + HumanUnits.time(nanoseconds)
  }

  // MARK: - How it was found out

  mutating func addMethod() {
    page.heading(2, "Method")
    let rules = result.rules
    let level = result.contrasts.map(\.level).max() ?? rules.confidence
    var items = [
      "Each round replays one tape, and thus the same jobs and random draws, on every candidate, each in a new "
        + "process. Odd rounds run the candidates in order, even rounds in reverse. The unit of statistics is the "
        + "round; histograms are merged, percentiles are never averaged.",
      "Change: the mean over rounds of the logarithm of candidate ÷ baseline. Interval: the wider of the studentized "
        + "bootstrap's and Student's t, at \(percent(level)) (\(percent(rules.confidence)) over all evaluations). "
        + "p: the largest of the bootstrap's, Student's and the exact signed-rank test's, corrected for "
        + "\(HumanUnits.counted(result.contrasts.count, "metric")) (Holm).",
      "Better and worse: if nothing changed, at most \(percent(rules.falseAlarm)) of comparisons call any metric "
        + "better or worse. Same: the interval lies within ±\(percent(rules.indifference)). For *same* and *unclear*, "
        + "the report shows the smallest detectable change, which this many rounds would detect four times in five.",
    ]
    let needed = rules.roundsNeeded(metrics: result.contrasts.count)
    if result.counted < needed {
      items.append(
        "\(needed) rounds are needed before any of these metrics can be called better or worse; "
          + "there were \(result.counted).")
    }
    page.list(items)
    page.table(
      ["Round", .number("Seed"), "Order", "Counts"],
      result.rounds.map { round in
        [
          "\(round.number)", "\(round.seed)", round.order.map { result.candidates[$0].label }.joined(separator: ", "),
          round.discarded.isEmpty ? "yes" : "no: \(round.discarded.joined(separator: "; "))",
        ]
      })
    page.table(["Candidate", "Runs"], result.candidates.map { [$0.label, "`\($0.source)`"] })
    page.paragraph("Repeat it with `\(result.command)`.")
    page.table(["Environment", ""], result.environment.map { [$0.name, $0.value] })
    page.paragraph("Made by Tailrace \(result.version), started \(result.started).")
  }

  private func percent(_ share: Double) -> String { HumanUnits.share(share) }
}
