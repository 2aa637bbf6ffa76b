import TailraceCore
import TailraceWorkload

/// One job at a time, in the order of the tape, without a scheduler, in virtual time: the baseline of a simulated
/// speedup.
///
/// A job that arrives while another runs waits. Retries follow their attempt after their backoff, during which nothing
/// else runs. A job whose dependency did not complete is cancelled, and so is one whose submitter's cancellation comes
/// before its turn.
package struct SequentialSimulation {
  /// Its results besides records.
  package struct Summary: Sendable {
    /// The instant of the last event.
    package var ended = Instant.zero
    /// Jobs taken from the tape.
    package var intended = 0
    /// Jobs that had not settled by themselves when virtual time or the run ended.
    package var cutOff = 0
    /// Tape numbers of what each job depends on, of the first million jobs that depend on others.
    package var dependencies: [UInt64: [UInt64]] = [:]
  }

  private let tape: Tape
  private let failFast: Set<UInt32>
  private let remembersFailures: Bool
  private var now = Instant.zero
  private var summary = Summary()
  /// Jobs that others may depend on and that did not complete.
  private var failed: Set<UInt64> = []
  private var failedBatches: Set<UInt32> = []
  private static let dependenciesKept = 1_000_000
  /// Failed jobs that are remembered at most, and how far back a job may depend on others: those of its graph.
  private static let failuresKept = 65_536
  private static let longestGraph: UInt64 = 1_000

  /// - Precondition: the scenario has no closed streams.
  package init(_ tape: Tape) {
    precondition(!tape.scenario.hasClosedArrivals, "a sequential run of clients that await their jobs")
    self.tape = tape
    failFast = tape.scenario.failFastBatches
    remembersFailures = tape.scenario.hasDependencies
  }

  /// Runs to the end of the tape, to the horizon of virtual time, or until it is interrupted.
  ///
  /// - Parameter isInterrupted: asked every few hundred attempts.
  package mutating func run(
    isInterrupted: () -> Bool = { false }, progress: (Int, Instant) -> Void = { _, _ in },
    record: (TimelineRecord) -> Void
  ) -> Summary {
    var cursor = tape.makeCursor()
    while summary.cutOff == 0, let job = cursor.next() {
      now = max(now, job.intended + job.delay)
      summary.intended += 1
      if !job.dependencies.isEmpty, summary.dependencies.count < Self.dependenciesKept {
        summary.dependencies[job.number] = job.dependencies
      }
      settle(job, isInterrupted, record)
      if summary.intended & 0xff == 0, isInterrupted() { break }
      if summary.intended & 0xfff == 0 { progress(0x1000, now) }
    }
    progress(summary.intended & 0xfff, now)
    summary.ended = now
    return summary
  }

  private mutating func settle(
    _ job: TapeJob, _ isInterrupted: () -> Bool, _ emit: (TimelineRecord) -> Void
  ) {
    var record = TimelineRecord(
      number: job.number, type: JobTypeID(rawValue: UInt16(job.type)), priority: job.priority, intended: job.intended)
    record.submitted = job.intended
    record.accepted = job.intended
    record.eligible = job.intended + job.delay
    let cancelAt = job.cancelAfter.map { job.intended + $0 } ?? .distantFuture
    if let cause = refusal(of: job, cancelAt: cancelAt) {
      record.finished = max(now, record.eligible)
      record.settles = true
      record.cause = cause
      emit(record)
    } else {
      // A job may have tens of thousands of attempts.
      while !runAttempt(&record, job, cancelAt: cancelAt, isOver: record.attempt & 0xff == 0 && isInterrupted(), emit) {
      }
    }
    guard record.cause != .succeeded else { return }
    if remembersFailures {
      if failed.count >= Self.failuresKept { failed = failed.filter { $0 + Self.longestGraph > job.number } }
      failed.insert(job.number)
    }
    if record.cause != .cancelled, record.outcome != .cancelled, let batch = job.batch { failedBatches.insert(batch) }
  }

  private func refusal(of job: TapeJob, cancelAt: Instant) -> SettlementCause? {
    if job.dependencies.contains(where: { failed.contains($0) }) { return .dependencyFailed }
    if let batch = job.batch, failFast.contains(batch), failedBatches.contains(batch) { return .batchFailed }
    return now >= cancelAt ? .cancelled : nil
  }

  /// Runs one attempt and records it. Returns whether the job is settled.
  ///
  /// - Parameter isOver: the run is interrupted, so that no attempt follows.
  private mutating func runAttempt(
    _ record: inout TimelineRecord, _ job: TapeJob, cancelAt: Instant, isOver: Bool, _ emit: (TimelineRecord) -> Void
  ) -> Bool {
    let spec = tape.scenario.jobs[job.type]
    let plan = tape.virtualAttempt(job: job.number, type: job.type, attempt: Int(record.attempt))
    record.worker = 0
    record.started = max(now, record.eligible)
    let timeout = spec.timeout(under: tape.scenario.scheduler).map { record.started + $0 } ?? .distantFuture
    let stop = min(timeout, cancelAt)
    record.finished = plan.length.map { record.started + $0 } ?? .distantFuture
    record.outcome = plan.outcome
    if record.finished > stop {
      record.finished = stop
      record.outcome = stop == cancelAt ? .cancelled : .timedOut
    }
    // Nothing goes on beyond the horizon.
    let isCutOff = isOver || record.finished > .horizon
    record.started = min(record.started, .horizon)
    record.finished = min(record.finished, .horizon)
    now = record.finished
    let policy = spec.retry ?? tape.scenario.scheduler.retry
    if isCutOff {
      summary.cutOff += 1
      record.outcome = .cancelled
      (record.settles, record.cause) = (true, .stopped)
    } else if let verdict = record.outcome.settlement(mayRetry: Int(record.attempt) <= policy.limit) {
      (record.settles, record.cause) = (true, verdict)
    }
    emit(record)
    guard !record.settles else { return true }
    let wait = policy.wait(beforeRetry: Int(record.attempt), seed: tape.seed, number: job.number)
    record.previousFinished = record.finished
    record.eligible = record.finished + wait
    record.attempt += 1
    now = record.eligible
    return false
  }
}
