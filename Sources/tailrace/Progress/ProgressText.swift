import TailraceCore
import TailraceHarness
import TailraceMeasurement
import TailraceReplay
import TailraceReport

/// Progress as text, for lines and logs.
enum ProgressText {
  /// `[1/2] steady on live`.
  static func head(_ progress: SuiteProgress) -> String {
    "[\(progress.index)/\(progress.count)] \(progress.scenario) on \(progress.system)"
  }

  /// The one line that is redrawn.
  static func line(_ progress: SuiteProgress) -> String {
    var text = head(progress) + ", \(counted(progress.jobs, "job")), \(time(progress.elapsed))"
    if let left = progress.left { text += ", \(time(left)) left" }
    return text
  }

  /// A line for a log, with all current figures.
  static func plain(_ progress: SuiteProgress) -> String {
    var parts = [time(progress.elapsed)]
    if let virtual = progress.virtualTime { parts.append("\(HumanUnits.time(Double(virtual.rawValue))) virtual") }
    parts.append("\(HumanUnits.count(Double(progress.jobs))) jobs submitted")
    if let figures = progress.figures {
      parts.append("\(HumanUnits.count(Double(figures.settled))) settled")
      if let rate = figures.throughput { parts.append("\(HumanUnits.digits(rate)) /s") }
      if let counts = figures.counts {
        parts += [
          "queue \(HumanUnits.count(Double(counts.waiting)))", "running \(HumanUnits.count(Double(counts.running)))",
        ]
      }
      if let p99 = figures.response?.p99 { parts.append("response p99 \(HumanUnits.time(Double(p99.rawValue)))") }
      if figures.isWarmingUp { parts.append("warming up") }
      if !figures.targets.isEmpty {
        let missed = figures.targets.filter { $0.verdict == .missed }.map(\.expression)
        let named =
          missed.isEmpty ? "" : " (\(missed.prefix(3).joined(separator: "; "))\(missed.count > 3 ? "; …" : ""))"
        parts.append("targets so far: \(tally(figures).replacing(", ", with: " "))\(named)")
      }
    }
    if let left = progress.left { parts.append("\(time(left)) left") }
    return "\(head(progress)): \(parts.joined(separator: ", "))"
  }

  /// `2 met, 1 missed, 1 at the end`.
  static func tally(_ figures: LiveFigures) -> String {
    let counts = TargetSoFar.Verdict.allCases.map { (figures.count($0), $0.rawValue) }.filter { $0.0 > 0 }
    return counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }

  /// Whole seconds: `1 min 05 s`.
  static func time(_ span: Nanoseconds) -> String {
    let seconds = max(0, Int((Double(span.rawValue) / 1e9).rounded()))
    if seconds < 60 { return "\(seconds) s" }
    let rest = "\(seconds % 60)"
    return "\(seconds / 60) min \(rest.count == 1 ? "0" + rest : rest) s"
  }
}
