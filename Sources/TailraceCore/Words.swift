/// How urgent a job is; a lower number is more urgent.
public enum Priority: UInt8, CaseIterable, Comparable, Sendable, Codable {
  /// The most urgent: whoever waits for it cannot go on.
  case critical = 1
  /// Before what is usual: somebody waits for it.
  case high = 2
  /// What jobs have that say nothing.
  case normal = 3
  /// After what is usual: nobody waits for it.
  case low = 4
  /// The least urgent: whenever there is room.
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

/// Names one admitted job of one scheduler for as long as the scheduler remembers it.
///
/// It holds a place in the scheduler's table and that place's generation, so an identifier of a forgotten job is never
/// mistaken for the job that took its place. A live scheduler begins its generations at a number drawn by chance: an
/// identifier of another scheduler is unknown to it, but for one chance in 2³¹.
public struct JobID: RawRepresentable, Hashable, Sendable, Codable {
  /// The generation in the high and the slot in the low 32 bits.
  public var rawValue: UInt64
  /// Makes an identifier from what ``rawValue`` once read.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
  @inlinable init(slot: UInt32, generation: UInt32) { rawValue = UInt64(generation) << 32 | UInt64(slot) }
  /// The place in the scheduler's table: a dense index by which a driver may keep its own data about the job.
  @inlinable public var slot: Int { Int(rawValue & 0xffff_ffff) }
  @inlinable var generation: UInt32 { UInt32(rawValue >> 32) }
  /// Stands for a dependency that was refused at admission: a job that depends on it is cancelled at once.
  public static let refused = JobID(rawValue: .max)
}

/// Names a registered job type: an index in order of registration.
public struct JobTypeID: RawRepresentable, Hashable, Sendable, Codable {
  /// The index, from 0.
  public var rawValue: UInt16
  /// Names the type with this index.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
}

/// Names a batch: a set of jobs that settle together.
public struct BatchID: RawRepresentable, Hashable, Sendable, Codable {
  /// The number that whoever made the batch gave it.
  public var rawValue: UInt32
  /// Names the batch with this number.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Where a job is in its life.
public enum JobState: UInt8, Sendable, Codable {
  /// Admission waits for room in the queue. Exits: `available`, `blocked`, `scheduled`, `cancelled`.
  case waitingForRoom
  /// Dependencies are unsettled. Exits: `scheduled`, `available`, `cancelled`.
  case blocked
  /// Waits for a later instant: a delay or a backoff. Exits: `available`, `cancelled`.
  case scheduled
  /// Eligible, in a queue. Exits: `running`, `cancelled` (also when shed).
  case available
  /// An attempt was handed to a worker. Exits: `completed`, `scheduled` (retry), `available` (retry without backoff),
  /// `cancelled`, `deadLettered`.
  case running
  /// An attempt succeeded. Terminal.
  case completed
  /// Cancelled, shed, or a dependency did not complete. Terminal.
  case cancelled
  /// Attempts exhausted or a critical error. Terminal.
  case deadLettered

  /// Whether the job is settled.
  @inlinable public var isTerminal: Bool { rawValue >= JobState.completed.rawValue }
}

/// How one attempt ended.
public enum AttemptOutcome: UInt8, Sendable, Codable, CaseIterable {
  /// The handler returned; the job is completed.
  case succeeded
  /// The handler failed; retried while retries are left.
  case failed
  /// The attempt outlived its timeout; retried while retries are left.
  case timedOut
  /// Cancelled by its submitter, its batch, a shutdown or a dependency; never retried.
  case cancelled
  /// The handler failed in a way that retrying cannot mend; goes to the dead letters at once.
  case failedPermanently
  /// The worker died with it; retried while retries are left.
  case crashed
}

extension AttemptOutcome {
  /// How a job settles after an attempt that ended so; nil: another attempt follows.
  ///
  /// - Parameter mayRetry: whether retries are left.
  @inline(__always)
  package func settlement(mayRetry: Bool) -> (state: JobState, cause: SettlementCause)? {
    switch self {
    case .succeeded: (.completed, .succeeded)
    case .cancelled: (.cancelled, .cancelled)
    case .failedPermanently: (.deadLettered, .failedPermanently)
    case .failed: mayRetry ? nil : (.deadLettered, .failed)
    case .timedOut: mayRetry ? nil : (.deadLettered, .timedOut)
    case .crashed: mayRetry ? nil : (.deadLettered, .crashed)
    }
  }
}

/// Why a job settled as it did.
public enum SettlementCause: UInt8, Sendable, Codable, CaseIterable {
  /// An attempt succeeded.
  case succeeded
  /// The last attempt failed.
  case failed
  /// The last attempt timed out.
  case timedOut
  /// The handler reported an error that no retry can mend.
  case failedPermanently
  /// Cancelled by its submitter.
  case cancelled
  /// A dependency was cancelled, dead-lettered or refused.
  case dependencyFailed
  /// Another job of a fail-fast batch failed.
  case batchFailed
  /// Removed from the queue: to make room for a more urgent job, or since jobs had waited too long for too long.
  case shed
  /// Refused at admission: the queue was full.
  case rejected
  /// Refused or cancelled since the scheduler was stopping.
  case stopped
  /// Intended but never submitted: the generator was too late for it. Only load generators report it.
  case dropped
  /// The worker died with the last attempt.
  case crashed
  /// Refused at admission: a job with its unique key was live.
  case duplicate
  /// Its input was found invalid before its first attempt.
  case invalid

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

/// Which set of workers runs a job.
public enum PoolID: UInt8, CaseIterable, Sendable, Codable {
  /// Swift concurrency: handlers that suspend.
  case async
  /// Threads of their own: handlers that block or compute.
  case thread

  /// The name in scenario files and reports.
  public var name: String { "\(self)" }

  /// The number of pools. Tables with a row for each pool have this many rows.
  @inlinable
  @inline(__always)
  package static var count: Int { Int(thread.rawValue) + 1 }
}
