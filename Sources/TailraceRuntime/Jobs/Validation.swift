import Synchronization
import TailraceCore

/// Checks a job's payload at submission; throws if it is invalid.
public typealias JobValidation = @Sendable (_ payload: (any Sendable)?) throws -> Void

extension Scheduler {
  /// The validation error of a request's input; nil: valid. Call outside the lock.
  @inline(__always)
  func invalidity(of request: JobRequest) -> (any Error)? {
    // Most schedulers have no validation and avoid locking.
    guard validates.load(ordering: .acquiring) else { return nil }
    return checkInput(of: request)
  }

  @inline(never)
  private func checkInput(of request: JobRequest) -> (any Error)? {
    let validate: JobValidation?
    if let jobType = request.jobType {
      validate = { try jobType.validate($0) }
    } else {
      validate = withState { state in state.types.numbers[request.type].flatMap { state.types[$0].validate } }
    }
    do { try validate?(request.payload) } catch { return error }
    return nil
  }
}

extension Job {
  static func validate(_ payload: (any Sendable)?) throws { try (payload as? Self)?.validate() }
}
