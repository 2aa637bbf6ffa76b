/// What the submitter of a job of a parked type said itself; the rest the type says once it is open.
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

/// The jobs of parked types: those that wait for their type, and those that settled and are remembered.
struct ParkedJobs {
  private struct Members {
    /// By place.
    var choices: [UInt32: ParkedChoices] = [:]
    var waiting = 0
  }

  /// By the number of a parked type.
  private var types: [UInt16: Members] = [:]
  /// Types that have jobs that wait.
  private(set) var waitingTypes = 0

  @inline(__always) var isEmpty: Bool { types.isEmpty }

  mutating func add(_ type: UInt16) { types[type] = Members() }

  mutating func remove(_ type: UInt16) {
    if let members = types.removeValue(forKey: type), members.waiting > 0 { waitingTypes -= 1 }
  }

  /// A job of a parked type was taken on.
  @inline(never)
  mutating func note(_ slot: UInt32, of type: UInt16, _ choices: ParkedChoices) {
    if types[type, default: Members()].waiting == 0 { waitingTypes += 1 }
    types[type]!.waiting += 1
    types[type]!.choices[slot] = choices
  }

  /// A job settled. Of another type than a parked one it means nothing.
  @inline(never)
  mutating func settled(type: UInt16) {
    guard types[type] != nil else { return }
    types[type]!.waiting -= 1
    if types[type]!.waiting == 0 { waitingTypes -= 1 }
  }

  /// The job in a place is forgotten.
  mutating func release(_ slot: UInt32, of type: UInt16) { types[type]?.choices[slot] = nil }

  func choices(_ slot: UInt32, of type: UInt16) -> ParkedChoices? { types[type]?.choices[slot] }

  /// The places of a type's jobs, in their order.
  func slots(of type: UInt16) -> [UInt32] { types[type].map { $0.choices.keys.sorted() } ?? [] }

  /// How many jobs of a type wait.
  func waiting(of type: UInt16) -> Int { types[type]?.waiting ?? 0 }

  /// Whether any job of a type is remembered.
  func isRemembered(_ type: UInt16) -> Bool { types[type].map { !$0.choices.isEmpty } ?? false }
}
