import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailraceReport

/// A one-screen summary of a run.
struct RunSummary {
  private let suite: SuiteResult
  /// Attempts that did not fit in their list.
  private let leftOut: Int
  private let terminal: Terminal

  init(_ run: SuiteRun, terminal: Terminal) {
    suite = run.result
    leftOut = run.jobs.reduce(0) { $0 + $1.leftOut }
    self.terminal = terminal
  }

  var text: String {
    var lines = [headline, ""] + rows
    lines += section("What failed", failedRuns)
    lines += section("Missed targets", missed) + section("Why the run is invalid", checks(.failed))
    lines += section("Failures", failures)
    lines += section("Warnings", checks(.warning))
    lines += section("Logs", logs)
    if leftOut > 0 {
      lines += [
        "", "\(HumanUnits.count(Double(leftOut))) attempts did not fit in the job lists; shorten the run",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var headline: String {
    let targets = suite.scenarios.flatMap(\.targets)
    let met = targets.count { $0.verdict == .met }
    let runs = suite.scenarios.flatMap(\.runs)
    let valid = runs.count(where: \.isValid)
    var text = terminal.styled(suite.verdict.word, style(suite.verdict)) + " \(suite.suite): "
    if suite.isInterrupted { text += "not finished; " }
    text += targets.isEmpty ? "nothing was checked, " : "\(met) of \(counted(targets.count, "target")) met, "
    text += "\(valid) of \(counted(runs.count, "run")) valid"
    let failed = suite.scenarios.reduce(0) { $0 + ($1.failedRuns?.count ?? 0) }
    if failed > 0 { text += ", \(counted(failed, "run")) failed" }
    let unsuccessful = suite.scenarios.reduce(0) { $0 + $1.runs.count { JobFates($0).hasFailures } }
    if unsuccessful > 0 { text += "; jobs failed or were turned away in \(counted(unsuccessful, "run"))" }
    if suite.timeScale != 1 { text += ", time scale \(HumanUnits.digits(suite.timeScale))" }
    return text
  }

  /// One row per run. The scenario's verdict is for its first run.
  private var rows: [String] {
    let width = suite.scenarios.map(\.name.count).max() ?? 0
    let words = suite.scenarios.map(\.verdict.word.count).max() ?? 0
    let names = suite.scenarios.flatMap { $0.runs.map(\.system) + ($0.failedRuns ?? []).map(\.system) }
    let systems = names.map(\.count).max() ?? 0
    return suite.scenarios.flatMap { scenario -> [String] in
      let met = scenario.targets.count { $0.verdict == .met }
      let head =
        "  \(scenario.name.padded(to: width))  "
        + terminal.styled(scenario.verdict.word.lowercased().padded(to: words), style(scenario.verdict))
      let blank = String(repeating: " ", count: width + words + 4)
      let targets =
        scenario.targets.isEmpty ? "  no targets" : "  \(met) of \(counted(scenario.targets.count, "target"))"
      let failed = (scenario.failedRuns ?? []).map { "  \($0.system.padded(to: systems))  failed" }
      if scenario.runs.isEmpty {
        return failed.isEmpty ? [head] : failed.enumerated().map { ($0 == 0 ? head : blank) + $1 }
      }
      return scenario.runs.enumerated().map { index, run in
        let fates = JobFates(run)
        let jobs = HumanUnits.count(Double(run.measurement.all.causes.total))
        let median = run.measurement.all[.response]?.percentiles([50]).first ?? nil
        let of =
          fates.areAllGood
          ? "" : " of the \(HumanUnits.count(Double(run.measurement.all.causes.ranToTheirEnd))) that ran"
        let response = median.map { "median response\(of) \(HumanUnits.time(Double($0.rawValue)))" } ?? ""
        let row =
          "\(index == 0 ? head : blank)  \(run.system.padded(to: systems))  \(jobs.indented(to: 9)) jobs"
          + fates.aside + "  "
          + (index == 0 ? response.padded(to: 23) + targets : response)
        return String(row.reversed().drop { $0 == " " }.reversed())
      } + failed.map { blank + $0 }
    }
  }

  /// Why runs failed.
  private var failedRuns: [String] {
    suite.scenarios.flatMap { scenario in
      (scenario.failedRuns ?? []).flatMap { failure in
        failure.lines(in: scenario.name).enumerated().map { "\($0 == 0 ? "  " : "    ")\($1)" }
      }
    }
  }

  private var missed: [String] {
    suite.scenarios.flatMap { scenario in
      scenario.targets.filter { $0.verdict != .met }.flatMap { target -> [String] in
        let observed = target.observed.map { HumanUnits.value($0, target.unit) } ?? "no samples"
        let note = target.note.isEmpty ? "" : " (\(target.note))"
        // A time scale also scales the limit, which then differs from the limit in the scenario.
        let isScaled = scenario.primary?.timeScale != 1 && (target.unit == .time || target.unit == .rate)
        let limit = isScaled ? ", scaled limit \(HumanUnits.value(target.limit, target.unit))" : ""
        var why = CauseWords.sentences(target, in: scenario)
        if let command = NextStep.command(target, in: scenario, of: suite) { why.append("Try: \(command)") }
        return ["  \(scenario.name): \(target.expression), observed \(observed)\(limit)\(note)"]
          + why.map { "    \($0.replacing("`", with: ""))" }
      }
    }
  }

  /// Causes of unintended failures.
  private var failures: [String] {
    suite.scenarios.flatMap { scenario in
      scenario.runs.flatMap { run -> [String] in
        guard let failures = run.observations.failures else { return [] }
        let reasons = failures.ordered.map { "\(counted($0.attempts, "attempt")) failed: \($0.words)" }
        let others = "\(counted(failures.others, "attempt")) failed for other reasons"
        return (reasons + (failures.others > 0 ? [others] : [])).map { "  \(scenario.name) on \(run.system): \($0)" }
      }
    }
  }

  /// The results of the runs' certificates.
  private func checks(_ verdict: ValidityCheck.Verdict) -> [String] {
    suite.scenarios.flatMap { scenario in
      scenario.runs.flatMap { run in
        run.validity.filter { $0.verdict == verdict }.map { check in
          let advice = ValidityAdvice.words(check).map { ". \($0)" } ?? ""
          return "  \(scenario.name) on \(run.system): \(check.name), \(Self.observed(check))\(check.words)\(advice)"
        }
      }
    }
  }

  /// A check's observed value and bound, printed before its text; empty: nothing was measured.
  private static func observed(_ check: ValidityCheck) -> String {
    guard let observed = check.observed else { return "" }
    let bound = check.bound.map { " (bound \(HumanUnits.value($0, check.unit)))" } ?? ""
    return "\(HumanUnits.value(observed, check.unit))\(bound): "
  }

  /// The rows of logs that were replayed, and notes about the logs.
  private var logs: [String] {
    suite.scenarios.flatMap { scenario -> [String] in
      guard let trace = scenario.trace else { return [] }
      let renamed = trace.renamed.prefix(5).map { "    job type '\($0.value)' is called \($0.name)" }
      let more = trace.renamed.count > 5 ? ["    … and \(trace.renamed.count - 5) more, in the report"] : []
      return ["  \(scenario.name): \(trace.words)"] + trace.remarks.map { "    \($0)" } + renamed + more
    }
  }

  /// At most thirty lines; the report has the rest.
  private func section(_ title: String, _ lines: [String]) -> [String] {
    guard !lines.isEmpty else { return [] }
    let more = lines.count > 30 ? ["  … and \(lines.count - 30) more, in the report"] : []
    return ["", terminal.styled(title, .bold)] + lines.prefix(30) + more
  }

  private func style(_ verdict: Verdict) -> Terminal.Style {
    switch verdict {
    case .noTargets: .bold
    case .passed: .green
    case .missed: .red
    case .invalid: .yellow
    }
  }
}
