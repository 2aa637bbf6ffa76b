/// A job to settle whose dependents have not been visited yet.
struct PendingSettlement {
  var slot: UInt32
  var state: JobState
  var cause: SettlementCause

  @inline(__always)
  init(_ slot: UInt32, _ cause: SettlementCause) { (self.slot, state, self.cause) = (slot, cause.state, cause) }
}

extension SchedulerCore {
  /// The only way to settle: settles a job and then every job that depends on its end.
  ///
  /// The job is in no list, has no timer, and its last record is in the outbox. Dependents go through a work list, so a
  /// chain of any length uses constant stack space.
  mutating func settle(_ slot: UInt32, cause: SettlementCause, into outbox: inout Outbox) {
    if jobs[slot].pointee.state.isTerminal { invariantViolated("a job settled twice: \(jobs.id(of: slot))") }
    let pending = PendingSettlement(slot, cause)
    let state = pending.state
    jobs[slot].pointee.state = state
    if settling.isEmpty, jobs[slot].pointee.firstDependent == JobSlot.none, jobs[slot].pointee.batch == JobSlot.none {
      // Without dependents, the common case, no list is needed.
      if state == .deadLettered ? configuration.deadLetterCount == 0 : configuration.retainedCount == 0 {
        // It is not kept either.
        announce(pending, into: &outbox)
        outbox.orders.append(.forgetJob(jobs.id(of: slot)))
        releaseSlot(slot)
        return finishDrainingIfIdle(into: &outbox)
      }
      noteSettled(pending, into: &outbox)
      if state == .deadLettered { evictDeadLetters(into: &outbox) } else { evictSettled(into: &outbox) }
      return finishDrainingIfIdle(into: &outbox)
    }
    settling.append(pending)
    // The outermost call processes the list.
    guard settling.count == 1 else { return }
    var next = 0
    while next < settling.count {
      settleOne(settling[next], into: &outbox)
      next += 1
    }
    settling.removeAll()
    evictSettled(into: &outbox)
    evictDeadLetters(into: &outbox)
    finishDrainingIfIdle(into: &outbox)
  }

  private mutating func settleOne(_ pending: PendingSettlement, into outbox: inout Outbox) {
    noteSettled(pending, into: &outbox)
    let job = jobs[pending.slot]
    var edge = reversedEdges(from: job.pointee.firstDependent)
    job.pointee.firstDependent = JobSlot.none
    while edge != JobSlot.none {
      let (dependent, generation, following) = (
        edges[Int(edge)].dependent, edges[Int(edge)].generation, edges[Int(edge)].next
      )
      freeEdge(edge)
      edge = following
      guard jobs[dependent].pointee.generation == generation else { continue }
      dependencySettled(of: dependent, completed: pending.state == .completed, into: &outbox)
    }
    let batch = job.pointee.batch
    if batch != JobSlot.none { batchMemberSettled(batch, state: pending.state, into: &outbox) }
  }

  /// Counts and announces a settled job.
  @inline(__always)
  private mutating func announce(_ pending: PendingSettlement, into outbox: inout Outbox) {
    gauges.inSystem -= 1
    gauges.settledByCause[pending.cause] += 1
    if !parked.isEmpty { parked.settled(type: jobs[pending.slot].pointee.type) }
    if !uniqueKeys.isEmpty { uniqueKeys.release(pending.slot) }
    if usesTenants {
      let key = tenants.key(of: pending.slot)
      if key != TenantTable.none {
        tenants.states[Int(key)].live -= 1
        tenants.noteIfIdle(key)
      }
    }
    outbox.orders.append(.settleJob(jobs.id(of: pending.slot), pending.cause))
  }

  /// Counts, announces and keeps a settled job.
  @inline(__always)
  private mutating func noteSettled(_ pending: PendingSettlement, into outbox: inout Outbox) {
    if pending.state == .deadLettered { noteKeys(ofDeadLetter: pending.slot) }
    announce(pending, into: &outbox)
    jobs[pending.slot].pointee.settled = now
    jobs[pending.slot].pointee.cause = pending.cause
    if pending.state == .deadLettered {
      deadLetters.append(pending.slot, in: jobs)
    } else {
      settled.append(pending.slot, in: jobs)
    }
  }

  /// Removes a job that is not running from whatever it waits in, records its end and settles it: as cancelled, or as a
  /// dead letter if its input is invalid.
  mutating func withdrawAndSettle(_ slot: UInt32, cause: SettlementCause, into outbox: inout Outbox) {
    let job = jobs[slot]
    switch job.pointee.state {
    case .waitingForRoom:
      waitingForRoom.remove(slot, in: jobs)
      gauges.waitingForRoom -= 1
      job.pointee.eligible = TimelineRecord.never
      // It was never admitted, so it must not count as leaving the system either.
      gauges.inSystem += 1
    case .blocked:
      gauges.blocked -= 1
      job.pointee.eligible = TimelineRecord.never
    case .scheduled:
      removeTimer(of: slot)
      gauges.scheduled -= 1
      job.pointee.eligible = TimelineRecord.never
    case .available:
      removeFromLane(slot)
    case .running, .completed, .cancelled, .deadLettered:
      invariantViolated("\(#function): job \(jobs.id(of: slot)) is \(job.pointee.state)")
    }
    let record = addRecord(of: slot, into: &outbox)
    record.pointee.finished = now
    record.pointee.settles = true
    record.pointee.cause = cause
    settle(slot, cause: cause, into: &outbox)
  }

  /// Adds the record of the job's current attempt. It can be modified until the next record is added.
  @inline(__always)
  func addRecord(of slot: UInt32, into outbox: inout Outbox) -> UnsafeMutablePointer<TimelineRecord> {
    let job = jobs[slot]
    let record = outbox.records.place()
    record.initialize(
      to: TimelineRecord(
        number: job.pointee.number, type: JobTypeID(rawValue: job.pointee.type), priority: job.pointee.priority,
        intended: job.pointee.intended))
    record.pointee.id = jobs.id(of: slot)
    record.pointee.pool = job.pointee.pool
    record.pointee.attempt = job.pointee.attempt
    record.pointee.submitted = job.pointee.submitted
    record.pointee.accepted = job.pointee.accepted
    record.pointee.eligible = job.pointee.eligible
    record.pointee.previousFinished = job.pointee.previousFinished
    return record
  }

  /// Whether a list of settled jobs, oldest first, exceeds its count, or its oldest job exceeds the age limit.
  @inline(__always)
  mutating func isToForget(oldestOf list: JobList, most: Int, age: Nanoseconds) -> Bool {
    list.head != JobSlot.none && (list.count > most || now - jobs[list.head].pointee.settled > age)
  }

  /// Forgets settled jobs beyond the configured count and age. Dead letters have their own limits.
  @inline(__always)
  mutating func evictSettled(into outbox: inout Outbox) {
    while isToForget(oldestOf: settled, most: configuration.retainedCount, age: retainedAge) {
      let oldest = settled.head
      settled.remove(oldest, in: jobs)
      outbox.orders.append(.forgetJob(jobs.id(of: oldest)))
      releaseSlot(oldest)
    }
  }

  @inline(__always)
  mutating func finishDrainingIfIdle(into outbox: inout Outbox) {
    guard phase == .draining, gauges.inSystem == 0, gauges.waitingForRoom == 0, gauges.abandoned == 0 else { return }
    phase = .drained
    outbox.orders.append(.finishDraining)
  }

  // MARK: - Dependencies

  /// Makes `dependent` wait for `slot`.
  mutating func addEdge(from slot: UInt32, to dependent: UInt32) {
    let edge = DependencyEdge(
      dependent: dependent, generation: jobs[dependent].pointee.generation, next: jobs[slot].pointee.firstDependent)
    if firstFreeEdge != JobSlot.none {
      let index = firstFreeEdge
      firstFreeEdge = edges[Int(index)].next
      edges[Int(index)] = edge
      jobs[slot].pointee.firstDependent = index
    } else {
      jobs[slot].pointee.firstDependent = UInt32(edges.count)
      edges.append(edge)
    }
  }

  /// Edges are added at the front; reversing them lets dependents settle or become eligible in submission order.
  private mutating func reversedEdges(from first: UInt32) -> UInt32 {
    var (edge, reversed) = (first, JobSlot.none)
    while edge != JobSlot.none {
      let next = edges[Int(edge)].next
      edges[Int(edge)].next = reversed
      (reversed, edge) = (edge, next)
    }
    return reversed
  }

  private mutating func freeEdge(_ edge: UInt32) {
    edges[Int(edge)].next = firstFreeEdge
    firstFreeEdge = edge
  }

  private mutating func dependencySettled(of dependent: UInt32, completed: Bool, into outbox: inout Outbox) {
    let job = jobs[dependent]
    switch job.pointee.state {
    case .blocked:
      guard completed else { return withdrawAndSettle(dependent, cause: .dependencyFailed, into: &outbox) }
      job.pointee.unsettledDependencies -= 1
      guard job.pointee.unsettledDependencies == 0 else { return }
      gauges.blocked -= 1
      makeReady(dependent, notBefore: job.pointee.eligible)
    case .waitingForRoom:
      // Admission checks the count.
      if !completed { job.pointee.unsettledDependencies = JobSlot.dependencyHasFailed }
      guard job.pointee.unsettledDependencies != JobSlot.dependencyHasFailed else { return }
      job.pointee.unsettledDependencies -= 1
    case .cancelled, .deadLettered:
      // Cancelled or found invalid before its dependencies settled.
      return
    case .scheduled, .available, .running, .completed:
      invariantViolated("\(#function): job \(jobs.id(of: dependent)) is \(job.pointee.state)")
    }
  }
}
