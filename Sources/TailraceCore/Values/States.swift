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
