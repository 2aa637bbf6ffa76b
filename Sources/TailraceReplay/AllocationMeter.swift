/// What the harness asks of an allocator that counts. The command line supplies jemalloc's.
///
/// Figures that cannot be had are nil, never 0.
package protocol AllocationMeter: Sendable {
  /// Why there are no figures, in words for the report; nil when there are.
  var unavailability: String? { get }
  /// Makes the calling thread count from now on; cheap enough to call at the start of every job.
  func enrollCurrentThread()
  /// Bytes allocated by the enrolled threads, each since it enrolled; never decreases.
  func allocatedBytes() -> UInt64?
  /// Bytes in live allocations of the whole process now.
  func liveBytes() -> UInt64?
  /// Exact counts of the whole process since its start; nil unless it runs without thread caches (see
  /// ``exactCountingEnvironment``).
  func exactTotals() -> (allocations: UInt64, bytes: UInt64)?
  /// The environment variable that makes a child process count exactly.
  var exactCountingEnvironment: (name: String, value: String) { get }
}

/// Stands in where no allocator counts.
package struct NoAllocationMeter: AllocationMeter {
  package let unavailability: String?
  /// Makes a meter without figures; `reason` goes into the report.
  package init(reason: String) { unavailability = reason }
  package func enrollCurrentThread() {}
  package func allocatedBytes() -> UInt64? { nil }
  package func liveBytes() -> UInt64? { nil }
  package func exactTotals() -> (allocations: UInt64, bytes: UInt64)? { nil }
  package var exactCountingEnvironment: (name: String, value: String) { (name: "", value: "") }
}
