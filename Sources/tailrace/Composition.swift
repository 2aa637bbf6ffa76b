import TailraceHarness
import TailraceJemalloc
import TailraceSQLite

/// The composition root: the only place where the parts that a run is made of are chosen.
enum Composition {
  /// Of the program, as reports carry it.
  static let version = "0.1.0"

  /// The allocator in words, for the report's environment.
  static var allocator: String {
    guard let reason = AllocationCounters.unavailability else {
      return "jemalloc \(AllocationCounters.version ?? "of an unknown version")"
    }
    return "unknown (\(reason))"
  }

  static func makeParts() -> SuiteParts {
    SuiteParts(
      meter: JemallocMeter(), allocator: allocator,
      makeDatabase: { readers in try SQLiteDatabaseWork(readers: readers) }, version: version)
  }
}

/// jemalloc's counters, as the harness asks for them.
struct JemallocMeter: AllocationMeter {
  var unavailability: String? { AllocationCounters.unavailability }
  func enrollCurrentThread() { ThreadAllocationLedger.enrollCurrentThread() }
  func allocatedBytes() -> UInt64? { ThreadAllocationLedger.allocatedBytes() }
  func liveBytes() -> UInt64? { AllocationCounters.liveBytes() }
  func exactTotals() -> (allocations: UInt64, bytes: UInt64)? {
    AllocationCounters.exactTotals().map { ($0.allocations, $0.bytes) }
  }
  var exactCountingEnvironment: (name: String, value: String) { AllocationCounters.exactCountingEnvironment }
}
