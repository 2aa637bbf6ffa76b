import TailraceCore
import TailraceSpelling
import TailraceText

/// Walks a tree and collects every problem, so that one pass over a file finds them all.
///
/// Each reading function reports problems and returns nil; the caller continues with a placeholder. ``ScenarioParser``
/// never returns a scenario with a problem.
struct ScenarioReader {
  let file: String
  let check: ExpressionCheck
  /// Who named the files that are read with the scenario.
  let origin: NamedFile.Origin
  private(set) var problems: [ScenarioProblem] = []
  /// Former names that were read, each with the new one.
  private(set) var formerNames: [ScenarioProblem] = []

  /// Names of the job types in order of declaration; set while parsing.
  var jobNames: [String] = []
  /// The graphs in order of declaration; set while parsing.
  var graphs: [JobGraph] = []
  /// Tenants with their own settings; set while parsing.
  var namedTenants: [(name: String, place: Place)] = []
  /// The wall-clock time at the tape's zero; set while parsing.
  var startsAt = Scenario.usualStart

  init(file: String, check: ExpressionCheck, origin: NamedFile.Origin) {
    self.file = file
    self.origin = origin
    self.check = check
  }

  /// Records a problem, in the form `what is wrong; what is allowed`.
  mutating func report(_ place: Place, _ message: Message) { problems.append(problem(place, message)) }

  private func problem(_ place: Place, _ message: Message) -> ScenarioProblem {
    switch place {
    case .position(let line, let column):
      ScenarioProblem(file: file, line: line, column: column, override: nil, message: message.text)
    case .override(let text):
      ScenarioProblem(file: file, line: 0, column: 0, override: text, message: message.text)
    }
  }

  /// Keys by their names in earlier versions. They are still read.
  static let formerKeys = ["tag": "tenants", "tags": "tenants", "autoscale": "autoscaling", "crashes": "crash_limit"]

  /// Notes that the file uses the name of an earlier version.
  mutating func noteFormerName(_ place: Place, _ former: String, now name: String) {
    formerNames.append(problem(place, Message("'\(former)' is now called '\(name)'; the old name is still read")))
  }

  // MARK: Structure

  /// The entries of a mapping, without repeated keys. Reports values of other kinds and repeated keys.
  mutating func entries(_ node: YAMLNode, _ what: String, allowed: String) -> [YAMLEntry]? {
    guard case .mapping(let all) = node.content else {
      report(node.place, "\(what) is \(node.kindName); \(allowed)")
      return nil
    }
    var seen: Set<String> = []
    var first: [YAMLEntry] = []
    for entry in all {
      if seen.insert(entry.key).inserted {
        first.append(entry)
      } else {
        report(entry.keyPlace, "the key '\(entry.key)' is given twice in \(what); give each key once")
      }
    }
    return first
  }

  /// The values of a mapping with known keys. Reports unknown keys, with the most similar known key.
  ///
  /// - Parameter elsewhere: paths of keys in other sections that an unknown key may mean.
  mutating func fields(
    _ node: YAMLNode, _ what: String, keys: [String], elsewhere: [String] = []
  ) -> [String: YAMLNode]? {
    let list = keys.joined(separator: ", ")
    guard let entries = entries(node, what, allowed: "write a mapping with keys among \(list)") else { return nil }
    var fields: [String: YAMLNode] = [:]
    for entry in entries {
      if keys.contains(entry.key) {
        fields[entry.key] = entry.value
      } else if let name = Self.formerKeys[entry.key], keys.contains(name) {
        if entries.contains(where: { $0.key == name }) {
          report(entry.keyPlace, "'\(entry.key)' and '\(name)' in \(what) are the same key; remove '\(entry.key)'")
        }
        noteFormerName(entry.keyPlace, entry.key, now: name)
        fields[name] = entry.value
      } else {
        report(
          entry.keyPlace,
          "unknown key '\(entry.key)' in \(what); "
            + suggestion(entry.key, among: keys, elsewhere: elsewhere, kind: "known keys"))
      }
    }
    return fields
  }

  /// The items of a list. With `orOne`, a single value counts as a list of one.
  mutating func items(_ node: YAMLNode, _ what: String, orOne: Bool = false) -> [YAMLNode]? {
    switch node.content {
    case .sequence(let items): return items
    case .scalar(let text) where orOne && !text.isEmpty: return [node]
    case .scalar, .mapping:
      report(node.place, "\(what) is \(node.kindName); write a list")
      return nil
    }
  }

  /// A nonempty text.
  mutating func text(_ node: YAMLNode, _ what: String, allowed: String = "write a text") -> String? {
    guard case .scalar(let text) = node.content, !text.isEmpty else {
      report(node.place, "\(what) is \(node.kindName); \(allowed)")
      return nil
    }
    return text
  }

  /// A text parsed by `read`.
  mutating func quantity<Value>(
    _ node: YAMLNode?, _ what: String, _ read: (String) throws(QuantityProblem) -> Value
  ) -> Value? {
    guard let node else { return nil }
    guard let text = text(node, what, allowed: "write a single value") else { return nil }
    do {
      return try read(text)
    } catch {
      report(node.place, "\(what): \(error.description)")
      return nil
    }
  }

  mutating func duration(_ node: YAMLNode?, _ what: String) -> Nanoseconds? {
    quantity(node, what) { text throws(QuantityProblem) in try QuantityText.duration(text) }
  }

  /// A duration above zero.
  mutating func span(_ node: YAMLNode?, _ what: String) -> Nanoseconds? {
    quantity(node, what) { text throws(QuantityProblem) in
      let value = try QuantityText.duration(text)
      if value <= .zero { throw QuantityProblem("'\(text)' is zero", allowed: "write a duration above zero") }
      return value
    }
  }

  mutating func rate(_ node: YAMLNode?, _ what: String) -> Rate? {
    quantity(node, what) { text throws(QuantityProblem) in try QuantityText.rate(text) }
  }

  mutating func share(_ node: YAMLNode?, _ what: String) -> Double? {
    quantity(node, what) { text throws(QuantityProblem) in try QuantityText.share(text) }
  }

  mutating func bytes(_ node: YAMLNode?, _ what: String) -> Int? {
    quantity(node, what) { text throws(QuantityProblem) in try QuantityText.bytes(text) }
  }

  mutating func count(_ node: YAMLNode?, _ what: String, in range: ClosedRange<Int>) -> Int? {
    quantity(node, what) { text throws(QuantityProblem) in try QuantityText.count(text, in: range) }
  }

  /// The value of a key, or nil if it is `none`.
  func unlessNone(_ node: YAMLNode?) -> YAMLNode? {
    if case .scalar("none")? = node?.content { return nil }
    return node
  }

  /// One of a few words.
  mutating func word<Value>(_ node: YAMLNode?, _ what: String, _ words: [(String, Value)]) -> Value? {
    guard let node else { return nil }
    let names = words.map(\.0)
    guard let text = text(node, what, allowed: "write one of \(names.joined(separator: ", "))") else { return nil }
    if let match = words.first(where: { $0.0 == text }) { return match.1 }
    report(node.place, "\(what): unknown '\(text)'; \(suggestion(text, among: names, kind: "allowed"))")
    return nil
  }

  /// A distribution of durations.
  mutating func serviceTime(_ node: YAMLNode?, _ what: String) -> ServiceTime? {
    guard let node else { return nil }
    guard let text = text(node, what, allowed: ServiceTime.forms) else { return nil }
    do {
      return try ServiceTime.read(text, relativeTo: file, filesNamedBy: origin)
    } catch {
      report(node.place, "\(what): \(error.description)")
      return nil
    }
  }

  /// The name of a declared job type.
  mutating func jobType(_ node: YAMLNode, _ what: String) -> Int? {
    guard let name = text(node, what, allowed: "write the name of a job") else { return nil }
    return jobType(named: name, node.place, what)
  }

  /// The job type with a name that occurs at `place`.
  mutating func jobType(named name: String, _ place: Place, _ what: String) -> Int? {
    if let type = jobNames.firstIndex(of: name) { return type }
    report(place, "\(what): unknown job '\(name)'; \(suggestion(name, among: jobNames, kind: "declared jobs"))")
    return nil
  }

  // MARK: Suggestions

  /// The most similar known word, if any, followed by the known words.
  ///
  /// - Parameter elsewhere: paths of other sections, used if no known word is similar.
  func suggestion(_ word: String, among known: [String], elsewhere: [String] = [], kind: String) -> String {
    let shown = known.prefix(20).joined(separator: ", ") + (known.count > 20 ? ", …" : "")
    let list = known.isEmpty ? "there are no \(kind)" : "\(kind): \(shown)"
    let here = didYouMean(word, among: known)
    return (here.isEmpty ? didYouMean(word, among: elsewhere) : here) + list
  }

  /// The paths of all keys of a scenario file, with `NAME` in place of a job's name unless `jobs` are given.
  static func paths(jobs: [String] = []) -> [String] {
    let names = jobs.isEmpty ? ["NAME"] : Array(jobs.prefix(3))
    return ScenarioParser.keys + streamKeys.filter { !traceKeys.contains($0) }.map { "load.\($0)" }
      + ["load.closed.clients", "load.closed.think"] + schedulerKeys.map { "scheduler.\($0)" }
      + ["scheduler.queue.capacity", "scheduler.queue.when_full", "backend.capacity"]
      + names.flatMap { name in jobKeys.map { "jobs.\(name).\($0)" } }
  }
}
