import TailraceCore

/// How long a scheduler keeps what handlers return. How a job ended is remembered longer, as
/// ``/TailraceCore/SchedulerConfiguration/retainedCount`` and `retainedAge` say.
///
/// A ``JobHandle`` keeps the result of its own job for as long as it is held, whatever is chosen here.
public enum ResultRetention: Sendable, Hashable {
  /// While the job is remembered, and while all results that are kept measure no more than so many bytes: the oldest
  /// are dropped first. See ``SizedResult`` for how they are measured. 0 or more.
  case bytes(Int)
  /// The same, but only until somebody got the result, by awaiting it or through a callback.
  case untilAwaited(bytes: Int)
  /// Not at all: only those who already wait when the job settles get its result.
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

/// A job completed, and its result is not kept any more.
public struct ResultDropped: Error, Sendable, Hashable, CustomStringConvertible {
  /// The job.
  public var job: JobID
  /// What happened, and what to do.
  public var description: String {
    "job \(job.rawValue) completed, and its result was dropped; hold a JobHandle, await it sooner, or keep more bytes of results"
  }
}

/// The results that a scheduler keeps, oldest first. Behind its lock.
struct KeptResults {
  let retention: ResultRetention
  /// What all of them measure.
  var bytes = 0
  /// Jobs of which some may be forgotten by now.
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

  /// Of one that is dropped or forgotten.
  mutating func release(bytes: Int) { self.bytes = max(0, self.bytes - bytes) }
}

extension Int {
  fileprivate func saturatingAdding(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

extension DriverState {
  /// A job that has completed left a value: keeps it, or not.
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

  /// Somebody got the result.
  mutating func resultTaken(of id: JobID) {
    if case .untilAwaited = results.retention { drop(resultOf: id) }
  }

  /// Lets go of a result, which its handle may still hold.
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
    // Its handle goes on with the old one, if there still is a handle.
    entries[slot].watch = JobWatch(withoutValueOf: watch)
    departures.add(object: watch)
  }

  /// A job is forgotten, and its result with it.
  mutating func resultForgotten(in watch: JobWatch) {
    guard watch.isKept else { return }
    results.release(bytes: watch.valueBytes)
    watch.isKept = false
  }

  /// After a shutdown: only handles keep results.
  mutating func dropAllResults() {
    for slot in entries.indices { dropResult(at: slot) }
  }
}

extension DriverState {
  /// Lets a handle hold a job's result from now on.
  mutating func hold(_ id: JobID) -> JobWatch {
    let watch = watch(id)
    watch.isHeld = true
    if let state = core.state(of: id), let cause = core.cause(of: id) {
      watch.settlement = (state, cause, core.attempts(of: id) ?? 0)
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
    (tags, endedAttempt, recoveredFrom) = (other.tags, other.endedAttempt, other.recoveredFrom)
    (attempts, forgottenAttempts, residentDelta) = (
      other.attempts, other.forgottenAttempts, other.residentDelta
    )
    isValueDropped = true
  }

  /// The result as a handle keeps it; nil: the job has not settled.
  func heldResult(of id: JobID) -> JobResult? {
    guard let settlement else { return nil }
    var result = JobResult(
      id: id, state: settlement.state, cause: settlement.cause, value: nil,
      attempts: settlement.attempts)
    switch ending {
    case .value(let value): if settlement.state == .completed { result.value = value }
    case .error(let error): result.failure = error
    case nil: break
    }
    if settlement.state == .completed {
      (result.recoveredFrom, result.isValueDropped) = (recoveredFrom, isValueDropped)
    }
    return result
  }
}
