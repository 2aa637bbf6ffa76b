import TailraceMeasurement
import TailraceReport

/// A one-screen summary of a gate.
struct GateSummary {
  private let findings: GateFindings
  private let terminal: Terminal

  init(_ findings: GateFindings, terminal: Terminal) {
    self.findings = findings
    self.terminal = terminal
  }

  var text: String {
    let style: Terminal.Style =
      switch findings.exitStatus {
      case 0: .green
      case 4, 5: .yellow
      default: .red
      }
    var text = terminal.styled(findings.word, style) + ": \(GatePage.summary(findings))\n"
    text += (findings.invalid + findings.boundsInNoise.map(GatePage.words)).map { "  \($0)\n" }.joined()
    text += findings.comparison.fateLines.map { "  \($0.replacing("**", with: ""))\n" }.joined()
    text += findings.comparison.forced.map { "  forced: \($0)\n" }.joined()
    var table = Columns(["", "scenario", ">change", ">interval", "verdict"])
    for check in GatePage.ordered(findings) {
      table.add([
        check.expression, check.scenario, GatePage.change(check), GatePage.interval(check),
        "\(GatePage.word(check.verdict)), \(GatePage.seen(check))",
      ])
    }
    if !findings.checks.isEmpty { text += "\n" + table.text }
    let note = GatePage.roundsNote(findings)
    if !note.isEmpty { text += "\n" + note + "\n" }
    for (scenario, explanation) in findings.explanations {
      let lines = ExplanationWords.lines(explanation)
      text += "\n  Cause (\(scenario)\(findings.confirmation == nil ? "" : ", fresh rounds"))\n"
      text += lines.map { "  \($0.replacing("**", with: ""))\n" }.joined()
    }
    return text
  }
}
