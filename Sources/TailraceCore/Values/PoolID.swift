/// The pool that runs a job.
public enum PoolID: UInt8, CaseIterable, Sendable, Codable {
  /// Swift concurrency tasks, for handlers that suspend.
  case async
  /// Dedicated threads, for handlers that block or compute.
  case thread

  /// The name in scenario files and reports.
  public var name: String { "\(self)" }

  /// The number of pools. Tables with a row for each pool have this many rows.
  @inlinable
  @inline(__always)
  package static var count: Int { Int(thread.rawValue) + 1 }
}
