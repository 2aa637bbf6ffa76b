import TailraceCore

/// A finished attempt with its job, worker and times.
///
/// Its JSON is an array: job, index of the type, pool, worker, eligible, started, finished, outcome; instants in
/// nanoseconds from the run's start.
package struct AttemptSpan: Sendable, Hashable {
  /// The job's number on the tape.
  package var job: UInt64
  /// The index of the job's type in ``WorkerTimeline/types``.
  package var type: Int
  package var pool: PoolID
  /// The index of the worker in its pool; nil: the system does not number workers.
  package var worker: Int?
  /// From the run's start, like the other two.
  package var eligible: Nanoseconds
  package var started: Nanoseconds
  package var finished: Nanoseconds
  package var outcome: AttemptOutcome
}

/// The attempts of a run by worker and time, for runs small enough to draw.
package struct WorkerTimeline: Sendable, Hashable, Codable {
  /// Maximum number of attempts of a run with a timeline.
  package static let limit = 400
  /// Names of the job types; the last represents types unknown to the run.
  package var types: [String]
  /// Sorted by start, then by worker.
  package var spans: [AttemptSpan]

  /// nil: the run has more attempts than ``limit``, or none.
  init?(_ list: AttemptList, types: [String]) {
    guard !list.isTruncated, list.attempts.count <= Self.limit else { return nil }
    self.types = types + [ClassKey.unknownType]
    spans = list.attempts.filter { $0.started != .max }.map { attempt in
      AttemptSpan(
        job: attempt.job, type: min(Int(attempt.type.rawValue), types.count), pool: attempt.pool,
        worker: attempt.workerNumber,
        eligible: Nanoseconds(attempt.eligible), started: Nanoseconds(attempt.started),
        finished: Nanoseconds(attempt.finished), outcome: attempt.outcome)
    }
    guard !spans.isEmpty else { return nil }
    func order(_ span: AttemptSpan) -> (Int64, UInt8, Int, UInt64) {
      (span.started.rawValue, span.pool.rawValue, span.worker ?? .max, span.job)
    }
    spans.sort { order($0) < order($1) }
  }
}

extension AttemptSpan: Codable {
  package init(from decoder: any Decoder) throws {
    var box = try decoder.unkeyedContainer()
    job = try box.decode(UInt64.self)
    type = try box.decode(Int.self)
    pool = try box.decode(PoolID.self)
    worker = try box.decodeIfPresent(Int.self)
    eligible = try box.decode(Nanoseconds.self)
    started = try box.decode(Nanoseconds.self)
    finished = try box.decode(Nanoseconds.self)
    outcome = try box.decode(AttemptOutcome.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.unkeyedContainer()
    try box.encode(job)
    try box.encode(type)
    try box.encode(pool)
    if let worker { try box.encode(worker) } else { try box.encodeNil() }
    try box.encode(eligible)
    try box.encode(started)
    try box.encode(finished)
    try box.encode(outcome)
  }
}
