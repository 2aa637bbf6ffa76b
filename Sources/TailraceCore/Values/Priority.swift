/// How urgent a job is; a lower number is more urgent.
public enum Priority: UInt8, CaseIterable, Comparable, Sendable, Codable {
  /// The most urgent: blocks its caller.
  case critical = 1
  /// Above normal: a user waits for it.
  case high = 2
  /// The default.
  case normal = 3
  /// Below normal: no user waits for it.
  case low = 4
  /// The least urgent: runs when capacity is free.
  case batch = 5

  /// Whether `a` is more urgent than `b`.
  @inlinable public static func < (a: Priority, b: Priority) -> Bool { a.rawValue < b.rawValue }

  /// The name in scenario files and reports: `critical`, `high`, `normal`, `low` or `batch`.
  public var name: String { "\(self)" }
  /// The priority with this name, or nil.
  public init?(name: some StringProtocol) {
    guard let match = Priority.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// The number of priorities.
  @inlinable
  @inline(__always)
  package static var count: Int { Int(batch.rawValue) }
}
