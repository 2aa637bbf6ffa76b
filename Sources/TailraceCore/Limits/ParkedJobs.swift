/// What the submission of a parked job set explicitly. The type supplies the rest once it is opened.
struct ParkedChoices {
  let priority: Bool
  let pool: Bool
  let timeout: Bool
  let retry: Bool
  let memory: Bool

  init(_ submission: borrowing JobSubmission) {
    priority = submission.priority != nil
    pool = submission.pool != nil
    timeout = submission.timeout != nil
    retry = submission.retry != nil
    memory = submission.memory != nil
  }
}

/// Jobs of parked types: those that wait for their type to be opened, and settled ones that are still kept.
struct ParkedJobs {
  private struct Members {
    /// By job slot.
    var choices: [UInt32: ParkedChoices] = [:]
    var waiting = 0
  }

  /// By the index of the parked type.
  private var types: [UInt16: Members] = [:]
  /// Types with waiting jobs.
  private(set) var waitingTypes = 0

  @inline(__always) var isEmpty: Bool { types.isEmpty }

  mutating func add(_ type: UInt16) { types[type] = Members() }

  mutating func remove(_ type: UInt16) {
    if let members = types.removeValue(forKey: type), members.waiting > 0 { waitingTypes -= 1 }
  }

  /// Adds a job of a parked type.
  @inline(never)
  mutating func addJob(_ slot: UInt32, of type: UInt16, _ choices: ParkedChoices) {
    if types[type, default: Members()].waiting == 0 { waitingTypes += 1 }
    types[type]!.waiting += 1
    types[type]!.choices[slot] = choices
  }

  /// Records that a job settled. Has no effect for types that are not parked.
  @inline(never)
  mutating func settled(type: UInt16) {
    guard types[type] != nil else { return }
    types[type]!.waiting -= 1
    if types[type]!.waiting == 0 { waitingTypes -= 1 }
  }

  /// Removes a forgotten job.
  mutating func release(_ slot: UInt32, of type: UInt16) { types[type]?.choices[slot] = nil }

  func choices(_ slot: UInt32, of type: UInt16) -> ParkedChoices? { types[type]?.choices[slot] }

  /// The slots of a type's jobs, ascending.
  func slots(of type: UInt16) -> [UInt32] { types[type].map { $0.choices.keys.sorted() } ?? [] }

  /// The number of waiting jobs of a type.
  func waiting(of type: UInt16) -> Int { types[type]?.waiting ?? 0 }

  /// Whether any job of a type is still kept.
  func isRemembered(_ type: UInt16) -> Bool { types[type].map { !$0.choices.isEmpty } ?? false }
}
