extension SchedulerCore {
  /// When a job that waits for its delay or its next attempt becomes eligible; nil in every other state.
  public func dueInstant(of id: JobID) -> Instant? {
    guard let job = jobs.job(id)?.pointee, job.state == .scheduled else { return nil }
    return job.eligible
  }

  /// When a job settled; nil if it has not settled or is not known.
  public func settledInstant(of id: JobID) -> Instant? {
    guard let job = jobs.job(id)?.pointee, job.state.isTerminal else { return nil }
    return job.settled
  }

  /// When the current attempt of a job was handed to its worker; nil if none is running.
  public func startedInstant(of id: JobID) -> Instant? {
    guard let job = jobs.job(id)?.pointee, job.state == .running else { return nil }
    return job.started
  }

  /// Whether no attempt follows if this one ends with `outcome`. False for an attempt that is already over.
  public func isLast(_ token: AttemptToken, endingAs outcome: AttemptOutcome) -> Bool {
    guard let slot = jobs.find(token.job), isCurrent(token, slot) else { return false }
    let crashes = jobs[slot].pointee.crashes + (outcome == .crashed ? 1 : 0)
    let mayRetry = retryPolicy(of: slot)
      .allowsRetry(after: Int(token.attempt), crashes: crashes)
    return outcome.settlement(mayRetry: mayRetry) != nil
  }

  /// The worker that holds a job's current attempt, and the number of the attempt; nil if there is none.
  public func holder(of id: JobID) -> (pool: PoolID, worker: UInt16, attempt: UInt16)? {
    guard let job = jobs.job(id)?.pointee, job.state == .running else { return nil }
    return (job.pool, job.worker, job.attempt)
  }

  /// The number of slots in use so far; every known job is in one of them.
  public var slotCount: Int { Int(jobs.highWater) }

  /// The job in a slot below ``slotCount``; nil: the slot is free.
  public func job(inSlot slot: Int) -> (id: JobID, type: JobTypeID, state: JobState)? {
    let slot = UInt32(slot)
    let job = jobs[slot].pointee
    return job.type == JobSlot.free ? nil : (jobs.id(of: slot), JobTypeID(rawValue: job.type), job.state)
  }

  /// The pool that runs a job's attempts; nil if the job is not known.
  public func pool(of id: JobID) -> PoolID? { jobs.job(id)?.pointee.pool }

  /// The submitter's number of a job; nil if the job is not known.
  public func number(of id: JobID) -> UInt64? { jobs.job(id)?.pointee.number }
}

/// The limited resources that a running job occupies, and which of them are exhausted.
package struct JobNeeds: Sendable {
  /// The job's type.
  package var type: JobTypeID
  /// The pool that runs it.
  package var pool: PoolID
  /// The slot of its tenant; `UInt16.max`: none.
  package var tenant: UInt16
  /// Whether it reserves memory.
  package var usesMemory: Bool
  /// Whether the pool has no idle worker, or its limit is reached.
  package var poolIsTaken: Bool
  /// Whether the concurrency limit of the type is reached.
  package var typeIsTaken: Bool
  /// Whether the concurrency limit of the tenant is reached.
  package var tenantIsTaken: Bool
  /// Whether the memory budget has no room for it, or other jobs wait for memory before it.
  package var memoryIsTaken: Bool
}

extension SchedulerCore {
  /// The resources that a job occupies; nil: it is not known.
  package func needs(of id: JobID) -> JobNeeds? {
    guard let slot = jobs.find(id) else { return nil }
    let job = jobs[slot].pointee
    let (type, pool) = (Int(job.type), Int(job.pool.rawValue))
    let key = usesTenants ? tenants.key(of: slot) : TenantTable.none
    var lacksMemory = false
    if job.memory > 0, let budget = configuration.memoryBudget {
      lacksMemory = memoryIsAwaited || memoryInUse + Int(job.memory) > Int(kibibytes(budget))
    }
    return JobNeeds(
      type: JobTypeID(rawValue: job.type), pool: job.pool, tenant: key, usesMemory: job.memory > 0,
      poolIsTaken: pools[pool].idle.isEmpty || pools[pool].occupied >= pools[pool].limit,
      typeIsTaken: types[type].running >= types[type].concurrency,
      tenantIsTaken: key != TenantTable.none
        && tenants.states[Int(key)].running >= tenants.states[Int(key)].concurrency,
      memoryIsTaken: lacksMemory)
  }
}
