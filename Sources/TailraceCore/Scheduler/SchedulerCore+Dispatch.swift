/// Allows a worker to take several jobs at once.
public struct Claim: Hashable, Sendable {
  /// The pool that the worker belongs to.
  public var pool: PoolID
  /// The index of the worker in its pool.
  public var worker: UInt16
  /// Maximum attempts that it may hold in total.
  public var limit: Int
  /// Creates a claim of at most `limit` jobs for one worker.
  public init(pool: PoolID, worker: UInt16, limit: Int) {
    self.pool = pool
    self.worker = worker
    self.limit = limit
  }
}

extension SchedulerCore {
  /// The dispatch pass: hands the first jobs in the policy's order to idle workers, as far as limits allow, and admits
  /// submitters that wait for the freed room.
  ///
  /// - Parameters:
  ///   - instant: now.
  ///   - claim: a worker that may take further jobs once its pool has no idle worker. Use it only for jobs so short
  ///     that the order by priority is preserved.
  ///   - outbox: receives the orders and records.
  /// - Complexity: O(log lanes) per started job.
  public mutating func startJobs(at instant: Instant, claiming claim: Claim? = nil, into outbox: inout Outbox) {
    advance(to: instant)
    repeat {
      var pool = memoryTurn
      for _ in pools.indices {
        if !pools[pool].heap.entries.isEmpty || memoryMayFit { startJobs(in: pool, claim: claim, into: &outbox) }
        pool += 1
        if pool == pools.count { pool = 0 }
      }
    } while admitWaitingSubmitters(into: &outbox)
    announceTimer(into: &outbox)
  }

  private mutating func startJobs(in pool: Int, claim: Claim?, into outbox: inout Outbox) {
    // Jobs claimed ahead count as running. If every worker may run, the workers themselves are the limit.
    let isLimitedByWorkers = pools[pool].limit >= pools[pool].workers && pools[pool].isSteady
    if !pools[pool].isSteady { watchQueue(of: pool) }
    while let lane = topLane(of: pool) {
      let worker: UInt16
      if let idle = pools[pool].idle.last {
        guard isLimitedByWorkers || pools[pool].occupied < pools[pool].limit else { return }
        worker = idle
      } else if let claim, Int(claim.pool.rawValue) == pool, isLimitedByWorkers, pools[pool].gate < 0,
        Int(pools[pool].claims[Int(claim.worker)]) < claim.limit, !pools[pool].isAbsent[Int(claim.worker)],
        lanes[Int(lane)].isShared
      {
        // Jobs with their own limit are never claimed ahead: they would occupy it without running.
        worker = claim.worker
      } else {
        return
      }
      guard poolGateIsOpen(pool) else { return }
      guard laneIsOpen(Int(lane)) else { continue }
      if !pools[pool].isSteady, shedsLate(Int(lane), in: pool, into: &outbox) { continue }
      start(from: Int(lane), pool: pool, worker: worker, into: &outbox)
    }
  }

  /// The lane whose first job comes first.
  @inline(__always)
  private mutating func topLane(of pool: Int) -> UInt32? {
    guard traits.choice == .byKey else { return mostUrgentLane(of: pool) }
    if memoryMayFit { openFirstForMemory(in: pool) }
    return pools[pool].heap.top
  }

  /// Like the above, for policies whose keys change over time: compares the first jobs of all candidate lanes.
  private mutating func mostUrgentLane(of pool: Int) -> UInt32? {
    var best: UInt32?
    var bestKey = Int64.max
    let open = pools[pool].heap.entries.count
    for position in 0..<(open + (memoryMayFit ? pools[pool].memoryHeap.entries.count : 0)) {
      let lane =
        position < open ? pools[pool].heap.entries[position] : pools[pool].memoryHeap.entries[position - open]
      let key = policyKey(head(of: Int(lane)), in: Int(lane))
      if best == nil || key < bestKey || key == bestKey && comesBefore(lane, best!) { (best, bestKey) = (lane, key) }
    }
    if let best, lanes[Int(best)].gate == .memory { openForMemory(best) }
    return best
  }

  /// Reopens the first lane that waits for memory, if it comes before all open lanes.
  @inline(never)
  private mutating func openFirstForMemory(in pool: Int) {
    guard let first = pools[pool].memoryHeap.top else { return }
    if let other = pools[pool].heap.top, !Lane.precedes(lanes[Int(first)], lanes[Int(other)]) { return }
    openForMemory(first)
  }

  private mutating func openForMemory(_ lane: UInt32) {
    leaveMemoryHeap(Int(lane))
    open(Int(lane))
  }

  /// Removes a lane from the memory heap and marks it open.
  private mutating func leaveMemoryHeap(_ lane: Int) {
    pools[Int(lanes[lane].pool.rawValue)].memoryHeap.remove(UInt32(lane), in: &lanes)
    lanes[lane].gate = .open
    lanesForMemory -= 1
    if lanesForMemory == 0 { memoryMayFit = false }
  }

  private mutating func comesBefore(_ a: UInt32, _ b: UInt32) -> Bool {
    Int32(bitPattern: lanes[Int(a)].headSequence &- lanes[Int(b)].headSequence) < 0
  }

  /// The job of a lane that starts first.
  @inline(__always)
  mutating func head(of lane: Int) -> UInt32 {
    traits.order == .asTheyCame ? lanes[lane].jobs.head : jobHeaps[lane].first
  }

  @inline(__always)
  private mutating func start(from lane: Int, pool: Int, worker: UInt16, into outbox: inout Outbox) {
    let slot = head(of: lane)
    if traits.layout != .byPriority { charge(lane, of: pool) }
    let job = jobs[slot]
    // Reads the slot's second cache line now: it is fetched together with the first line of the job behind, which the
    // lane reads next.
    let timeout = job.pointee.timeout
    if timeout.rawValue != .max { setTimer(for: slot, at: now + timeout) }
    removeFromLane(slot)
    job.pointee.state = .running
    job.pointee.started = now
    job.pointee.worker = worker
    gauges.running += 1
    pools[pool].running += 1
    if pools[pool].claims[Int(worker)] == 0 { pools[pool].idle.removeLast() }
    pools[pool].claims[Int(worker)] += 1
    types[Int(job.pointee.type)].running += 1
    memoryInUse += Int(job.pointee.memory)
    let token = currentToken(slot)
    if token.tenant != TenantTable.none { tenants.states[Int(token.tenant)].running += 1 }
    grantRates(token)
    outbox.orders.append(.startAttempt(token))
  }

  @inline(__always)
  mutating func currentToken(_ slot: UInt32) -> AttemptToken {
    let job = jobs[slot]
    let key = usesTenants ? tenants.key(of: slot) : TenantTable.none
    return AttemptToken(
      job: jobs.id(of: slot), number: job.pointee.number, type: JobTypeID(rawValue: job.pointee.type),
      pool: job.pointee.pool,
      priority: job.pointee.priority, attempt: job.pointee.attempt, worker: job.pointee.worker,
      memory: job.pointee.memory,
      reportsStart: reportsStarts
        && (types[Int(job.pointee.type)].gate >= 0 || pools[Int(job.pointee.pool.rawValue)].gate >= 0
          || key != TenantTable.none && tenants.states[Int(key)].gate >= 0),
      tenant: key)
  }

  @inline(__always)
  private mutating func admitWaitingSubmitters(into outbox: inout Outbox) -> Bool {
    waitingForRoom.head != JobSlot.none && admitSubmitters(into: &outbox)
  }

  private mutating func admitSubmitters(into outbox: inout Outbox) -> Bool {
    var admitted = false
    while waitingForRoom.head != JobSlot.none, !isFull(for: jobs[waitingForRoom.head].pointee.pool) {
      let slot = waitingForRoom.head
      waitingForRoom.remove(slot, in: jobs)
      gauges.waitingForRoom -= 1
      outbox.orders.append(.releaseSubmitter(jobs.id(of: slot)))
      admit(slot, into: &outbox)
      admitted = true
    }
    return admitted
  }

  @inline(__always)
  private mutating func announceTimer(into outbox: inout Outbox) {
    guard let first = timers.first, first.at < announcedTimer else { return }
    announcedTimer = first.at
    outbox.orders.append(.setTimer(first.at))
  }

  // MARK: - Becoming eligible

  /// Makes the job eligible, now or at a later instant.
  @inline(__always)
  mutating func makeReady(_ slot: UInt32, notBefore: Instant) {
    if notBefore > now {
      jobs[slot].pointee.state = .scheduled
      jobs[slot].pointee.eligible = notBefore
      gauges.scheduled += 1
      setTimer(for: slot, at: notBefore)
    } else {
      enqueue(slot, eligible: jobs[slot].pointee.attempt == 1 ? now : notBefore)
    }
  }

  @inline(__always)
  mutating func enqueue(_ slot: UInt32, eligible: Instant) {
    let job = jobs[slot]
    job.pointee.state = .available
    job.pointee.eligible = eligible
    job.pointee.sequence = nextSequence
    nextSequence &+= 1
    gauges.availableByPriority[job.pointee.priority] += 1
    let lane = laneOfJob(in: slot)
    job.pointee.lane = UInt32(lane)
    if traits.layout != .byPriority { join(lane) }
    lanes[lane].jobs.append(slot, in: jobs)
    if sheds { noteYoung(slot) }
    if traits.order == .byKey { jobHeaps[lane].insert(slot, key: policyKey(slot, in: lane), in: jobs) }
    if head(of: lane) == slot { headChanged(lane) }
  }

  /// The lane in which a job waits.
  @inline(__always)
  mutating func laneOfJob(in slot: UInt32) -> Int {
    let job = jobs[slot]
    if usesTenants {
      let key = tenants.key(of: slot)
      if key != TenantTable.none {
        return lane(ofKey: key, type: job.pointee.type, pool: job.pointee.pool, priority: job.pointee.priority)
      }
    }
    return lane(type: job.pointee.type, pool: job.pointee.pool, priority: job.pointee.priority)
  }

  /// Returns a job to its position in its lane, which is usually close to the front.
  mutating func enqueueAgain(_ slot: UInt32) {
    let job = jobs[slot]
    job.pointee.state = .available
    gauges.availableByPriority[job.pointee.priority] += 1
    let lane = Int(job.pointee.lane)
    lanes[lane].jobs.insertBySequence(slot, in: jobs)
    if sheds { noteYoung(slot) }
    if traits.order == .byKey { jobHeaps[lane].insert(slot, key: policyKey(slot, in: lane), in: jobs) }
    if traits.layout != .byPriority {
      shares[Int(lanes[lane].share)].waiting += 1
      if sheds { longestShares.update(lanes[lane].share, in: &shares) }
      refund(lane)
    }
    if head(of: lane) == slot { headChanged(lane) }
  }

  @inline(__always)
  mutating func removeFromLane(_ slot: UInt32) {
    let lane = Int(jobs[slot].pointee.lane)
    gauges.availableByPriority[jobs[slot].pointee.priority] -= 1
    let wasHead = head(of: lane) == slot
    lanes[lane].jobs.remove(slot, in: jobs)
    if traits.order == .byKey { jobHeaps[lane].remove(slot, in: jobs) }
    if traits.layout != .byPriority { leave(lane) }
    guard wasHead else { return }
    // The job that the others waited for may have left without ever reserving memory.
    if memoryWaiter == UInt32(lane) { releaseMemory(0) }
    headChanged(lane)
  }

  /// Updates a lane's position in its pool's heap after its first job changed.
  @inline(__always)
  mutating func headChanged(_ lane: Int) {
    let pool = Int(lanes[lane].pool.rawValue)
    let head = head(of: lane)
    if head == JobSlot.none {
      if lanes[lane].gate == .memory {
        leaveMemoryHeap(lane)
      } else if lanes[lane].heapPosition >= 0 {
        pools[pool].heap.remove(UInt32(lane), in: &lanes)
      }
      return
    }
    lanes[lane].headKey = policyKey(head, in: lane)
    lanes[lane].headSequence = jobs[head].pointee.sequence
    // The new first job needs no memory.
    if lanes[lane].gate == .memory, jobs[head].pointee.memory == 0 { leaveMemoryHeap(lane) }
    if lanes[lane].gate == .memory {
      pools[pool].memoryHeap.update(UInt32(lane), in: &lanes)
    } else if lanes[lane].heapPosition >= 0 {
      pools[pool].heap.update(UInt32(lane), in: &lanes)
    } else if lanes[lane].gate == .open {
      pools[pool].heap.insert(UInt32(lane), in: &lanes)
    }
  }

  // MARK: - Limits

  @inline(__always)
  private mutating func poolGateIsOpen(_ pool: Int) -> Bool {
    let gate = pools[pool].gate
    guard gate >= 0 else { return true }
    if gates[Int(gate)].isOpen(at: now) { return true }
    wait(forGate: Int(gate))
    return false
  }

  /// Whether the first job of the lane may start; closes the lane if not.
  @inline(__always)
  private mutating func laneIsOpen(_ lane: Int) -> Bool {
    lanes[lane].isShared || ownLaneIsOpen(lane)
  }

  /// Like the above, for lanes with limits. Separate, because the compiler stops inlining into a long function.
  @inline(never)
  private mutating func ownLaneIsOpen(_ lane: Int) -> Bool {
    let key = lanes[lane].key
    guard key == TenantTable.none || keyIsOpen(key, for: lane) else { return false }
    guard lanes[lane].type != Lane.shared else { return true }
    let type = Int(lanes[lane].type)
    if types[type].isParked {
      close(lane, .parked)
      return false
    }
    if types[type].running >= types[type].concurrency {
      close(lane, .concurrency)
      return false
    }
    let gate = types[type].gate
    if gate >= 0, !gates[Int(gate)].isOpen(at: now) {
      close(lane, .rate)
      wait(forGate: Int(gate))
      return false
    }
    let memory = Int(jobs[head(of: lane)].pointee.memory)
    if memory > 0, let budget = configuration.memoryBudget,
      memoryIsAwaited || memoryInUse + memory > Int(kibibytes(budget))
    {
      // While one job waits for memory, no other job that needs memory overtakes it, so large jobs do not starve.
      close(lane, .memory)
      return false
    }
    return true
  }

  private mutating func keyIsOpen(_ key: UInt16, for lane: Int) -> Bool {
    if tenants.states[Int(key)].running >= tenants.states[Int(key)].concurrency {
      close(lane, .keyConcurrency)
      return false
    }
    let gate = tenants.states[Int(key)].gate
    if gate >= 0, !gates[Int(gate)].isOpen(at: now) {
      close(lane, .keyRate)
      wait(forGate: Int(gate))
      return false
    }
    return true
  }

  private mutating func close(_ lane: Int, _ gate: LaneGate) {
    let pool = Int(lanes[lane].pool.rawValue)
    pools[pool].heap.remove(UInt32(lane), in: &lanes)
    lanes[lane].gate = gate
    switch gate {
    case .memory:
      // The pool whose job waits for memory dispatches first, so that no other pool takes the freed memory.
      if !memoryIsAwaited { (memoryWaiter, memoryTurn) = (UInt32(lane), pool) }
      memoryMayFit = false
      lanesForMemory += 1
      pools[pool].memoryHeap.insert(UInt32(lane), in: &lanes)
    case .concurrency, .rate, .parked: types[Int(lanes[lane].type)].gatedLanes.append(UInt32(lane))
    case .keyConcurrency, .keyRate: tenants.states[Int(lanes[lane].key)].gatedLanes.append(UInt32(lane))
    case .open: invariantViolated("\(#function): lane \(lane) is closed for no reason")
    }
  }

  /// Reopens the lanes of a type that were closed for this reason. The next dispatch pass closes them again if needed.
  mutating func openLanes(of type: Int, gate: LaneGate) {
    var kept = 0
    for position in 0..<types[type].gatedLanes.count {
      let lane = types[type].gatedLanes[position]
      if lanes[Int(lane)].gate == gate {
        open(Int(lane))
      } else {
        types[type].gatedLanes[kept] = lane
        kept += 1
      }
    }
    types[type].gatedLanes.removeLast(types[type].gatedLanes.count - kept)
  }

  mutating func open(_ lane: Int) {
    lanes[lane].gate = .open
    if lanes[lane].jobs.head != JobSlot.none { headChanged(lane) }
  }

  mutating func openLanes(behind gate: Int) {
    let key = gates[gate].tenant
    if key != TenantTable.none { return openLanes(ofKey: key, gate: .keyRate) }
    let type = gates[gate].type
    if type != Lane.shared { openLanes(of: Int(type), gate: .rate) }
  }

  mutating func releaseMemory(_ memory: UInt32) {
    memoryInUse -= Int(memory)
    memoryWaiter = nil
    memoryMayFit = lanesForMemory > 0
  }

  @inline(__always)
  private mutating func grantRates(_ token: AttemptToken) {
    let now = now
    changeGates(of: token) { $0.grant(at: now, isReported: token.reportsStart) }
    if token.reportsStart { pools[Int(token.pool.rawValue)].owesReport[Int(token.worker)] = true }
  }

  /// Updates every rate limit that applies to an attempt: of its type, pool and tenant.
  @inline(__always)
  mutating func changeGates(of token: AttemptToken, _ change: (inout RateGate) -> Void) {
    let (typeGate, poolGate) = (types[Int(token.type.rawValue)].gate, pools[Int(token.pool.rawValue)].gate)
    if typeGate >= 0 { change(&gates[Int(typeGate)]) }
    if poolGate >= 0 { change(&gates[Int(poolGate)]) }
    guard token.tenant != TenantTable.none else { return }
    let keyGate = tenants.states[Int(token.tenant)].gate
    if keyGate >= 0 { change(&gates[Int(keyGate)]) }
  }

  private mutating func wait(forGate gate: Int) {
    guard gates[gate].timerPosition < 0 else { return }
    timers.insert(.gate(gate), at: gates[gate].earliest(at: now), jobs: jobs, gates: &gates)
  }

  // MARK: - Shedding

  /// The job to shed for a submission: the youngest of the least urgent eligible jobs, if it is less urgent than the
  /// submission. With shares: the youngest job of the account with the most waiting relative to its weight, if that is
  /// more than the submission's own account has. `JobSlot.none` if there is none.
  mutating func victim(for submission: borrowing JobSubmission, pool: PoolID, priority: Priority) -> UInt32 {
    switch traits.layout {
    case .byPriority: return youngestLessUrgent(than: priority)
    case .byType:
      return youngestOfLongest(
        but: lanes[lane(type: submission.type.rawValue, pool: pool, priority: priority)].share)
    case .byKey:
      let key = tenants.place(of: submission.tenant ?? "")
      return youngestOfLongest(but: key.map { tenants.states[Int($0)].shares[Int(pool.rawValue)] })
    }
  }

  mutating func isYounger(_ a: UInt32, than b: UInt32) -> Bool {
    Int32(bitPattern: jobs[a].pointee.sequence &- jobs[b].pointee.sequence) > 0
  }

  /// The youngest of the least urgent eligible jobs if it is less urgent than `priority`, or none.
  private mutating func youngestLessUrgent(than priority: Priority) -> UInt32 {
    for candidate in Priority.allCases.reversed() where candidate > priority {
      guard gauges.availableByPriority[candidate] > 0 else { continue }
      return youngest[Int(candidate.rawValue) - 1].youngest(in: jobs)
    }
    return JobSlot.none
  }

  /// Registers a waiting job as a candidate for shedding.
  @inline(never)
  mutating func noteYoung(_ slot: UInt32) {
    guard traits.layout == .byPriority else { return }
    let priority = jobs[slot].pointee.priority
    youngest[Int(priority.rawValue) - 1].add(slot, waiting: gauges.availableByPriority[priority], in: jobs)
  }
}
