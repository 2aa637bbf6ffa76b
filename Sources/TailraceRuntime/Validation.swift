import Synchronization
import TailraceCore

/// Looks at a job's payload before anything else does; what it throws is what is wrong with it.
public typealias JobValidation = @Sendable (_ payload: (any Sendable)?) throws -> Void

extension Scheduler {
  /// What is wrong with a request's input; nil: nothing. Outside the lock.
  @inline(__always)
  func invalidity(of request: JobRequest) -> (any Error)? {
    // Most schedulers have no validation, and are spared a turn of the lock.
    guard validates.load(ordering: .acquiring) else { return nil }
    return checkInput(of: request)
  }

  @inline(never)
  private func checkInput(of request: JobRequest) -> (any Error)? {
    let validate: JobValidation?
    if let jobType = request.jobType {
      validate = { try jobType.validate($0) }
    } else {
      validate = withState { state in state.validators[request.type] }
    }
    do { try validate?(request.payload) } catch { return error }
    return nil
  }
}

extension Job {
  static func validate(_ payload: (any Sendable)?) throws { try (payload as? Self)?.validate() }
}
