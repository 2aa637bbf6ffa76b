import ArgumentParser
import Foundation
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReport
import TailraceStudies

extension Refusal {
  /// Reports that the candidates are not comparable.
  static func unlike(_ candidates: UnlikeCandidates) -> ExitCode {
    usage(
      ["Error: the candidates differ in more than the tested change (--force compares them anyway):"]
        + candidates.lines.map { "  \($0)" })
  }
}

/// A one-screen summary of a comparison.
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
      text += terminal.styled("INVALID", .yellow) + ": do not trust the figures\n"
      text += result.invalid.map { "  \($0)\n" }.joined()
    }
    if !result.forced.isEmpty {
      text += "Compared anyway (--force); the candidates differ in more than the tested change:\n"
      text += result.forced.map { "  \($0)\n" }.joined()
    }
    text += result.fateLines.map { "\($0.replacing("**", with: ""))\n" }.joined()
    for candidate in result.candidates.indices.dropFirst() {
      text += "\(terminal.styled(result.candidates[candidate].label, .bold)) against \(result.candidates[0].label): "
      text += ComparisonPage.headline(result, candidate: candidate) + "\n\n"
      text += table(candidate) + "\n"
      for scenario in scenarios(of: candidate) {
        guard let explanation = result.explanation(of: candidate, in: scenario) else { continue }
        text += ExplanationWords.lines(explanation).map { "  \($0.replacing("**", with: ""))\n" }.joined() + "\n"
      }
    }
    for line in ComparisonPage.tapeLines(result) { text += line + "\n" }
    return text + "\(counted(result.counted, "round")) of each; \(result.ending).\(ComparisonPage.setAside(result))\n"
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
      var verdict = ComparisonPage.verdict(contrast)
      if let seen = ComparisonPage.detectableWords(contrast) { verdict += ", \(seen)" }
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

/// Shows the progress of a comparison on standard error.
struct ComparisonDisplay: Sendable {
  private let display: ProgressDisplay
  private let title: String
  private let delta: Double
  private let labels: [String]
  private let hasWarned = Locked(false)

  /// - Parameter labels: the candidates' labels, the baseline's first.
  init(_ style: ProgressStyle, delta: Double, labels: [String]) {
    display = ProgressDisplay(style)
    title = labels.count == 2 ? "\(labels[0]) → \(labels[1])" : "\(counted(labels.count, "candidate"))"
    self.delta = delta
    self.labels = labels
  }

  func show(_ progress: ComparisonRunner.Progress) {
    if progress.needed > progress.most,
      !hasWarned.withLock({ warned in
        defer { warned = true }; return warned
      })
    {
      display.warn(
        "\(counted(progress.contrasts.count, "metric")) in \(counted(progress.most, "round")) at most: none can be "
          + "called better or worse, however large its change. Use \(progress.needed) (--rounds, --metric).")
    }
    let isSeveral = Set(progress.contrasts.map(\.scenario)).count > 1
    display.show(
      ComparisonProgress(
        title: title, round: progress.counted, rounds: progress.most, left: progress.left,
        metrics: progress.contrasts.map { contrast in
          let interval = contrast.interval
          let name =
            (labels.count > 2 ? "\(labels[contrast.candidate]) " : "") + (isSeveral ? "\(contrast.scenario) " : "")
            + contrast.metric
          return IntervalLine(
            name: name, low: interval?.low, high: interval?.high, delta: delta,
            verdict: interval == nil ? nil : IntervalLine.Verdict(rawValue: contrast.verdict.rawValue))
        }))
  }

  func finish() { display.finish() }
}
