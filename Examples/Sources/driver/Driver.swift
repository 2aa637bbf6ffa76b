// Replays a tape of Tailrace on a scheduler, for `tailrace run mine.yaml --system exec:.build/debug/driver`:
// driver TAPE.csv JOBS.csv. docs/driver.md describes the contract. In your program, replace `makeScheduler` by your own
// scheduler, settings and handlers.

import Foundation
import Logging
import Synchronization
import TailraceRuntime

/// A row of the tape.
struct TapedJob: Sendable {
  var number: Int
  var type: String
  var priority: Priority
  var intended: Duration
  var delay: Duration
  var cancelAfter: Duration?
  var dependencies: [Int]
  var service: Duration
  var ending: Substring

  init?(_ row: Substring) {
    let fields = row.split(separator: ",", omittingEmptySubsequences: false)
    guard fields.count == 10, let number = Int(fields[0]), let priority = Priority(name: fields[2]),
      let intended = Int64(fields[3]), let delay = Int64(fields[4]), let service = Int64(fields[8])
    else { return nil }
    self.number = number
    type = String(fields[1])
    self.priority = priority
    self.intended = .nanoseconds(intended)
    self.delay = .nanoseconds(delay)
    cancelAfter = Int64(fields[5]).map { .nanoseconds($0) }
    dependencies = fields[7].split(separator: " ").compactMap { Int($0) }
    self.service = .nanoseconds(service)
    ending = fields[9]
  }
}

struct Failed: Error {}
struct FailedForGood: PermanentFailure {}
struct Misuse: Error, CustomStringConvertible { var description: String }

/// Collects the records of all attempts.
final class Records: TimelineObserver {
  let all = Mutex<[TimelineRecord]>([])
  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
    all.withLock { $0.append(contentsOf: records) }
  }
}

@main
struct Driver {
  static func main() async throws {
    guard CommandLine.arguments.count == 3 else { throw Misuse(description: "write: driver TAPE.csv JOBS.csv") }
    let tape = try readTape(CommandLine.arguments[1])
    let records = Records()
    let scheduler = try makeScheduler(for: tape, records)
    scheduler.start()
    let start = MonotonicClock.now()
    let (identifiers, refused) = try submit(tape, to: scheduler, from: start)
    await scheduler.shutdown(grace: .seconds(86_400))
    var rows = [
      "job,job_type,priority,attempt,worker,intended_ns,submitted_ns,accepted_ns,eligible_ns,started_ns,finished_ns,"
        + "outcome"
    ]
    for record in records.all.withLock({ $0 }) {
      if let number = identifiers[record.id] { rows.append(row(record, of: tape[number], from: start)) }
    }
    try ((rows + refused).joined(separator: "\n") + "\n")
      .write(toFile: CommandLine.arguments[2], atomically: true, encoding: .utf8)
  }

  static func readTape(_ path: String) throws -> [TapedJob] {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
    return try lines.map { line in
      guard let job = TapedJob(line) else { throw Misuse(description: "\(path): invalid row: \(line)") }
      return job
    }
  }

  static func makeScheduler(for tape: [TapedJob], _ records: Records) throws -> Scheduler {
    var configuration = SchedulerConfiguration()
    let told = ProcessInfo.processInfo.environment
    // Each pool as in the scenario; for a manual start, TAILRACE_WORKERS alone is enough.
    configuration.asyncPool.workers =
      (told["TAILRACE_ASYNC_WORKERS"] ?? told["TAILRACE_WORKERS"]).flatMap { Int($0) } ?? 2
    configuration.threadPool.workers = told["TAILRACE_THREAD_WORKERS"].flatMap { Int($0) } ?? 0
    let threadTypes = Set((told["TAILRACE_THREAD_TYPES"] ?? "").split(separator: ",").map(String.init))
    // Room for all jobs, which are all kept as possible dependencies until the end.
    configuration.queueCapacity = max(1, tape.count)
    configuration.retainedCount = tape.count
    let scheduler = try Scheduler(
      configuration, observer: records, logger: Logger(label: "driver") { _ in SwiftLogNoOpLogHandler() })
    for type in Set(tape.map(\.type)).sorted() {
      let pool = threadTypes.contains(type) ? PoolID.thread : .async
      try scheduler.register(JobTypeConfiguration(name: type, pool: pool)) { context in
        guard let job = context.payload as? TapedJob else { return nil }
        try await context.sleep(for: job.service)
        switch job.ending {
        case "fails": throw Failed()
        case "failsPermanently": throw FailedForGood()
        default: return nil
        }
      }
    }
    return scheduler
  }

  /// Submits each job at its instant, and cancels jobs as the tape requires.
  ///
  /// - Returns: the tape numbers by the scheduler's identifiers, and the rows of rejected jobs.
  static func submit(
    _ tape: [TapedJob], to scheduler: Scheduler, from start: Instant
  ) throws -> (identifiers: [JobID: Int], refused: [String]) {
    // All actions by instant; at the same instant submissions come first.
    var steps: [(at: Duration, job: Int, cancels: Bool)] = tape.indices.map { (tape[$0].intended, $0, false) }
    for index in tape.indices {
      if let after = tape[index].cancelAfter { steps.append((tape[index].intended + after, index, true)) }
    }
    steps.sort { ($0.at, $0.cancels ? 1 : 0, $0.job) < ($1.at, $1.cancels ? 1 : 0, $1.job) }
    var known: [Int: JobID] = [:]
    var refused: [String] = []
    for step in steps {
      let left = MonotonicClock.now().duration(to: start.advanced(by: step.at))
      if left > .zero { Thread.sleep(forTimeInterval: left / .seconds(1)) }
      let job = tape[step.job]
      if step.cancels {
        if let id = known[job.number] { scheduler.cancel(id) }
        continue
      }
      let submitted = start.duration(to: MonotonicClock.now())
      do {
        known[job.number] = try scheduler.submitBlocking(
          JobRequest(
            job.type, payload: job, priority: job.priority, delay: job.delay,
            dependencies: job.dependencies.map { known[$0] ?? .refused }, retry: .never))
      } catch SchedulerError.refused {
        let now = start.duration(to: MonotonicClock.now())
        refused.append(
          "\(job.number),\(job.type),\(job.priority.name),1,,\(nanoseconds(job.intended)),\(nanoseconds(submitted)),,,,"
            + "\(nanoseconds(now)),rejected")
      }
    }
    return (Dictionary(uniqueKeysWithValues: known.map { ($1, $0) }), refused)
  }

  static func row(_ record: TimelineRecord, of job: TapedJob, from start: Instant) -> String {
    let hasStarted = record.started != TimelineRecord.never
    let worker = record.worker == TimelineRecord.noWorker ? "" : "\(record.pool.name)-\(record.worker)"
    let instants = [record.submitted, record.accepted, record.eligible, record.started, record.finished]
      .map { $0 == TimelineRecord.never ? "" : "\($0.nanoseconds - start.nanoseconds)" }
    let fields =
      ["\(job.number)", job.type, job.priority.name, "\(record.attempt)", worker, "\(nanoseconds(job.intended))"]
      + instants + [hasStarted ? outcome(record.outcome) : record.cause.name]
    return fields.joined(separator: ",")
  }

  static func nanoseconds(_ time: Duration) -> Int64 {
    time.components.seconds * 1_000_000_000 + time.components.attoseconds / 1_000_000_000
  }

  static func outcome(_ outcome: AttemptOutcome) -> String {
    switch outcome {
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .timedOut: "timed_out"
    case .cancelled: "cancelled"
    case .failedPermanently: "failed_permanently"
    case .crashed: "crashed"
    }
  }
}
