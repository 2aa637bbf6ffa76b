import TailraceCore

/// All attempts of a run, up to a limit, for figures that require the full list.
struct AttemptList: Sendable {
  struct Attempt: Sendable {
    var job: UInt64
    /// From the run's start, like all its instants.
    var intended: Int64
    var submitted: Int64
    var accepted: Int64
    var eligible: Int64
    /// `Int64.max` if it never started.
    var started: Int64
    var finished: Int64
    /// How the job settled with this attempt; nil: it did not settle.
    var end: SettlementCause?
    var priority: Priority
    var pool: PoolID
    var outcome: AttemptOutcome
    var type: JobTypeID
    /// ``TailraceCore/TimelineRecord/noWorker`` if the system does not number workers.
    var worker: UInt16

    /// Whether the job completed with this attempt.
    var completes: Bool { end == .succeeded }
    /// The worker within its pool; nil: the system does not number them.
    var workerNumber: Int? { worker == TimelineRecord.noWorker ? nil : Int(worker) }
  }

  private(set) var attempts: [Attempt] = []
  /// Whether the limit was exceeded and the list was discarded.
  private(set) var isTruncated = false
  /// After the truncation, the attempts of parts of the run; nil: the limit is 0, so none are kept.
  private(set) var stretches: AttemptStretches?

  @inline(__always)
  mutating func append(_ attempt: @autoclosure () -> Attempt, limit: Int) {
    if !isTruncated {
      if attempts.count < limit { return attempts.append(attempt()) }
      truncate(limit: limit)
    }
    if limit > 0 { stretches?.append(attempt()) }
  }

  /// Discards the list, because it would be incomplete, except for stretches of it.
  mutating func truncate(limit: Int) {
    guard !isTruncated else { return }
    isTruncated = true
    if limit > 0 {
      var kept = AttemptStretches()
      for attempt in attempts { kept.append(attempt) }
      stretches = kept
    }
    attempts = []
  }

  mutating func merge(_ other: AttemptList, limit: Int) {
    if !isTruncated, !other.isTruncated, attempts.count + other.attempts.count <= limit {
      attempts.append(contentsOf: other.attempts)
      return
    }
    truncate(limit: limit)
    if let theirs = other.stretches {
      stretches?.merge(theirs)
    } else {
      for attempt in other.attempts { stretches?.append(attempt) }
    }
  }

  private var started: [Attempt] { attempts.filter { $0.started != .max } }

  /// Maximum attempts running at once. An attempt that starts at the instant another finishes does not overlap it.
  var concurrencyMax: Int { Self.overlap(started.map { ($0.started, $0.finished) }) }

  /// Maximum attempts that were eligible and not started at once.
  var queueDepthMax: Int { Self.overlap(attempts.map { ($0.eligible, min($0.started, $0.finished)) }) }

  private static func overlap(_ spans: [(Int64, Int64)]) -> Int {
    // A span of zero length still counts at its instant: its end is sorted after its own start.
    let starts = spans.map(\.0).sorted()
    let ends = spans.map { max($0.1, $0.0 + 1) }.sorted()
    var (most, ended) = (0, 0)
    for (index, start) in starts.enumerated() {
      while ended < ends.count, ends[ended] <= start { ended += 1 }
      most = max(most, index + 1 - ended)
    }
    return most
  }

  /// Maximum starts within any half-open window of this width.
  func startsMax(within width: Nanoseconds) -> Int {
    let starts = started.map(\.started).sorted()
    var (most, first) = (0, 0)
    for (index, start) in starts.enumerated() {
      while start - starts[first] >= width.rawValue { first += 1 }
      most = max(most, index + 1 - first)
    }
    return most
  }

  /// Attempts that started while a more urgent one, eligible earlier, kept waiting in the same pool.
  var inversions: Int { PoolID.allCases.reduce(0) { $0 + inversions(in: $1) } }

  private func inversions(in pool: PoolID) -> Int {
    let own = attempts.filter { $0.pool == pool }
    let arrivals = own.sorted { $0.eligible < $1.eligible }
    let departures = own.sorted { min($0.started, $0.finished) < min($1.started, $1.finished) }
    var waiting = [Int](repeating: 0, count: Priority.allCases.count + 1)
    var (arrived, left, count) = (0, 0, 0)
    while left < departures.count {
      let instant = min(departures[left].started, departures[left].finished)
      while arrived < arrivals.count, arrivals[arrived].eligible < instant {
        waiting[Int(arrivals[arrived].priority.rawValue)] += 1
        arrived += 1
      }
      // Attempts that leave at this instant do not keep waiting, and those that became eligible now did not wait.
      let first = left
      while left < departures.count, min(departures[left].started, departures[left].finished) == instant {
        if departures[left].eligible < instant { waiting[Int(departures[left].priority.rawValue)] -= 1 }
        left += 1
      }
      for departure in departures[first..<left] where departure.started == instant {
        if waiting[..<Int(departure.priority.rawValue)].contains(where: { $0 > 0 }) { count += 1 }
      }
      // Attempts that became eligible and left at this instant were handled above.
      while arrived < arrivals.count, arrivals[arrived].eligible == instant {
        let arrival = arrivals[arrived]
        if min(arrival.started, arrival.finished) > instant { waiting[Int(arrival.priority.rawValue)] += 1 }
        arrived += 1
      }
    }
    return count
  }

  /// Attempts that started before a dependency of their job had completed.
  func earlyStarts(dependencies: (UInt64) -> [UInt64]) -> Int {
    var completed: [UInt64: Int64] = [:]
    for attempt in attempts where attempt.completes { completed[attempt.job] = attempt.finished }
    return started.count { attempt in
      dependencies(attempt.job).contains { attempt.started < completed[$0] ?? .max }
    }
  }
}
