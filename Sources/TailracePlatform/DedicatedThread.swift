import CPlatform
import Glibc

/// A thread for what blocks or keeps time, such as a load generator.
package enum DedicatedThread {
  private final class Body: @unchecked Sendable {
    let body: () -> Void
    let continuation: UnsafeContinuation<Refused?, Never>
    init(_ body: @escaping () -> Void, _ continuation: UnsafeContinuation<Refused?, Never>) {
      self.body = body
      self.continuation = continuation
    }
  }

  /// The system gave no thread.
  package struct Refused: Error, CustomStringConvertible {
    /// The error number.
    package var error: Int32
    package init(error: Int32) { self.error = error }
    package var description: String {
      "cannot start a thread: \(String(cString: strerror(error))); raise the limit of processes (ulimit -u, or the "
        + "container's pids limit), or end other programs"
    }
  }

  /// Starts a thread and returns; the body runs on it.
  package static func start(_ body: @escaping @Sendable () -> Void) throws(Refused) {
    let start = Unmanaged.passRetained(Detached(body))
    var handle = pthread_t()
    let result = cplatform_thread_start(
      &handle, { context in Unmanaged<Detached>.fromOpaque(context!).takeRetainedValue().body() }, start.toOpaque())
    guard result == 0 else {
      start.release()
      throw Refused(error: result)
    }
    pthread_detach(handle)
  }

  private final class Detached: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
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
    let refused = await withUnsafeContinuation { (continuation: UnsafeContinuation<Refused?, Never>) in
      let start = Unmanaged.passRetained(Body(body, continuation))
      var handle = pthread_t()
      let result = cplatform_thread_start(
        &handle,
        { context in
          let start = Unmanaged<Body>.fromOpaque(context!).takeRetainedValue()
          start.body()
          start.continuation.resume(returning: nil)
        }, start.toOpaque())
      guard result == 0 else {
        start.release()
        continuation.resume(returning: Refused(error: result))
        return
      }
      pthread_detach(handle)
    }
    if let refused { throw refused }
  }
}
