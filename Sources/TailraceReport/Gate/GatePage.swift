import TailraceMeasurement
import TailraceSpelling

/// A gate's findings as Markdown, for a pull request's comment and for the start of the report.
package enum GatePage {
  /// Identifies an existing comment, so that it can be replaced.
  package static let marker = "<!-- tailrace gate -->"

  /// A short comment for a pull request, starting with the marker.
  ///
  /// - Throws: ``ReportProblem`` if the result cannot be encoded and decoded.
  package static func comment(_ findings: GateFindings) throws(ReportProblem) -> String {
    let findings = try ForeignText.unmarked(findings)
    var page = Markdown()
    page.paragraph(marker)
    addHead(findings, to: &page)
    addChecks(findings, limit: 40, to: &page)
    return page.text
  }

  /// The whole report: the gate, then the comparisons behind it.
  ///
  /// - Throws: ``ReportProblem`` if the result cannot be encoded and decoded.
  package static func report(_ findings: GateFindings) throws(ReportProblem) -> String {
    let findings = try ForeignText.unmarked(findings)
    var page = Markdown()
    addHead(findings, to: &page)
    addChecks(findings, limit: .max, to: &page)
    var text = page.text
    for (title, rounds) in rounds(of: findings) {
      text += "\n" + ComparisonPage.text(rounds, title: title, headingDepth: 1)
    }
    return text
  }

  /// The comparisons behind a gate, each with a title.
  static func rounds(of findings: GateFindings) -> [(title: String, comparison: ComparisonFindings)] {
    guard let confirmation = findings.confirmation else { return [("The rounds", findings.comparison)] }
    return [("First rounds", findings.comparison), ("Fresh rounds", confirmation)]
  }

  private static func addHead(_ findings: GateFindings, to page: inout Markdown) {
    let comparison = findings.comparison
    page.heading(2, "\(findings.word): \(comparison.name)")
    page.paragraph(summary(findings))
    page.list(findings.comparison.fateLines)
    if !comparison.forced.isEmpty {
      page.paragraph("**Forced.** The candidates differ in more than the tested change:")
      page.list(comparison.forced)
    }
    page.list(Array(findings.invalid.prefix(10)) + findings.boundsInNoise.map(words))
  }

  /// The checks, failed ones first, and the cause.
  static func addChecks(_ findings: GateFindings, limit: Int, to page: inout Markdown) {
    let targets = failedFirst(findings, .target)
    page.table(
      ["Target", "Scenario", .verdict("Verdict"), "Seen"],
      cells: targets.prefix(limit).map {
        ["`\($0.expression)`", .words($0.scenario), .verdict(VerdictLabel($0.verdict)), .words(seen($0))]
      })
    if targets.count > limit { page.paragraph("… and \(targets.count - limit) more targets, in the report.") }
    let regressions = failedFirst(findings, .regression)
    page.table(
      [
        "Against \(findings.comparison.candidates.first?.label ?? "the baseline")", "Scenario", .number("Change"),
        .number("Interval"),
        .verdict("Verdict"), "Seen",
      ],
      cells: regressions.prefix(limit).map { check in
        [
          "`\(check.expression)`", .words(check.scenario), .words(change(check)), .words(interval(check)),
          .verdict(VerdictLabel(check.verdict)), .words(seen(check)),
        ]
      })
    if regressions.count > limit { page.paragraph("… and \(regressions.count - limit) more, in the report.") }
    let note = roundsNote(findings)
    if !note.isEmpty { page.paragraph(note) }
    for (scenario, explanation) in findings.explanations {
      let rounds = findings.confirmation == nil ? "" : ", fresh rounds"
      page.paragraph("**Cause** (\(scenario)\(rounds))")
      page.list(ExplanationWords.lines(explanation))
    }
  }

  /// The checks in the order of every document: targets, then regressions; in each, failures first.
  package static func ordered(_ findings: GateFindings) -> [GateCheck] {
    failedFirst(findings, .target) + failedFirst(findings, .regression)
  }

  /// Explains which rounds the figures are from; empty: there is only one set of rounds.
  package static func roundsNote(_ findings: GateFindings) -> String {
    findings.confirmation == nil
      ? "" : "The figures are from the first rounds; the verdicts also use the fresh rounds."
  }

  private static func failedFirst(_ findings: GateFindings, _ kind: GateCheck.Kind) -> [GateCheck] {
    let own = findings.checks.filter { $0.kind == kind }
    return own.filter { $0.verdict != .met } + own.filter { $0.verdict == .met }
  }

  /// The sentence under the headline.
  package static func summary(_ findings: GateFindings) -> String {
    let comparison = findings.comparison
    let targets = findings.checks.filter { $0.kind == .target }
    var parts: [String] = []
    parts.append(
      targets.isEmpty ? "no targets" : "\(targets.count { $0.verdict == .met }) of \(targets.count) targets met")
    let regressions = findings.checks.filter { $0.kind == .regression }
    for (verdict, name) in [
      (GateCheck.Verdict.missed, "worse"), (.noValue, "without a value"),
      (.unconfirmed, "worse at first, not in fresh rounds"), (.unclear, "unclear"),
      (.met, "held"),
    ] {
      let count = regressions.count { $0.verdict == verdict }
      if count > 0 { parts.append("\(count) \(name)") }
    }
    let rounds = "\(HumanUnits.counted(comparison.counted, "round"))"
    let fresh = findings.confirmation.map { " and \(HumanUnits.counted($0.counted, "fresh round"))" } ?? ""
    let invalid = findings.invalid.isEmpty ? "" : "Do not trust the figures. "
    let sum =
      "\(parts.joined(separator: ", ")); \(rounds)\(fresh) against "
      + "\(comparison.candidates.first?.label ?? "the baseline")"
    let missed = MissedChange.words(findings.checks, rounds: comparison.counted, rules: comparison.rules)
    let aside = ComparisonPage.setAside(comparison)
    if findings.checks.sawNothing, !missed.isEmpty { return "\(invalid)\(missed); \(sum).\(aside)" }
    return "\(invalid)\(sum)\(missed.isEmpty ? "" : "; \(missed)").\(aside)"
  }

  /// Reports a bound below the noise floor, and what to do.
  package static func words(_ bound: GateFindings.BoundInNoise) -> String {
    "'\(bound.expression)' is below this machine's noise floor: \(HumanUnits.counted(bound.rounds, "round")) detect "
      + "changes from \(HumanUnits.share(bound.floor)); allow that much, run about \(bound.roundsNeeded) rounds, "
      + "or use a quieter machine"
  }

  /// The verdict as text that needs no color.
  package static func word(_ verdict: GateCheck.Verdict) -> String { VerdictLabel(verdict).plain }

  /// The observed value and its verdict.
  package static func seen(_ check: GateCheck) -> String {
    guard check.kind == .target, let low = check.low, let high = check.high else { return check.words }
    return "\(check.words); \(HumanUnits.value(low, check.unit)) to \(HumanUnits.value(high, check.unit))"
  }

  /// The change, for a regression; empty for a target.
  package static func change(_ check: GateCheck) -> String {
    guard check.kind == .regression else { return "" }
    return check.change.map(ExplanationWords.signed) ?? "–"
  }

  /// The change's interval, for a regression; empty for a target.
  package static func interval(_ check: GateCheck) -> String {
    guard check.kind == .regression else { return "" }
    guard let low = check.low, let high = check.high else { return "–" }
    return "\(ExplanationWords.signed(low)) to \(ExplanationWords.signed(high))"
  }
}

/// A gate's findings as JUnit XML and GitHub commands.
package enum GateFiles {
  /// The files of a gate's report: its own page and findings, and the comparison behind it.
  ///
  /// - Throws: An encoding error if a number in the findings is not finite.
  package static func render(_ findings: GateFindings) throws -> [(path: String, bytes: [UInt8])] {
    [
      ("report.md", Array(try GatePage.report(findings).utf8)),
      ("report.html", Array(try GateDocument.render(findings).utf8)),
      ("gate.json", try ReportJSON.encode(findings, verdict: findings.word, exitStatus: findings.exitStatus)),
      ("gate.xml", Array(junit(findings).utf8)),
    ]
      + (try ComparisonFiles.render(findings.comparison).filter {
        $0.path != "report.md" && $0.path != "report.html" && !$0.path.hasSuffix(".json")
      })
  }

  /// Reads `gate.json`.
  ///
  /// - Throws: ``ReportProblem``.
  package static func decode(_ bytes: [UInt8]) throws(ReportProblem) -> GateFindings {
    try ReportJSON.decode(bytes, file: "gate.json")
  }

  /// A string near the start of every JUnit file of a gate, and of no other file.
  package static let junitMark = "<testsuites name=\"tailrace gate\""

  /// JUnit XML for CI systems: one suite per scenario, one case per check.
  package static func junit(_ findings: GateFindings) -> String {
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    let failures = findings.checks.count { $0.verdict == .missed || $0.verdict == .noValue }
    text +=
      "\(junitMark) tests=\"\(findings.checks.count + findings.invalid.count)\" failures=\"\(failures)\" "
      + "errors=\"\(findings.invalid.count)\">\n"
    var names: [String] = []
    for check in findings.checks where !names.contains(check.scenario) { names.append(check.scenario) }
    if names.isEmpty { names = [findings.comparison.name] }
    for (index, name) in names.enumerated() {
      let own = findings.checks.filter { $0.scenario == name }
      let invalid = index == 0 ? findings.invalid : []
      text +=
        "  <testsuite name=\"\(escaped(name))\" tests=\"\(own.count + invalid.count)\" "
        + "failures=\"\(own.count { $0.verdict == .missed || $0.verdict == .noValue })\" errors=\"\(invalid.count)\" "
        + "skipped=\"\(own.count { $0.verdict == .unclear })\">\n"
      for reason in invalid {
        text += "    <testcase classname=\"\(escaped(name))\" name=\"validity\">"
        text += "<error message=\"\(escaped(reason))\"/></testcase>\n"
      }
      for check in own { text += testCase(check) }
      let fates = findings.comparison.fateLines.filter { $0.hasPrefix("**\(name)** ") }
      if !fates.isEmpty {
        let words = fates.map { $0.replacing("**", with: "") }.joined(separator: "\n")
        text += "    <system-out>\(escaped(words))</system-out>\n"
      }
      text += "  </testsuite>\n"
    }
    return text + "</testsuites>\n"
  }

  private static func testCase(_ check: GateCheck) -> String {
    let head =
      "    <testcase classname=\"\(escaped(check.scenario)).\(check.kind.rawValue)\" "
      + "name=\"\(escaped(check.expression))\">"
    let words = escaped(words(check))
    switch check.verdict {
    case .met: return head + "<system-out>\(words)</system-out></testcase>\n"
    case .missed, .noValue: return head + "<failure message=\"\(words)\"/></testcase>\n"
    case .unclear: return head + "<skipped message=\"\(words)\"/></testcase>\n"
    case .unconfirmed: return head + "<system-out>\(words)</system-out></testcase>\n"
    }
  }

  /// GitHub workflow commands: one annotation per failed check.
  package static func annotations(_ findings: GateFindings) -> [String] {
    findings.invalid.map { "::error title=tailrace: invalid::\(commandText($0))" }
      + findings.comparison.fateLines.map {
        "::notice title=tailrace: jobs that did not succeed::\(commandText($0.replacing("**", with: "")))"
      }
      + findings.checks.compactMap { check in
        let title = commandText("tailrace: \(check.expression)").replacing(":", with: "%3A").replacing(",", with: "%2C")
        let text = commandText("\(check.scenario): \(words(check))")
        switch check.verdict {
        case .met: return nil
        case .missed, .noValue: return "::error title=\(title)::\(text)"
        case .unconfirmed: return "::notice title=\(title)::\(text)"
        case .unclear: return "::warning title=\(title)::\(text)"
        }
      }
  }

  private static func words(_ check: GateCheck) -> String {
    guard check.kind == .regression, check.change != nil else { return GatePage.seen(check) }
    return "\(GatePage.change(check)) (\(GatePage.interval(check))): \(GatePage.seen(check))"
  }

  /// Escapes text for a workflow command.
  private static func commandText(_ text: String) -> String {
    VisibleText.lines(text).replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }

  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in VisibleText.lines(text).unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\n": escaped += "&#10;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
