/// Jobs with invalid input. They are dead-lettered as ``SettlementCause/invalid`` without an attempt.
extension SchedulerCore {
  /// Submits a job whose input its driver has found invalid.
  ///
  /// The job needs no room in the queue, so it displaces no other, and it waits for nothing. Checks that reject any job
  /// apply to it too.
  public mutating func invalidJobSubmitted(
    _ submission: borrowing JobSubmission, at instant: Instant, into outbox: inout Outbox
  ) -> Admission {
    advance(to: instant)
    let type = Int(submission.type.rawValue)
    let pool = submission.pool ?? types[type].pool
    let memory = submission.memory.map(kibibytes) ?? types[type].memory
    if let refusal = refusal(of: submission, pool: pool, memory: memory) {
      return refuse(submission, refusal, cause: refusal.cause, into: &outbox)
    }
    let slot = fill(submission, pool: pool, memory: memory)
    let id = jobs.id(of: slot)
    jobs[slot].pointee.accepted = now
    jobs[slot].pointee.state = .blocked
    gauges.admitted += 1
    gauges.inSystem += 1
    gauges.blocked += 1
    withdrawAndSettle(slot, cause: .invalid, into: &outbox)
    return .accepted(id)
  }

  /// Dead-letters a waiting job whose input was found invalid. Returns whether it still waited.
  @discardableResult
  public mutating func inputFoundInvalid(_ id: JobID, at instant: Instant, into outbox: inout Outbox) -> Bool {
    advance(to: instant)
    guard let slot = jobs.find(id) else { return false }
    switch jobs[slot].pointee.state {
    case .waitingForRoom, .blocked, .scheduled, .available:
      withdrawAndSettle(slot, cause: .invalid, into: &outbox)
      return true
    case .running, .completed, .cancelled, .deadLettered: return false
    }
  }
}
