extension SchedulerCore {
  // MARK: - Submission

  /// Submits a job.
  public mutating func jobSubmitted(
    _ submission: borrowing JobSubmission, at instant: Instant, into outbox: inout Outbox
  ) -> Admission {
    advance(to: instant)
    let type = Int(submission.type.rawValue)
    let pool = submission.pool ?? types[type].pool
    let memory = submission.memory.map(kibibytes) ?? types[type].memory
    if let refusal = refusal(of: submission, pool: pool, memory: memory) {
      return refuse(submission, refusal, cause: refusal.cause, into: &outbox)
    }
    var victim = JobSlot.none
    // Freed room belongs to submitters that already wait for it.
    if isFull(for: pool) || waitingForRoom.head != JobSlot.none, !hasReserve(for: submission) {
      switch configuration.whenFull {
      case .reject:
        return refuse(submission, .queueFull(capacity: configuration.queueCapacity), cause: .rejected, into: &outbox)
      case .shed:
        victim = self.victim(for: submission, pool: pool, priority: submission.priority ?? types[type].priority)
        guard victim != JobSlot.none else {
          return refuse(submission, .queueFull(capacity: configuration.queueCapacity), cause: .rejected, into: &outbox)
        }
      case .block:
        let slot = fill(submission, pool: pool, memory: memory)
        waitingForRoom.append(slot, in: jobs)
        gauges.waitingForRoom += 1
        return .waiting(jobs.id(of: slot))
      }
    }
    let slot = fill(submission, pool: pool, memory: memory)
    // Read the identifier now: a job that settles during admission may be forgotten before this function returns.
    let id = jobs.id(of: slot)
    // Shed only after the dependencies are noted: a completed one may be forgotten, a waiting one may be the victim.
    if victim != JobSlot.none { withdrawAndSettle(victim, cause: .shed, into: &outbox) }
    admit(slot, into: &outbox)
    return .accepted(id)
  }

  /// Whether the queue has no room for a job of this pool. A queue of 0 admits only what an idle worker takes at once.
  @inline(__always)
  func isFull(for pool: PoolID) -> Bool {
    if configuration.queueCapacity > 0 { return gauges.waiting >= configuration.queueCapacity }
    let state = Int(pool.rawValue)
    return gauges.waiting >= min(pools[state].idle.count, pools[state].limit - pools[state].occupied)
  }

  /// Whether the scheduler currently distinguishes submissions from running handlers.
  public var asksForOrigin: Bool {
    @inline(__always) get {
      phase != .accepting
        || configuration.whenFull == .block
          && (waitingForRoom.head != JobSlot.none || gauges.waiting >= configuration.queueCapacity)
    }
  }

  /// Whether a handler's job may exceed the queue's capacity. Otherwise its worker would wait for room that only
  /// workers can make.
  @inline(never)
  private func hasReserve(for submission: borrowing JobSubmission) -> Bool {
    submission.isFromHandler && configuration.whenFull == .block
      && gauges.waiting - configuration.handlerReserve < configuration.queueCapacity
  }

  @inline(__always)
  mutating func refusal(of submission: borrowing JobSubmission, pool: PoolID, memory: UInt32) -> Refusal? {
    if hasNoPlace(forKey: submission.tenant) { return .tooManyTenants(most: TenantTable.most) }
    if phase != .accepting, isStopRequested || phase == .drained || !submission.isFromHandler { return .stopping }
    if submission.retry != nil || submission.memory != nil, let invalid = invalidValue(of: submission) {
      return .invalidValue(invalid)
    }
    if pools[Int(pool.rawValue)].most == 0 { return .poolWithoutWorkers(pool) }
    if memory > 0, let budget = configuration.memoryBudget, memory > kibibytes(budget) {
      return .exceedsMemoryBudget(bytes: Int(memory) * 1024, budget: budget)
    }
    if let batch = submission.batch, batches[batch.rawValue]?.sealed != false { return .unknownBatch(batch) }
    if let key = submission.uniqueKey, let first = uniqueKeys.holder(of: key) { return .duplicate(of: first) }
    // Checked first, because iterating even an empty array has a cost.
    if !submission.dependencies.isEmpty {
      for dependency in submission.dependencies where dependency != .refused && jobs.find(dependency) == nil {
        return .unknownDependency(dependency)
      }
    }
    return nil
  }

  /// Clamps values to their ranges, whatever checks came before. Times saturate.
  @inline(never)
  private func invalidValue(of submission: borrowing JobSubmission) -> InvalidValue? {
    var check = ValueCheck()
    if let memory = submission.memory { check.check("memory", memory, in: 0...mostMemory) }
    if let retry = submission.retry { check.add(retry.problems(named: "retry.")) }
    return check.found.first
  }

  @inline(never)
  mutating func refuse(
    _ submission: borrowing JobSubmission, _ refusal: Refusal, cause: SettlementCause, into outbox: inout Outbox
  ) -> Admission {
    let type = types[Int(submission.type.rawValue)]
    var record = TimelineRecord(
      number: submission.number, type: submission.type, priority: submission.priority ?? type.priority,
      intended: submission.intended)
    record.pool = submission.pool ?? type.pool
    record.submitted = submission.submitted
    record.finished = now
    record.settles = true
    record.cause = cause
    outbox.records.append(record)
    gauges.settledByCause[cause] += 1
    return .refused(refusal)
  }

  /// Takes a slot for the job, in no list yet. Until admission, its dependencies see the state `waitingForRoom`.
  @inline(__always)
  mutating func fill(_ submission: borrowing JobSubmission, pool: PoolID, memory: UInt32) -> UInt32 {
    let type = Int(submission.type.rawValue)
    if memory > 0, !types[type].hasOwnLanes { giveOwnLanes(to: type) }
    let slot = jobs.take()
    let job = jobs[slot]
    job.pointee.intended = submission.intended
    job.pointee.submitted = submission.submitted
    job.pointee.timeout = submission.timeout ?? types[type].timeout
    job.pointee.number = submission.number
    job.pointee.memory = memory
    job.pointee.retryPolicy =
      submission.retry == nil
      ? types[type].retryPolicy : retryPolicies.number(of: submission.retry!, submittedWith: slot)
    job.pointee.type = submission.type.rawValue
    job.pointee.priority = submission.priority ?? types[type].priority
    job.pointee.pool = pool
    job.pointee.rank = rank(of: submission, type)
    job.pointee.delay = submission.delay
    if let notBefore = submission.notBefore { job.pointee.notBefore = notBefore }
    job.pointee.state = .waitingForRoom
    if let batch = submission.batch { joinBatch(batch, slot) }
    if usesTenants { assignTenant(submission.tenant, to: slot) }
    if let key = submission.uniqueKey { uniqueKeys.hold(key, for: jobs.id(of: slot)) }
    if !submission.dependencies.isEmpty {
      for dependency in submission.dependencies { addDependency(dependency, of: slot) }
    }
    if types[type].isParked { parked.addJob(slot, of: submission.type.rawValue, ParkedChoices(submission)) }
    return slot
  }

  /// Computes the policy's sort key for a job beyond its type and priority.
  @inline(__always)
  func rank(of submission: borrowing JobSubmission, _ type: Int) -> Int64 {
    switch configuration.policy {
    case .fifo, .priority, .aging, .slopeAging, .fair: return JobSlot.unranked
    case .deadline:
      guard let deadline = submission.deadline ?? types[type].deadline else { return JobSlot.unranked }
      return (submission.intended + deadline).nanoseconds
    case .shortest: return (submission.expectedService ?? types[type].expected)?.rawValue ?? JobSlot.unranked
    }
  }

  private mutating func joinBatch(_ batch: BatchID, _ slot: UInt32) {
    jobs[slot].pointee.batch = batch.rawValue
    batches[batch.rawValue]!.unsettled += 1
    if batches[batch.rawValue]!.failFast { noteMember(jobs.id(of: slot), of: batch.rawValue) }
  }

  private mutating func addDependency(_ dependency: JobID, of slot: UInt32) {
    let job = jobs[slot]
    guard job.pointee.unsettledDependencies != JobSlot.dependencyHasFailed else { return }
    guard let parent = jobs.find(dependency) else {
      job.pointee.unsettledDependencies = JobSlot.dependencyHasFailed
      return
    }
    switch jobs[parent].pointee.state {
    case .completed: return
    case .cancelled, .deadLettered: job.pointee.unsettledDependencies = JobSlot.dependencyHasFailed
    case .waitingForRoom, .blocked, .scheduled, .available, .running:
      addEdge(from: parent, to: slot)
      job.pointee.unsettledDependencies += 1
    }
  }

  /// Admits a job: it is in the system from now on.
  mutating func admit(_ slot: UInt32, into outbox: inout Outbox) {
    let job = jobs[slot]
    job.pointee.accepted = now
    gauges.admitted += 1
    gauges.inSystem += 1
    // An absent instant is smaller than any other.
    job.pointee.eligible = max(now + job.pointee.delay, job.pointee.notBefore)
    job.pointee.started = TimelineRecord.never
    let isDoomed = job.pointee.unsettledDependencies == JobSlot.dependencyHasFailed
    if job.pointee.unsettledDependencies == 0, job.pointee.batch == JobSlot.none {
      makeReady(slot, notBefore: job.pointee.eligible)
    } else if isDoomed || batchHasFailed(job.pointee.batch) {
      job.pointee.state = .blocked
      gauges.blocked += 1
      return withdrawAndSettle(slot, cause: isDoomed ? .dependencyFailed : .batchFailed, into: &outbox)
    } else if job.pointee.unsettledDependencies == 0 {
      makeReady(slot, notBefore: job.pointee.eligible)
    } else {
      job.pointee.state = .blocked
      gauges.blocked += 1
    }
    gauges.waitingMax = max(gauges.waitingMax, gauges.waiting)
  }

  private func batchHasFailed(_ number: UInt32) -> Bool {
    number != JobSlot.none && batches[number]?.failed == true
  }

  // MARK: - Attempts

  /// Reports that a worker is about to run an attempt whose token asks for this report.
  public mutating func attemptStarted(_ token: AttemptToken, at instant: Instant) {
    advance(to: instant)
    let pool = Int(token.pool.rawValue)
    guard token.reportsStart, pools[pool].owesReport[Int(token.worker)] else { return }
    pools[pool].owesReport[Int(token.worker)] = false
    if let slot = jobs.find(token.job), isCurrent(token, slot) {
      // Clock readings of different threads may be out of order; an attempt never starts before it was granted.
      jobs[slot].pointee.started = max(instant, jobs[slot].pointee.started)
    }
    changeGates(of: token) { $0.startReported(at: instant) }
  }

  /// Reports that a worker finished an attempt, or skipped it because it was stopped before it started.
  ///
  /// - Parameters:
  ///   - token: the attempt, as it was ordered.
  ///   - started: when the handler was called; for a skipped attempt equal to `finished`.
  ///   - finished: when the handler returned; not after `instant`.
  ///   - outcome: ignored if the attempt was stopped meanwhile.
  ///   - instant: now.
  ///   - outbox: receives the orders and records.
  public mutating func attemptEnded(
    _ token: AttemptToken, started: Instant, finished: Instant, outcome: AttemptOutcome, at instant: Instant,
    into outbox: inout Outbox
  ) {
    advance(to: instant)
    let isSteady = pools[Int(token.pool.rawValue)].isSteady
    if !isSteady, isLive(token) { learn(from: finished - started, in: Int(token.pool.rawValue), outcome: outcome) }
    releaseWorker(token)
    guard let slot = jobs.find(token.job), isCurrent(token, slot) else {
      gauges.abandoned -= 1
      finishDrainingIfIdle(into: &outbox)
      return
    }
    // Time stamps come from other threads than the decisions; a job never starts before it was eligible.
    let start = max(started, jobs[slot].pointee.eligible)
    if case .shortest = configuration.policy, outcome == .succeeded {
      types[Int(token.type.rawValue)].learn(max(finished, start) - start)
    }
    endAttempt(slot, started: start, finished: max(finished, start), outcome: outcome, into: &outbox)
  }

  /// Whether workers of the pool hold attempts that they are not yet running.
  public func hasClaimsAhead(in pool: PoolID) -> Bool {
    let state = Int(pool.rawValue)
    return pools[state].occupied > pools[state].claims.count - pools[state].idle.count - pools[state].absent
  }

  /// Returns an attempt that was handed to a worker and has not begun: the job waits again at its old position. To
  /// return several, use the reverse of the order in which they were handed out, which is cheapest.
  public mutating func attemptReturned(_ token: AttemptToken, at instant: Instant, into outbox: inout Outbox) {
    advance(to: instant)
    guard let slot = jobs.find(token.job), isCurrent(token, slot) else {
      attemptEnded(token, started: now, finished: now, outcome: .cancelled, at: now, into: &outbox)
      return
    }
    releaseWorker(token)
    removeTimer(of: slot)
    gauges.running -= 1
    jobs[slot].pointee.started = TimelineRecord.never
    jobs[slot].pointee.worker = TimelineRecord.noWorker
    enqueueAgain(slot)
  }

  /// Whether the attempt is still current. A worker that holds several attempts checks before it starts one.
  public func isLive(_ token: AttemptToken) -> Bool {
    jobs.find(token.job).map { isCurrent(token, $0) } ?? false
  }

  /// Whether the token belongs to the attempt that the job is running.
  @inline(__always)
  func isCurrent(_ token: AttemptToken, _ slot: UInt32) -> Bool {
    let job = jobs[slot]
    return job.pointee.state == .running && job.pointee.attempt == token.attempt
  }

  @inline(__always)
  private mutating func releaseWorker(_ token: AttemptToken) {
    let pool = Int(token.pool.rawValue)
    let worker = Int(token.worker)
    pools[pool].running -= 1
    pools[pool].claims[worker] -= 1
    if pools[pool].claims[worker] == 0 { pools[pool].idle.append(token.worker) }
    if pools[pool].replaced > 0 { replacedWorkerEnded(worker, in: pool) }
    let type = Int(token.type.rawValue)
    // Another attempt of the worker may owe the report.
    if token.reportsStart, pools[pool].owesReport[worker] {
      // It was stopped before it started.
      pools[pool].owesReport[worker] = false
      changeGates(of: token) { $0.startAbandoned() }
    }
    types[type].running -= 1
    if usesTenants { releaseTenant(of: token) }
    if token.memory > 0 { releaseMemory(token.memory) }
    if !types[type].gatedLanes.isEmpty { openLanes(of: type, gate: .concurrency) }
  }

  /// Ends the current attempt: records it and decides what follows.
  @inline(__always)
  mutating func endAttempt(
    _ slot: UInt32, started: Instant, finished: Instant, outcome: AttemptOutcome, cause given: SettlementCause? = nil,
    into outbox: inout Outbox
  ) {
    let job = jobs[slot]
    removeTimer(of: slot)
    gauges.running -= 1
    let record = addRecord(of: slot, into: &outbox)
    record.pointee.worker = job.pointee.worker
    record.pointee.outcome = outcome
    record.pointee.started = started
    record.pointee.finished = finished
    if outcome == .crashed { job.pointee.crashes += 1 }
    let mayRetry = retryPolicies.allowsRetry(
      job.pointee.retryPolicy, of: slot, after: Int(job.pointee.attempt), crashes: job.pointee.crashes)
    if let verdict = outcome.settlement(mayRetry: mayRetry) {
      let cause = given ?? verdict
      record.pointee.settles = true
      record.pointee.cause = cause
      settle(slot, cause: cause, into: &outbox)
    } else {
      retry(slot, finished: finished)
    }
  }

  @inline(never)
  private mutating func retry(_ slot: UInt32, finished: Instant) {
    let job = jobs[slot]
    let retry = Int(job.pointee.attempt)
    let wait = retryPolicy(of: slot)
      .wait(beforeRetry: retry, seed: configuration.seed, number: job.pointee.number)
    gauges.retries += 1
    job.pointee.previousFinished = finished
    job.pointee.attempt += 1
    job.pointee.worker = TimelineRecord.noWorker
    job.pointee.started = TimelineRecord.never
    makeReady(slot, notBefore: finished + wait)
    gauges.waitingMax = max(gauges.waitingMax, gauges.waiting)
  }

  // MARK: - Time

  /// Reports that the instant of the earliest ``SchedulerOrder/setTimer(_:)`` order was reached.
  public mutating func timerFired(at instant: Instant, into outbox: inout Outbox) {
    advance(to: instant)
    announcedTimer = .distantFuture
    while let first = timers.first, first.at <= now {
      timers.remove(at: 0, jobs: jobs, gates: &gates)
      if first.owner.isJob {
        jobTimerFired(first.owner.rawValue, at: first.at, into: &outbox)
      } else if let gate = first.owner.gate {
        openLanes(behind: gate)
      } else if let pool = first.owner.pool {
        scale(pool)
      } else if let schedule = first.owner.schedule {
        scheduleTimerFired(schedule, into: &outbox)
      }
    }
    evictSettled(into: &outbox)
    evictDeadLetters(into: &outbox)
  }

  private mutating func jobTimerFired(_ slot: UInt32, at due: Instant, into outbox: inout Outbox) {
    let job = jobs[slot]
    switch job.pointee.state {
    case .scheduled:
      gauges.scheduled -= 1
      // Eligible since the due instant: the driver's lateness counts as waiting time, not as backoff.
      enqueue(slot, eligible: due)
    case .running:
      let token = currentToken(slot)
      outbox.orders.append(.stopAttempt(token))
      gauges.abandoned += 1
      learn(from: now - job.pointee.started, in: Int(job.pointee.pool.rawValue), outcome: .timedOut)
      endAttempt(slot, started: job.pointee.started, finished: now, outcome: .timedOut, into: &outbox)
    case .waitingForRoom, .blocked, .available, .completed, .cancelled, .deadLettered:
      invariantViolated("\(#function): a timer for job \(jobs.id(of: slot)), which is \(job.pointee.state)")
    }
  }

  // MARK: - Cancellation and shutdown

  /// Cancels a job and its dependents. Returns whether the job was still unsettled.
  @discardableResult
  public mutating func cancelRequested(_ id: JobID, at instant: Instant, into outbox: inout Outbox) -> Bool {
    advance(to: instant)
    return cancel(id, cause: .cancelled, into: &outbox)
  }

  @discardableResult
  mutating func cancel(_ id: JobID, cause: SettlementCause, into outbox: inout Outbox) -> Bool {
    guard let slot = jobs.find(id) else { return false }
    let job = jobs[slot]
    switch job.pointee.state {
    case .completed, .cancelled, .deadLettered: return false
    case .running:
      outbox.orders.append(.stopAttempt(currentToken(slot)))
      gauges.abandoned += 1
      endAttempt(
        slot, started: job.pointee.started, finished: max(now, job.pointee.started), outcome: .cancelled, cause: cause,
        into: &outbox)
    case .waitingForRoom, .blocked, .scheduled, .available:
      withdrawAndSettle(slot, cause: cause, into: &outbox)
    }
    return true
  }

  /// Starts draining: rejects new jobs except those from running handlers; known jobs continue. `finishDraining` is
  /// ordered when nothing is left.
  public mutating func drainRequested(at instant: Instant, into outbox: inout Outbox) {
    advance(to: instant)
    guard phase == .accepting else { return }
    phase = .draining
    endSchedules()
    while waitingForRoom.head != JobSlot.none {
      withdrawAndSettle(waitingForRoom.head, cause: .stopped, into: &outbox)
    }
    finishDrainingIfIdle(into: &outbox)
  }

  /// Stops the scheduler: cancels waiting jobs and stops running ones. `finishDraining` is ordered when every handler
  /// has returned.
  public mutating func stopRequested(at instant: Instant, into outbox: inout Outbox) {
    drainRequested(at: instant, into: &outbox)
    isStopRequested = true
    for slot in 0..<jobs.highWater { cancel(jobs.id(of: slot), cause: .stopped, into: &outbox) }
  }
}

extension Refusal {
  /// The settlement cause in the record of a rejected job.
  var cause: SettlementCause {
    switch self {
    case .stopping: .stopped
    case .duplicate: .duplicate
    case .queueFull, .unknownDependency, .unknownBatch, .exceedsMemoryBudget, .poolWithoutWorkers, .tooManyTenants,
      .invalidValue:
      .rejected
    }
  }
}
