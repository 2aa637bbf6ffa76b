/// Properties of a dead letter's submission that do not fit into its slot.
struct DeadLetterKeys {
  var unique: String?
  var number: String?
}

/// Jobs that did not complete and are kept for inspection and replay.
///
/// They form a separate list with its own bound and age, so completed jobs never evict them.
extension SchedulerCore {
  /// The stored dead letters, oldest first.
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

  /// Replays a dead letter: submits a new job with its type, priority, pool, retries, memory, timeout and keys, without
  /// dependencies and outside any batch.
  ///
  /// If the new job is admitted, the old one is forgotten. If it is rejected, it leaves a record like any rejected job,
  /// and the dead letter stays.
  ///
  /// - Parameters:
  ///   - id: the dead letter.
  ///   - number: the new job's number.
  ///   - isFromHandler: see ``JobSubmission/isFromHandler``.
  ///   - instant: now.
  ///   - outbox: receives the orders and records.
  /// - Returns: nil if there is no such dead letter.
  public mutating func deadLetterReplayed(
    _ id: JobID, number: UInt64, isFromHandler: Bool = false, at instant: Instant, into outbox: inout Outbox
  ) -> Admission? {
    advance(to: instant)
    guard let slot = deadLetterSlot(id) else { return nil }
    var again = submission(again: slot, number: number)
    again.isFromHandler = isFromHandler
    let admission = jobSubmitted(again, at: now, into: &outbox)
    switch admission {
    case .accepted, .waiting:
      // Making room may have settled another job and evicted this one by age.
      if jobs.find(id) != nil { forgetDeadLetter(slot, into: &outbox) }
    case .refused: break
    }
    return admission
  }

  /// Removes a dead letter. Returns whether there was one.
  @discardableResult
  public mutating func deadLetterPurged(_ id: JobID, at instant: Instant, into outbox: inout Outbox) -> Bool {
    advance(to: instant)
    guard let slot = deadLetterSlot(id) else { return false }
    forgetDeadLetter(slot, into: &outbox)
    return true
  }

  /// Removes the dead letters that settled at least this long ago; zero: all of them. Returns how many were removed.
  @discardableResult
  public mutating func deadLettersPurged(
    olderThan age: Nanoseconds, at instant: Instant, into outbox: inout Outbox
  ) -> Int {
    advance(to: instant)
    var count = 0
    while deadLetters.head != JobSlot.none, now - jobs[deadLetters.head].pointee.settled >= age {
      forgetDeadLetter(deadLetters.head, into: &outbox)
      count += 1
    }
    return count
  }

  /// Removes dead letters that are too old. Call before listing them.
  public mutating func deadLettersWanted(at instant: Instant, into outbox: inout Outbox) {
    advance(to: instant)
    evictDeadLetters(into: &outbox)
  }

  private mutating func deadLetterSlot(_ id: JobID) -> UInt32? {
    guard let slot = jobs.find(id), jobs[slot].pointee.state == .deadLettered else { return nil }
    return slot
  }

  private mutating func submission(again slot: UInt32, number: UInt64) -> JobSubmission {
    let job = jobs[slot].pointee
    var again = JobSubmission(
      type: JobTypeID(rawValue: job.type), number: number, intended: now, submitted: now, priority: job.priority,
      pool: job.pool, timeout: job.timeout, retry: retryPolicy(of: slot), memory: Int(job.memory) * 1024)
    if job.rank != JobSlot.unranked {
      switch configuration.policy {
      case .fifo, .priority, .aging, .slopeAging, .fair: break
      // The same deadline relative to the new submission.
      case .deadline: again.deadline = Instant(nanoseconds: job.rank) - job.intended
      case .shortest: again.expectedService = Nanoseconds(job.rank)
      }
    }
    if let choices = parked.choices(slot, of: job.type) {
      // The type has no handler yet and will supply what the submission left open.
      if !choices.priority { again.priority = nil }
      if !choices.pool { again.pool = nil }
      if !choices.timeout { again.timeout = nil }
      if !choices.retry { again.retry = nil }
      if !choices.memory { again.memory = nil }
    }
    if let keys = deadLetterKeys[slot] { (again.uniqueKey, again.tenant) = (keys.unique, keys.number) }
    return again
  }

  /// Saves the keys of a job before it releases them.
  mutating func noteKeys(ofDeadLetter slot: UInt32) {
    let key = usesTenants ? tenants.key(of: slot) : TenantTable.none
    let keys = DeadLetterKeys(
      unique: uniqueKeys.isEmpty ? nil : uniqueKeys.key(of: slot),
      number: key == TenantTable.none ? nil : tenants.states[Int(key)].name)
    if keys.unique != nil || keys.number != nil { deadLetterKeys[slot] = keys }
  }

  mutating func evictDeadLetters(into outbox: inout Outbox) {
    while isToForget(oldestOf: deadLetters, most: configuration.deadLetterCount, age: deadLetterAge) {
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
