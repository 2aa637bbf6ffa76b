import Glibc

#if TAILRACE_JEMALLOC
  import CJemalloc
#endif

/// What jemalloc, linked into this executable as its allocator, counts.
///
/// Counters that do not move, as under a sanitizer that replaces the allocator, make every figure nil: a figure is
/// unavailable then, never 0. Ask ``unavailability`` for the reason.
public enum AllocationCounters {
  /// Why the counters cannot be used, in words for a report; nil when they work. Tested once, at first use.
  public static let unavailability: String? = selfTest()

  /// jemalloc's own version, such as `5.3.0`; nil when it does not answer.
  public static let version: String? = {
    var text: UnsafePointer<CChar>?
    var size = MemoryLayout<UnsafePointer<CChar>?>.size
    guard mallctl("version", &text, &size, nil, 0) == 0, let text else { return nil }
    // `5.3.0-0-g54eaed1d…`: the commit says nothing more to a reader.
    return String(cString: text).split(separator: "-").first.map(String.init)
  }()

  /// The calling thread's counter of bytes allocated since the thread began; it never decreases, as freeing does not
  /// lower it. Reading it costs one load. Nil when the counters are unavailable.
  ///
  /// The pointer is valid until the thread exits. Read it, run, read it again, and only then format anything: printing
  /// allocates too.
  public static func threadAllocatedPointer() -> UnsafePointer<UInt64>? {
    unavailability == nil ? rawThreadAllocatedPointer() : nil
  }

  /// Bytes that the calling thread has allocated since it began; nil when unavailable.
  public static func threadAllocatedBytes() -> UInt64? { threadAllocatedPointer()?.pointee }

  /// Bytes in live allocations of the whole process now (jemalloc's `stats.allocated`). Objects parked in thread caches
  /// count as live: at most some hundred KiB a thread. Costs about 10 µs. Nil when unavailable.
  public static func liveBytes() -> UInt64? {
    guard unavailability == nil else { return nil }
    refresh()
    return read("stats.allocated", as: Int.self).map(UInt64.init)
  }

  /// Whether threads keep caches of freed memory, jemalloc's default. `MALLOC_CONF=tcache:false` in the environment of
  /// a process switches them off, at about twice the cost of an allocation.
  public static let hasThreadCaches: Bool = read("opt.tcache", as: Bool.self) ?? true

  /// The environment of a child process that counts exactly: sets ``hasThreadCaches`` to false in it.
  public static let exactCountingEnvironment = (name: "MALLOC_CONF", value: "tcache:false")

  /// What the whole process has allocated since it began; nil when the counters are unavailable or threads have caches.
  ///
  /// jemalloc counts what its arenas hand out. A thread cache serves most calls without asking an arena, and those
  /// leave no trace here: 100,000 pairs of `malloc` and `free` can read as 12. Without thread caches each call reaches
  /// an arena, and the count is exact for every thread, living or gone. Bytes are those of the size classes used, at
  /// most a quarter more than was asked for.
  public static func exactTotals() -> AllocationTotals? {
    guard unavailability == nil, !hasThreadCaches else { return nil }
    refresh()
    var totals = AllocationTotals(allocations: 0, bytes: 0)
    let bins = read("arenas.nbins", as: UInt32.self) ?? 0
    for bin in 0..<bins {
      guard let count = read("stats.arenas.\(allArenas).bins.\(bin).nmalloc", as: UInt64.self),
        let size = read("arenas.bin.\(bin).size", as: Int.self)
      else { return nil }
      totals.allocations += count
      totals.bytes += count * UInt64(size)
    }
    let extents = read("arenas.nlextents", as: UInt32.self) ?? 0
    for extent in 0..<extents {
      guard let count = read("stats.arenas.\(allArenas).lextents.\(extent).nmalloc", as: UInt64.self),
        let size = read("arenas.lextent.\(extent).size", as: Int.self)
      else { return nil }
      totals.allocations += count
      totals.bytes += count * UInt64(size)
    }
    return totals
  }

  /// jemalloc's name for the sum over all arenas (`MALLCTL_ARENAS_ALL`).
  private static let allArenas = 4096

  static func rawThreadAllocatedPointer() -> UnsafePointer<UInt64>? {
    var pointer: UnsafePointer<UInt64>?
    var size = MemoryLayout<UnsafePointer<UInt64>?>.size
    return mallctl("thread.allocatedp", &pointer, &size, nil, 0) == 0 ? pointer : nil
  }

  /// Makes jemalloc gather its statistics anew; they stand still otherwise.
  private static func refresh() {
    var epoch: UInt64 = 1
    _ = mallctl("epoch", nil, nil, &epoch, MemoryLayout<UInt64>.size)
  }

  private static func read<Value: BitwiseCopyable & ExpressibleByIntegerLiteral>(
    _ name: String, as type: Value.Type
  ) -> Value? {
    var value: Value = 0
    var size = MemoryLayout<Value>.size
    return mallctl(name, &value, &size, nil, 0) == 0 && size == MemoryLayout<Value>.size ? value : nil
  }

  private static func read(_ name: String, as type: Bool.Type) -> Bool? {
    read(name, as: UInt8.self).map { $0 != 0 }
  }

  private static func selfTest() -> String? {
    guard isBuiltIn else { return "built without jemalloc" }
    guard let counter = rawThreadAllocatedPointer() else {
      return "jemalloc does not answer (mallctl thread.allocatedp failed)"
    }
    let before = counter.pointee
    guard let memory = unoptimizedMalloc(selfTestBytes) else { return "malloc failed" }
    let moved = counter.pointee - before
    free(memory)
    return moved >= UInt64(selfTestBytes)
      ? nil : "jemalloc is linked but another allocator serves this process, as under a sanitizer"
  }

  /// Calls `malloc` for certain: the optimizer removes a call whose memory it sees freed again.
  @inline(never) @_optimize(none)
  private static func unoptimizedMalloc(_ size: Int) -> UnsafeMutableRawPointer? { malloc(size) }

  private static let selfTestBytes = 4096
}

/// Allocations and their bytes, counted from the start of the process.
public struct AllocationTotals: Hashable, Sendable {
  /// Calls that allocated.
  public var allocations: UInt64
  /// Bytes of the size classes used.
  public var bytes: UInt64
  /// Makes totals from a count of calls and their bytes.
  public init(allocations: UInt64, bytes: UInt64) {
    self.allocations = allocations
    self.bytes = bytes
  }
}
