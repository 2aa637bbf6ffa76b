import CPlatform
import Glibc

/// A thread that was started. The caller must join or detach it once.
package struct StartedThread: Sendable {
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

  /// What the thread runs, on its way through C.
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private let handle: pthread_t

  /// Starts a thread that runs the body and releases it. A refused thread leaves nothing behind: the body is released.
  package static func start(_ body: @escaping @Sendable () -> Void) throws(Refused) -> StartedThread {
    let context = Unmanaged.passRetained(Body(body))
    var handle = pthread_t()
    let error = cplatform_thread_start(
      &handle, { Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run() }, context.toOpaque())
    guard error == 0 else {
      context.release()
      throw Refused(error: error)
    }
    return StartedThread(handle: handle)
  }

  /// Whether the caller runs on this thread.
  package var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

  /// Lets the thread end by itself.
  package func detach() { pthread_detach(handle) }

  /// Returns when the thread has ended.
  package func join() { pthread_join(handle, nil) }
}
