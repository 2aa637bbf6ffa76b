import TailraceCore
import TailraceMeasurement
import TailraceReplay
import TailraceWorkload

/// Follows every job that is sent to a driver until it settles, and turns the driver's lines into records.
///
/// It has no clock, no lock and no input or output: its owner passes every instant and serializes the calls. All
/// instants are those of the monotonic clock. Jobs have numbers of their own here, from 0 in the order of sending.
final class DriverJobs {
  /// A job that was sent and has not settled, or that waits for its `accepted`.
  private struct Entry {
    var number: UInt64
    var type: UInt16
    var priority: Priority
    var attempts: UInt16 = 0
    var isAccepted = false
    var isSettled = false
    var intended: Instant
    var sent: Instant
    var submitted = TimelineRecord.never
    var accepted = TimelineRecord.never
    var lastFinished = TimelineRecord.never
    var delay: Nanoseconds
    /// When the last of its dependencies had completed; ``TimelineRecord/never``: it has none.
    var dependenciesOver = TimelineRecord.never
  }

  /// Entries of consecutive jobs. When all have settled, the memory is freed.
  private struct Block {
    static let size = 1_024
    var entries: ContiguousArray<Entry> = []
    var left = 0
  }

  /// What cannot be true, or cannot be read.
  typealias Problem = DriverLine.Malformed

  /// An attempt that the driver said had started; only crash tests ask for it.
  struct Running {
    var attempt: UInt16
    var started: Instant
    var process: [UInt8]
    var worker: UInt16
  }

  private let scenario: Scenario
  private let workerCount: Int
  /// For each job type, the wait before each retry.
  private let retries: [RetryPolicy]
  private var blocks: [Block?] = []
  private(set) var sentJobs = 0
  private(set) var settledJobs = 0
  /// Jobs that have settled but were not accepted yet: their lines may overtake each other.
  private var heldRecords: [Int: [TimelineRecord]] = [:]
  private var whenSettled: [Int: @Sendable () -> Void] = [:]
  private var workers = DriverWorkers()
  /// When jobs completed that others depend on, by tape number.
  private var completions: [UInt64: Instant] = [:]
  private var dependenciesOf: [Int: [UInt64]] = [:]
  private let hasDependencies: Bool
  /// The intervals of the attempts, to count how many ran at once.
  private var spans: [(start: Int64, end: Int64)] = []
  private static let spansKept = 4_000_000

  private(set) var handOver = LatencyHistogram()
  private(set) var submission = LatencyHistogram()
  /// Attempts that run, by job; only if the driver reports starts.
  private(set) var running: [Int: Running] = [:]
  /// What a crash test counts; nil: a job that settles or runs twice is a problem.
  var crashes: CrashTally?

  /// Records that the last call produced, and clients to be told.
  private(set) var records: [TimelineRecord] = []
  private(set) var settledClients: [@Sendable () -> Void] = []

  /// The slack of instants that lie in the future.
  private static let slack = Nanoseconds.milliseconds(1)

  init(_ scenario: Scenario) {
    self.scenario = scenario
    workerCount = ProgramPools(scenario).workers
    retries = scenario.jobs.map { $0.retry ?? scenario.scheduler.retry }
    hasDependencies = scenario.hasDependencies
  }

  /// Jobs sent that have not settled.
  var unsettled: Int { sentJobs - settledJobs }

  /// Forgets what ``records`` and ``settledClients`` hold, once the owner has used them.
  func clearOutput() {
    records.removeAll(keepingCapacity: true)
    settledClients.removeAll(keepingCapacity: true)
  }

  // MARK: - From the generator

  /// A job is about to be sent.
  ///
  /// - Returns: The number that the driver uses.
  func add(
    _ job: borrowing TapeJob, intended: Instant, sent: Instant, whenSettled action: (@Sendable () -> Void)?
  ) -> Int {
    let number = sentJobs
    sentJobs += 1
    if number % Block.size == 0 {
      blocks.append(Block())
      blocks[blocks.count - 1]!.entries.reserveCapacity(Block.size)
    }
    blocks[blocks.count - 1]!.entries.append(
      Entry(
        number: job.number, type: UInt16(job.type), priority: job.priority, intended: intended, sent: sent,
        delay: job.delay))
    blocks[blocks.count - 1]!.left += 1
    if let action { whenSettled[number] = action }
    if hasDependencies, !job.dependencies.isEmpty { dependenciesOf[number] = job.dependencies }
    return number
  }

  // MARK: - From the driver

  /// A line about a job has come.
  func receive(_ line: DriverLine, at now: Instant) throws(Problem) {
    switch line.kind {
    case .accepted: try accept(line, at: now)
    case .started: try start(line, at: now)
    case .attempt: try end(line, at: now)
    case .settled: try settle(line, at: now)
    case .ready, .unable, .process, .done, .unknown: break
    }
  }

  private func job(of line: DriverLine) throws(Problem) -> Int {
    guard let job = line.job else { throw Problem(words: "has no \"job\"") }
    guard job < sentJobs else { throw Problem(words: "names job \(job), which was never sent") }
    return Int(job)
  }

  private subscript(_ number: Int) -> Entry? {
    guard let block = blocks[number / Block.size] else { return nil }
    return block.entries[number % Block.size]
  }

  private func update(_ number: Int, _ change: (inout Entry) -> Void) {
    change(&blocks[number / Block.size]!.entries[number % Block.size])
  }

  private func instant(
    _ value: Int64?, _ name: StaticString, notBefore earliest: Instant, _ event: StaticString, now: Instant
  ) throws(Problem) -> Instant {
    guard let value else { throw Problem(words: "has no \"\(name)\"") }
    let instant = Instant(nanoseconds: value)
    guard instant >= earliest else {
      throw Problem(words: "has \(name) \(value), which is \((earliest - instant).words) before \(event)")
    }
    guard instant <= now + Self.slack else {
      throw Problem(
        words: "has \(name) \(value), which is \((instant - now).words) in the future; read CLOCK_MONOTONIC")
    }
    return instant
  }

  private func accept(_ line: DriverLine, at now: Instant) throws(Problem) {
    let number = try job(of: line)
    guard let entry = self[number], !entry.isAccepted else {
      throw Problem(words: "accepts job \(number) a second time")
    }
    let submitted = try instant(
      line.submitted, "submitted_ns", notBefore: entry.sent, "Tailrace sent the job", now: now)
    let accepted = try instant(line.accepted, "accepted_ns", notBefore: submitted, "submitted_ns", now: now)
    handOver.record(submitted - entry.sent)
    submission.record(accepted - submitted)
    update(number) {
      $0.isAccepted = true
      $0.submitted = submitted
      $0.accepted = accepted
    }
    guard let held = heldRecords[number] else { return }
    heldRecords[number] = nil
    for record in held {
      var record = record
      complete(&record, number)
      if record.settles || record.number != held.last!.number || record.attempt != held.last!.attempt {
        records.append(record)
      } else {
        heldRecords[number] = [record]
      }
    }
    if entry.isSettled { release(number) }
  }

  private func start(_ line: DriverLine, at now: Instant) throws(Problem) {
    let number = try job(of: line)
    guard let attempt = line.attempt, attempt > 0 else { throw Problem(words: "has no \"attempt\" from 1") }
    let sent = self[number]?.sent ?? .zero
    let started = try instant(line.started, "started_ns", notBefore: sent, "Tailrace sent the job", now: now)
    let worker = workers.number(of: line.worker, count: workerCount)
    running[number] = Running(
      attempt: UInt16(clamping: attempt), started: started, process: Array(line.process), worker: worker)
    crashes?.started(number, at: started)
  }

  private func end(_ line: DriverLine, at now: Instant) throws(Problem) {
    let number = try job(of: line)
    guard let attempt = line.attempt, attempt > 0, attempt < Int64(UInt16.max) else {
      throw Problem(words: "has no \"attempt\" from 1 to 65534")
    }
    let outcome = try line.outcome()
    running[number] = nil
    guard let entry = self[number], !entry.isSettled else {
      guard crashes != nil else {
        throw Problem(words: "reports an attempt of job \(number), which has settled")
      }
      crashes?.endedAfterSettlement(number, outcome)
      return
    }
    // After a crash, a scheduler may count an attempt again.
    guard crashes != nil || attempt == Int64(entry.attempts) + 1 else {
      throw Problem(words: "reports attempt \(attempt) of job \(number) after attempt \(entry.attempts)")
    }
    // A process that the killed one had started may finish the attempt that counts as crashed.
    let earliest = entry.lastFinished == TimelineRecord.never || crashes != nil ? entry.sent : entry.lastFinished
    let started = try instant(
      line.started, "started_ns", notBefore: earliest,
      entry.attempts == 0 ? "Tailrace sent the job" : "the attempt before it finished", now: now)
    let finished = try instant(line.finished, "finished_ns", notBefore: started, "started_ns", now: now)
    let begun = entry.lastFinished == TimelineRecord.never ? started : max(started, entry.lastFinished)
    var record = TimelineRecord(
      number: entry.number, type: JobTypeID(rawValue: entry.type), priority: entry.priority, intended: entry.intended)
    record.attempt = entry.attempts + 1
    record.outcome = outcome
    record.started = begun
    record.finished = max(finished, begun)
    record.previousFinished = entry.lastFinished
    record.worker = try worker(of: line, from: begun, to: record.finished)
    if let eligible = line.eligible { record.eligible = min(Instant(nanoseconds: eligible), begun) }
    let cause = outcome.settlement(mayRetry: !line.settles)
    emit(record, of: number, settling: cause)
  }

  private func worker(
    of line: DriverLine, from started: Instant, to finished: Instant
  ) throws(Problem) -> UInt16 {
    if spans.count < Self.spansKept { spans.append((started.nanoseconds, finished.nanoseconds)) }
    guard line.worker.count > 0 else { return TimelineRecord.noWorker }
    guard line.worker.count <= 64 else { throw Problem(words: "names a worker with more than 64 characters") }
    let number = workers.number(of: line.worker, count: workerCount)
    guard let free = workers.occupy(line.worker, until: finished) else { return number }
    guard free <= started || crashes != nil else {
      throw Problem(
        words: "has an attempt of worker \"\(String(decoding: line.worker, as: UTF8.self))\" that started "
          + "\((free - started).words) before its previous attempt finished")
    }
    return number
  }

  private func settle(_ line: DriverLine, at now: Instant) throws(Problem) {
    let number = try job(of: line)
    let cause = try line.cause()
    guard let entry = self[number], !entry.isSettled else {
      guard crashes != nil else { throw Problem(words: "settles job \(number) a second time") }
      return
    }
    let earliest = entry.lastFinished == TimelineRecord.never ? entry.sent : entry.lastFinished
    let settled = try instant(
      line.settledAt, "settled_ns", notBefore: crashes == nil ? earliest : entry.sent,
      entry.attempts == 0 ? "Tailrace sent the job" : "its last attempt finished", now: now)
    running[number] = nil
    if entry.attempts > 0, var last = heldRecords[number]?.popLast() {
      if heldRecords[number]?.isEmpty == true { heldRecords[number] = nil }
      // A job that is cancelled while it waits for a retry settles without another attempt.
      if last.outcome.settlement(mayRetry: false) == cause {
        last.settles = true
        last.cause = cause
        return finish(last, of: number)
      }
      heldRecords[number, default: []].append(last)
    }
    guard ![.succeeded, .failed, .timedOut, .failedPermanently, .crashed].contains(cause) || entry.attempts > 0 else {
      throw Problem(words: "settles job \(number) as \"\(cause.name)\", but reports no attempt of it")
    }
    var record = TimelineRecord(
      number: entry.number, type: JobTypeID(rawValue: entry.type), priority: entry.priority, intended: entry.intended)
    record.attempt = entry.attempts + 1
    record.finished = entry.lastFinished == TimelineRecord.never ? settled : max(settled, entry.lastFinished)
    record.previousFinished = entry.lastFinished
    emit(record, of: number, settling: cause)
  }

  /// Adds a record: at once, or when the job is accepted, or when its next record comes.
  private func emit(_ record: TimelineRecord, of number: Int, settling cause: SettlementCause?) {
    var record = record
    if let cause {
      record.settles = true
      record.cause = cause
    }
    let isAccepted = self[number]!.isAccepted
    if isAccepted, let before = heldRecords[number] {
      records.append(contentsOf: before)
      heldRecords[number] = nil
    }
    if record.wasStarted {
      update(number) {
        $0.attempts += 1
        $0.lastFinished = record.finished
      }
    }
    if isAccepted { complete(&record, number) }
    if record.settles { return finish(record, of: number) }
    heldRecords[number, default: []].append(record)
  }

  /// A record with which the job settles.
  private func finish(_ record: TimelineRecord, of number: Int) {
    let entry = self[number]!
    settledJobs += 1
    update(number) { $0.isSettled = true }
    if hasDependencies { completions[entry.number] = record.finished }
    crashes?.settled(number, record.cause)
    if let action = whenSettled.removeValue(forKey: number) { settledClients.append(action) }
    if entry.isAccepted {
      records.append(record)
      release(number)
    } else if !record.wasStarted, entry.attempts == 0 {
      // The scheduler never took it: `accepted` does not come.
      var record = record
      record.submitted = entry.sent
      records.append(record)
      update(number) { $0.isAccepted = true }
      release(number)
    } else {
      heldRecords[number, default: []].append(record)
    }
  }

  /// Fills in the instants that are known once the job is accepted.
  private func complete(_ record: inout TimelineRecord, _ number: Int) {
    let entry = self[number]!
    record.submitted = entry.submitted
    // A worker may start the job before the submit call has returned.
    let limit = record.wasStarted ? record.started : record.finished
    record.accepted = min(entry.accepted, limit)
    record.submitted = min(record.submitted, record.accepted)
    guard record.wasStarted else { return }
    guard record.eligible == TimelineRecord.never else {
      record.eligible = max(record.eligible, record.accepted)
      if record.attempt > 1 { record.eligible = max(record.eligible, record.previousFinished) }
      return
    }
    if record.attempt > 1 {
      let wait = retries[Int(entry.type)].waitWithoutJitter(beforeRetry: Int(record.attempt) - 1)
      record.eligible = min(record.started, record.previousFinished + wait)
    } else {
      let dependencies = (dependenciesOf[number] ?? []).compactMap { completions[$0] }.max()
      record.eligible = min(record.started, max(record.accepted + entry.delay, dependencies ?? record.accepted))
    }
  }

  /// The job needs no entry any more.
  private func release(_ number: Int) {
    guard crashes == nil else { return }
    let block = number / Block.size
    blocks[block]!.left -= 1
    if blocks[block]!.left == 0, blocks[block]!.entries.count == Block.size { blocks[block] = nil }
  }

  // MARK: - At the end

  /// Records of jobs that have not settled, and what is wrong with the run as a whole.
  func close() throws(Problem) {
    let open = heldRecords.keys.sorted()
    for number in open {
      for record in heldRecords[number]! {
        guard self[number]!.isAccepted else {
          throw Problem(words: "no line accepts job \(number), of which the driver reported attempts")
        }
        records.append(record)
      }
    }
    heldRecords.removeAll()
    guard crashes == nil else { return }
    let most = mostAtOnce()
    guard most <= workerCount else {
      throw Problem(words: "\(most) attempts ran at once on \(workerCount) workers")
    }
  }

  /// Attempts that ran at once, at most.
  private func mostAtOnce() -> Int {
    let starts = spans.map(\.start).sorted()
    let ends = spans.map(\.end).sorted()
    var (most, ended) = (0, 0)
    for (index, start) in starts.enumerated() {
      while ended < ends.count, ends[ended] <= start { ended += 1 }
      most = max(most, index + 1 - ended)
    }
    return most
  }

  /// A process was killed: what it ran has crashed.
  ///
  /// - Returns: The jobs that it held.
  func killed(_ process: String, at instant: Instant) -> [Int] {
    let name = Array(process.utf8)
    let held = running.filter { $0.value.process == name }.keys.sorted()
    for number in held {
      guard let attempt = running.removeValue(forKey: number), let entry = self[number], !entry.isSettled else {
        continue
      }
      var record = TimelineRecord(
        number: entry.number, type: JobTypeID(rawValue: entry.type), priority: entry.priority,
        intended: entry.intended)
      record.attempt = entry.attempts + 1
      record.outcome = .crashed
      record.started = max(attempt.started, entry.lastFinished)
      record.finished = max(instant, record.started)
      record.previousFinished = entry.lastFinished
      record.worker = attempt.worker
      emit(record, of: number, settling: nil)
    }
    return held
  }
}

/// The numbers of a driver's workers: in order of appearance, below the number of workers.
private struct DriverWorkers {
  private struct Worker {
    var number: UInt16
    var freeSince = TimelineRecord.never
  }
  private var known: [[UInt8]: Worker] = [:]
  private var names: [[UInt8]?] = []

  /// A new name beyond the number of workers takes the place of the one that has been free for longest, as when a
  /// process is replaced.
  mutating func number(of name: UnsafeRawBufferPointer, count: Int) -> UInt16 {
    guard name.count > 0 else { return TimelineRecord.noWorker }
    let name = Array(name)
    if let worker = known[name] { return worker.number }
    var number = names.count
    if number < max(1, count) {
      names.append(name)
    } else {
      number = names.indices.min { (known[names[$0]!]?.freeSince ?? .zero) < (known[names[$1]!]?.freeSince ?? .zero) }!
      if let old = names[number] { known[old] = nil }
      names[number] = name
    }
    known[name] = Worker(number: UInt16(clamping: number))
    return UInt16(clamping: number)
  }

  /// Returns until when the worker was occupied before.
  mutating func occupy(_ name: UnsafeRawBufferPointer, until end: Instant) -> Instant? {
    let name = Array(name)
    guard let before = known[name]?.freeSince else { return nil }
    known[name]!.freeSince = max(before, end)
    return before == TimelineRecord.never ? nil : before
  }
}
