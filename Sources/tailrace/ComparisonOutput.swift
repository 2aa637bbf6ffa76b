import ArgumentParser
import Foundation
import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailraceReport

/// Flags that say where a comparison's report goes and what is said meanwhile.
struct ComparisonOutput: ParsableArguments {
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "Write the report to a new directory in this one, and point 'latest' in it at the report.", valueName: "directory"
    ),
    completion: .directory)
  var directory = "reports"
  @Flag(name: .shortAndLong, help: "Print nothing but errors; the exit status says how it went.")
  var quiet = false
  @Option(
    help: ArgumentHelp(
      "auto: how the intervals narrow, on a terminal; plain: a line for each round; none.", valueName: "style"))
  var progress: ProgressStyle = .auto

  func check() throws { try OutputOptions.check(directory) }

  /// Writes the report and says what came out.
  func write(_ result: ComparisonFindings) throws {
    let path = try ReportDirectory.write(
      files: try ComparisonFiles.render(result),
      name: ReportDirectory.stamped("compare-\(result.name)", started: result.started), under: directory)
    guard !quiet else { return }
    Terminal.output.write(ComparisonSummary(result, terminal: .output).text)
    Terminal.output.write("\nReport: \(PathText.short(path))/report.md\n")
  }

  static func refusal(_ unlike: UnlikeCandidates) -> ExitCode {
    Refusal.usage(
      ["Error: these are not alike, so what differs may not be what was changed (--force compares them all the same):"]
        + unlike.lines.map { "  \($0)" })
  }
}

/// What a comparison came to, in a screenful.
struct ComparisonSummary {
  private let result: ComparisonFindings
  private let terminal: Terminal

  init(_ result: ComparisonFindings, terminal: Terminal) {
    self.result = result
    self.terminal = terminal
  }

  var text: String {
    var text = ""
    if !result.invalid.isEmpty {
      text += terminal.styled("INVALID", .yellow) + ": the figures are not to be trusted\n"
      text += result.invalid.map { "  \($0)\n" }.joined()
    }
    if !result.forced.isEmpty {
      text += "Forced, although not alike:\n" + result.forced.map { "  \($0)\n" }.joined()
    }
    for candidate in result.candidates.indices.dropFirst() {
      text += "\(terminal.styled(result.candidates[candidate].label, .bold)) against \(result.candidates[0].label): "
      text += ComparisonPage.headline(result, candidate: candidate) + "\n\n"
      text += table(candidate) + "\n"
      for scenario in scenarios(of: candidate) {
        guard let explanation = result.explanation(of: candidate, in: scenario) else { continue }
        text += ExplanationWords.lines(explanation).map { "  \($0.replacing("**", with: ""))\n" }.joined() + "\n"
      }
    }
    return text + "\(counted(result.counted, "round")) of each; \(result.ending).\n"
  }

  private func scenarios(of candidate: Int) -> [String] {
    result.pooled.filter { $0.candidate == candidate }.map(\.scenario)
  }

  private func table(_ candidate: Int) -> String {
    let own = result.contrasts.filter { $0.candidate == candidate }
    let isSeveral = Set(own.map(\.scenario)).count > 1
    var table = Columns(
      (isSeveral ? ["scenario"] : []) + ["metric", ">baseline", ">candidate", ">change", ">interval", "verdict"])
    for contrast in own {
      let interval = contrast.interval.map {
        "\(ExplanationWords.signed($0.low)) to \(ExplanationWords.signed($0.high))"
      }
      var verdict = ComparisonPage.verdict(contrast).replacing("**", with: "")
      let seen = ComparisonPage.detectable(contrast)
      if !seen.isEmpty { verdict += ", \(seen) could have been seen" }
      table.add(
        (isSeveral ? [contrast.scenario] : []) + [
          contrast.metric, HumanUnits.value(contrast.baseline, contrast.unit),
          HumanUnits.value(contrast.value, contrast.unit), contrast.change.map(ExplanationWords.signed) ?? "–",
          interval ?? "–", verdict,
        ])
    }
    return table.text
  }
}

/// Shows how far a comparison is, on standard error.
final class ComparisonDisplay: Sendable {
  private let isPlain: Bool
  private let isShown: Bool
  private let terminal = Terminal.error

  init(_ style: ProgressStyle, isQuiet: Bool, rules: ComparisonRules) {
    let isInteractive = Terminal.error.isInteractive
    switch style {
    case .none: (isShown, isPlain) = (false, true)
    case .auto: (isShown, isPlain) = (!isQuiet && isInteractive, !isInteractive)
    case .always, .line: (isShown, isPlain) = (!isQuiet, !isInteractive)
    case .plain: (isShown, isPlain) = (!isQuiet, true)
    }
  }

  func show(_ progress: ComparisonRunner.Progress) {
    guard isShown, !Interruption.hasCome else { return }
    if isPlain {
      guard progress.running == nil else { return }
      terminal.write(Self.line(progress) + "\n")
    } else {
      let text = Self.line(progress) + (progress.running.map { ", running \($0)" } ?? "")
      terminal.write("\r" + String(text.prefix(terminal.width - 1)).padded(to: terminal.width - 1))
    }
  }

  func finish() {
    if isShown, !isPlain { terminal.write("\r" + String(repeating: " ", count: terminal.width - 1) + "\r") }
  }

  private static func line(_ progress: ComparisonRunner.Progress) -> String {
    var text = "round \(progress.round), \(progress.counted) of at most \(progress.most) count"
    let clear = progress.contrasts.count { $0.verdict != .unclear }
    if !progress.contrasts.isEmpty { text += ", \(clear) of \(counted(progress.contrasts.count, "verdict")) reached" }
    if let left = progress.left { text += ", at most \(ProgressDisplay.time(left)) left" }
    return text
  }
}
