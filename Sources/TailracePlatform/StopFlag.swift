import Synchronization

/// Asks a waiting thread to stop. Set once, from any thread.
package final class StopFlag: Sendable {
  private let flag = Atomic(false)
  package init() {}
  /// Whether ``stop()`` was called.
  package var isSet: Bool { flag.load(ordering: .acquiring) }
  /// Makes every wait on this flag return, within 50 ms.
  package func stop() { flag.store(true, ordering: .releasing) }
}
