import TailraceCore
import TailraceSpelling
import TailraceText

extension ScenarioReader {
  /// Keys that are allowed only next to `trace:`.
  static let traceKeys = ["format", "columns", "priorities", "failed", "where", "speed", "first", "every"]
  private static let columnKeys = [
    "submitted", "started", "ended", "waiting", "service", "job_type", "priority", "tenant", "outcome", "id",
  ]

  /// Parses a `load:` whose arrivals come from a trace file, and reads the file.
  mutating func readTrace(_ value: YAMLNode, _ fields: [String: YAMLNode], _ what: String) -> Trace? {
    guard let name = text(value, "\(what).trace", allowed: "name a trace file") else { return nil }
    guard let format = readFormat(fields["format"], name, value.place, what) else { return nil }
    var request = TraceRequest.standardWorkload
    if format != .swf {
      request = TraceRequest(format: format)
      guard fields["columns"] != nil else {
        report(
          value.place,
          "\(what).trace: a \(format.rawValue) file needs `columns`; add columns: with at least submitted:, "
            + "started:, or ended: and service:"
        )
        return nil
      }
    }
    let before = problems.count
    if let columns = fields["columns"] { readColumns(columns, "\(what).columns", &request) }
    if let columns = fields["columns"], problems.count == before {
      checkTimes(request, isStandard: format == .swf, columns.place, "\(what).columns")
    }
    readTraceOptions(fields, what, &request)
    guard problems.count == before else { return nil }
    switch Trace.read(NamedFile(name, beside: file, by: origin), called: name, request) {
    case .success(let trace): return trace
    case .failure(let wrong):
      for line in wrong.lines { report(value.place, Message("\(what).trace: \(line)")) }
      return nil
    }
  }

  private mutating func readFormat(
    _ node: YAMLNode?, _ name: String, _ place: Place, _ what: String
  ) -> TraceRequest.Format? {
    let words = TraceRequest.Format.allCases.map { ($0.rawValue, $0) }
    if let node { return word(node, "\(what).format", words) }
    if let format = TraceRequest.Format(fileName: name) { return format }
    report(place, "\(what).trace: '\(name)' has no known extension; add format: with one of swf, csv, jsonl")
    return nil
  }

  /// Checks that the columns provide submission times and that every column is used.
  private mutating func checkTimes(_ request: TraceRequest, isStandard: Bool, _ place: Place, _ what: String) {
    guard request.hasSubmission else {
      report(
        place,
        request.ended == nil
          ? "\(what) has no 'submitted'; name the column with the submission times, or started:, or ended: and service:"
          : "\(what) has only 'ended'; also name service: or started:, to compute the submission time")
      return
    }
    if request.submitted != nil, request.waiting != nil {
      report(place, "\(what).waiting is not used together with submitted:; remove one of them")
    }
    let isUsed = request.submitted == nil || request.service == nil
    for (key, column) in [("started", request.started), ("ended", request.ended)] where column != nil && !isUsed {
      report(place, "\(what).\(key) is not used together with submitted: and service:; remove it")
    }
    if request.submitted != nil, request.service == nil, (request.started == nil) != (request.ended == nil) {
      report(place, "\(what) has only one of started: and ended:, but the run time is their difference; name both")
    }
    if request.submitted == nil, request.service != nil, request.started != nil, request.ended != nil {
      report(place, "\(what).ended is not used together with started: and service:; remove it")
    }
  }

  private mutating func readColumns(_ node: YAMLNode, _ what: String, _ request: inout TraceRequest) {
    guard let fields = fields(node, what, keys: Self.columnKeys) else { return }
    for (key, path) in [
      ("started", \TraceRequest.started), ("ended", \.ended), ("waiting", \.waiting), ("submitted", \.submitted),
      ("service", \.service),
    ] {
      guard let node = fields[key] else { continue }
      if let column = readTimeColumn(node, "\(what).\(key)") { request[keyPath: path] = column }
    }
    // Explicitly named columns replace those of the Standard Workload Format.
    if request.format == .swf {
      if fields["submitted"] == nil, fields["started"] != nil || fields["ended"] != nil { request.submitted = nil }
      if fields["service"] == nil, fields["started"] != nil, fields["ended"] != nil { request.service = nil }
    }
    func name(_ key: String) -> String? { fields[key].flatMap { text($0, "\(what).\(key)") } }
    request.jobType = name("job_type")
    request.priority = name("priority")
    request.tenant = name("tenant")
    request.outcome = name("outcome")
    if let id = name("id") { request.id = id }
  }

  /// A column's name, or a mapping with its unit.
  private mutating func readTimeColumn(_ node: YAMLNode, _ what: String) -> TraceRequest.Column? {
    if case .scalar = node.content { return text(node, what).map { TraceRequest.Column($0) } }
    guard let fields = fields(node, what, keys: ["column", "unit"]) else { return nil }
    guard let column = fields["column"] else {
      report(node.place, "\(what) has no 'column'; name the column")
      return nil
    }
    let unit = word(fields["unit"], "\(what).unit", TraceUnit.allCases.map { ($0.rawValue, $0) })
    return text(column, "\(what).column").map { TraceRequest.Column($0, unit: unit) }
  }

  private mutating func readTraceOptions(
    _ fields: [String: YAMLNode], _ what: String, _ request: inout TraceRequest
  ) {
    if let node = fields["priorities"] {
      for entry in entries(node, "\(what).priorities", allowed: "write values of the column with their priorities")
        ?? []
      {
        if let priority = word(entry.value, "\(what).priorities.\(entry.key)", Self.priorities) {
          request.priorities[entry.key] = priority
        }
      }
      if request.priority == nil {
        report(node.place, "\(what).priorities needs a column; add columns.priority")
      }
    }
    if let node = fields["failed"] {
      request.failures = Set(
        (items(node, "\(what).failed", orOne: true) ?? []).compactMap { text($0, "\(what).failed") })
      if request.outcome == nil {
        report(node.place, "\(what).failed needs a column; add columns.outcome")
      }
    }
    if let node = fields["where"] {
      for entry in entries(node, "\(what).where", allowed: "write columns with the values to keep") ?? [] {
        let values = (items(entry.value, "\(what).where.\(entry.key)", orOne: true) ?? []).compactMap {
          text($0, "\(what).where.\(entry.key)")
        }
        request.filters.append((entry.key, values))
      }
    }
    if let node = fields["speed"] {
      request.speed =
        quantity(node, "\(what).speed") { text throws(QuantityProblem) in
          try QuantityText.number(text.hasSuffix("x") ? String(text.dropLast()) : text, in: 1e-6...1e9)
        } ?? 1
    }
    request.first = count(fields["first"], "\(what).first", in: 1...1_000_000_000)
    request.every = count(fields["every"], "\(what).every", in: 1...1_000_000_000) ?? 1
  }
}

extension TraceRequest.Format {
  /// Determines the format from a file name; nil: unknown.
  package init?(fileName: String) {
    let name = fileName.lowercased()
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    let known: [(String, TraceRequest.Format)] = [
      (".swf", .swf), (".csv", .csv), (".tsv", .csv), (".psv", .csv), (".jsonl", .jsonl), (".ndjson", .jsonl),
      (".json", .jsonl),
    ]
    guard let format = known.first(where: { plain.hasSuffix($0.0) })?.1 else { return nil }
    self = format
  }
}

extension ScenarioReader {
  /// Whether a `load:` uses a trace.
  static func namesTrace(_ node: YAMLNode) -> Bool {
    if case .sequence(let items) = node.content { return items.contains { namesTrace($0) } }
    return tracePlace(node) != nil
  }

  /// Adds job types that occur only in the trace, and maps the trace's type numbers to those of the scenario.
  mutating func addTypes(of streams: [LoadStream], to jobs: inout [JobSpec], _ declared: YAMLNode?) {
    guard let stream = streams.first, case .trace(let trace) = stream.arrivals else { return }
    for name in trace.types where !jobNames.contains(name) {
      jobNames.append(name)
      jobs.append(
        JobSpec(
          name: name, priority: .normal, service: trace.service.isEmpty ? nil : .constant(.zero), work: .sleep,
          pool: nil, timeout: nil, retry: nil, concurrency: nil, rate: nil, memory: 0, delay: nil, failures: .none,
          cancel: nil, stall: nil))
    }
    guard jobs.count <= 1_000 else {
      if let declared { report(declared.place, "jobs and the trace together have more than 1000 types") }
      return
    }
    let place = declared?.place ?? .position(line: 1, column: 1)
    for name in trace.types {
      guard let index = jobNames.firstIndex(of: name) else { continue }
      if trace.service.isEmpty, jobs[index].service == nil {
        report(
          place,
          "the trace has no service times; give the job '\(name)' one under jobs:, or name a column with columns.service"
        )
      }
      // Times in the trace take precedence, so a declared one would be misleading.
      if !trace.service.isEmpty { jobs[index].service = .constant(.zero) }
    }
  }
}
