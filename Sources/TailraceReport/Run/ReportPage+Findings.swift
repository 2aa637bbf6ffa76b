import TailraceMeasurement

extension ReportPage {
  /// Something that readers should see first.
  struct Finding {
    enum Kind: String {
      case failed
      case missed
      case invalid
      case warning
    }
    var kind: Kind
    /// What failed.
    var words: String
    /// Why, and what to do, in sentences.
    var why: [String] = []
    /// The index of its scenario in the suite.
    var scenario: Int
    /// Whether `report.html` has a chart of the scenario over time.
    var hasPicture = false

    var text: String { why.reduce(words) { $0 + ($0.hasSuffix(".") ? " " : ". ") + $1 } }
  }

  /// The maximum number of listed findings.
  static let findingLimit = 40

  /// What was missed or failed, then warnings.
  mutating func addFindings() {
    let findings = findings
    add(findings.filter { $0.kind != .warning }, under: "What failed")
    add(findings.filter { $0.kind == .warning }, under: "Warnings")
  }

  private mutating func add(_ findings: [Finding], under heading: String) {
    guard !findings.isEmpty else { return }
    page.heading(2, heading)
    page.list(
      findings.prefix(Self.findingLimit).map { finding in
        finding.text
          + (finding.hasPicture ? " [Over time](report.html#scenario-\(finding.scenario + 1)-over)" : "")
      })
    if findings.count > Self.findingLimit {
      page.paragraph("… and \(findings.count - Self.findingLimit) more, in the scenarios below.")
    }
  }

  var findings: [Finding] {
    var findings: [Finding] = []
    for (place, scenario) in suite.scenarios.enumerated() {
      for failure in scenario.failedRuns ?? [] {
        findings.append(
          Finding(
            kind: .failed, words: "**\(scenario.name)** on \(failure.system) failed: \(failure.line)", scenario: place))
      }
      for run in scenario.runs {
        for check in run.validity where check.verdict == .failed {
          findings.append(
            Finding(
              kind: .invalid,
              words: "**\(scenario.name)** on \(run.system) is invalid, `\(check.name)`: \(check.words)",
              scenario: place))
        }
      }
      findings += scenario.targets.filter { $0.verdict != .met }.map { missed($0, in: scenario, place) }
      for run in scenario.runs {
        for check in run.validity where check.verdict == .warning {
          let observed = check.observed.map { " (\(HumanUnits.value($0, check.unit)))" } ?? ""
          findings.append(
            Finding(
              kind: .warning,
              words: "\(scenario.name) on \(run.system), warning, `\(check.name)`\(observed): \(check.words)",
              why: ValidityAdvice.words(check).map { [$0] } ?? [], scenario: place))
        }
      }
    }
    return findings
  }

  private func missed(_ target: TargetOutcome, in scenario: ScenarioResult, _ place: Int) -> Finding {
    let observed = target.observed.map { "observed \(HumanUnits.value($0, target.unit))" } ?? "no samples"
    // A time scale also scales the limit, which then differs from the limit in the scenario.
    let isScaled = scenario.primary?.timeScale != 1 && (target.unit == .time || target.unit == .rate)
    let limit = isScaled ? ", scaled limit \(HumanUnits.value(target.limit, target.unit))" : ""
    var why = CauseWords.sentences(target, in: scenario)
    let hasCause = !why.isEmpty
    if let command = NextStep.command(target, in: scenario, of: suite) {
      why.append("\(NextStep.introduction(command)): `\(command)`")
    }
    let words = "**\(scenario.name)** missed `\(target.expression)`: \(observed)\(limit)\(noted(target.note))"
    let measurement = scenario.primary?.measurement
    let isDrawn = (measurement?.throughput.values.count ?? 0) >= 8 && (measurement?.all.causes.total ?? 0) >= 20
    return Finding(
      kind: .missed, words: words, why: why, scenario: place,
      hasPicture: hasCause && isDrawn && place < RunPage.scenarioLimit)
  }

  /// The outcomes of jobs that did not succeed, and the errors of their attempts.
  var fates: [FateLine] {
    suite.fates
      + suite.scenarios.flatMap { scenario in
        scenario.runs.flatMap { run -> [FateLine] in
          guard let failures = run.observations.failures else { return [] }
          let shown = failures.ordered.prefix(3).map { reason in
            "**\(scenario.name)** on \(run.system): \(counted(reason.attempts, "attempt")) failed with: \(reason.words)"
          }
          let left = failures.reasons.count - shown.count + (failures.others > 0 ? 1 : 0)
          let more = "**\(scenario.name)** on \(run.system): \(counted(left, "other error")) under Failures"
          return (shown + (left > 0 ? [more] : [])).map { FateLine(words: $0, hasFailures: true) }
        }
      }
  }
}
