import TailraceCore
import TailraceWorkload

/// One job at a time, in the order of the tape, without a scheduler, in virtual time: the baseline of a simulated
/// speedup.
///
/// A job that arrives while another runs waits. Retries follow their attempt after their backoff, during which nothing
/// else runs. A job whose dependency did not complete is cancelled, and so is one whose submitter's cancellation comes
/// before its turn.
package struct SequentialSimulation {
  /// What it leaves beside its records.
  package struct Summary: Sendable {
    /// The instant of the last event.
    package var ended = Instant.zero
    /// Jobs taken from the tape.
    package var intended = 0
    /// Tape numbers of what each job depends on.
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

  /// - Precondition: the scenario has no closed streams.
  package init(_ tape: Tape) {
    precondition(!tape.scenario.hasClosedArrivals, "a sequential run of clients that await their jobs")
    self.tape = tape
    failFast = tape.scenario.failFastBatches
    remembersFailures = tape.scenario.hasDependencies
  }

  /// Runs to the end of the tape, or until it is interrupted.
  package mutating func run(
    isInterrupted: () -> Bool = { false }, progress: (Int, Instant) -> Void = { _, _ in },
    record: (TimelineRecord) -> Void
  ) -> Summary {
    var cursor = tape.makeCursor()
    while let job = cursor.next() {
      now = max(now, job.intended + job.delay)
      summary.intended += 1
      if !job.dependencies.isEmpty { summary.dependencies[job.index] = job.dependencies }
      settle(job, record)
      guard summary.intended & 0xfff == 0 else { continue }
      progress(0x1000, now)
      if isInterrupted() { break }
    }
    summary.ended = now
    return summary
  }

  private mutating func settle(_ job: TapeJob, _ emit: (TimelineRecord) -> Void) {
    var record = TimelineRecord(
      job: job.index, type: JobTypeID(rawValue: UInt16(job.type)), priority: job.priority, intended: job.intended)
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
      while !runAttempt(&record, job, cancelAt: cancelAt, emit) {}
    }
    guard record.cause != .succeeded else { return }
    if remembersFailures { failed.insert(job.index) }
    if record.cause != .cancelled, record.outcome != .cancelled, let batch = job.batch { failedBatches.insert(batch) }
  }

  private func refusal(of job: TapeJob, cancelAt: Instant) -> SettlementCause? {
    if job.dependencies.contains(where: { failed.contains($0) }) { return .dependencyFailed }
    if let batch = job.batch, failFast.contains(batch), failedBatches.contains(batch) { return .batchFailed }
    return now >= cancelAt ? .cancelled : nil
  }

  /// Runs one attempt and records it. Returns whether the job is settled.
  private mutating func runAttempt(
    _ record: inout TimelineRecord, _ job: TapeJob, cancelAt: Instant, _ emit: (TimelineRecord) -> Void
  ) -> Bool {
    let spec = tape.scenario.jobs[job.type]
    let plan = tape.virtualAttempt(job: job.index, type: job.type, attempt: Int(record.attempt))
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
    now = record.finished
    let policy = spec.retry ?? tape.scenario.scheduler.retry
    if let verdict = record.outcome.settlement(mayRetry: Int(record.attempt) <= policy.limit) {
      (record.settles, record.cause) = (true, verdict.cause)
    }
    emit(record)
    guard !record.settles else { return true }
    let wait = policy.wait(beforeRetry: Int(record.attempt), seed: tape.seed, tag: job.index)
    record.previousFinished = record.finished
    record.eligible = record.finished + wait
    record.attempt += 1
    now = record.eligible
    return false
  }
}
