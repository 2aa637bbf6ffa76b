/// Everything that a driver must hand back when an attempt ends: who ran what, and what it reserved.
public struct AttemptToken: Hashable, Sendable {
  /// Whose attempt it is.
  public var job: JobID
  /// The submitter's own number for the job.
  public var tag: UInt64
  /// The job's type: it chooses the handler.
  public var type: JobTypeID
  /// The pool of the worker that runs it.
  public var pool: PoolID
  /// The job's priority.
  public var priority: Priority
  /// First attempt: 1.
  public var attempt: UInt16
  /// Which worker of the pool runs it; from 0.
  public var worker: UInt16
  /// Reserved memory, in KiB.
  @usableFromInline var memory: UInt32
  /// Whether the driver MUST report the start with ``SchedulerCore/attemptStarted(_:at:)`` before it runs the attempt:
  /// a rate limit is waiting for the real instant.
  public var reportsStart: Bool
  /// The place of the job's tag key, or none.
  @usableFromInline var tagKey: UInt16
}

/// What the scheduler tells its driver to do.
public enum SchedulerOrder: Hashable, Sendable {
  /// Run this attempt on that worker. The driver MUST answer, once, with
  /// ``SchedulerCore/attemptEnded(_:started:finished:outcome:at:into:)``, whatever happens to the job meanwhile: until
  /// then the worker counts as occupied.
  case startAttempt(AttemptToken)
  /// The attempt is over for the scheduler (cancelled or timed out): ask its handler to stop. The worker stays occupied
  /// until the driver reports its end.
  case stopAttempt(AttemptToken)
  /// Call ``SchedulerCore/timerFired(at:into:)`` at that instant, or a little later. Replaces any earlier order of its
  /// kind.
  case setTimer(Instant)
  /// A submission that waited for room was admitted: release its submitter.
  case releaseSubmitter(JobID)
  /// The job is settled: wake whoever awaits it.
  case settleJob(JobID, JobState, SettlementCause)
  /// The scheduler no longer knows the job: drop what is kept about it.
  case forgetJob(JobID)
  /// Every job of a sealed batch is settled.
  case settleBatch(BatchID)
  /// A slot of a schedule is due: submit its job, whose intended arrival is that instant. Comes only from
  /// ``SchedulerCore/timerFired(at:into:)``; where several slots are due, one order each, in their order.
  case fireSchedule(ScheduleID, slot: UnixTime, intended: Instant)
  /// Draining is done: nothing waits and nothing runs.
  case finishDraining
}

/// Where the scheduler puts its orders and its records; a driver reuses one, so that nothing is allocated once warm.
public struct Outbox: ~Copyable, Sendable {
  /// To be carried out in this order.
  public var orders = OutboxList<SchedulerOrder>()
  /// What happened, in the order in which it was decided.
  public var records = OutboxList<TimelineRecord>()

  /// Makes an empty one.
  public init() {}

  /// Empties both lists and keeps their memory.
  public mutating func clear() {
    orders.removeAll()
    records.removeAll()
  }
}

/// A growing list with one owner, which keeps its memory when it is emptied: a write needs no look at who else may
/// share it.
public struct OutboxList<Element: Sendable>: ~Copyable, @unchecked Sendable {
  @usableFromInline var base: UnsafeMutablePointer<Element>
  @usableFromInline var capacity: Int
  /// How many elements it holds.
  public private(set) var count = 0

  /// Makes an empty list.
  public init() {
    capacity = 16
    base = .allocate(capacity: 16)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }

  /// Whether it holds nothing.
  public var isEmpty: Bool { count == 0 }
  /// The places of its elements.
  public var indices: Range<Int> { 0..<count }

  /// An element by its place.
  ///
  /// - Precondition: the place is one of ``indices``.
  @inlinable
  public subscript(index: Int) -> Element {
    unsafeAddress {
      precondition(index >= 0 && index < count, "no such place in the list")
      return UnsafePointer(base + index)
    }
  }

  /// Adds an element at the end.
  @inline(__always)
  public mutating func append(_ element: consuming Element) { place().initialize(to: element) }

  /// Memory for one more element at the end, which the caller MUST fill before anything else is done.
  @inline(__always)
  mutating func place() -> UnsafeMutablePointer<Element> {
    if count == capacity { reserveCapacity(count * 2) }
    count += 1
    return base + (count - 1)
  }

  /// Makes room for so many elements in all.
  public mutating func reserveCapacity(_ wanted: Int) {
    guard wanted > capacity else { return }
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    (base, capacity) = (larger, wanted)
  }

  /// Empties it and keeps its memory.
  public mutating func removeAll() {
    base.deinitialize(count: count)
    count = 0
  }

  /// Lends the elements; the buffer is valid only during the call.
  public borrowing func withUnsafeBufferPointer<Value>(_ body: (UnsafeBufferPointer<Element>) -> Value) -> Value {
    body(UnsafeBufferPointer(start: base, count: count))
  }
}

extension Array where Element: Sendable {
  /// The elements of a list of an outbox.
  public init(_ list: borrowing OutboxList<Element>) { self = list.withUnsafeBufferPointer { Array($0) } }
}
