/// Unique keys and the unsettled jobs that hold them, at most one job per key.
///
/// Looked up by key and by slot only, never iterated.
struct UniqueKeys {
  private var holders: [String: JobID] = [:]
  private var keys: [UInt32: String] = [:]

  @inline(__always) var isEmpty: Bool { keys.isEmpty }
  /// Number of held keys.
  var count: Int { keys.count }

  /// The job that holds a key, or nil.
  func holder(of key: String) -> JobID? { holders[key] }

  /// The key that the job in a slot holds, or nil.
  func key(of slot: UInt32) -> String? { keys[slot] }

  /// Whether the job in a slot holds a key.
  func isHeld(by slot: UInt32) -> Bool { keys[slot] != nil }

  mutating func hold(_ key: String, for job: JobID) {
    holders[key] = job
    keys[UInt32(job.slot)] = key
  }

  /// Releases the key of the settled job in a slot.
  mutating func release(_ slot: UInt32) {
    if let key = keys.removeValue(forKey: slot) { holders[key] = nil }
  }
}
