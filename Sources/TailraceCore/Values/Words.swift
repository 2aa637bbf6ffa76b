/// How urgent a job is; a lower number is more urgent.
public enum Priority: UInt8, CaseIterable, Comparable, Sendable, Codable {
  /// The most urgent: blocks its caller.
  case critical = 1
  /// Above normal: a user waits for it.
  case high = 2
  /// The default.
  case normal = 3
  /// Below normal: no user waits for it.
  case low = 4
  /// The least urgent: runs when capacity is free.
  case batch = 5

  /// Whether `a` is more urgent than `b`.
  @inlinable public static func < (a: Priority, b: Priority) -> Bool { a.rawValue < b.rawValue }

  /// The name in scenario files and reports: `critical`, `high`, `normal`, `low` or `batch`.
  public var name: String { "\(self)" }
  /// The priority with this name, or nil.
  public init?(name: some StringProtocol) {
    guard let match = Priority.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// The number of priorities.
  @inlinable
  @inline(__always)
  package static var count: Int { Int(batch.rawValue) }
}

/// Identifies an admitted job of a scheduler while the scheduler keeps the job.
///
/// It consists of a slot in the scheduler's table and the slot's generation, so an identifier of a forgotten job is
/// never mistaken for the job that reuses its slot. A live scheduler starts its generations at a random number, so it
/// recognizes an identifier of another scheduler with a probability of only 2⁻³¹.
public struct JobID: RawRepresentable, Hashable, Sendable, Codable {
  /// The generation in the high 32 bits, the slot in the low 32 bits.
  public var rawValue: UInt64
  /// Creates an identifier from a stored ``rawValue``.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
  @inlinable init(slot: UInt32, generation: UInt32) { rawValue = UInt64(generation) << 32 | UInt64(slot) }
  /// The slot in the scheduler's table: a dense index for data that a driver stores per job.
  @inlinable public var slot: Int { Int(rawValue & 0xffff_ffff) }
  @inlinable var generation: UInt32 { UInt32(rawValue >> 32) }
  /// Represents a dependency that was rejected at admission: a job that depends on it is cancelled immediately.
  public static let refused = JobID(rawValue: .max)
}

extension JobID: CustomStringConvertible {
  /// ``rawValue``, as in logs.
  public var description: String { "\(rawValue)" }
}

/// Identifies a registered job type by its index in order of registration.
public struct JobTypeID: RawRepresentable, Hashable, Sendable, Codable {
  /// The index, from 0.
  public var rawValue: UInt16
  /// Creates an identifier from an index.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
}

extension JobTypeID: CustomStringConvertible {
  /// ``rawValue``.
  public var description: String { "\(rawValue)" }
}

/// Identifies a batch: a set of jobs that settle together.
public struct BatchID: RawRepresentable, Hashable, Sendable, Codable {
  /// The number of the batch.
  public var rawValue: UInt32
  /// Creates an identifier from a number.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

extension BatchID: CustomStringConvertible {
  /// ``rawValue``.
  public var description: String { "\(rawValue)" }
}

/// The state of a job.
public enum JobState: UInt8, Sendable, Codable {
  /// The submission waits for room in the queue. Next: `available`, `blocked`, `scheduled`, `cancelled`.
  case waitingForRoom
  /// Waits for dependencies. Next: `scheduled`, `available`, `cancelled`.
  case blocked
  /// Waits for a later instant: a delay or a backoff. Next: `available`, `cancelled`.
  case scheduled
  /// Eligible, in a queue. Next: `running`, `cancelled` (also if shed).
  case available
  /// An attempt was handed to a worker. Next: `completed`, `scheduled` (retry), `available` (retry without backoff),
  /// `cancelled`, `deadLettered`.
  case running
  /// An attempt succeeded. Terminal.
  case completed
  /// Cancelled, shed, or a dependency did not complete. Terminal.
  case cancelled
  /// All attempts failed, or an attempt failed permanently. Terminal.
  case deadLettered

  /// Whether the state is terminal.
  @inlinable public var isTerminal: Bool { rawValue >= JobState.completed.rawValue }
}

/// How an attempt ended.
public enum AttemptOutcome: UInt8, Sendable, Codable, CaseIterable {
  /// The handler returned; the job is completed.
  case succeeded
  /// The handler failed; retried while retries are left.
  case failed
  /// The attempt exceeded its timeout; retried while retries are left.
  case timedOut
  /// Cancelled by its submitter, its batch, a shutdown or a dependency; never retried.
  case cancelled
  /// The handler failed in a way that retrying cannot fix; dead-lettered immediately.
  case failedPermanently
  /// The worker died during the attempt; retried while retries are left.
  case crashed
}

extension AttemptOutcome {
  /// Why a job settles after an attempt with this outcome; nil: another attempt follows.
  ///
  /// - Parameter mayRetry: whether retries are left.
  @inline(__always)
  package func settlement(mayRetry: Bool) -> SettlementCause? {
    switch self {
    case .succeeded: .succeeded
    case .cancelled: .cancelled
    case .failedPermanently: .failedPermanently
    case .failed: mayRetry ? nil : .failed
    case .timedOut: mayRetry ? nil : .timedOut
    case .crashed: mayRetry ? nil : .crashed
    }
  }
}

/// Why a job settled.
public enum SettlementCause: UInt8, Sendable, Codable, CaseIterable {
  /// An attempt succeeded.
  case succeeded
  /// The last attempt failed.
  case failed
  /// The last attempt timed out.
  case timedOut
  /// The handler reported an error that retrying cannot fix.
  case failedPermanently
  /// Cancelled by its submitter.
  case cancelled
  /// A dependency was cancelled, dead-lettered or rejected.
  case dependencyFailed
  /// Another job of a fail-fast batch failed.
  case batchFailed
  /// Removed from the queue to make room for a more urgent job, or because waiting time stayed too long.
  case shed
  /// Rejected at admission: the queue was full.
  case rejected
  /// Rejected or cancelled because the scheduler was stopping.
  case stopped
  /// Never submitted, because the load generator was too late. Only load generators report it.
  case dropped
  /// The worker died during the last attempt.
  case crashed
  /// Rejected at admission: another unsettled job has the same unique key.
  case duplicate
  /// Its input was found invalid before its first attempt.
  case invalid

  /// The state of a job that settled with this cause. Nothing else decides it.
  public var state: JobState {
    switch self {
    case .succeeded: .completed
    case .failed, .timedOut, .failedPermanently, .crashed, .invalid: .deadLettered
    case .cancelled, .dependencyFailed, .batchFailed, .shed, .rejected, .stopped, .dropped, .duplicate: .cancelled
    }
  }

  /// The name in reports and files, in the form `timed_out`.
  public var name: String {
    switch self {
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .timedOut: "timed_out"
    case .failedPermanently: "failed_permanently"
    case .cancelled: "cancelled"
    case .dependencyFailed: "dependency_failed"
    case .batchFailed: "batch_failed"
    case .shed: "shed"
    case .rejected: "rejected"
    case .stopped: "stopped"
    case .dropped: "dropped"
    case .crashed: "crashed"
    case .duplicate: "duplicate"
    case .invalid: "invalid"
    }
  }
}

/// The pool that runs a job.
public enum PoolID: UInt8, CaseIterable, Sendable, Codable {
  /// Swift concurrency tasks, for handlers that suspend.
  case async
  /// Dedicated threads, for handlers that block or compute.
  case thread

  /// The name in scenario files and reports.
  public var name: String { "\(self)" }

  /// The number of pools. Tables with a row for each pool have this many rows.
  @inlinable
  @inline(__always)
  package static var count: Int { Int(thread.rawValue) + 1 }
}
