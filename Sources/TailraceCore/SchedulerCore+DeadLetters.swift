/// What a dead letter was submitted with and its place has no room for.
struct DeadLetterKeys {
  var unique: String?
  var tag: String?
}

/// Jobs that did not complete and are kept to be looked at, and perhaps run again.
///
/// They are a list of their own, with a bound and an age of their own: no number of jobs that complete drives one out.
extension SchedulerCore {
  /// The dead letters that are remembered, oldest first.
  /// - Complexity: O(dead letters).
  public var deadLetterIDs: [JobID] {
    var ids: [JobID] = []
    ids.reserveCapacity(deadLetters.count)
    var slot = deadLetters.head
    while slot != JobSlot.none {
      ids.append(jobs.id(of: slot))
      slot = jobs[slot].pointee.next
    }
    return ids
  }

  /// Somebody wants a dead letter to be run again: a new job with its type, priority, pool, retries, memory, time-out
  /// and keys is submitted, with no dependencies and in no batch.
  ///
  /// Admitted, it takes the dead letter's place: the old job is forgotten. Refused, it leaves a record like any refused
  /// job, and the dead letter stays.
  ///
  /// - Parameters:
  ///   - id: the dead letter.
  ///   - tag: the new job's number.
  ///   - isFromHandler: see ``JobSubmission/isFromHandler``.
  ///   - instant: now.
  ///   - outbox: gets the orders and records.
  /// - Returns: nil: it is no dead letter, or no longer known.
  public mutating func deadLetterReplayed(
    _ id: JobID, tag: UInt64, isFromHandler: Bool = false, at instant: Instant, into outbox: inout Outbox
  ) -> Admission? {
    advance(to: instant)
    guard let slot = deadLetterSlot(id) else { return nil }
    var again = submission(again: slot, tag: tag)
    again.isFromHandler = isFromHandler
    let admission = jobSubmitted(again, at: now, into: &outbox)
    switch admission {
    case .accepted, .waiting:
      // To make room another job may have settled, and this one been forgotten for its age.
      if jobs.find(id) != nil { forgetDeadLetter(slot, into: &outbox) }
    case .refused: break
    }
    return admission
  }

  /// Somebody is done with a dead letter. Returns whether it was one.
  @discardableResult
  public mutating func deadLetterPurged(_ id: JobID, at instant: Instant, into outbox: inout Outbox) -> Bool {
    advance(to: instant)
    guard let slot = deadLetterSlot(id) else { return false }
    forgetDeadLetter(slot, into: &outbox)
    return true
  }

  /// Somebody is done with the dead letters that settled this long ago or longer; zero: with all of them. Returns how
  /// many that were.
  @discardableResult
  public mutating func deadLettersPurged(
    olderThan age: Nanoseconds, at instant: Instant, into outbox: inout Outbox
  ) -> Int {
    advance(to: instant)
    var count = 0
    while deadLetters.head != JobSlot.none, now - jobs[deadLetters.head].pointee.eligible >= age {
      forgetDeadLetter(deadLetters.head, into: &outbox)
      count += 1
    }
    return count
  }

  /// Somebody is about to look at the dead letters: those that are too old are forgotten first.
  public mutating func deadLettersWanted(at instant: Instant, into outbox: inout Outbox) {
    advance(to: instant)
    evictDeadLetters(into: &outbox)
  }

  private mutating func deadLetterSlot(_ id: JobID) -> UInt32? {
    guard let slot = jobs.find(id), jobs[slot].pointee.state == .deadLettered else { return nil }
    return slot
  }

  private mutating func submission(again slot: UInt32, tag: UInt64) -> JobSubmission {
    let job = jobs[slot].pointee
    var again = JobSubmission(
      type: JobTypeID(rawValue: job.type), tag: tag, intended: now, submitted: now, priority: job.priority,
      pool: job.pool, timeout: job.timeout, retry: retryPolicy(of: slot), memory: Int(job.memory) * 1024)
    if job.rank != JobSlot.unranked {
      switch configuration.policy {
      case .fifo, .priority, .aging, .slopeAging, .fair: break
      // As long after its submission as the first time.
      case .deadline: again.deadline = Instant(nanoseconds: job.rank) - job.intended
      case .shortest: again.expectedService = Nanoseconds(job.rank)
      }
    }
    if let choices = parked.choices(slot, of: job.type) {
      // Its type is not open yet, and will say what its submitter left open.
      if !choices.priority { again.priority = nil }
      if !choices.pool { again.pool = nil }
      if !choices.timeout { again.timeout = nil }
      if !choices.retry { again.retry = nil }
      if !choices.memory { again.memory = nil }
    }
    if let keys = deadLetterKeys[slot] { (again.uniqueKey, again.tagKey) = (keys.unique, keys.tag) }
    return again
  }

  /// Called before the job lets go of its keys.
  mutating func noteKeys(ofDeadLetter slot: UInt32) {
    let key = usesTagKeys ? tagKeys.key(of: slot) : TagKeys.none
    let keys = DeadLetterKeys(
      unique: uniqueKeys.isEmpty ? nil : uniqueKeys.key(of: slot),
      tag: key == TagKeys.none ? nil : tagKeys.states[Int(key)].name)
    if keys.unique != nil || keys.tag != nil { deadLetterKeys[slot] = keys }
  }

  mutating func evictDeadLetters(into outbox: inout Outbox) {
    while isToForget(oldestOf: deadLetters, most: configuration.deadLetterCount, age: configuration.deadLetterAge) {
      forgetDeadLetter(deadLetters.head, into: &outbox)
    }
  }

  private mutating func forgetDeadLetter(_ slot: UInt32, into outbox: inout Outbox) {
    deadLetters.remove(slot, in: jobs)
    if !deadLetterKeys.isEmpty { deadLetterKeys[slot] = nil }
    outbox.orders.append(.forgetJob(jobs.id(of: slot)))
    releaseSlot(slot)
  }
}
