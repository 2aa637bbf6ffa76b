import Glibc
import Synchronization

/// Adds up the bytes allocated by all enrolled threads: workers and load generator.
///
/// jemalloc counts allocated bytes exactly, but per thread, and only the thread itself can find its counter. Each
/// relevant thread therefore enrolls once and counts from then on; the sum can be read from any thread. Allocations of
/// exited threads stay in the sum. Threads that never enrolled are not included.
public enum ThreadAllocationLedger {
  /// Enrolls the calling thread. If it is already enrolled, this takes a few nanoseconds and has no effect, so it may
  /// be called at the start of every job. Has no effect if the counters are unavailable.
  public static func enrollCurrentThread() {
    guard let key, pthread_getspecific(key) == nil, let counter = AllocationCounters.threadAllocatedPointer() else {
      return
    }
    let entry = Entry(counter: counter)
    entries.withLock { $0.living.append(entry) }
    pthread_setspecific(key, Unmanaged.passRetained(entry).toOpaque())
  }

  /// Bytes allocated by enrolled threads since each enrolled; nil if the counters are unavailable. Never decreases.
  /// Counters of running threads change meanwhile, so read it at quiet moments or as a difference over time.
  public static func allocatedBytes() -> UInt64? {
    guard AllocationCounters.unavailability == nil else { return nil }
    return entries.withLock { state in state.living.reduce(state.departed) { $0 + $1.bytes } }
  }

  /// The number of live enrolled threads.
  public static var threadCount: Int { entries.withLock { $0.living.count } }

  private final class Entry: @unchecked Sendable {
    // The counter is written by its thread and read by others, one aligned word at a time: a stale value is harmless.
    // It is read only while the entry is in the table, which it leaves before its thread's memory does.
    private let counter: UnsafePointer<UInt64>
    private let start: UInt64
    var bytes: UInt64 { counter.pointee - start }

    init(counter: UnsafePointer<UInt64>) {
      self.counter = counter
      start = counter.pointee
    }
  }

  private struct State {
    var living: [Entry] = []
    var departed: UInt64 = 0
  }

  private static let entries = Mutex(State())

  private static let key: pthread_key_t? = {
    var key = pthread_key_t()
    let made = pthread_key_create(&key) { opaque in
      guard let opaque else { return }
      let entry = Unmanaged<Entry>.fromOpaque(opaque).takeRetainedValue()
      entries.withLock { state in
        state.departed += entry.bytes
        state.living.removeAll { $0 === entry }
      }
    }
    return made == 0 ? key : nil
  }()
}
