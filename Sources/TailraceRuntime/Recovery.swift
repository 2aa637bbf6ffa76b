import Logging
import TailraceCore

/// What a recovery decides about a job whose last attempt failed.
public enum Recovery<Value: Sendable>: Sendable {
  /// The job completes with this result, marked as recovered.
  case complete(Value)
  /// It goes to the dead letters.
  case giveUp
}

/// Called when the last attempt of a job has failed, with what it threw, before the job goes to the dead letters.
///
/// It runs as a part of that attempt, on its worker, within its time-out. It is not called for an attempt that was
/// timed out or cancelled, which is over for the scheduler while its handler still runs, nor for a job whose input is
/// invalid. When it throws, its error is logged at `warning` and the job goes to the dead letters with the handler's.
public typealias JobRecovery =
  @Sendable (_ context: JobContext, _ error: any Error) async throws -> Recovery<(any Sendable)?>

/// The same for blocking handlers, on their thread.
public typealias BlockingJobRecovery =
  @Sendable (_ context: JobContext, _ error: any Error) throws -> Recovery<(any Sendable)?>

/// A recovery as it stands beside its handler.
enum RecoveryHook: Sendable {
  case async(JobRecovery)
  case blocking(BlockingJobRecovery)
}

/// A handler as it was registered.
struct RegisteredHandler: Sendable {
  var handler: Handler
  var recover: RecoveryHook?

  /// As it is called: with the middleware around it, and around that its recovery, which hears of their failures too.
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
  /// Whether the job goes to the dead letters when this attempt fails so.
  fileprivate func isLastAttempt(failingWith error: any Error) -> Bool {
    guard !isCancelled, let scheduler = home else { return false }
    let outcome = Ending(error: error).outcome
    return scheduler.withState { state in state.core.isLast(token, endingAs: outcome) }
  }

  fileprivate func recovered(_ decision: Recovery<(any Sendable)?>, from error: any Error) throws -> (any Sendable)? {
    guard case .complete(let value) = decision else { throw error }
    home?.noteRecovery(of: token, from: error)
    return value
  }

  fileprivate func logRecovery(_ error: any Error) {
    home?.logger.warning(
      "recovery failed",
      metadata: ["tailrace-job-id": "\(id.rawValue)", "tailrace-job-type": "\(type)", "error": "\(error)"])
  }
}

extension Scheduler {
  fileprivate func noteRecovery(of token: AttemptToken, from error: any Error) {
    withState { state in
      guard state.core.isLive(token) else { return }
      let watch = state.watch(token.job)
      state.departures.add(error: watch.recoveredFrom.take())
      watch.recoveredFrom = error
    }
    logger.info("job recovered", metadata: ["tailrace-job-id": "\(token.job.rawValue)", "error": "\(error)"])
  }
}
