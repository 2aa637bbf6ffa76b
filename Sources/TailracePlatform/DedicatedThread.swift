/// A thread for what blocks or keeps time, such as a load generator.
package enum DedicatedThread {
  /// Handed to the one thread that calls it.
  private struct Body<Value>: @unchecked Sendable { let run: () -> Value }

  package typealias Refused = StartedThread.Refused

  /// Starts a thread and returns; the body runs on it.
  package static func start(_ body: @escaping @Sendable () -> Void) throws(Refused) {
    try StartedThread.start(body).detach()
  }

  /// Returns what the body returns, once it has.
  package static func run<Value: Sendable>(_ body: @escaping () -> Value) async throws(Refused) -> Value {
    let body = Body(run: body)
    // A continuation orders what the thread did before what its caller does next, but the thread sanitizer does not see
    // that if the thread was faster than its caller. The lock, which it sees, orders both.
    let result = Locked<Value?>(nil)
    let refused = await withUnsafeContinuation { (continuation: UnsafeContinuation<Refused?, Never>) in
      do throws(Refused) {
        try start {
          let value = body.run()
          result.withLock { $0 = value }
          continuation.resume(returning: nil)
        }
      } catch {
        continuation.resume(returning: error)
      }
    }
    if let refused { throw refused }
    return result.withLock { $0! }
  }
}
