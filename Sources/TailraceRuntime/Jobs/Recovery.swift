import Logging
import TailraceCore

/// The decision of a recovery about a job whose last attempt failed.
public enum Recovery<Value: Sendable>: Sendable {
  /// Completes the job with this result and marks it as recovered.
  case complete(Value)
  /// Dead-letters the job.
  case giveUp
}

/// A closure that is called with the handler's error when the last attempt of a job has failed, before the job is
/// dead-lettered.
///
/// It runs as part of that attempt: on its worker, within its timeout. It is not called for an attempt that timed out
/// or was cancelled, nor for a job with invalid input. If it throws, its error is logged at `warning` and the job is
/// dead-lettered with the handler's error.
public typealias JobRecovery =
  @Sendable (_ context: JobContext, _ error: any Error) async throws -> Recovery<(any Sendable)?>

/// A recovery for blocking handlers; runs on their thread.
public typealias BlockingJobRecovery =
  @Sendable (_ context: JobContext, _ error: any Error) throws -> Recovery<(any Sendable)?>

/// A recovery of the same kind as its handler.
enum RecoveryHook: Sendable {
  case async(JobRecovery)
  case blocking(BlockingJobRecovery)
}

/// A handler as registered.
struct RegisteredHandler: Sendable {
  var handler: Handler
  var recover: RecoveryHook?

  /// The handler as called: wrapped in middleware, then in its recovery, which also receives errors of the middleware.
  func wrapped(in middleware: [any AttemptMiddleware]) -> Handler {
    let handler = middleware.isEmpty ? handler : handler.wrapped(in: middleware)
    switch (handler, recover) {
    case (_, nil): return handler
    case (.async(let next), .async(let recover)):
      return .async { context in
        do {
          return try await next(context)
        } catch {
          guard context.isLastAttempt(failingWith: error) else { throw error }
          let decision: Recovery<(any Sendable)?>
          do { decision = try await recover(context, error) } catch let second {
            context.logRecovery(second)
            throw error
          }
          return try context.recovered(decision, from: error)
        }
      }
    case (.blocking(let next), .blocking(let recover)):
      return .blocking { context in
        do {
          return try next(context)
        } catch {
          guard context.isLastAttempt(failingWith: error) else { throw error }
          let decision: Recovery<(any Sendable)?>
          do { decision = try recover(context, error) } catch let second {
            context.logRecovery(second)
            throw error
          }
          return try context.recovered(decision, from: error)
        }
      }
    case (.async, .blocking), (.blocking, .async), (.unregistered, _):
      invariantViolated("a handler and its recovery are of one kind")
    }
  }
}

extension JobContext {
  /// Whether the job is dead-lettered if this attempt fails with `error`.
  fileprivate func isLastAttempt(failingWith error: any Error) -> Bool {
    guard !isCancelled, let scheduler = home else { return false }
    let outcome = Ending(error: error).outcome
    return scheduler.withState { state in state.core.isLast(token, endingAs: outcome) }
  }

  fileprivate func recovered(_ decision: Recovery<(any Sendable)?>, from error: any Error) throws -> (any Sendable)? {
    guard case .complete(let value) = decision else { throw error }
    home?.recordRecovery(of: token, from: error)
    return value
  }

  fileprivate func logRecovery(_ error: any Error) {
    home?.logger.warning(
      "recovery failed",
      metadata: ["tailrace-job-id": "\(id.rawValue)", "tailrace-job-type": "\(type)", "error": "\(error)"])
  }
}

extension Scheduler {
  fileprivate func recordRecovery(of token: AttemptToken, from error: any Error) {
    withState { state in
      guard state.core.isLive(token) else { return }
      let watch = state.watch(token.job)
      state.departures.add(error: watch.recoveredFrom.take())
      watch.recoveredFrom = error
    }
    logger.info("job recovered", metadata: ["tailrace-job-id": "\(token.job.rawValue)", "error": "\(error)"])
  }
}
