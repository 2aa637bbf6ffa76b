import ArgumentParser
import Foundation
import TailraceHarness
import TailraceMeasurement
import TailraceReport

/// Flags that say where a gate's findings go besides its report.
struct GateOutput: ParsableArguments {
  @Flag(help: "Write annotations, and the summary of the step to $GITHUB_STEP_SUMMARY, for GitHub Actions.")
  var github = false
  @Option(help: ArgumentHelp("Write JUnit XML.", valueName: "file"), completion: .file())
  var junit: String?
  @Option(help: ArgumentHelp("Write one Markdown comment for a pull request.", valueName: "file"), completion: .file())
  var comment: String?

  /// Writes everything that was asked for, and says what came out.
  func write(_ findings: GateFindings, _ reporting: ReportingOptions) throws {
    let path = try reporting.write(
      try GateFiles.render(findings), name: "gate", started: findings.comparison.started)
    let page = GatePage.comment(findings)
    if let junit { try put(GateFiles.junit(findings), to: junit) }
    if let comment { try put(page, to: comment) }
    if github {
      for line in GateFiles.annotations(findings) { Terminal.output.write(line + "\n") }
      if let summary = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"], !summary.isEmpty {
        try append(page + "\n", to: summary)
      } else {
        Terminal.error.write("GITHUB_STEP_SUMMARY is not set: the summary is in \(path)/report.md\n")
      }
    }
    guard !reporting.place.quiet else { return }
    Terminal.output.write(text(findings) + "\nReport: \(path)/report.md\n")
  }

  private func text(_ findings: GateFindings) -> String {
    let terminal = Terminal.output
    let status = findings.exitStatus
    let style: Terminal.Style = status == 0 ? .green : status == 4 || status == 5 ? .yellow : .red
    var text = terminal.styled(findings.word, style) + ": "
    text += GatePage.summary(findings) + "\n"
    text += (findings.invalid + findings.boundsInNoise.map(GatePage.words)).map { "  \($0)\n" }.joined()
    text += findings.comparison.forced.map { "  forced: \($0)\n" }.joined()
    var table = Columns(["", "scenario", ">change", ">interval", "verdict"])
    for check in findings.checks {
      let isRegression = check.kind == .regression
      table.add([
        check.expression, check.scenario, isRegression ? check.change.map(ExplanationWords.signed) ?? "–" : "",
        isRegression ? GatePage.interval(check) : "",
        "\(GatePage.word(check.verdict).replacing("**", with: "")), \(check.words)",
      ])
    }
    if !findings.checks.isEmpty { text += "\n" + table.text }
    let source = findings.confirmation ?? findings.comparison
    let failed = Set(findings.checks.filter { $0.kind == .regression && $0.verdict == .missed }.map(\.scenario))
    for scenario in failed.sorted() {
      guard let explanation = source.explanation(of: 1, in: scenario) else { continue }
      text += "\n" + ExplanationWords.lines(explanation).map { "  \($0.replacing("**", with: ""))\n" }.joined()
    }
    return text
  }

  private func put(_ text: String, to path: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw Refusal.usage("cannot write '\(path)': \(error.localizedDescription)")
    }
  }

  /// The summary file belongs to all steps of a job: it is added to.
  private func append(_ text: String, to path: String) throws {
    let url = URL(fileURLWithPath: path)
    do {
      if !FileManager.default.fileExists(atPath: path) { try Data().write(to: url) }
      let handle = try FileHandle(forWritingTo: url)
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(text.utf8))
      try handle.close()
    } catch {
      throw Refusal.usage("cannot write '\(path)': \(error.localizedDescription)")
    }
  }
}
