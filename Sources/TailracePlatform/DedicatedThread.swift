/// A thread for what blocks or keeps time, such as a load generator.
package enum DedicatedThread {
  /// Handed to the one thread that calls it.
  private struct Body: @unchecked Sendable { let run: () -> Void }

  package typealias Refused = StartedThread.Refused

  /// Starts a thread and returns; the body runs on it.
  package static func start(_ body: @escaping @Sendable () -> Void) throws(Refused) {
    try StartedThread.start(body).detach()
  }

  /// Returns what the body has, once it has.
  package static func run<Value: Sendable>(_ body: @escaping () -> Value) async throws(Refused) -> Value {
    let result = Result<Value>()
    try await run { result.value = body() }
    return result.value!
  }

  /// Written by the one thread before it ends, read after.
  private final class Result<Value: Sendable>: @unchecked Sendable { var value: Value? }

  /// Returns when the body has.
  package static func run(_ body: @escaping () -> Void) async throws(Refused) {
    let body = Body(run: body)
    let refused = await withUnsafeContinuation { (continuation: UnsafeContinuation<Refused?, Never>) in
      do throws(Refused) {
        try start {
          body.run()
          continuation.resume(returning: nil)
        }
      } catch {
        continuation.resume(returning: error)
      }
    }
    if let refused { throw refused }
  }
}
