import Foundation

/// A bound on how much worse than a baseline a metric may be: `vs(main).throughput > -3%`, `response.p99 < +10%`.
package struct RegressionTarget: Sendable, Hashable {
  /// The baseline that it names; nil: whichever it is compared with.
  package var baseline: String?
  package var metric: Metric
  /// The greatest relative change that is allowed in the wrong direction, as a share: 0.1 is a tenth worse.
  package var allowance: Double
  /// As written.
  package var text: String

  /// Whether an expression is meant as one.
  package static func isMeant(_ text: String) -> Bool { text.trimmed.hasPrefix("vs(") }

  /// Reads an expression of a scenario's targets or of a flag.
  ///
  /// - Parameter types: names of the scenario's job types; nil: selectors may name any.
  /// - Throws: ``TargetProblem``.
  package init(parsing text: String, types: [String]?) throws(TargetProblem) {
    func problem(_ message: String) -> TargetProblem { TargetProblem(expression: text, message: message) }
    self.text = text
    var rest = text.trimmed
    if Self.isMeant(rest) {
      guard let close = rest.firstIndex(of: ")"), rest[rest.index(after: close)...].first == "." else {
        throw problem("write vs(NAME).METRIC, such as vs(main).throughput > -3%")
      }
      let name = String(rest[rest.index(rest.startIndex, offsetBy: 3)..<close]).trimmed
      guard !name.isEmpty else { throw problem("vs() names no baseline") }
      baseline = name
      rest = String(rest[rest.index(close, offsetBy: 2)...])
    }
    let selectorEnd = rest.firstIndex(of: "}") ?? rest.startIndex
    guard let start = rest[selectorEnd...].firstIndex(where: { "<>=".contains($0) }) else {
      throw problem("no comparison; write METRIC > -3% where more is better, METRIC < +3% where less is")
    }
    let sign = rest[start...].prefix { "<>=".contains($0) }
    do throws(TargetProblem) {
      metric = try Metric(parsing: String(rest[..<start]), types: types)
    } catch {
      throw problem(error.message)
    }
    guard let lessIsBetter = metric.lessIsBetter else {
      throw problem("neither more nor less of \(metric.name) is better; bound another metric")
    }
    guard sign == (lessIsBetter ? "<" : ">") else {
      throw problem(
        "'\(sign)' is the wrong way round: \(lessIsBetter ? "less" : "more") of \(metric.name) is better, so write "
          + (lessIsBetter ? "< and how much it may grow" : "> and how much it may shrink"))
    }
    let value = String(rest[sign.endIndex...]).trimmed
    guard value.hasSuffix("%"), let percent = Double(String(value.dropLast()).trimmed), percent.isFinite else {
      throw problem("'\(value)' is no relative change; write it in percent, such as \(lessIsBetter ? "+" : "-")3%")
    }
    let allowed = (lessIsBetter ? percent : -percent) / 100
    guard allowed > 0 else {
      throw problem(
        "a change of \(value) allows nothing to get worse, and no run equals another to the last digit; allow some, "
          + "such as \(lessIsBetter ? "+" : "-")3%")
    }
    guard lessIsBetter || allowed < 1 else {
      throw problem(
        "nothing can miss it: no figure shrinks by more than 100 %; did you mean \(Self.percent(-allowed / 100))?")
    }
    allowance = allowed
  }

  private static func percent(_ share: Double) -> String { Metric.plain(share * 100) + "%" }

  /// What an interval says: met where all of it keeps the bound, missed where all of it lies beyond, else unclear.
  package func verdict(low: Double, high: Double) -> GateCheck.Verdict {
    // Of relative changes; worse is up where less is better.
    let (best, worst) = metric.lessIsBetter == true ? (low, high) : (-high, -low)
    if worst <= allowance { return .met }
    return best > allowance ? .missed : .unclear
  }
}
