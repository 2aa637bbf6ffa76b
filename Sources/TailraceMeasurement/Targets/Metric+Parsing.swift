import TailraceCore
import TailraceSpelling

/// The error for an invalid expression in a scenario file or a flag.
package struct TargetProblem: Error, Hashable, CustomStringConvertible {
  /// The expression as written.
  package var expression: String
  /// What is wrong and what is allowed.
  package var message: String
  package var description: String { "'\(VisibleText.quoted(expression))': \(message)" }
}

extension Metric {
  /// Parses `METRIC[{type=NAME,priority=NAME}][.STATISTIC]`.
  ///
  /// - Parameters:
  ///   - text: the expression; blanks between its parts are ignored.
  ///   - types: names of the scenario's job types, which selectors may name; nil: they may name any.
  /// - Throws: ``TargetProblem`` with what is allowed.
  package init(parsing text: String, types: [String]?) throws(TargetProblem) {
    func problem(_ message: Message) -> TargetProblem { TargetProblem(expression: text, message: message.text) }
    let trimmed = text.trimmed
    let head = trimmed.prefix { $0 != "{" && $0 != "." }
    var rest = trimmed.dropFirst(head.count)
    var key = ClassKey.all
    if rest.first == "{" {
      guard let close = rest.firstIndex(of: "}") else { throw problem("'{' without '}'") }
      key = try Self.parseSelector(rest[rest.index(after: rest.startIndex)..<close], of: text, types: types)
      rest = rest[rest.index(after: close)...]
    }
    var name = String(head).trimmed
    rest = Substring(String(rest).trimmed)
    if !rest.isEmpty, rest.first != "." {
      throw problem("'\(rest)' after '}'; allowed is a statistic, such as .p99, or nothing")
    }
    var statistic = rest.isEmpty ? nil : String(rest.dropFirst()).trimmed
    // The recovery times of a crash test have statistics; they are figures of the run.
    if name == FigureName.recovery.rawValue, let known = statistic, FigureName(rawValue: "recovery_\(known)") != nil {
      (name, statistic) = ("recovery_\(known)", nil)
    }
    if let quantity = Quantity(name: name) {
      let allowed = "allowed are \(Statistic.plain.map(\.name).joined(separator: ", ")), and percentiles such as p99.9"
      guard let statistic else {
        throw problem("\(name) needs a statistic, such as \(name).p99; \(allowed)")
      }
      guard let parsed = Statistic(name: statistic) else {
        let hint = didYouMean(statistic, among: Statistic.suggested.map(\.name))
        throw problem("unknown statistic '\(statistic)'; \(hint)\(allowed)")
      }
      self.init(.quantity(quantity, parsed), of: key)
    } else if let figure = FigureName(rawValue: name) {
      guard statistic == nil || statistic == "value" else {
        throw problem("\(name) is a single figure and has no statistic '\(statistic ?? "")'")
      }
      guard key == .all || figure.hasClasses else {
        let allowed = FigureName.allCases.filter(\.hasClasses).map(\.rawValue)
        throw problem(
          "\(name) is a figure of the whole run; only \(allowed.joined(separator: ", ")) and times take a selector")
      }
      self.init(.figure(figure), of: key)
    } else {
      let hint = Self.hint(for: name, selector: trimmed.dropFirst(head.count).prefix { $0 != "." }, statistic)
      throw problem("unknown metric '\(name)'; \(hint)known are \(Self.names.joined(separator: ", "))")
    }
  }

  private static func parseSelector(
    _ text: Substring, of whole: String, types: [String]?
  ) throws(TargetProblem) -> ClassKey {
    func problem(_ message: Message) -> TargetProblem { TargetProblem(expression: whole, message: message.text) }
    var key = ClassKey.all
    for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2 else {
        throw problem("'\(pair)' is not a selector; allowed are type=NAME and priority=NAME")
      }
      let (name, value) = (String(halves[0]).trimmed, String(halves[1]).trimmed)
      switch name {
      case "type":
        if let types, !types.contains(value) {
          let known = types.isEmpty ? "this scenario has none" : "this scenario has \(types.joined(separator: ", "))"
          throw problem("unknown job type '\(value)'; \(didYouMean(value, among: types))\(known)")
        }
        guard key.type == nil else { throw problem("type is selected twice") }
        key.type = value
      case "priority":
        guard let priority = Priority(name: value) else {
          let allowed = Priority.allCases.map(\.name)
          throw problem(
            "unknown priority '\(value)'; \(didYouMean(value, among: allowed))allowed are "
              + allowed.joined(separator: ", "))
        }
        guard key.priority == nil else { throw problem("priority is selected twice") }
        key.priority = priority
      default:
        let hint = didYouMean(name == "job" || name == "job_type" ? "type" : name, among: ["type", "priority"])
        throw problem("unknown selector '\(name)'; \(hint)allowed are type and priority")
      }
    }
    return key
  }

  /// Parses a value for this metric: `500ms`, `100/min`, `99%`, `64MiB`, `3`.
  ///
  /// - Throws: ``TargetProblem`` if it is not a number, or its unit does not fit.
  package func parseValue(_ text: String) throws(TargetProblem) -> MetricValue {
    let trimmed = text.trimmed
    if unit == .time, let time = Self.compoundTime(trimmed) { return MetricValue(value: time) }
    let number = trimmed.prefix { $0.isASCII && ($0.isNumber || "+-.eE_".contains($0)) && !"eE".contains($0) }
    let suffix = String(trimmed.dropFirst(number.count)).trimmed
    guard let value = Double(number.filter { $0 != "_" }), value.isFinite else {
      throw TargetProblem(expression: text, message: "no number; \(name) wants \(unit.wanted)")
    }
    if case .figure(.startsPerSecondMax) = subject, suffix == "/s" { return MetricValue(value: value) }
    guard let factor = unit.factors.first(where: { $0.suffix == suffix })?.factor else {
      let wrong = suffix.isEmpty ? "a number without unit" : "unit '\(suffix)'"
      let known = Set(unit.factors.map(\.suffix))
      let hint = Synonyms.of(suffix).first(where: known.contains).map { "did you mean '\($0)'? " } ?? ""
      throw TargetProblem(
        expression: text, message: "\(wrong) does not fit \(name); \(hint)it wants \(unit.wanted)")
    }
    if unit == .count, value != value.rounded() {
      throw TargetProblem(expression: text, message: "\(name) is a count and wants \(unit.wanted)")
    }
    return MetricValue(value: value * factor)
  }
}

extension FigureUnit {
  /// The allowed suffixes, with their factors.
  var factors: [(suffix: String, factor: Double)] {
    switch self {
    case .time:
      [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 60e9), ("m", 60e9),
        ("h", 3_600e9), ("d", 86_400e9),
      ]
    case .rate:
      [
        ("/ns", 1e9), ("/us", 1e6), ("/µs", 1e6), ("/μs", 1e6), ("/ms", 1e3), ("/s", 1), ("/min", 1.0 / 60),
        ("/m", 1.0 / 60), ("/h", 1.0 / 3_600), ("/d", 1.0 / 86_400),
      ]
    case .ratio: [("%", 0.01), ("", 1)]
    case .count: [("", 1)]
    case .factor: [("", 1), ("x", 1), ("×", 1)]
    case .bytes:
      [
        ("B", 1), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("KiB", 1_024), ("MiB", 1_048_576),
        ("GiB", 1_073_741_824),
      ]
    }
  }

  /// The allowed form of a value, for messages.
  var wanted: String {
    switch self {
    case .time: "a time with its unit: ns, us, ms, s, min, h or d"
    case .rate: "a rate with its unit: /ms, /s, /min, /h or /d"
    case .ratio: "a share: 99% or 0.99"
    case .count: "a whole number without unit"
    case .factor: "a number without unit"
    case .bytes: "bytes with their unit: B, kB, MB, GB, KiB, MiB or GiB"
    }
  }
}

extension String {
  /// Without blanks at both ends.
  var trimmed: String {
    let start = drop { $0 == " " || $0 == "\t" }
    return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }
}
