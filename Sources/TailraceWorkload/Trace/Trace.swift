import TailraceCore

/// The jobs of a real log that are to be replayed: a source of tapes beside what is drawn.
///
/// One place per kept job, in order of submission, those of one instant in the order of the file. Instants count from
/// the first kept job's submission.
package struct Trace: Sendable {
  /// As the scenario names the file.
  package var file: String
  /// From the first kept job's submission, never falling.
  package var submitted: ContiguousArray<Nanoseconds> = []
  /// How long the job ran; empty: the trace does not say, and its job type's `service` does.
  package var service: ContiguousArray<Nanoseconds> = []
  /// Indices into ``types``.
  package var type: ContiguousArray<UInt16> = []
  /// Names of the job types that occur, in order of their first job.
  package var types: [String] = []
  /// Empty: each job type's own.
  package var priority: ContiguousArray<Priority> = []
  /// How each job ended in the log; empty: all are taken to succeed.
  package var endings: ContiguousArray<AttemptEnding> = []
  /// Indices into ``tenants``; empty: the trace names none.
  package var tenant: ContiguousArray<UInt32> = []
  package var tenants: [String] = []
  /// The trace's own names for its jobs.
  package var names: TraceNames = .rows([])
  /// Rows read, without comments and blank lines.
  package var rows = 0
  /// Rows that were left out, by reason, in the order in which the reasons are tried.
  package var leftOut: [(reason: String, count: Int)] = []
  /// Values of the column of job types that could not be names, with the names that stand for them.
  package var renamed: [(value: String, name: String)] = []
  /// What a reader should know although the file could be read.
  package var remarks: [String] = []
  /// Changes with anything above that a system could notice.
  package var digest: UInt64 = 0

  package init(file: String) { self.file = file }

  /// Kept jobs.
  package var count: Int { submitted.count }
  /// From the first submission to the last.
  package var span: Nanoseconds { submitted.last ?? .zero }

  /// With every time multiplied by `factor`.
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

/// What a trace calls its jobs.
package enum TraceNames: Sendable {
  /// Numbers: the log's own, or the rows', from 1.
  case rows(ContiguousArray<Int64>)
  case texts(ContiguousArray<String>)

  /// The name of the job at a place.
  package subscript(index: Int) -> String {
    switch self {
    case .rows(let numbers): numbers.indices.contains(index) ? String(numbers[index]) : ""
    case .texts(let texts): texts.indices.contains(index) ? texts[index] : ""
    }
  }
}

/// How a trace file is to be read.
package struct TraceRequest: Sendable {
  package enum Format: String, Sendable, CaseIterable { case swf, csv, jsonl }
  /// What a column holds.
  package struct Column: Sendable {
    package var name: String
    /// Of instants and lengths of time; nil: told from the text.
    package var unit: TraceUnit?
    /// As a message calls it: a place is not its name.
    var words: String { Int(name) == nil ? name : "column \(name)" }
    package init(_ name: String, unit: TraceUnit? = nil) {
      self.name = name
      self.unit = unit
    }
  }
  package var format: Format
  /// nil: it follows from the others: ``started``, else ``ended`` less ``service``; less ``waiting`` where there is
  /// one.
  package var submitted: Column?
  package var started: Column?
  package var ended: Column?
  package var waiting: Column?
  /// nil: ``ended`` less ``started``; without these, the job types say.
  package var service: Column?
  package var jobType: String?
  package var priority: String?
  /// What the priority column's values stand for; empty: names of priorities or their numbers, 1 to 5.
  package var priorities: [String: Priority] = [:]
  package var tenant: String?
  package var outcome: String?
  /// Values of the outcome column that stand for a failure.
  package var failures: Set<String> = []
  package var id: String?
  /// Kept are rows whose column has one of the values.
  package var filters: [(column: String, values: [String])] = []
  /// Arrivals come this many times as fast.
  package var speed = 1.0
  /// At most this many kept rows; nil: all.
  package var first: Int?
  /// Every so many of the kept rows, from the first.
  package var every = 1

  package init(format: Format, submitted: Column? = nil, service: Column? = nil) {
    self.format = format
    self.submitted = submitted
    self.service = service
  }

  /// Whether the log says how long its jobs ran.
  package var hasService: Bool { service != nil || started != nil && ended != nil }
  /// Whether the columns say when jobs were submitted.
  package var hasSubmission: Bool { submitted != nil || started != nil || ended != nil && service != nil }

  /// As the Standard Workload Format fixes it.
  package static var standardWorkload: TraceRequest {
    var request = TraceRequest(
      format: .swf, submitted: Column("submit_time", unit: .seconds), service: Column("run_time", unit: .seconds))
    request.id = "job_number"
    return request
  }
}

/// In which a trace counts its times.
package enum TraceUnit: String, Sendable, CaseIterable {
  case seconds = "s"
  case milliseconds = "ms"
  case microseconds = "us"
  case nanoseconds = "ns"
  case minutes = "min"
  case hours = "h"
  /// A date and time; see ``DateReader``.
  case datetime

  /// Decimal places from the unit down to nanoseconds, and a factor.
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
