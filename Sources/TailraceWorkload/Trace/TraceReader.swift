import TailraceCore

/// Reads a trace file into the jobs that a tape replays.
///
/// # The cleaning rule
/// A row is kept if its submission time is known, its run time (where the trace has one) is known and above zero and,
/// in the Standard Workload Format, it had processors (allocated, else requested). Each kept job takes one worker. Then
/// come the filters, then `every`, then `first`; rows are ordered by submission, those of one instant as in the file;
/// and the first one kept is submitted at zero. What is left out is counted by reason. A row that breaks its format
/// makes the file unusable: it is named with its line.
struct TraceReader {
  /// Problems named at most; one wrong column makes as many as there are rows.
  private static let problemLimit = 20
  private static let rowLimit = 100_000_000

  private let request: TraceRequest
  private(set) var problems: [TraceProblem] = []
  private var rows: [Row] = []
  private var names: ContiguousArray<String> = []
  private var trace: Trace
  private var typeNumbers: [String: UInt16] = [:]
  private var tenantNumbers: [String: UInt32] = [:]
  private var counts: [String: Int] = [:]

  private struct Row {
    var submitted: Int64
    var service: Int64
    var type: UInt16
    var priority: Priority
    var ending: AttemptEnding
    var tenant: UInt32
    var number: Int64
  }

  /// Where the wanted columns are in a row.
  private struct Places {
    var submitted = 0
    var service, jobType, priority, tenant, outcome, id, processors, requested: Int?
    var filters: [(place: Int, values: Set<String>)] = []
  }

  private enum Reason: String, CaseIterable {
    case noSubmission = "submission time unknown"
    case noRunTime = "run time unknown"
    case zeroRunTime = "run time of 0"
    case noProcessors = "no processors"
    case noPriority = "priority unknown"
    case filtered = "filtered out"
    case every = "left out by every"
    case first = "beyond first"
  }

  init(_ request: TraceRequest, file: String) {
    self.request = request
    trace = Trace(file: file)
  }

  /// Reads a file; nil: it has ``problems``.
  mutating func read(_ path: String) -> Trace? {
    do {
      var source = try TraceRows(TraceText.read(path), format: request.format, wanted: wantedColumns)
      let places = try places(in: source.columns)
      while problems.count < Self.problemLimit {
        do {
          guard try source.next() else { break }
          try take(source.values, places, line: source.line)
        } catch {
          problems.append(error)
        }
      }
    } catch {
      problems.append(error)
    }
    if problems.isEmpty, rows.isEmpty {
      let reasons = leftOut.map { "\($0.count) \($0.reason)" }.joined(separator: ", ")
      problems.append(
        TraceProblem(
          line: 0,
          message: "none of its \(trace.rows) rows is left to replay; left out: \(reasons.isEmpty ? "none" : reasons)"))
    }
    return problems.isEmpty ? finish() : nil
  }

  private var wantedColumns: [String] {
    let columns = [
      request.submitted.name, request.service?.name, request.jobType, request.priority, request.tenant, request.outcome,
      request.id,
    ]
    return (columns.compactMap { $0 } + request.filters.map(\.column)).reduce(into: []) {
      if !$0.contains($1) { $0.append($1) }
    }
  }

  private func places(in columns: [String]) throws(TraceProblem) -> Places {
    func place(_ name: String) throws(TraceProblem) -> Int {
      if let index = columns.firstIndex(of: name) { return index }
      let known = columns.prefix(40).joined(separator: ", ")
      throw TraceProblem(line: 1, message: "there is no column '\(name)'; columns: \(known)")
    }
    func optional(_ name: String?) throws(TraceProblem) -> Int? {
      guard let name else { return nil }
      return try place(name)
    }
    var places = Places()
    places.submitted = try place(request.submitted.name)
    places.service = try optional(request.service?.name)
    places.jobType = try optional(request.jobType)
    places.priority = try optional(request.priority)
    places.tenant = try optional(request.tenant)
    places.outcome = try optional(request.outcome)
    places.id = try optional(request.id)
    if request.format == .swf {
      places.processors = try place("processors")
      places.requested = try place("requested_processors")
    }
    for filter in request.filters {
      places.filters.append((try place(filter.column), Set(filter.values)))
    }
    return places
  }

  // MARK: - One row

  private mutating func take(_ values: [Substring], _ places: Places, line: Int) throws(TraceProblem) {
    trace.rows += 1
    guard trace.rows <= Self.rowLimit else {
      throw TraceProblem(line: line, message: "more than \(Self.rowLimit) rows; split the file")
    }
    if request.format == .swf { try checkNumbers(values, line: line) }
    guard let submitted = try time(values[places.submitted], request.submitted, line: line) else {
      return leave(.noSubmission)
    }
    var service: Int64 = 0
    if let place = places.service, let column = request.service {
      guard let length = try time(values[place], column, line: line) else { return leave(.noRunTime) }
      if length == 0 { return leave(.zeroRunTime) }
      service = length
    }
    if let place = places.processors, let requested = places.requested {
      let allocated = TraceText.decimal(values[place], .nanoseconds) ?? 0
      if allocated <= 0, (TraceText.decimal(values[requested], .nanoseconds) ?? 0) <= 0 { return leave(.noProcessors) }
    }
    for filter in places.filters where !filter.values.contains(String(values[filter.place])) { return leave(.filtered) }
    var priority = Priority.normal
    if let place = places.priority {
      guard let known = self.priority(String(values[place])) else { return leave(.noPriority) }
      priority = known
    }
    let failed = places.outcome.map { request.failures.contains(String(values[$0])) } ?? false
    let tenant = places.tenant.map { self.tenant(String(values[$0])) } ?? 0
    let type = try self.type(places.jobType.map { String(values[$0]) }, line: line)
    rows.append(
      Row(
        submitted: submitted, service: service, type: type, priority: priority,
        ending: failed ? .failsPermanently : .succeeds, tenant: tenant,
        number: try number(places.id.map { values[$0] }, line: line)))
  }

  private mutating func leave(_ reason: Reason) { counts[reason.rawValue, default: 0] += 1 }

  /// Every field of the Standard Workload Format is a number.
  private func checkNumbers(_ values: [Substring], line: Int) throws(TraceProblem) {
    for (index, name) in TraceRows.standardWorkloadFields.enumerated()
    where TraceText.decimal(values[index], .milliseconds) == nil {
      throw TraceProblem(
        line: line,
        message:
          "field \(index + 1) (\(name)) is '\(values[index])', which is no number; -1 stands for what is not known")
    }
  }

  /// Nanoseconds; nil: not known.
  private func time(
    _ text: Substring, _ column: TraceRequest.Column, line: Int
  ) throws(TraceProblem) -> Int64? {
    if text.isEmpty || request.format == .swf && text == "-1" { return nil }
    let unit = column.unit ?? (text.contains(":") ? .datetime : .seconds)
    let value = unit == .datetime ? TraceText.datetime(text) : TraceText.decimal(text, unit)
    guard let value else {
      let allowed = unit == .datetime ? "a date and time such as 2024-11-15 16:57:50" : "a number of \(unit.rawValue)"
      throw TraceProblem(line: line, message: "\(column.name) is '\(text)'; write \(allowed)")
    }
    if value < 0, unit != .datetime {
      throw TraceProblem(line: line, message: "\(column.name) is \(text), below zero; times count upwards from zero")
    }
    return value
  }

  private func priority(_ text: String) -> Priority? {
    if !request.priorities.isEmpty { return request.priorities[text] }
    if let number = UInt8(text) { return Priority(rawValue: number) }
    return Priority.allCases.first { $0.name == text.lowercased() }
  }

  private mutating func tenant(_ name: String) -> UInt32 {
    if let known = tenantNumbers[name] { return known }
    let number = UInt32(trace.tenants.count)
    trace.tenants.append(name)
    tenantNumbers[name] = number
    return number
  }

  /// The number of a job type, whose name is the column's value with what no name may hold replaced.
  private mutating func type(_ text: String?, line: Int) throws(TraceProblem) -> UInt16 {
    let value = text ?? ""
    if let known = typeNumbers[value] { return known }
    guard trace.types.count < 1_000 else {
      throw TraceProblem(line: line, message: "more than 1000 job types; choose a column with fewer values")
    }
    var name = String(
      value.unicodeScalars.prefix(64).map { scalar in
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
          || "_-.".unicodeScalars.contains(scalar) ? Character(scalar) : "_"
      })
    if let column = request.jobType, request.format == .swf { name = "\(column)-\(name)" }
    if name.isEmpty { name = text == nil ? "job" : "unnamed" }
    // Two values may come down to one name.
    if let same = trace.types.firstIndex(of: name) {
      typeNumbers[value] = UInt16(same)
      return UInt16(same)
    }
    let number = UInt16(trace.types.count)
    trace.types.append(name)
    typeNumbers[value] = number
    return number
  }

  /// The row's own number: that of the id column, else the row's; an id that is no number is kept as text.
  private mutating func number(_ id: Substring?, line: Int) throws(TraceProblem) -> Int64 {
    guard let id else { return Int64(trace.rows) }
    if names.isEmpty, let number = Int64(id) { return number }
    if names.isEmpty { names = ContiguousArray(rows.map { String($0.number) }) }
    names.append(String(id))
    return Int64(names.count - 1)
  }

  // MARK: - All rows

  private var leftOut: [(reason: String, count: Int)] {
    Reason.allCases.compactMap { reason in counts[reason.rawValue].map { (reason.rawValue, $0) } }
  }

  private mutating func finish() -> Trace {
    // As in the file where instants are equal: the sort of the standard library keeps their order.
    var order = Array(rows.indices)
    if !zip(rows, rows.dropFirst()).allSatisfy({ $0.submitted <= $1.submitted }) {
      order.sort { (rows[$0].submitted, $0) < (rows[$1].submitted, $1) }
    }
    if request.every > 1 {
      let kept = stride(from: 0, to: order.count, by: request.every).map { order[$0] }
      counts[Reason.every.rawValue] = order.count - kept.count
      order = kept
    }
    if let first = request.first, first < order.count {
      counts[Reason.first.rawValue] = order.count - first
      order = Array(order.prefix(first))
    }
    let origin = rows[order[0]].submitted
    let hasEndings = request.outcome != nil
    var numbers: ContiguousArray<Int64> = []
    var texts: ContiguousArray<String> = []
    for index in order {
      let row = rows[index]
      let time = row.submitted - origin
      trace.submitted.append(
        Nanoseconds(request.speed == 1 ? time : Int64((Double(time) / request.speed).rounded())))
      if request.service != nil { trace.service.append(Nanoseconds(row.service)) }
      trace.type.append(row.type)
      if request.priority != nil { trace.priority.append(row.priority) }
      if hasEndings { trace.endings.append(row.ending) }
      if request.tenant != nil { trace.tenant.append(row.tenant) }
      if names.isEmpty { numbers.append(row.number) } else { texts.append(names[index]) }
    }
    trace.names = names.isEmpty ? .rows(numbers) : .texts(texts)
    trace.leftOut = leftOut
    trace.updateDigest()
    return trace
  }
}

extension Trace {
  /// Reads a trace file.
  ///
  /// - Parameters:
  ///   - path: where it is.
  ///   - name: as the user calls it.
  /// - Returns: the jobs to replay, or every problem that was found, 20 at most.
  package static func read(
    _ path: String, named name: String, _ request: TraceRequest
  ) -> Result<Trace, TraceProblems> {
    var reader = TraceReader(request, file: name)
    if let trace = reader.read(path) { return .success(trace) }
    return .failure(TraceProblems(file: name, problems: reader.problems))
  }
}

/// What is wrong with a trace file.
package struct TraceProblems: Error, Sendable, CustomStringConvertible {
  package var file: String
  package var problems: [TraceProblem]
  /// A line for each problem.
  package var description: String { lines.joined(separator: "\n") }
  /// `file:line: what is wrong`.
  package var lines: [String] {
    problems.map { $0.line > 0 ? "\(file):\($0.line): \($0.message)" : "\(file): \($0.message)" }
  }
}
