import TailraceCore

/// The jobs of a recorded log, to be replayed as a tape.
///
/// Each array has one element per kept job, in order of submission; jobs of the same instant in file order. Instants
/// count from the first kept job's submission.
package struct Trace: Sendable {
  /// The name of the file in the scenario.
  package var file: String
  /// Submission times from the first kept job's, ascending.
  package var submitted: ContiguousArray<Nanoseconds> = []
  /// Run times of the jobs; empty: not in the trace, and the job type's `service` applies.
  package var service: ContiguousArray<Nanoseconds> = []
  /// Indices into ``types``.
  package var type: ContiguousArray<UInt16> = []
  /// Names of the job types that occur, in order of their first job.
  package var types: [String] = []
  /// Empty: each job type's own.
  package var priority: ContiguousArray<Priority> = []
  /// Empty: the priorities of the job types.
  package var endings: ContiguousArray<AttemptEnding> = []
  /// Indices into ``tenants``; empty: none.
  package var tenant: ContiguousArray<UInt32> = []
  package var tenants: [String] = []
  /// The trace's names of its jobs.
  package var names: TraceNames = .rows([])
  /// Rows read, without comments and blank lines.
  package var rows = 0
  /// Rows that were left out, by reason, in the order in which the reasons are tried.
  package var leftOut: [(reason: String, count: Int)] = []
  /// Values of the column of job types that are not valid names, with the names that replace them.
  package var renamed: [(value: String, name: String)] = []
  /// Remarks about the file for the report.
  package var remarks: [String] = []
  /// A digest of everything above that affects a system.
  package var digest: UInt64 = 0

  package init(file: String) { self.file = file }

  /// The number of kept jobs.
  package var count: Int { submitted.count }
  /// The time from the first submission to the last.
  package var span: Nanoseconds { submitted.last ?? .zero }

  /// The trace with every time multiplied by `factor`.
  package func scaled(by factor: Double) -> Trace {
    var trace = self
    for index in trace.submitted.indices { trace.submitted[index] = trace.submitted[index].scaled(by: factor) }
    for index in trace.service.indices { trace.service[index] = trace.service[index].scaled(by: factor) }
    trace.updateDigest()
    return trace
  }

  mutating func updateDigest() {
    var hash = StableHash()
    for name in types { hash.combine(name) }
    for index in submitted.indices {
      hash.combine(submitted[index])
      if !service.isEmpty { hash.combine(service[index]) }
      hash.combine(UInt64(type[index]))
      if !priority.isEmpty { hash.combine(UInt64(priority[index].rawValue)) }
      if !endings.isEmpty { hash.combine(UInt64(endings[index].rawValue)) }
    }
    digest = hash.value
  }
}

extension Trace: Hashable {
  package static func == (a: Trace, b: Trace) -> Bool { a.digest == b.digest && a.file == b.file }
  package func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// The names of a trace's jobs.
package enum TraceNames: Sendable {
  /// Numbers from the log, or row numbers from 1.
  case rows(ContiguousArray<Int64>)
  case texts(ContiguousArray<String>)

  /// The name of a job by index.
  package subscript(index: Int) -> String {
    switch self {
    case .rows(let numbers): numbers.indices.contains(index) ? String(numbers[index]) : ""
    case .texts(let texts): texts.indices.contains(index) ? texts[index] : ""
    }
  }
}

/// How to read a trace file.
package struct TraceRequest: Sendable {
  package enum Format: String, Sendable, CaseIterable { case swf, csv, jsonl }
  /// A column to read.
  package struct Column: Sendable {
    package var name: String
    /// The unit of instants and durations; nil: determined from the text.
    package var unit: TraceUnit?
    /// The column's name in messages: a position is shown as `column 3`.
    var words: String { Int(name) == nil ? name : "column \(name)" }
    package init(_ name: String, unit: TraceUnit? = nil) {
      self.name = name
      self.unit = unit
    }
  }
  package var format: Format
  /// nil: derived from other columns: ``started``, otherwise ``ended`` minus ``service``; minus ``waiting`` if present.
  package var submitted: Column?
  package var started: Column?
  package var ended: Column?
  package var waiting: Column?
  /// nil: ``ended`` minus ``started``; without these, the job types set it.
  package var service: Column?
  package var jobType: String?
  package var priority: String?
  /// Priorities by value of the priority column; empty: names of priorities or their numbers, 1 to 5.
  package var priorities: [String: Priority] = [:]
  package var tenant: String?
  package var outcome: String?
  /// Values of the outcome column that mean failure.
  package var failures: Set<String> = []
  package var id: String?
  /// Only rows in which each of these columns has one of its values are kept.
  package var filters: [(column: String, values: [String])] = []
  /// A factor on the speed of arrivals.
  package var speed = 1.0
  /// Maximum number of kept rows; nil: all.
  package var first: Int?
  /// Keeps every nth of the rows, beginning with the first.
  package var every = 1

  package init(format: Format, submitted: Column? = nil, service: Column? = nil) {
    self.format = format
    self.submitted = submitted
    self.service = service
  }

  /// Whether the log contains run times.
  package var hasService: Bool { service != nil || started != nil && ended != nil }
  /// Whether the log contains submission times.
  package var hasSubmission: Bool { submitted != nil || started != nil || ended != nil && service != nil }

  /// The columns of the Standard Workload Format.
  package static var standardWorkload: TraceRequest {
    var request = TraceRequest(
      format: .swf, submitted: Column("submit_time", unit: .seconds), service: Column("run_time", unit: .seconds))
    request.id = "job_number"
    return request
  }
}

/// The unit of times in a trace.
package enum TraceUnit: String, Sendable, CaseIterable {
  case seconds = "s"
  case milliseconds = "ms"
  case microseconds = "us"
  case nanoseconds = "ns"
  case minutes = "min"
  case hours = "h"
  /// A date and time; see ``DateReader``.
  case datetime

  /// Decimal places from the unit to nanoseconds, and a factor.
  var scale: (digits: Int, factor: Int64) {
    switch self {
    case .seconds, .datetime: (9, 1)
    case .milliseconds: (6, 1)
    case .microseconds: (3, 1)
    case .nanoseconds: (0, 1)
    case .minutes: (9, 60)
    case .hours: (9, 3_600)
    }
  }
}
