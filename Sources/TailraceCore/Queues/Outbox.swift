/// Identifies one attempt. The driver passes it back when the attempt ends.
public struct AttemptToken: Hashable, Sendable {
  /// The job of the attempt.
  public var job: JobID
  /// The submitter's own number for the job.
  public var number: UInt64
  /// The job's type, which selects the handler.
  public var type: JobTypeID
  /// The pool of the worker that runs the attempt.
  public var pool: PoolID
  /// The job's priority.
  public var priority: Priority
  /// The number of the attempt, from 1.
  public var attempt: UInt16
  /// The index of the worker in its pool, from 0.
  public var worker: UInt16
  /// Reserved memory, in KiB.
  @usableFromInline var memory: UInt32
  /// Whether the driver MUST report the start with ``SchedulerCore/attemptStarted(_:at:)`` before it runs the attempt.
  /// Set when a rate limit needs the actual instant.
  public var reportsStart: Bool
  /// The slot of the job's tenant, or none.
  @usableFromInline var tenant: UInt16
}

/// An instruction from the scheduler to its driver.
public enum SchedulerOrder: Hashable, Sendable {
  /// Run this attempt on that worker. The driver MUST answer exactly once with
  /// ``SchedulerCore/attemptEnded(_:started:finished:outcome:at:into:)``, whatever happens to the job meanwhile. Until
  /// then the worker counts as occupied.
  case startAttempt(AttemptToken)
  /// The scheduler has given the attempt up (cancelled or timed out): ask its handler to stop. The worker stays
  /// occupied until the driver reports the end of the attempt.
  case stopAttempt(AttemptToken)
  /// Call ``SchedulerCore/timerFired(at:into:)`` at that instant or shortly after. Replaces any earlier `setTimer`
  /// order.
  case setTimer(Instant)
  /// A submission that waited for room was admitted: release its submitter.
  case releaseSubmitter(JobID)
  /// The job is settled, in the ``SettlementCause/state`` of the cause: resume its waiters.
  case settleJob(JobID, SettlementCause)
  /// The scheduler has forgotten the job: release what the driver stores for it.
  case forgetJob(JobID)
  /// Every job of a sealed batch is settled.
  case settleBatch(BatchID)
  /// A slot of a schedule is due: submit its job with this intended arrival. Issued only by
  /// ``SchedulerCore/timerFired(at:into:)``; if several slots are due, one order per slot, in order.
  case fireSchedule(ScheduleID, slot: UnixTime, intended: Instant)
  /// Draining is complete: nothing waits and nothing runs.
  case finishDraining
}

/// Receives the scheduler's orders and records. A driver reuses one, so that steady state does not allocate.
public struct Outbox: ~Copyable, Sendable {
  /// Orders, to be carried out in this order.
  public var orders = OutboxList<SchedulerOrder>()
  /// Records of what happened, in the order of the decisions.
  public var records = OutboxList<TimelineRecord>()

  /// Creates an empty outbox.
  public init() {}

  /// Empties both lists and keeps their storage.
  public mutating func clear() {
    orders.removeAll()
    records.removeAll()
  }
}

/// A growable list with a single owner. It keeps its storage when emptied, and writes need no uniqueness check.
public struct OutboxList<Element: Sendable>: ~Copyable, @unchecked Sendable {
  @usableFromInline var base: UnsafeMutablePointer<Element>
  @usableFromInline var capacity: Int
  /// The number of elements.
  public private(set) var count = 0

  /// Creates an empty list.
  public init() {
    capacity = 16
    base = .allocate(capacity: 16)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }

  /// Whether the list is empty.
  public var isEmpty: Bool { count == 0 }
  /// The valid indices.
  public var indices: Range<Int> { 0..<count }

  /// The element at an index.
  ///
  /// - Precondition: the index is in ``indices``.
  @inlinable
  public subscript(index: Int) -> Element {
    unsafeAddress {
      precondition(index >= 0 && index < count, "index out of range")
      return UnsafePointer(base + index)
    }
  }

  /// Appends an element.
  @inline(__always)
  public mutating func append(_ element: consuming Element) { place().initialize(to: element) }

  /// Uninitialized storage for one appended element. The caller MUST fill it before any other call.
  @inline(__always)
  mutating func place() -> UnsafeMutablePointer<Element> {
    if count == capacity { reserveCapacity(count * 2) }
    count += 1
    return base + (count - 1)
  }

  /// Reserves storage for this many elements in total.
  public mutating func reserveCapacity(_ wanted: Int) {
    guard wanted > capacity else { return }
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    (base, capacity) = (larger, wanted)
  }

  /// Removes all elements and keeps the storage.
  public mutating func removeAll() {
    base.deinitialize(count: count)
    count = 0
  }

  /// Calls `body` with the elements; the buffer is valid only during the call.
  public borrowing func withUnsafeBufferPointer<Value>(_ body: (UnsafeBufferPointer<Element>) -> Value) -> Value {
    body(UnsafeBufferPointer(start: base, count: count))
  }
}

extension Array where Element: Sendable {
  /// Creates an array from a list of an outbox.
  public init(_ list: borrowing OutboxList<Element>) { self = list.withUnsafeBufferPointer { Array($0) } }
}
