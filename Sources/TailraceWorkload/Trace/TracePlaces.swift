import TailraceSpelling
import TailraceText

/// The positions of the requested columns in a row.
struct TracePlaces {
  struct Time {
    var place: Int
    var column: TraceRequest.Column
    var isLength: Bool
  }
  var submitted, started, ended, waiting, service: Time?
  var jobType, priority, tenant, outcome, id, processors, requested: Int?
  var filters: [(place: Int, values: Set<String>)] = []

  /// All requested time columns.
  var times: [Time] { [submitted, started, ended, waiting, service].compactMap { $0 } }

  init(_ request: TraceRequest, in rows: TraceRows) throws(TextProblem) {
    func place(_ name: String) throws(TextProblem) -> Int {
      let same = rows.columns.indices.filter { rows.columns[$0] == name }
      if same.count > 1 {
        throw TextProblem(
          line: 1,
          message: "\(same.count) columns are called '\(name)'; use its position instead, such as "
            + "\(same[0] + 1)")
      }
      if let index = same.first { return index }
      if let number = Int(name) {
        guard number >= 1, number <= rows.width else {
          throw TextProblem(
            line: 1,
            message: "there is no column \(number); a row has \(rows.width)"
              + (rows.width == 1 ? ": separate values by commas, ';', '|' or tabs, not by blanks" : ""))
        }
        return number - 1
      }
      let names = rows.columns.prefix(40).map { VisibleText.quoted($0) }.joined(separator: ", ")
      let known = rows.columns.isEmpty ? "1 to \(rows.width)" : names
      let hint = request.format == .csv ? "; if there is no header, use column positions, from 1" : ""
      throw TextProblem(line: 1, message: "there is no column '\(name)'; columns: \(known)\(hint)")
    }
    func optional(_ name: String?) throws(TextProblem) -> Int? { try name.map(place) }
    func time(_ column: TraceRequest.Column?, isLength: Bool = false) throws(TextProblem) -> Time? {
      try column.map { column throws(TextProblem) in
        Time(place: try place(column.name), column: column, isLength: isLength)
      }
    }
    submitted = try time(request.submitted)
    started = try time(request.started)
    ended = try time(request.ended)
    waiting = try time(request.waiting, isLength: true)
    service = try time(request.service, isLength: true)
    jobType = try optional(request.jobType)
    priority = try optional(request.priority)
    tenant = try optional(request.tenant)
    outcome = try optional(request.outcome)
    id = try optional(request.id)
    if request.format == .swf {
      processors = try place("processors")
      requested = try place("requested_processors")
    }
    for filter in request.filters {
      filters.append((try place(filter.column), Set(filter.values)))
    }
  }
}

/// The submission time and run time of a row.
enum TraceRowTimes {
  case known(submitted: Int64, service: Int64)
  case unknown(TraceReader.Reason)

  static func read(
    _ row: TextRow, _ places: TracePlaces, isStandard: Bool, point: UInt8, line: Int
  ) throws(TextProblem) -> TraceRowTimes {
    /// Nanoseconds; nil: not known.
    func value(_ time: TracePlaces.Time) throws(TextProblem) -> Int64? {
      let reading = row.withBytes(time.place) { bytes in
        time.isLength
          ? TraceTime.length(bytes, time.column.unit, point: point)
          : TraceTime.instant(bytes, time.column.unit, point: point)
      }
      switch reading {
      case .value(let value):
        // The Standard Workload Format uses -1 for unknown values.
        return isStandard && value == -1_000_000_000 ? nil : value
      case .missing: return nil
      case .wrong(let allowed):
        throw TextProblem(
          line: line, column: row.column(time.place),
          message: "\(time.column.words) is '\(row.shown(time.place))'; write \(allowed)")
      }
    }
    var service: Int64 = 0
    var (start, end): (Int64?, Int64?)
    if let place = places.started {
      start = try value(place)
      if start == nil { return .unknown(.noStart) }
    }
    if let place = places.ended {
      end = try value(place)
      if end == nil { return .unknown(.noEnd) }
    }
    var submitted: Int64?
    if let place = places.submitted {
      submitted = try value(place)
      guard let submitted else { return .unknown(.noSubmission) }
      if submitted < 0, place.column.unit != .datetime, row.withBytes(place.place, { NumberText.isNumber($0) }) {
        throw TextProblem(
          line: line, column: row.column(place.place),
          message: "\(place.column.words) is \(row.shown(place.place)), which is negative; times are 0 or more")
      }
    }
    if let place = places.service {
      guard let length = try value(place) else { return .unknown(.noRunTime) }
      service = length
    } else if let start, let end {
      service = end &- start
    }
    if places.service != nil || start != nil && end != nil {
      if service == 0 { return .unknown(.zeroRunTime) }
      if service < 0 { return .unknown(.negativeRunTime) }
    }
    if let submitted { return .known(submitted: submitted, service: service) }
    guard var instant = start ?? end.map({ $0 &- service }) else { return .unknown(.noSubmission) }
    if let place = places.waiting {
      guard let length = try value(place) else { return .unknown(.noWaiting) }
      instant = instant &- length
    }
    return .known(submitted: instant, service: service)
  }
}
