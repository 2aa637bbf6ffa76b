import TailraceCore

/// How long a scheduler keeps the return values of handlers. The outcome of a job is kept longer, for
/// ``/TailraceCore/SchedulerConfiguration/retainedCount`` and `retainedAge`.
///
/// A ``JobHandle`` keeps the result of its own job while the handle exists, whatever the retention.
public enum ResultRetention: Sendable, Hashable {
  /// While the job is kept and the total size of kept results is at most this many bytes, 0 or more. The oldest are
  /// dropped first. ``SizedResult`` describes how sizes are determined.
  case bytes(Int)
  /// As ``bytes(_:)``, but only until the result is read, by awaiting it or in a callback.
  case untilAwaited(bytes: Int)
  /// Not at all: only callers that already wait when the job settles receive its result.
  case none

  /// 64 MiB.
  public static let standard = ResultRetention.bytes(64 << 20)

  var limit: Int {
    switch self {
    case .bytes(let bytes), .untilAwaited(let bytes): bytes
    case .none: 0
    }
  }
}

/// The error for a job that completed but whose result is no longer kept.
public struct ResultDropped: Error, Sendable, Hashable, CustomStringConvertible {
  /// The job.
  public var job: JobID
  /// What happened and what to do.
  public var description: String {
    "job \(job.rawValue) completed, but its result was dropped; keep a JobHandle, await it sooner, or retain more bytes"
  }
}

/// The kept results, oldest first. Protected by the scheduler's lock.
struct KeptResults {
  let retention: ResultRetention
  /// Total size of the kept results.
  var bytes = 0
  /// Jobs in order; some may have been forgotten since.
  private var queue: ContiguousArray<JobID> = []
  private var head = 0

  init(_ retention: ResultRetention) { self.retention = retention }

  var oldest: JobID? { head < queue.count ? queue[head] : nil }

  mutating func append(_ id: JobID, bytes: Int) {
    queue.append(id)
    self.bytes = self.bytes.saturatingAdding(bytes)
  }

  mutating func removeOldest() {
    head += 1
    guard head >= 256, head * 2 >= queue.count else { return }
    queue.removeFirst(head)
    head = 0
  }

  /// Subtracts the size of a dropped or forgotten result.
  mutating func release(bytes: Int) { self.bytes = max(0, self.bytes - bytes) }
}

extension Int {
  fileprivate func saturatingAdding(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

extension DriverState {
  /// Keeps or drops the value of a completed job.
  mutating func keepResult(of id: JobID, in watch: JobWatch, isAwaited: Bool) {
    watch.isKept = true
    results.append(id, bytes: watch.valueBytes)
    switch results.retention {
    case .none: return drop(resultOf: id)
    case .untilAwaited: if isAwaited { return drop(resultOf: id) }
    case .bytes: break
    }
    while let oldest = results.oldest {
      let isForgotten = core.state(of: oldest) == nil || entries[oldest.slot].watch?.isKept != true
      guard isForgotten || results.bytes > results.retention.limit else { return }
      results.removeOldest()
      if !isForgotten { drop(resultOf: oldest) }
    }
  }

  /// Called when a result was read.
  mutating func resultTaken(of id: JobID) {
    if case .untilAwaited = results.retention { drop(resultOf: id) }
  }

  /// Drops a result, which a handle may still hold.
  private mutating func drop(resultOf id: JobID) {
    guard core.state(of: id) != nil, id.slot < entries.count else { return }
    dropResult(at: id.slot)
  }

  private mutating func dropResult(at slot: Int) {
    guard let watch = entries[slot].watch, watch.isKept else { return }
    results.release(bytes: watch.valueBytes)
    watch.isKept = false
    guard watch.isHeld else {
      watch.isValueDropped = true
      return departures.add(ending: watch.ending.take())
    }
    // A handle, if any, keeps the old watch.
    entries[slot].watch = JobWatch(withoutValueOf: watch)
    departures.add(object: watch)
  }

  /// Releases the result of a forgotten job.
  mutating func resultForgotten(in watch: JobWatch) {
    guard watch.isKept else { return }
    results.release(bytes: watch.valueBytes)
    watch.isKept = false
  }

  /// Called after a shutdown: only handles keep results.
  mutating func dropAllResults() {
    for slot in entries.indices { dropResult(at: slot) }
  }
}

extension DriverState {
  /// Makes a handle hold a job's result from now on.
  mutating func hold(_ id: JobID) -> JobWatch {
    let watch = watch(id)
    watch.isHeld = true
    if let cause = core.cause(of: id) {
      watch.settlement = (cause, core.attempts(of: id) ?? 0)
    }
    return watch
  }
}

extension JobWatch {
  convenience init(held: Bool) {
    self.init()
    isHeld = held
  }

  fileprivate convenience init(withoutValueOf other: JobWatch) {
    self.init()
    (labels, endedAttempt, recoveredFrom) = (other.labels, other.endedAttempt, other.recoveredFrom)
    (attempts, forgottenAttempts, residentDelta) = (
      other.attempts, other.forgottenAttempts, other.residentDelta
    )
    isValueDropped = true
  }

  /// The result for a handle; nil: the job has not settled.
  func heldResult(of id: JobID) -> JobResult? {
    guard let settlement else { return nil }
    let state = settlement.cause.state
    var result = JobResult(
      id: id, state: state, cause: settlement.cause, value: nil,
      attempts: settlement.attempts)
    switch ending {
    case .value(let value): if state == .completed { result.value = value }
    case .error(let error): result.failure = error
    case nil: break
    }
    if state == .completed {
      (result.recoveredFrom, result.isValueDropped) = (recoveredFrom, isValueDropped)
    }
    return result
  }
}
