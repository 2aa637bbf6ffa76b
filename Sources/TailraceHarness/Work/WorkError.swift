import TailraceHost

/// How an attempt's work failed.
package enum WorkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The tape intended this attempt to fail.
  case intendedFailure
  /// The tape intended this attempt to fail in a way that no retry can fix.
  case intendedPermanentFailure
  /// A workflow was unfinished after its last cycle; counts as timed out.
  case cyclesExhausted(limit: Int, needed: Int, succeeded: Int)
  /// A child process ended with a status other than 0, or by a signal.
  case childFailed(command: String, status: String)
  /// A child process could not be started.
  case childNotStarted(command: String, reason: String)
  /// The system refused what the job needs.
  case refused(SystemRefusal)
  /// The system had no memory for the job.
  case outOfMemory(bytes: Int)
  /// Subscribers of the event bus failed, or their queues were full.
  case eventsNotHandled(failed: Int, dropped: Int)
  /// A `sqlite` job in an engine without a database.
  case noDatabase

  /// Whether no retry can succeed.
  package var isPermanent: Bool {
    switch self {
    case .intendedPermanentFailure, .noDatabase, .childNotStarted: true
    case .intendedFailure, .cyclesExhausted, .childFailed, .refused, .outOfMemory, .eventsNotHandled: false
    }
  }

  /// Whether it counts as timed out rather than failed.
  package var isTimeout: Bool {
    if case .cyclesExhausted = self { true } else { false }
  }

  package var description: String {
    switch self {
    case .intendedFailure: "failed as the tape intended"
    case .intendedPermanentFailure: "failed permanently as the tape intended"
    case .cyclesExhausted(let limit, let needed, let succeeded):
      "timed out: \(succeeded) of \(needed) cycles done after the limit of \(limit)"
    case .childFailed(let command, let status): "child process `\(command)` \(status)"
    case .childNotStarted(let command, let reason):
      "child process `\(command)` did not start: \(reason); check that the program exists and may be executed"
    case .refused(let refusal): refusal.description
    case .outOfMemory(let bytes): "no memory for \(bytes) bytes; lower the job's `memory` or the workers"
    case .eventsNotHandled(let failed, let dropped):
      "events were not handled: \(failed) by a failing subscriber, \(dropped) by one whose queue was full"
    case .noDatabase: "the job needs a database and this run has none; give the work engine one"
    }
  }
}
