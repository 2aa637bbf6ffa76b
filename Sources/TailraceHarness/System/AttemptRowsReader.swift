import TailraceCore
import TailraceMeasurement
import TailraceReport
import TailraceSpelling
import TailraceText
import TailraceWorkload

/// What the rows of a replay are compared with: the jobs of its tape, by number.
struct ExpectedJobs {
  struct Job {
    var type: Int
    var priority: Priority
    var intended: Instant
  }
  /// Of the job types, by number.
  let types: [String]
  private(set) var jobs: [Job] = []
  /// Of the jobs that have some; tape numbers.
  private(set) var dependencies: [UInt64: [UInt64]] = [:]
  /// The workers that the program was told to use.
  let pools: ProgramPools
  /// How long the program may go on after the last arrival.
  private let allowance: Nanoseconds

  /// No run goes on after this: the program is ended then.
  var end: Instant { (jobs.last?.intended ?? .zero) + allowance }

  /// How many are intended in a window.
  func jobs(from start: Nanoseconds, to end: Nanoseconds?) -> Int {
    jobs.count { job in
      let intended = Nanoseconds(job.intended.nanoseconds)
      return intended >= start && end.map { intended < $0 } != false
    }
  }

  /// Reads the tape once.
  init(_ tape: Tape) {
    types = tape.scenario.jobs.map(\.name)
    pools = ProgramPools(tape.scenario)
    allowance = tape.scenario.drain + ExternalSystem.allowance
    var cursor = tape.makeCursor()
    while let job = cursor.next() {
      if !job.dependencies.isEmpty { dependencies[job.number] = job.dependencies }
      jobs.append(Job(type: job.type, priority: job.priority, intended: job.intended))
    }
  }
}

/// Reads the rows of `jobs.csv`, as ``AttemptRows`` writes them, back into records.
///
/// The rows are somebody else's: each is compared with the tape, and every problem is reported, up to a limit.
struct AttemptRowsReader {
  /// Rows that cannot be read.
  struct Problems: Error, CustomStringConvertible {
    /// `JOBS.csv:3: what is wrong; what is allowed`.
    var lines: [String]
    var description: String { lines.joined(separator: "\n") }
  }

  /// Problems that are worded; of more only the number is said.
  static let limit = 20
  /// No run lasts longer: ten years.
  private static let longest: Int64 = 3_660 * 86_400 * 1_000_000_000

  let expected: ExpectedJobs
  private let numbers: [String: Int]
  private let file: String
  private var problems: [String] = []
  private(set) var count = 0
  private(set) var rows: [(record: TimelineRecord, line: Int)] = []

  private init(_ expected: ExpectedJobs, file: String) {
    self.expected = expected
    self.file = file
    numbers = Dictionary(uniqueKeysWithValues: expected.types.enumerated().map { ($1, $0) })
  }

  /// The records of all rows, by job and attempt.
  ///
  /// - Parameter file: what the problems call the file.
  /// - Throws: ``Problems``.
  static func records(of text: [UInt8], for expected: ExpectedJobs, file: String = "JOBS.csv") throws
    -> [TimelineRecord]
  {
    var reader = AttemptRowsReader(expected, file: file)
    reader.read(text)
    reader.settle()
    reader.checkWorkers()
    guard reader.count == 0 else {
      let more = reader.count - reader.problems.count
      throw Problems(lines: reader.problems + (more > 0 ? ["and \(more) more"] : []))
    }
    return reader.rows.map(\.record)
  }

  mutating func report(_ line: Int, _ words: Message) {
    count += 1
    if problems.count < Self.limit { problems.append("\(file):\(line): \(words)") }
  }

  // MARK: - Rows

  private mutating func read(_ text: [UInt8]) {
    do {
      var rows = DelimitedRows(try TextFile.plain(text))
      guard try rows.next() else { return report(1, "the file is empty; begin with the line \(Self.header)") }
      let names = Self.fields(of: rows.row)
      guard names.joined(separator: ",") == Self.header else {
        return report(1, "the first line is '\(names.joined(separator: ","))'; write \(Self.header)")
      }
      while true {
        do {
          guard try rows.next() else { return }
          if let record = record(Self.fields(of: rows.row), line: rows.line) { self.rows.append((record, rows.line)) }
        } catch {
          report(error.line, Message(error.message))
        }
      }
    } catch {
      report(max(1, error.line), Message(error.message))
    }
  }

  private static let header = String(AttemptRows.header.dropLast())

  private static func fields(of row: TextRow) -> [String] {
    (0..<row.count).map { row.text($0) ?? "(not UTF-8)" }
  }

  private mutating func record(_ fields: [String], line: Int) -> TimelineRecord? {
    let before = count
    guard fields.count == 12 else {
      report(line, "the row has \(fields.count) fields; write the 12 of the first line, empty ones too")
      return nil
    }
    guard let job = UInt64(fields[0]), job < UInt64(expected.jobs.count) else {
      report(line, "job '\(fields[0])' is not on the tape; write a number of the tape's column job")
      return nil
    }
    let known = expected.jobs[Int(job)]
    checkType(fields[1], known, job, line)
    if fields[2] != known.priority.name {
      report(line, "the priority of job \(job) is '\(fields[2])'; on the tape it is '\(known.priority.name)'")
    }
    var record = TimelineRecord(
      number: job, type: JobTypeID(rawValue: UInt16(known.type)), priority: known.priority, intended: known.intended)
    if let attempt = UInt16(fields[3]), attempt > 0 {
      record.attempt = attempt
    } else {
      report(line, "attempt '\(fields[3])' is no number of an attempt; write 1 to 65535")
    }
    readWorker(fields[4], into: &record, line)
    let seen = count
    readInstants(Array(fields[5...10]), into: &record, known, line)
    if count == seen { readOutcome(fields[11], into: &record, line) }
    if count == before { checkOrder(record, line) }
    return count == before ? record : nil
  }

  private mutating func checkType(_ name: String, _ known: ExpectedJobs.Job, _ job: UInt64, _ line: Int) {
    guard let number = numbers[name] else {
      return report(line, "unknown job type '\(name)'; the tape's are \(expected.types.joined(separator: ", "))")
    }
    if number != known.type {
      report(line, "job \(job) is a '\(name)'; on the tape it is a '\(expected.types[known.type])'")
    }
  }

  private mutating func readWorker(_ text: String, into record: inout TimelineRecord, _ line: Int) {
    guard !text.isEmpty else { return }
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    guard halves.count == 2, let pool = PoolID.allCases.first(where: { $0.name == halves[0] }),
      let number = UInt16(halves[1]), number < TimelineRecord.noWorker
    else {
      let pools = PoolID.allCases.map { "\($0.name)-0" }.joined(separator: " or ")
      return report(line, "worker '\(text)' is no worker; write its pool and number, such as \(pools), or nothing")
    }
    (record.pool, record.worker) = (pool, number)
  }

  private mutating func readInstants(
    _ fields: [String], into record: inout TimelineRecord, _ known: ExpectedJobs.Job, _ line: Int
  ) {
    let stages = [\TimelineRecord.intended, \.submitted, \.accepted, \.eligible, \.started, \.finished]
    for (index, stage) in stages.enumerated() {
      if fields[index].isEmpty {
        record[keyPath: stage] = TimelineRecord.never
      } else if let value = Int64(fields[index]), (0...Self.longest).contains(value) {
        record[keyPath: stage] = Instant(nanoseconds: value)
      } else {
        report(
          line,
          "\(Self.stages[index])_ns '\(fields[index])' is no instant; write whole ns from the run's start, 0 or more"
        )
        return
      }
    }
    if record.intended != known.intended {
      report(
        line,
        "intended_ns of job \(record.number) is '\(fields[0])'; write what the tape says, \(known.intended.nanoseconds)"
      )
    }
    if record.finished == TimelineRecord.never {
      report(line, "finished_ns is empty; write when the attempt ended or, without one, when the job settled")
    } else if record.finished > expected.end {
      report(
        line,
        "finished_ns \(fields[5]) is after the end of any run, \(expected.end.nanoseconds) (the last arrival, the "
          + "scenario's drain and \(Int(ExternalSystem.allowance.seconds)) s); write ns from the run's start")
    }
  }

  private static let stages = ["intended", "submitted", "accepted", "eligible", "started", "finished"]

  /// How attempts end, as ``AttemptRows`` names them.
  private static let outcomes: [String: AttemptOutcome] = [
    "succeeded": .succeeded, "failed": .failed, "timed_out": .timedOut, "cancelled": .cancelled,
    "failed_permanently": .failedPermanently, "crashed": .crashed,
  ]
  /// Why a job settles without an attempt.
  private static let causes: [SettlementCause] = [
    .cancelled, .dependencyFailed, .batchFailed, .shed, .rejected, .stopped, .dropped, .duplicate, .invalid,
  ]

  private mutating func readOutcome(_ text: String, into record: inout TimelineRecord, _ line: Int) {
    if record.started == TimelineRecord.never {
      guard let cause = Self.causes.first(where: { $0.name == text }) else {
        let allowed = Self.causes.map(\.name).joined(separator: ", ")
        return report(line, "'\(text)' is no outcome of a job that did not start; write one of \(allowed)")
      }
      record.settles = true
      record.cause = cause
      if record.worker != TimelineRecord.noWorker {
        report(line, "a job that did not start names a worker, \(Self.worker(record)); leave the worker empty")
      }
    } else if let outcome = Self.outcomes[text] {
      record.outcome = outcome
    } else {
      let allowed = Self.outcomes.keys.sorted().joined(separator: ", ")
      report(line, "'\(text)' is no outcome of an attempt; write one of \(allowed)")
    }
  }

  /// Stages come one after another, and none is left out before one that was reached.
  private mutating func checkOrder(_ record: TimelineRecord, _ line: Int) {
    let reached = [
      record.intended, record.submitted, record.accepted, record.eligible, record.started, record.finished,
    ]
    let wasDropped = record.settles && record.cause == .dropped
    if !wasDropped, !record.wasSubmitted {
      return report(line, "submitted_ns is empty; only a job that was 'dropped' was never submitted")
    }
    if wasDropped, record.wasSubmitted {
      return report(line, "a 'dropped' job has a submitted_ns; write 'rejected' or 'shed', or leave it empty")
    }
    var last = 0
    for index in 1..<reached.count where reached[index] != TimelineRecord.never {
      if index > last + 1, index < reached.count - 1 {
        return report(line, "\(Self.stages[index])_ns follows an empty \(Self.stages[index - 1])_ns; write both")
      }
      if reached[index] < reached[last] {
        return report(
          line,
          "\(Self.stages[index])_ns \(reached[index].nanoseconds) is before \(Self.stages[last])_ns "
            + "\(reached[last].nanoseconds); instants go up along a row")
      }
      last = index
    }
  }

  // MARK: - Jobs

  /// Finds out which rows settle their jobs: a job is settled by its last attempt, or by one after which there is none.
  private mutating func settle() {
    rows.sort { ($0.record.number, $0.record.attempt, $0.line) < ($1.record.number, $1.record.attempt, $1.line) }
    var start = 0
    while start < rows.count {
      let job = rows[start].record.number
      var end = start + 1
      while end < rows.count, rows[end].record.number == job { end += 1 }
      let (first, line) = rows[start]
      if first.attempt > 1 {
        report(line, "attempt \(first.attempt) of job \(job) has none before it; write a row for each")
      }
      for index in (start + 1)..<end { follow(index) }
      let last = rows[end - 1].record.attempt
      for index in start..<end where rows[index].record.wasStarted {
        let record = rows[index].record
        guard let verdict = record.outcome.settlement(mayRetry: record.attempt < last) else { continue }
        rows[index].record.settles = true
        rows[index].record.cause = verdict
      }
      start = end
    }
  }

  /// Compares a row with the one before it of the same job.
  private mutating func follow(_ index: Int) {
    let (record, line) = rows[index]
    let (before, other) = rows[index - 1]
    if record.submitted != before.submitted || record.accepted != before.accepted {
      report(
        line,
        "attempt \(record.attempt) of job \(record.number) has another submitted_ns or accepted_ns than the one before; "
          + "write the job's in each of its rows")
    }
    if record.attempt == before.attempt {
      return report(
        line,
        "attempt \(record.attempt) of job \(record.number) is in line \(other) too (none_duplicated); write one row for "
          + "each attempt, and number a job's attempts from 1")
    }
    guard record.attempt == before.attempt + 1 else {
      return report(
        line, "attempt \(record.attempt) of job \(record.number) follows attempt \(before.attempt); write all between")
    }
    rows[index].record.previousFinished = before.finished
    if !before.wasStarted || before.outcome.settlement(mayRetry: true) != nil {
      report(
        line,
        "attempt \(record.attempt) of job \(record.number) follows attempt \(before.attempt) (line \(other)), which "
          + "settled the job (none_duplicated); only an attempt that failed, timed out or crashed has another after it")
    }
    if (record.becameEligible ? record.eligible : record.finished) < before.finished {
      report(
        line,
        "attempt \(record.attempt) of job \(record.number) is eligible before attempt \(before.attempt) finished at "
          + "\(before.finished.nanoseconds); attempts of a job follow each other")
    }
  }
}
