/// Who holds which unique key: at most one live job each.
///
/// Looked up by key and by place only, never walked.
struct UniqueKeys {
  private var holders: [String: JobID] = [:]
  private var keys: [UInt32: String] = [:]

  @inline(__always) var isEmpty: Bool { keys.isEmpty }
  /// Keys that are held.
  var count: Int { keys.count }

  /// The job that holds a key, or nil.
  func holder(of key: String) -> JobID? { holders[key] }

  /// The key that the job in a place holds, or nil.
  func key(of slot: UInt32) -> String? { keys[slot] }

  /// Whether the job in a place holds a key.
  func isHeld(by slot: UInt32) -> Bool { keys[slot] != nil }

  mutating func hold(_ key: String, for job: JobID) {
    holders[key] = job
    keys[UInt32(job.slot)] = key
  }

  /// The job in a place is settled: whoever comes next may hold its key.
  mutating func release(_ slot: UInt32) {
    if let key = keys.removeValue(forKey: slot) { holders[key] = nil }
  }
}
