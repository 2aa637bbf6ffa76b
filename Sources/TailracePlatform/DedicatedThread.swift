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
    let result = Locked<Value?>(nil)
    try await run {
      let value = body()
      result.withLock { $0 = value }
    }
    return result.withLock { $0! }
  }

  /// Returns when the body has.
  package static func run(_ body: @escaping () -> Void) async throws(Refused) {
    let body = Body(run: body)
    // A continuation orders what the thread did before what its caller does next, but the thread sanitizer does not see
    // that if the thread was faster than its caller.
    let end = Locked(false)
    let refused = await withUnsafeContinuation { (continuation: UnsafeContinuation<Refused?, Never>) in
      do throws(Refused) {
        try start {
          body.run()
          end.withLock { $0 = true }
          continuation.resume(returning: nil)
        }
      } catch {
        continuation.resume(returning: error)
      }
    }
    if let refused { throw refused }
    end.withLock { precondition($0) }
  }
}
