import CPlatform
import Glibc

/// A thread for what blocks or keeps time, such as a load generator.
enum DedicatedThread {
  private final class Body: @unchecked Sendable {
    let body: () -> Void
    let continuation: UnsafeContinuation<Void, Never>
    init(_ body: @escaping () -> Void, _ continuation: UnsafeContinuation<Void, Never>) {
      self.body = body
      self.continuation = continuation
    }
  }

  /// Returns what the body has, once it has.
  static func run<Value: Sendable>(_ body: @escaping () -> Value) async -> Value {
    let result = Result<Value>()
    await run { result.value = body() }
    return result.value!
  }

  /// Written by the one thread before it ends, read after.
  private final class Result<Value: Sendable>: @unchecked Sendable { var value: Value? }

  /// Returns when the body has.
  static func run(_ body: @escaping () -> Void) async {
    await withUnsafeContinuation { continuation in
      let start = Unmanaged.passRetained(Body(body, continuation))
      var handle = pthread_t()
      let result = cplatform_thread_start(
        &handle,
        { context in
          let start = Unmanaged<Body>.fromOpaque(context!).takeRetainedValue()
          start.body()
          start.continuation.resume()
        }, start.toOpaque())
      precondition(result == 0, "cannot start a thread: error \(result)")
      pthread_detach(handle)
    }
  }
}
