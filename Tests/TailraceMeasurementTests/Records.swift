import TailraceCore
import TailraceMeasurement

/// A record of a job's only attempt, with every stage a step after the one before; times in microseconds.
func makeRecord(
  _ job: UInt64, type: UInt16 = 0, priority: Priority = .normal, intended: Int64 = 0, lag: Int64 = 1,
  submission: Int64 = 2, dependencyWait: Int64 = 0, waiting: Int64 = 10, service: Int64 = 100,
  cause: SettlementCause = .succeeded, worker: UInt16 = 0
) -> TimelineRecord {
  var record = TimelineRecord(
    number: job, type: JobTypeID(rawValue: type), priority: priority, intended: Instant(nanoseconds: intended * 1_000))
  record.submitted = record.intended + .microseconds(lag)
  record.accepted = record.submitted + .microseconds(submission)
  record.eligible = record.accepted + .microseconds(dependencyWait)
  record.started = record.eligible + .microseconds(waiting)
  record.finished = record.started + .microseconds(service)
  record.worker = worker
  record.outcome = cause == .succeeded ? .succeeded : .failed
  record.settles = true
  record.cause = cause
  return record
}

/// The record of an attempt after another one of the same job.
func makeRetry(of first: TimelineRecord, backoff: Int64 = 50, waiting: Int64 = 5, service: Int64 = 20) -> TimelineRecord
{
  var record = first
  record.attempt += 1
  record.previousFinished = first.finished
  record.eligible = first.finished + .microseconds(backoff)
  record.started = record.eligible + .microseconds(waiting)
  record.finished = record.started + .microseconds(service)
  record.outcome = .succeeded
  record.settles = true
  record.cause = .succeeded
  return record
}

/// The record of a job that was refused at admission.
func makeRejected(_ job: UInt64, intended: Int64 = 0) -> TimelineRecord {
  var record = TimelineRecord(
    number: job, type: JobTypeID(rawValue: 0), priority: .normal, intended: Instant(nanoseconds: intended * 1_000))
  record.submitted = record.intended
  record.finished = record.intended + .microseconds(1)
  record.settles = true
  record.cause = .rejected
  return record
}

/// What a recorder makes of records.
func measure(
  _ records: [TimelineRecord], types: [String] = ["a", "b"], intended: Int? = nil,
  window: MeasurementWindow = MeasurementWindow(), workers: [(pool: PoolID, count: Int)] = [],
  attemptLimit: Int = 1_000, leftRunning: Int = 0, dependencies: ((UInt64) -> [UInt64])? = nil
) -> RunMeasurement {
  let recorder = Recorder(
    Recorder.RecorderSettings(
      types: types, window: window, attemptLimit: attemptLimit, hasDependencies: dependencies != nil))
  records.withUnsafeBufferPointer { recorder.record($0) }
  return recorder.measurement(
    RunFacts(
      intended: intended ?? Set(records.map(\.number)).count, workers: workers, leftRunning: leftRunning,
      dependencies: dependencies ?? { _ in [] }))
}

/// A run of these records on a system.
func makeRun(
  _ records: [TimelineRecord], system: String = "live", intended: Int? = nil, timeScale: Double = 1,
  observations: Observations = Observations()
) -> RunResult {
  RunResult(
    system: system, seed: 1, timeScale: timeScale, fingerprint: "f00d",
    measurement: measure(records, intended: intended), observations: observations)
}
