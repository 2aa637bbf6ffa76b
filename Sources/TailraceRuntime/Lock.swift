import CPlatform

/// A lock for a few hundred nanoseconds of work: it spins a little before it sleeps.
///
/// `Mutex` hands over through the kernel under contention on Linux; an adaptive pthread mutex costs a third of it when
/// free and does not put a thread to sleep for a section that ends within a microsecond.
package final class Lock: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<cplatform_lock_t>

  package init() {
    mutex = .allocate(capacity: 1)
    cplatform_lock_init(mutex)
  }

  deinit {
    cplatform_lock_destroy(mutex)
    mutex.deallocate()
  }

  @inline(__always) package func lock() { cplatform_lock_acquire(mutex) }
  @inline(__always) package func unlock() { cplatform_lock_release(mutex) }

  @inline(__always)
  package func withLock<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    lock()
    defer { unlock() }
    return try body()
  }
}

/// Where one thread sleeps until another wakes it; a wake-up that comes first is not lost.
package final class Parker: @unchecked Sendable {
  private let state: UnsafeMutablePointer<cplatform_parker_t>

  package init() {
    state = .allocate(capacity: 1)
    cplatform_parker_init(state)
  }

  deinit {
    cplatform_parker_destroy(state)
    state.deallocate()
  }

  /// Sleeps until ``unpark()``.
  package func park() { cplatform_parker_wait(state, .max) }
  /// Sleeps until ``unpark()`` or until the monotonic clock reads `deadline`.
  package func park(untilNanoseconds deadline: Int64) { cplatform_parker_wait(state, deadline) }
  /// Wakes the sleeper, or lets the next one pass.
  package func unpark() { cplatform_parker_wake(state) }
}
