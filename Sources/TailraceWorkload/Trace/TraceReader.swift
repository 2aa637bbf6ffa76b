import TailraceCore
import TailraceSpelling
import TailraceText

/// Reads a trace file into the jobs of a tape.
///
/// # Cleaning A row is kept if its submission time is known, its run time (if the trace has one) is known and above
/// zero and, in the Standard Workload Format, it had processors (allocated, otherwise requested). Each kept job uses
/// one worker. Then the filters, `every` and `first` apply, in this order. Rows are sorted by submission, those of the
/// same instant in file order, and the first kept row is submitted at zero. Excluded rows are counted by reason. A
/// malformed row makes the file unusable and is reported with its line.
struct TraceReader {
  /// Maximum number of reported problems, because one wrong column causes a problem per row.
  private static let problemLimit = 20
  private static let rowLimit = 100_000_000

  let request: TraceRequest
  private(set) var problems: [TextProblem] = []
  private var rows: [Row] = []
  private var names: ContiguousArray<String> = []
  private var trace: Trace
  /// Values of the column of job types in order of their first job, and their numbers.
  private var typeValues: [String] = []
  private var typeNumbers: [String: UInt16] = [:]
  private var tenantNumbers: [String: UInt32] = [:]
  private var counts = [Int](repeating: 0, count: Reason.allCases.count)
  private var watched: [TraceNamedValues] = []
  private var point = UInt8(ascii: ".")

  private struct Row {
    var submitted: Int64
    var service: Int64
    var type: UInt16
    var priority: Priority
    var ending: AttemptEnding
    var tenant: UInt32
    var number: Int64
  }

  init(_ request: TraceRequest, file: String) {
    self.request = request
    trace = Trace(file: file)
  }

  /// Reads a file; nil: see ``problems``.
  mutating func read(_ named: NamedFile) -> Trace? {
    do {
      let file = try TextFile.read(named.path, .trace, named.kind)
      trace.remarks += file.remarks
      var source = try TraceRows(file.bytes, format: request.format, wanted: wantedColumns)
      point = source.point
      let places = try TracePlaces(request, in: source)
      watched = TraceNamedValues.all(in: request, places)
      var isFirst = true
      while problems.count < Self.problemLimit {
        do {
          guard try source.next() else { break }
          defer { isFirst = false }
          let row = source.row
          // A file whose columns are given by position may still have a header.
          if isFirst, source.columns.isEmpty, isHeader(row, places) { continue }
          try take(row, places, line: source.line)
        } catch {
          problems.append(error)
        }
      }
      if problems.isEmpty, trace.rows > 0 { reportAbsent(source.absent) }
    } catch {
      problems.append(error)
    }
    // Actual values are shown only for files whose contents may be shown.
    let unseen = watched.compactMap { named.isShown ? $0.remark : $0.remarkOnNames }
    if problems.isEmpty, rows.isEmpty {
      let reasons = leftOut.map { "\($0.count) \($0.reason)" }.joined(separator: ", ")
      problems.append(
        TextProblem(
          line: 0,
          message: "all \(trace.rows) rows were excluded: \(reasons.isEmpty ? "none" : reasons)"
            + unseen.map { "; \($0)" }.joined()))
    }
    trace.remarks += unseen
    guard problems.isEmpty else { return nil }
    let whole = finish()
    return problems.isEmpty ? whole : nil
  }

  private var wantedColumns: [String] {
    let times = [request.submitted, request.started, request.ended, request.waiting, request.service]
    let texts = [request.jobType, request.priority, request.tenant, request.outcome, request.id]
    return (times.map { $0?.name } + texts + request.filters.map(\.column)).reduce(into: []) {
      if let name = $1, !$0.contains(name) { $0.append(name) }
    }
  }

  private mutating func reportAbsent(_ absent: (names: [String], known: [String])) {
    for name in absent.names {
      problems.append(
        TextProblem(
          line: 1,
          message: "there is no column '\(name)' in any object; the first has \(absent.known.joined(separator: ", "))"))
    }
  }

  /// Whether the first row of a file without named columns is a header: none of the wanted times can be parsed.
  private func isHeader(_ row: TextRow, _ places: TracePlaces) -> Bool {
    places.times.allSatisfy { time in
      let reading = row.withBytes(time.place) { bytes in
        time.isLength
          ? TraceTime.length(bytes, time.column.unit, point: point)
          : TraceTime.instant(bytes, time.column.unit, point: point)
      }
      // An invalid time still begins with a digit, and is reported.
      let isWord = row.withBytes(time.place) {
        $0.first.map { $0 < UInt8(ascii: "0") || $0 > UInt8(ascii: "9") } ?? false
      }
      if case .wrong = reading { return isWord }
      return false
    }
  }

  // MARK: - One row

  private mutating func take(_ row: TextRow, _ places: TracePlaces, line: Int) throws(TextProblem) {
    trace.rows += 1
    guard trace.rows <= Self.rowLimit else {
      throw TextProblem(line: line, message: "more than \(Self.rowLimit) rows; split the file")
    }
    for index in watched.indices where watched[index].isOpen { try watched[index].see(row, line: line) }
    if request.format == .swf { try checkNumbers(row, line: line) }
    let times: (submitted: Int64, service: Int64)
    switch try TraceRowTimes.read(row, places, isStandard: request.format == .swf, point: point, line: line) {
    case .known(let submitted, let service):
      guard service <= Nanoseconds.longest.rawValue else {
        throw TextProblem(
          line: line,
          message: "a run time of more than 100 years; exclude the row (where:), or set the column's unit")
      }
      times = (submitted, service)
    case .unknown(let reason): return leave(reason)
    }
    if let place = places.processors, let requested = places.requested,
      !row.withBytes(place, { NumberText.isPositive($0) }), !row.withBytes(requested, { NumberText.isPositive($0) })
    {
      return leave(.noProcessors)
    }
    for filter in places.filters {
      guard let text = row.text(filter.place), filter.values.contains(text) else { return leave(.filtered) }
    }
    var priority = Priority.normal
    if let place = places.priority {
      guard let known = self.priority(try text(row, place, request.priority, line)) else { return leave(.noPriority) }
      priority = known
    }
    let failed = try places.outcome.map { place throws(TextProblem) in
      request.failures.contains(try text(row, place, request.outcome, line))
    }
    let tenant = try places.tenant.map { place throws(TextProblem) in
      self.tenant(try text(row, place, request.tenant, line))
    }
    let value = try places.jobType.map { place throws(TextProblem) in try text(row, place, request.jobType, line) }
    let type = try self.type(value, line: line)
    let id = try places.id.map { place throws(TextProblem) in try text(row, place, request.id, line) }
    rows.append(
      Row(
        submitted: times.submitted, service: times.service, type: type, priority: priority,
        ending: failed == true ? .failsPermanently : .succeeds, tenant: tenant ?? 0, number: number(id)))
  }

  private func text(_ row: TextRow, _ place: Int, _ column: String?, _ line: Int) throws(TextProblem) -> String {
    try row.text(place, column: column ?? "", line: line)
  }

  private mutating func leave(_ reason: Reason) { counts[reason.rawValue] += 1 }

  /// Checks that every field of a row of the Standard Workload Format is a number.
  private func checkNumbers(_ row: TextRow, line: Int) throws(TextProblem) {
    for (index, name) in TraceRows.standardWorkloadFields.enumerated()
    where !row.withBytes(index, { NumberText.isNumber($0) }) {
      throw TextProblem(
        line: line, column: row.column(index),
        message:
          "field \(index + 1) (\(name)) is '\(row.shown(index))', which is not a number; write -1 if unknown")
    }
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

  /// The number of a job type.
  private mutating func type(_ text: String?, line: Int) throws(TextProblem) -> UInt16 {
    let value = text ?? "job"
    if let known = typeNumbers[value] { return known }
    guard typeValues.count < 1_000 else {
      throw TextProblem(line: line, message: "more than 1000 job types; choose a column with fewer values")
    }
    let number = UInt16(typeValues.count)
    typeValues.append(value)
    typeNumbers[value] = number
    return number
  }

  /// The job's number: from the id column, otherwise the row number. An id that is not a number is kept as text.
  private mutating func number(_ id: String?) -> Int64 {
    guard let id else { return Int64(trace.rows) }
    if names.isEmpty, let number = Int64(id) { return number }
    if names.isEmpty { names = ContiguousArray(rows.map { String($0.number) }) }
    names.append(id)
    return Int64(names.count - 1)
  }

  // MARK: - All rows

  private var leftOut: [(reason: String, count: Int)] {
    Reason.allCases.compactMap { counts[$0.rawValue] > 0 ? ($0.words, counts[$0.rawValue]) : nil }
  }

  private mutating func finish() -> Trace {
    // The stable sort keeps file order for equal instants.
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
    nameTypes()
    let origin = rows[order[0]].submitted
    let hasEndings = request.outcome != nil
    var numbers: ContiguousArray<Int64> = []
    var texts: ContiguousArray<String> = []
    for index in order {
      let row = rows[index]
      let time = Nanoseconds(row.submitted) - Nanoseconds(origin)
      trace.submitted.append(request.speed == 1 ? time : Self.divided(time, by: request.speed))
      if request.hasService { trace.service.append(Nanoseconds(row.service)) }
      trace.type.append(row.type)
      if request.priority != nil { trace.priority.append(row.priority) }
      if hasEndings { trace.endings.append(row.ending) }
      if request.tenant != nil { trace.tenant.append(row.tenant) }
      if names.isEmpty { numbers.append(row.number) } else { texts.append(names[index]) }
    }
    guard trace.span <= .longest else {
      problems.append(
        TextProblem(
          line: 0,
          message: "its last job is submitted more than 100 years after its first; keep fewer rows (first:, where:), "
            + "raise speed:, or name the unit of the column"))
      return trace
    }
    trace.names = names.isEmpty ? .rows(numbers) : .texts(texts)
    trace.leftOut = leftOut
    trace.updateDigest()
    return trace
  }

  /// Divides times by the speed factor; saturates.
  private static func divided(_ time: Nanoseconds, by speed: Double) -> Nanoseconds {
    let exact = (Double(time.rawValue) / speed).rounded()
    return Nanoseconds(exact < 9.2e18 ? Int64(exact) : .max)
  }

  private mutating func nameTypes() {
    guard let column = request.jobType else {
      trace.types = ["job"]
      return
    }
    let prefix = request.format == .swf ? column : nil
    trace.types = TraceTypeNames(of: typeValues, prefix: prefix).names
    for (value, name) in zip(typeValues, trace.types) where name != (prefix.map { "\($0)-\(value)" } ?? value) {
      trace.renamed.append((value, name))
    }
  }
}

extension TraceReader {
  /// Why a row is excluded; tried in this order.
  enum Reason: Int, CaseIterable {
    case noSubmission, noStart, noEnd, noWaiting, noRunTime, zeroRunTime, negativeRunTime, noProcessors, noPriority
    case filtered, every, first

    var words: String {
      switch self {
      case .noSubmission: "submission time unknown"
      case .noStart: "start time unknown"
      case .noEnd: "end time unknown"
      case .noWaiting: "waiting time unknown"
      case .noRunTime: "run time unknown"
      case .zeroRunTime: "run time of 0"
      case .negativeRunTime: "run time below 0"
      case .noProcessors: "no processors"
      case .noPriority: "priority unknown"
      case .filtered: "filtered out"
      case .every: "skipped by every"
      case .first: "beyond first"
      }
    }
  }
}

extension Trace {
  /// Reads a trace file.
  ///
  /// - Parameters:
  ///   - named: its location, and who named it.
  ///   - name: its name in messages.
  /// - Returns: the jobs to replay, or the problems found, at most 20.
  package static func read(
    _ named: NamedFile, called name: String, _ request: TraceRequest
  ) -> Result<Trace, TraceProblems> {
    var reader = TraceReader(request, file: name)
    if let trace = reader.read(named) { return .success(trace) }
    return .failure(TraceProblems(lines: reader.problems.map { named.told($0, of: name) }))
  }
}

extension Trace {
  /// The columns of a file: the values of its first row, or the paths of its first object.
  ///
  /// - Throws: the reason why it cannot be read.
  package static func columns(of path: String, _ format: TraceRequest.Format) throws(TextProblem) -> [String] {
    var rows = try TraceRows(try TextFile.read(path, .trace).bytes, format: format, wanted: [""])
    guard format == .jsonl else { return rows.columns }
    guard try rows.next() else { throw TextProblem(line: 0, message: "the file is empty; it needs an object") }
    return rows.absent.known
  }
}

/// The problems of a trace file.
package struct TraceProblems: Error, Sendable, CustomStringConvertible {
  /// `file:line: what is wrong`, for each problem.
  package var lines: [String]
  package var description: String { lines.joined(separator: "\n") }
}
