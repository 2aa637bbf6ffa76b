import Foundation
import TailraceCore
import TailraceSpelling
import TailraceText

extension ServiceTime {
  /// Names of the distributions that take arguments.
  static let distributions = [
    "constant", "exponential", "lognormal", "uniform", "pareto", "bimodal", "empirical",
  ]

  static let forms = """
    write a duration such as 100ms, or exponential(mean: 20ms), lognormal(median: 40ms, p99: 900ms), \
    uniform(min: 10ms, max: 30ms), pareto(min: 10ms, alpha: 1.5, max: 10s), \
    bimodal(fast: 5ms, slow: 500ms, share: 10%) or empirical(FILE)
    """

  /// Parses a distribution as in scenario files.
  ///
  /// - Parameters:
  ///   - file: The scenario file; the file of `empirical(FILE)` is searched in the same folder.
  ///   - origin: Who named that file.
  package static func read(
    _ text: String, relativeTo file: String, filesNamedBy origin: NamedFile.Origin = .scenario
  ) throws(QuantityProblem) -> ServiceTime {
    guard let open = text.firstIndex(of: "(") else {
      if distributions.contains(text) { throw QuantityProblem("'\(text)' has no arguments", allowed: forms) }
      return .constant(try QuantityText.duration(text))
    }
    let name = text[..<open].trimmingCharacters(in: .whitespaces)
    guard text.hasSuffix(")") else { throw QuantityProblem("'\(text)' has no closing parenthesis", allowed: forms) }
    let body = text[text.index(after: open)...].dropLast().trimmingCharacters(in: .whitespaces)
    guard distributions.contains(name) else {
      throw QuantityProblem(
        "unknown distribution '\(name)'", allowed: didYouMean(name, among: distributions.sorted()) + forms)
    }
    if name == "empirical" { return try empirical(body, beside: file, origin) }
    if name == "constant" { return .constant(try QuantityText.duration(body)) }
    return try parametric(name, Arguments(body, of: name))
  }

  private static func parametric(
    _ name: String, _ arguments: Arguments
  ) throws(QuantityProblem) -> ServiceTime {
    switch name {
    case "exponential":
      try arguments.allow(["mean"])
      return .exponential(mean: try arguments.span("mean"))
    case "lognormal":
      try arguments.allow(["median", "p99"])
      let (median, p99) = (try arguments.span("median"), try arguments.span("p99"))
      guard p99 > median else {
        throw QuantityProblem("lognormal: p99 is not above the median", allowed: "p99 must be larger than median")
      }
      return .lognormal(median: median, p99: p99)
    case "uniform":
      try arguments.allow(["min", "max"])
      let (low, high) = (try arguments.duration("min"), try arguments.duration("max"))
      guard low <= high else {
        throw QuantityProblem("uniform: min is above max", allowed: "min must not be larger than max")
      }
      return .uniform(min: low, max: high)
    case "pareto":
      try arguments.allow(["min", "alpha", "max"])
      let low = try arguments.span("min")
      let alpha = try arguments.number("alpha", in: 0.01...1000)
      let high = try arguments.optionalSpan("max")
      if let high, high <= low {
        throw QuantityProblem("pareto: max is not above min", allowed: "max must be larger than min")
      }
      return .pareto(min: low, alpha: alpha, max: high)
    default:
      try arguments.allow(["fast", "slow", "share"])
      let (fast, slow) = (try arguments.duration("fast"), try arguments.duration("slow"))
      guard fast <= slow else {
        throw QuantityProblem("bimodal: fast is above slow", allowed: "fast must not be larger than slow")
      }
      return .bimodal(fast: fast, slow: slow, share: try QuantityText.share(try arguments.text("share")))
    }
  }

  /// Maximum number of values, in a file and in a scenario.
  private static let valueLimit = (file: 1_000_000, scenario: 10_000)

  /// Parses durations separated by commas, or reads a file with one duration per line.
  private static func empirical(
    _ body: String, beside file: String, _ origin: NamedFile.Origin
  ) throws(QuantityProblem) -> ServiceTime {
    guard !body.isEmpty else {
      throw QuantityProblem(
        "empirical() has no arguments", allowed: "write empirical(FILE), or durations separated by commas")
    }
    guard body.contains(",") || (try? QuantityText.duration(body)) != nil else {
      return .empirical(file: body, values: try values(in: body, beside: file, origin))
    }
    var values: [Nanoseconds] = []
    for part in body.split(separator: ",", omittingEmptySubsequences: false) {
      do { values.append(try QuantityText.duration(part)) } catch {
        throw QuantityProblem(prefix: "empirical: ", error)
      }
    }
    guard values.count <= valueLimit.scenario else {
      throw QuantityProblem(
        "empirical: \(values.count) values", allowed: "at most \(valueLimit.scenario); write more to a file")
    }
    return .empirical(file: "", values: values)
  }

  /// The values of a file with one per line; `#` starts a comment.
  private static func values(
    in name: String, beside file: String, _ origin: NamedFile.Origin
  ) throws(QuantityProblem) -> [Nanoseconds] {
    let named = NamedFile(name, beside: file, by: origin)
    let text: TextFile
    do { text = try TextFile.read(named.path, .values, named.kind) } catch {
      let place = error.line > 0 ? ":\(error.line)" : ""
      let halves = error.message.split(separator: "; ", maxSplits: 1)
      throw QuantityProblem(
        "empirical: '\(name)'\(place): \(halves[0])", allowed: "\(halves.last ?? ""), next to the scenario file")
    }
    var values: [Nanoseconds] = []
    var lines = TextLines(text.bytes)
    while let line = lines.next() {
      func problem(_ message: Message) -> QuantityProblem {
        let column = TextLines.column(of: line.lowerBound, in: text.bytes)
        let problem = TextProblem(line: lines.line, column: column, message: message)
        return QuantityProblem(prefix: "empirical: ", QuantityProblem(words: named.told(problem, of: name)))
      }
      guard let words = String(validating: text.bytes[line], as: UTF8.self) else {
        throw problem("the text is not UTF-8; save it as UTF-8")
      }
      let entry = words.prefix { $0 != "#" }.trimmingCharacters(in: .whitespacesAndNewlines)
      if entry.isEmpty { continue }
      do { values.append(try QuantityText.duration(entry)) } catch {
        throw problem(Message("\(error.description); write one duration a line"))
      }
    }
    guard !values.isEmpty else {
      throw QuantityProblem("empirical: '\(name)' contains no values", allowed: "write one duration a line")
    }
    guard values.count <= valueLimit.file else {
      throw QuantityProblem(
        "empirical: '\(name)' contains \(values.count) values", allowed: "at most \(valueLimit.file) values")
    }
    return values
  }
}

/// The `key: value` pairs in the parentheses of a distribution.
private struct Arguments {
  let distribution: String
  private var pairs: [(key: String, value: String)] = []

  init(_ body: String, of distribution: String) throws(QuantityProblem) {
    self.distribution = distribution
    if body.isEmpty { return }
    for part in body.split(separator: ",", omittingEmptySubsequences: false) {
      guard let separator = part.firstIndex(where: { $0 == ":" || $0 == "=" }) else {
        throw QuantityProblem(
          "\(distribution): '\(part.trimmingCharacters(in: .whitespaces))' has no name", allowed: ServiceTime.forms)
      }
      let key = part[..<separator].trimmingCharacters(in: .whitespaces)
      let value = part[part.index(after: separator)...].trimmingCharacters(in: .whitespaces)
      guard !pairs.contains(where: { $0.key == key }) else {
        throw QuantityProblem("\(distribution): '\(key)' is given twice", allowed: ServiceTime.forms)
      }
      pairs.append((key, value))
    }
  }

  func allow(_ keys: [String]) throws(QuantityProblem) {
    for pair in pairs where !keys.contains(pair.key) {
      throw QuantityProblem(
        "\(distribution): unknown argument '\(pair.key)'",
        allowed: didYouMean(pair.key, among: keys) + "known arguments: \(keys.joined(separator: ", "))")
    }
  }

  func text(_ key: String) throws(QuantityProblem) -> String {
    guard let pair = pairs.first(where: { $0.key == key }) else {
      throw QuantityProblem("\(distribution): '\(key)' is missing", allowed: ServiceTime.forms)
    }
    return pair.value
  }

  func duration(_ key: String) throws(QuantityProblem) -> Nanoseconds { try QuantityText.duration(try text(key)) }

  func number(_ key: String, in range: ClosedRange<Double>) throws(QuantityProblem) -> Double {
    let text = try text(key)
    do {
      return try QuantityText.number(text, in: range)
    } catch {
      throw QuantityProblem(prefix: "\(distribution): \(key): ", error)
    }
  }

  func span(_ key: String) throws(QuantityProblem) -> Nanoseconds {
    let value = try duration(key)
    guard value > .zero else {
      throw QuantityProblem("\(distribution): \(key) is zero", allowed: "\(key) must be above zero")
    }
    return value
  }

  func optionalSpan(_ key: String) throws(QuantityProblem) -> Nanoseconds? {
    pairs.contains { $0.key == key } ? try span(key) : nil
  }
}
