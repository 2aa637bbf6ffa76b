import TailraceCore
import TailraceSpelling

extension Metric {
  /// The names of all metrics, without selectors and statistics.
  static var names: [String] { Quantity.allCases.map(\.name) + FigureName.allCases.map(\.rawValue) }

  /// A suggestion for an unknown metric, followed by a blank; empty: none.
  ///
  /// - Parameters:
  ///   - selector: as it was written, with its braces.
  ///   - statistic: as it was written.
  static func hint(for name: String, selector: Substring, _ statistic: String?) -> String {
    let synonyms = Synonyms.of(name).filter(names.contains)
    // A statistic alone probably means response time.
    let alone =
      !synonyms.isEmpty ? [] : Statistic(name: name).map { [$0.name] } ?? closestStatistics(to: name)
    if statistic == nil, let meant = alone.first { return "did you mean 'response\(selector).\(meant)'? " }
    let near = synonyms.contains("response") ? ["response"] : closestNames(to: name, among: names)
    let meant = near.map { found in
      guard Quantity(name: found) != nil else { return found + (hasClasses(found) ? selector : "") }
      let known = statistic.flatMap { Statistic(name: $0)?.name ?? closestStatistics(to: $0).first }
      return "\(found)\(selector).\(known ?? "p99")"
    }
    return didYouMean(meant)
  }

  private static func hasClasses(_ name: String) -> Bool { FigureName(rawValue: name)?.hasClasses == true }

  private static func closestStatistics(to word: String) -> [String] {
    let known = Set(Statistic.suggested.map(\.name))
    return Synonyms.of(word).filter(known.contains)
  }

  /// Parses a duration of several parts, larger units first, such as `1m30s`, into nanoseconds; nil: not a duration.
  static func compoundTime(_ text: String) -> Double? {
    var (sum, last, parts) = (0.0, Double.infinity, 0)
    var rest = text.filter { $0 != " " }[...]
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      let unit = rest.dropFirst(number.count).prefix(while: \.isLetter)
      guard let value = Double(number), let scale = FigureUnit.time.factors.first(where: { $0.suffix == unit })?.factor,
        scale < last
      else { return nil }
      (sum, last, parts) = (sum + value * scale, scale, parts + 1)
      rest = rest.dropFirst(number.count + unit.count)
    }
    return parts > 1 ? sum : nil
  }
}

extension Statistic {
  /// The statistics used in suggestions.
  static let suggested = plain + [50, 75, 90, 95, 99, 99.9, 99.99].map(Statistic.percentile)
}

extension TargetExpression {
  /// Rewrites a target on errors as one on successes: `errors < 1%` as `success > 99%`. nil: it is not about errors.
  ///
  /// - Parameters:
  ///   - metric: as it was written, left of the comparison.
  ///   - limit: the right side.
  static func inverted(_ metric: String, _ comparison: Comparison, _ limit: String) -> String? {
    let name = metric.prefix { $0 != "{" && $0 != "." }.lowercased()
    let isOfErrors = ["err", "fail", "http_req_failed"].contains { name.hasPrefix($0) } || name.hasSuffix("_errors")
    guard isOfErrors, !Metric.names.contains(name) else { return nil }
    let selector = metric.dropFirst(name.count).prefix { $0 != "." }
    let isShare = limit.trimmed.hasSuffix("%")
    guard let value = Double(limit.trimmed.filter { $0 != "%" && $0 != " " }), value >= 0 else { return nil }
    // A bare number above 1 is a count of jobs.
    guard isShare || value < 1 else {
      return "dead_lettered\(String(selector).trimmed) \(comparison.rawValue) \(limit.trimmed)"
    }
    let percent = (1e6 - (isShare ? value : value * 100) * 1e4).rounded() / 1e4
    let sign =
      switch comparison {
      case .below: value == 0 ? "==" : ">"
      case .atMost: value == 0 ? "==" : ">="
      case .above: "<"
      case .atLeast: "<="
      case .equal: "=="
      }
    guard (0...100).contains(percent) else { return nil }
    let digits = percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
    return "success\(String(selector).trimmed) \(sign) \(digits)%"
  }
}
