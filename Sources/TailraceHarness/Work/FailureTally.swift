import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceWorkload

/// Why attempts failed that the tape did not mean to fail.
package final class FailureTally: Sendable {
  /// The maximum number of reasons; attempts with other reasons are only counted.
  static let limit = 8
  /// Characters of a reason.
  private static let length = 300
  private let found = Locked(FailureReasons())

  package init() {}

  /// Records the error of an attempt, unless it was intended or the attempt was stopped from outside.
  package func note(_ error: any Error) {
    switch error {
    case WorkError.intendedFailure, WorkError.intendedPermanentFailure, WorkError.cyclesExhausted: return
    case is CancellationError: return
    default: break
    }
    let words = String(ErrorWords.line(of: error).prefix(Self.length))
    found.withLock { $0.add(words, limit: Self.limit) }
  }

  /// What was noted; nil: nothing was.
  package var reasons: FailureReasons? { found.withLock { $0.reasons.isEmpty ? nil : $0 } }
}
