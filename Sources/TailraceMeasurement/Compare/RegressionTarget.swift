import Foundation

/// A bound on how much worse than a baseline a metric may be: `vs(main).throughput > -3%`, `response.p99 < +10%`.
package struct RegressionTarget: Sendable, Hashable {
  /// The named baseline; nil: any.
  package var baseline: String?
  package var metric: Metric
  /// The maximum relative change for the worse: 0.1 is a tenth.
  package var allowance: Double
  /// As written.
  package var text: String

  /// Whether an expression has the form of a regression target.
  package static func isMeant(_ text: String) -> Bool { text.trimmed.hasPrefix("vs(") }

  /// Parses an expression in a scenario's targets or in a flag.
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
      throw problem("'\(value)' is not a relative change; write a percentage, such as \(lessIsBetter ? "+" : "-")3%")
    }
    let allowed = (lessIsBetter ? percent : -percent) / 100
    guard allowed > 0 else {
      throw problem(
        "a bound of \(value) allows no change for the worse, and no two runs are exactly equal; allow some, "
          + "such as \(lessIsBetter ? "+" : "-")3%")
    }
    guard lessIsBetter || allowed < 1 else {
      throw problem(
        "always met: no figure shrinks by more than 100 %; did you mean \(Self.percent(-allowed / 100))?")
    }
    allowance = allowed
  }

  private static func percent(_ share: Double) -> String { Metric.plain(share * 100) + "%" }

  /// The verdict for an interval: met if it is entirely within the bound, missed if entirely beyond, otherwise unclear.
  package func verdict(low: Double, high: Double) -> GateCheck.Verdict {
    // Relative changes; worse is up if less is better.
    let (best, worst) = metric.lessIsBetter == true ? (low, high) : (-high, -low)
    if worst <= allowance { return .met }
    return best > allowance ? .missed : .unclear
  }
}
