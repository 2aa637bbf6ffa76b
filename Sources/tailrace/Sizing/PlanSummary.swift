import TailraceMeasurement
import TailraceReport

/// A one-screen summary of a plan, the answer first.
struct PlanSummary {
  private let result: PlanResult
  private let terminal: Terminal
  private var words: PlanWords { PlanWords(result) }

  init(_ result: PlanResult, terminal: Terminal) {
    self.result = result
    self.terminal = terminal
  }

  var text: String {
    var text = ""
    if result.isInterrupted { text += terminal.styled("NOT FINISHED", .yellow) + ": results so far:\n" }
    for line in words.failures { text += terminal.styled("INVALID", .red) + ": \(line)\n" }
    text += words.answer + ".\n" + words.effort + "\n"
    if let lengthening = words.lengthening { text += lengthening + "\n" }
    text += "\n" + table
    if !words.shortfalls.isEmpty { text += "\n" + words.shortfalls.joined(separator: "\n") + "\n" }
    text += binding
    for note in result.notes { text += "Note: \(note).\n" }
    return text
  }

  /// The answer and its neighbors.
  private var table: String {
    let place = result.best ?? max(0, result.candidates.count - 1)
    let first = max(0, place - 6)
    let shown = result.candidates[first..<min(result.candidates.count, place + 7)]
    let hasFailures = result.hasFailures
    let isLonger = Set(result.candidates.map(\.length)).count > 1
    var table = Columns(
      result.varied.map { ">" + $0 } + result.targets.map { ">" + $0 } + (hasFailures ? [">success"] : [])
        + [">busy"] + (isLonger ? [">run"] : []) + [">replications", "verdict"])
    for (index, candidate) in zip(shown.indices, shown) {
      let busy = candidate.pools.map { HumanUnits.share($0.utilization) }.joined(separator: ", ")
      table.add(
        candidate.values + candidate.targets.map(PlanWords.value)
          + (hasFailures ? [HumanUnits.value(candidate.success, .ratio)] : []) + [busy]
          + (isLonger ? [candidate.length.map(HumanUnits.time) ?? "–"] : [])
          + ["\(candidate.replications)", words.verdict(at: index) + (index == result.best ? " <- cheapest" : "")])
    }
    return table.text
  }

  private var binding: String {
    guard let binding = result.binding else { return "" }
    var text = "\n" + words.binding.joined(separator: "\n") + "\n"
    guard let target = binding.target else { return text }
    var table = Columns(["a little wider", ">change of \(PlanWords.metric(target))", ""])
    for sensitivity in binding.sensitivities.prefix(12) {
      table.add([sensitivity.constraint, PlanWords.change(sensitivity), PlanWords.verdict(sensitivity)])
    }
    text += "\n" + table.text
    return text
  }
}
