import CPlatform

/// A lock for a few hundred nanoseconds of work: it spins a little before it sleeps.
///
/// `Mutex` hands over through the kernel under contention on Linux; an adaptive pthread mutex costs a third of it when
/// free and does not put a thread to sleep for a section that ends within a microsecond.
///
/// Code of the user never runs under one: no callback, no description, no `deinit`. Debug builds count the locks that
/// each thread holds, so that tests can look (``heldByThisThread``).
package final class Lock: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<cplatform_lock_t>
  #if DEBUG
    private let isOutermost: Bool
  #endif

  /// - Parameter isOutermost: whether a thread that takes it must hold no other lock. Debug builds end the process
  ///   where that is not so: the caller is code that was called under a lock, or would wait for itself.
  package init(isOutermost: Bool = false) {
    mutex = .allocate(capacity: 1)
    cplatform_lock_init(mutex)
    #if DEBUG
      self.isOutermost = isOutermost
    #endif
  }

  deinit {
    cplatform_lock_destroy(mutex)
    mutex.deallocate()
  }

  /// How many locks the calling thread holds; 0 in release builds, which do not count.
  package static var heldByThisThread: Int { Int(cplatform_count_locks(0)) }

  @inline(__always)
  package func lock() {
    #if DEBUG
      let held = cplatform_count_locks(1)
      precondition(
        !isOutermost || held == 1, "the scheduler was called by code that runs under one of its own locks: move it out")
    #endif
    cplatform_lock_acquire(mutex)
  }

  @inline(__always)
  package func unlock() {
    cplatform_lock_release(mutex)
    #if DEBUG
      _ = cplatform_count_locks(-1)
    #endif
  }

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
