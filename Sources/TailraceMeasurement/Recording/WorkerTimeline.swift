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

/// The attempts of a run by worker and time: all of a small run, and the busiest stretch of a large one.
package struct WorkerTimeline: Sendable, Hashable, Codable {
  /// The part of a large run in which a fixed number of attempts started in the shortest time.
  package struct Stretch: Sendable, Hashable, Codable {
    /// When the first of the attempts started, from the run's start.
    package var start: Nanoseconds
    /// When the first attempt after them started, or the last of them finished.
    package var end: Nanoseconds
    /// The number of attempts that started in it.
    package var starts: Int
    /// The number of evenly spaced stretches among which this was the busiest; nil: all attempts were compared.
    package var compared: Int?

    private enum CodingKeys: String, CodingKey {
      case starts, compared
      case start = "startNs"
      case end = "endNs"
    }
  }

  /// Maximum number of attempts of a run with all its attempts.
  package static let limit = 400
  /// The number of attempts that start in the busiest stretch of a larger run.
  package static let stretchStarts = 150
  /// Maximum number of attempts that started before the stretch and run at its start.
  static let carriedLimit = 50
  /// Maximum number of workers of a pool in a stretch.
  package static let workerLimit = 32

  /// Names of the job types; the last represents types unknown to the run.
  package var types: [String]
  /// Sorted by start, then by worker.
  package var spans: [AttemptSpan]
  /// The part of the run that the spans are from; nil: the whole run.
  package var stretch: Stretch?

  /// nil: no attempt started, or none were kept.
  init?(_ list: AttemptList, types: [String]) {
    self.types = types + [ClassKey.unknownType]
    var drawn = list.attempts
    if let stretches = list.stretches {
      let part = stretches.isWhole ? { _ in 0 } : stretches.stretch(of:)
      (drawn, stretch) = Self.busiest(of: stretches.attempts, part: part)
    } else if drawn.count > Self.limit {
      (drawn, stretch) = Self.busiest(of: drawn) { _ in 0 }
    }
    spans = drawn.filter { $0.started != .max }.map { attempt in
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

  /// The attempts that start in the busiest stretch or run at its start.
  ///
  /// - Parameter part: The part of the run in which an attempt starts; nil: it can only run at a stretch's start.
  private static func busiest(
    of attempts: [AttemptList.Attempt], part: (AttemptList.Attempt) -> Int64?
  ) -> ([AttemptList.Attempt], Stretch?) {
    let all = attempts.filter(\.isDrawable).sorted { ($0.started, $0.job) < ($1.started, $1.job) }
    let sorted = all.filter { part($0) != nil }
    let parts = sorted.chunks(by: part)
    let count = min(stretchStarts, parts.map(\.count).max() ?? 0)
    guard count > 0 else { return ([], nil) }
    func duration(from first: Int) -> Int64 { sorted[first + count - 1].started - sorted[first].started }
    let firsts = parts.filter { $0.count >= count }.flatMap { $0.lowerBound...($0.upperBound - count) }
    guard let first = firsts.min(by: { duration(from: $0) < duration(from: $1) }) else { return ([], nil) }
    let chosen = sorted[first..<first + count]
    let (start, next) = (sorted[first].started, first + count)
    // Between the parts of a sample, nothing is known about the next start.
    var end = sorted[next - 1].started + 1
    if next < sorted.count, part(sorted[next]) == part(sorted[first]) {
      end = max(end, sorted[next].started)
    } else if next == sorted.count, parts.count == 1 {
      end = max(end, chosen.map(\.finished).max() ?? end)
    }
    if end - start <= 1 { end = max(end, chosen.map(\.finished).min() ?? end) }
    let carried = all.filter { $0.started < start && $0.finished > start }.suffix(carriedLimit)
    let stretch = Stretch(
      start: Nanoseconds(start), end: Nanoseconds(end), starts: count, compared: parts.count > 1 ? parts.count : nil)
    return (Array(carried) + chosen, stretch)
  }
}

extension Array {
  /// The ranges of adjacent elements with the same key.
  fileprivate func chunks<Key: Equatable>(by key: (Element) -> Key) -> [Range<Int>] {
    var (ranges, first): ([Range<Int>], Int) = ([], 0)
    for index in indices.dropFirst() where key(self[index]) != key(self[first]) {
      ranges.append(first..<index)
      first = index
    }
    return isEmpty ? [] : ranges + [first..<count]
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
