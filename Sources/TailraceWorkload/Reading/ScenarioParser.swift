import Foundation
import TailraceCore
import TailraceSpelling
import TailraceText

/// Parses scenario files: converts YAML to a ``Scenario``, or reports every problem of the file at once.
///
/// docs/scenarios.md is the reference of the format.
package enum ScenarioParser {
  static let keys = [
    "name", "summary", "source", "notes", "jobs", "graphs", "load", "scheduler", "faults", "duration", "warmup",
    "drain", "starts_at", "backend", "targets", "published", "figures", "compare",
  ]
  /// The systems that `compare:` may name.
  package static let comparableSystems = ["sequential", "task-group", "operation-queue", "dispatch"]

  /// Paths that an override may set in any scenario.
  package static var settings: [String] { ScenarioReader.paths().filter { !$0.hasPrefix("jobs.") } }

  /// Paths of settings that a similar or foreign word may mean and that `--set` can change.
  package static func settings(near word: String) -> [String] {
    closestNames(to: word, among: settings, limit: 2)
  }

  /// Parses a scenario.
  ///
  /// - Parameters:
  ///   - yaml: The text of the file.
  ///   - file: Its name, for messages; files that it refers to are searched in the same folder.
  ///   - overrides: `--set` pairs, applied to the tree in order before it is read: the key is a path such as
  ///     `scheduler.workers`, `load.poisson`, `load.0.poisson`, `jobs.NAME.service` or `duration`, the value any YAML.
  ///   - check: Validates targets and published figures; problems are reported at their position.
  ///   - origin: Who named the files that the scenario refers to.
  package static func parse(
    yaml: String, file: String, overrides: [(key: String, value: String)] = [],
    checking check: ExpressionCheck = .none, filesNamedBy origin: NamedFile.Origin = .scenario
  ) -> Result<Scenario, ScenarioProblems> {
    var root: YAMLNode
    switch YAMLTree.read(yaml) {
    case .success(let node): root = node
    case .failure(let problems): return .failure(ScenarioProblems(problems.problems.map { named($0, file) }))
    }
    var reader = ScenarioReader(file: file, check: check, origin: origin)
    for (key, value) in overrides { reader.apply(key: key, value: value, to: &root) }
    var scenario = reader.readScenario(root)
    scenario?.formerNames = ScenarioProblems(reader.formerNames).problems.map(\.description)
    guard let scenario, reader.problems.isEmpty else { return .failure(ScenarioProblems(reader.problems)) }
    return .success(scenario)
  }

  /// Parses a scenario from the bytes of its file, which must be UTF-8.
  package static func parse(
    data: Data, file: String, overrides: [(key: String, value: String)] = [],
    checking check: ExpressionCheck = .none
  ) -> Result<Scenario, ScenarioProblems> {
    let bytes: [UInt8]
    do { bytes = try TextFile.plain(Array(data)) } catch {
      return .failure(
        ScenarioProblems([ScenarioProblem(file: file, line: 0, column: 0, override: nil, message: error.message)]))
    }
    if let text = String(validating: bytes, as: UTF8.self) {
      return parse(yaml: text, file: file, overrides: overrides, checking: check)
    }
    let (line, column) = firstInvalidPosition(in: data)
    let message = "the text is not UTF-8 here; save the file as UTF-8"
    return .failure(
      ScenarioProblems([ScenarioProblem(file: file, line: line, column: column, override: nil, message: message)]))
  }

  /// Reads and parses a scenario file. Throws every problem, or the reason why it cannot be read.
  package static func load(
    file path: String, _ kind: InputFile.Kind = .any, overrides: [(key: String, value: String)] = [],
    checking check: ExpressionCheck = .none
  ) throws(ScenarioProblems) -> Scenario {
    let bytes: [UInt8]
    do { bytes = try InputFile.read(path, .scenario, kind) } catch {
      let message =
        switch error {
        case .system(ENOENT), .system(ENOTDIR): "the file does not exist; name a readable scenario file"
        case .system(EISDIR): "the file is a folder; name a readable scenario file"
        case .system: "the file cannot be read; name a readable scenario file"
        case .tooLarge, .special: error.words
        }
      throw ScenarioProblems([ScenarioProblem(file: path, line: 0, column: 0, override: nil, message: message)])
    }
    let parsed = parse(data: Data(bytes), file: path, overrides: overrides, checking: check)
    return try parsed.get()
  }

  private static func named(_ problem: ScenarioProblem, _ file: String) -> ScenarioProblem {
    var problem = problem
    problem.file = file
    return problem
  }

  private static func firstInvalidPosition(in data: Data) -> (line: Int, column: Int) {
    var decoder = UTF8()
    var bytes = data.makeIterator()
    var (line, column) = (1, 1)
    while true {
      switch decoder.decode(&bytes) {
      case .scalarValue("\n"): (line, column) = (line + 1, 1)
      case .scalarValue: column += 1
      case .emptyInput, .error: return (line, column)
      }
    }
  }
}

extension ScenarioReader {
  /// Parses a whole scenario. Use the result only if no problem was reported.
  mutating func readScenario(_ root: YAMLNode) -> Scenario? {
    if case .scalar("") = root.content {
      report(root.place, "the file is empty; a scenario needs at least name, jobs and load")
      return nil
    }
    let elsewhere = Self.paths(jobs: Self.jobNames(of: root)).filter { $0.contains(".") }
    guard
      let fields = fields(
        withoutFragments(root), "the scenario", keys: ScenarioParser.keys, elsewhere: elsewhere)
    else { return nil }
    // The job types of a trace come from the trace.
    let hasTrace = fields["load"].map { Self.namesTrace($0) } ?? false
    for key in ["name", "jobs", "load"] where fields[key] == nil && (key != "jobs" || !hasTrace) {
      report(root.place, "the scenario has no '\(key)'; name, jobs and load are required")
    }
    let name = fields["name"].flatMap { readName($0) } ?? ""
    let summary = fields["summary"].flatMap { prose($0, "summary") } ?? ""
    let source = fields["source"].flatMap { prose($0, "source") } ?? ""
    let notes = fields["notes"].map { texts($0, "notes") } ?? []
    var jobs = fields["jobs"].map { readJobs($0, timesFromTrace: hasTrace) } ?? []
    readGraphs(fields["graphs"])
    let duration = span(fields["duration"], "duration")
    startsAt = readStart(fields["starts_at"])
    let streams =
      fields["load"].map { readLoad($0, duration: duration, hasDuration: fields["duration"] != nil) } ?? []
    addTypes(of: streams, to: &jobs, fields["jobs"])
    let scheduler = readScheduler(fields["scheduler"], forTrace: hasTrace)
    let faults = fields["faults"].map { readFaults($0) } ?? []
    let backend = fields["backend"].flatMap { self.fields($0, "backend", keys: ["capacity"]) }
    let capacity = count(backend?["capacity"], "backend.capacity", in: 1...1_000_000)
    let warmup = self.duration(fields["warmup"], "warmup") ?? .zero
    if let duration, let node = fields["warmup"], warmup >= duration {
      report(node.place, "warmup is not shorter than duration; shorten it")
    }
    // The jobs of a trace may run for days after the last submission.
    let drain = self.duration(fields["drain"], "drain") ?? .seconds(hasTrace ? 3_650 * 86_400 : 30)
    let targets = fields["targets"].map { readTargets($0) } ?? []
    let published = fields["published"].map { readPublished($0) } ?? []
    let figures = fields["figures"].map { readFigures($0) } ?? []
    let compare = fields["compare"].map { readCompare($0) } ?? []
    checkMemory(jobs, scheduler, fields["jobs"])
    if problems.isEmpty {
      checkTenants(jobs, streams)
      checkAddedJobs(fields["jobs"], streams)
    }
    let scenario = Scenario(
      name: name, summary: summary, source: source, notes: notes, jobs: jobs, streams: streams, scheduler: scheduler,
      faults: faults, backendCapacity: capacity, duration: duration, startsAt: startsAt, warmup: warmup, drain: drain,
      targets: targets, published: published, figures: figures, compare: compare)
    if problems.isEmpty {
      checkReach(of: scenario, fields)
      checkRanges(
        scenario, jobs: fields["jobs"]?.place ?? root.place, scheduler: fields["scheduler"]?.place ?? root.place)
    }
    return scenario
  }

  /// Reports times beyond the range of virtual time where they are declared.
  private mutating func checkReach(of scenario: Scenario, _ fields: [String: YAMLNode]) {
    for (section, words) in scenario.timesOutOfReach {
      guard let node = fields[section] else { continue }
      report(node.place, Message(words))
    }
  }

  /// Reports values that the scheduler rejects. Most are already reported where they are declared.
  private mutating func checkRanges(_ scenario: Scenario, jobs: Place, scheduler: Place) {
    do throws(InvalidValues) { try SchedulerConfiguration(scenario, seed: 0).validate() } catch {
      for value in error.values {
        report(scheduler, "scheduler: \(value.name) is \(value.value); write \(value.range)")
      }
    }
    for job in scenario.jobs {
      do throws(InvalidValues) { try JobTypeConfiguration(job).validate() } catch {
        for value in error.values {
          report(jobs, "jobs.\(job.name): \(value.name) is \(value.value); write \(value.range)")
        }
      }
    }
  }

  /// The scenario without keys that begin with `x-`, which hold fragments for anchors and merge keys.
  private func withoutFragments(_ root: YAMLNode) -> YAMLNode {
    guard case .mapping(let entries) = root.content else { return root }
    var root = root
    root.content = .mapping(entries.filter { !$0.key.hasPrefix("x-") })
    return root
  }

  private mutating func readName(_ node: YAMLNode) -> String? {
    guard let name = text(node, "name") else { return nil }
    let isValid =
      name.utf8.count <= 64
      && name.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "-")
      }
    if !isValid {
      report(
        node.place, "name: '\(name)' is not a scenario name; write up to 64 lower-case letters, digits and hyphens")
    }
    return name
  }

  private mutating func texts(_ node: YAMLNode, _ what: String) -> [String] {
    (items(node, what, orOne: true) ?? []).compactMap { prose($0, what) }
  }

  /// A text joined into one line.
  private mutating func prose(_ node: YAMLNode, _ what: String) -> String? {
    text(node, what).map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
  }

  private mutating func readTargets(_ node: YAMLNode) -> [String] {
    var targets: [String] = []
    if case .mapping(let entries) = node.content {
      for entry in entries { reportMapping(entry) }
      return []
    }
    for item in items(node, "targets", orOne: true) ?? [] {
      if case .mapping(let entries) = item.content, let entry = entries.first {
        reportMapping(entry)
        continue
      }
      let allowed = "write a target such as response.p99 < 500ms, in quotes if it contains ': '"
      guard let target = text(item, "a target", allowed: allowed) else { continue }
      if let problem = check.target(target, jobNames) { report(item.place, Message(problem)) }
      targets.append(target)
    }
    return targets
  }

  /// Reports a target that YAML parses as `key: value` because it contains a colon.
  private mutating func reportMapping(_ entry: YAMLEntry) {
    let advice =
      switch entry.value.content {
      case .scalar(let value) where entry.key.contains("{"):
        "a selector is written with '=', in quotes within [...]: \"\(entry.key)=\(value)\""
      case .scalar(let value) where value.contains(/^[<>=]/): "write it as one text: - \(entry.key) \(value)"
      case .scalar(let value): "write a comparison: - \(entry.key) >= \(value), or with <"
      default: "write a target such as response.p99 < 500ms"
      }
    report(entry.keyPlace, "a target is a text, and '\(entry.key):' makes it a mapping; \(advice)")
  }

  private mutating func readPublished(_ node: YAMLNode) -> [PublishedFigure] {
    let allowed = "write a mapping from metrics to published values, such as service.mean: 0.231s"
    var figures: [PublishedFigure] = []
    for entry in entries(node, "published", allowed: allowed) ?? [] {
      guard let value = text(entry.value, "published.\(entry.key)", allowed: "write a value with its unit") else {
        continue
      }
      if let problem = check.published(entry.key, value, jobNames) { report(entry.keyPlace, Message(problem)) }
      figures.append(PublishedFigure(metric: entry.key, value: value))
    }
    return figures
  }

  private mutating func readFigures(_ node: YAMLNode) -> [String] {
    var figures: [String] = []
    for item in items(node, "figures", orOne: true) ?? [] {
      let allowed = "write a metric such as waiting{priority=high}.max"
      guard let metric = text(item, "a figure", allowed: allowed) else { continue }
      if let problem = check.metric(metric, jobNames) { report(item.place, Message(problem)) }
      figures.append(metric)
    }
    return figures
  }

  private mutating func readCompare(_ node: YAMLNode) -> [String] {
    let words = ScenarioParser.comparableSystems.map { ($0, $0) }
    return (items(node, "compare", orOne: true) ?? []).compactMap { word($0, "compare", words) }
  }

  /// Checks that an override adds settings only to job types that occur in the trace.
  private mutating func checkAddedJobs(_ node: YAMLNode?, _ streams: [LoadStream]) {
    guard case .mapping(let entries)? = node?.content, case .trace(let trace)? = streams.first?.arrivals else { return }
    for entry in entries where !trace.types.contains(entry.key) {
      guard case .override = entry.keyPlace else { continue }
      let known = trace.types + entries.map(\.key).filter { $0 != entry.key }
      report(
        entry.keyPlace, "there is no job '\(entry.key)'; \(suggestion(entry.key, among: known, kind: "job types"))")
    }
  }

  /// Reports jobs that reserve more than the whole memory budget.
  private mutating func checkMemory(_ jobs: [JobSpec], _ scheduler: SchedulerSettings, _ node: YAMLNode?) {
    guard let budget = scheduler.memoryBudget, case .mapping(let entries)? = node?.content else { return }
    for job in jobs where job.memory > budget {
      guard let entry = entries.first(where: { $0.key == job.name }) else { continue }
      report(
        entry.keyPlace,
        "jobs.\(job.name).memory is larger than scheduler.memory_budget; lower it or raise the budget")
    }
  }
}
