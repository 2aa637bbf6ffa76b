/// A value behind a ``Lock``.
///
/// `Mutex` of the standard library would do the same, but the thread sanitizer does not see it: it reports each pair of
/// accesses behind one as a race.
package final class Locked<Value>: @unchecked Sendable {
  private let lock = Lock()
  @exclusivity(unchecked) private var value: Value

  /// Whatever is handed in must not be used outside any more.
  package init(_ value: sending Value) { self.value = value }

  /// Calls `body` with the value to itself. It must not call back.
  package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
