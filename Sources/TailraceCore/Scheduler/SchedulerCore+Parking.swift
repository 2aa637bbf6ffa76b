/// Job types without a handler, whose jobs wait until one is registered.
extension SchedulerCore {
  /// Registers a job type whose jobs are admitted and wait until it is opened with ``typeOpened(_:as:at:into:)``.
  ///
  /// - Throws: as ``register(_:)``.
  public mutating func registerParked(_ name: String) throws -> JobTypeID {
    let id = try register(JobTypeConfiguration(name: name))
    types[Int(id.rawValue)].isParked = true
    if !types[Int(id.rawValue)].hasOwnLanes { giveOwnLanes(to: Int(id.rawValue)) }
    parked.add(id.rawValue)
    return id
  }

  /// Whether a job waits for its type to be opened.
  public func isParked(_ id: JobID) -> Bool {
    guard let job = jobs.job(id)?.pointee, !job.state.isTerminal else { return false }
    return types[Int(job.type)].isParked
  }

  /// The number of jobs that wait for a parked type to be opened.
  public func waitingJobs(ofParked type: JobTypeID) -> Int { parked.waiting(of: type.rawValue) }

  /// The number of parked types with waiting jobs.
  public var waitingParkedTypes: Int { parked.waitingTypes }

  /// Whether a parked type has no known job, settled or not. The driver may then reuse its number for another name: all
  /// parked types are equivalent until they are opened.
  public func isForgotten(parked type: JobTypeID) -> Bool { !parked.isRemembered(type.rawValue) }

  /// The unsettled jobs of a parked type, by slot.
  /// - Complexity: O(n log n) in the jobs of the type.
  public mutating func unsettledJobs(ofParked type: JobTypeID) -> [JobID] {
    unsettledSlots(ofParked: type).map { jobs.id(of: $0) }
  }

  private mutating func unsettledSlots(ofParked type: JobTypeID) -> [UInt32] {
    parked.slots(of: type.rawValue).filter { !jobs[$0].pointee.state.isTerminal }
  }

  /// Opens a parked type. Its jobs take from it what their submissions left open, keep their order, and continue.
  ///
  /// Jobs that the type makes impossible (its pool has no workers, or it reserves more memory than the budget) are
  /// cancelled as rejected.
  /// - Complexity: O(n log n) in the jobs of the type, plus the jobs that wait in the same lanes.
  /// - Throws: ``InvalidValues``; the state is then unchanged.
  /// - Precondition: the type is parked.
  public mutating func typeOpened(
    _ id: JobTypeID, as configuration: JobTypeConfiguration, at instant: Instant, into outbox: inout Outbox
  ) throws(InvalidValues) {
    try configuration.validate()
    advance(to: instant)
    let number = Int(id.rawValue)
    if !types[number].isParked { invariantViolated("\(#function): job type \(configuration.name) is open") }
    var opened = typeState(configuration, number: id.rawValue)
    for slot in unsettledSlots(ofParked: id) where !isPossible(slot, as: opened) {
      withdrawAndSettle(slot, cause: .rejected, into: &outbox)
    }
    let members = unsettledSlots(ofParked: id)
    let waiting = members.filter { jobs[$0].pointee.state == .available }
    for slot in waiting { removeFromLane(slot) }
    // Includes dead letters, which may be replayed.
    for slot in parked.slots(of: id.rawValue) { settle(slot, into: opened) }
    parked.remove(id.rawValue)
    for lane in types[number].gatedLanes { lanes[Int(lane)].gate = .open }
    opened.hasOwnLanes = true
    types[number] = opened
    if !needsOwnLanes(opened), members.allSatisfy({ jobs[$0].pointee.memory == 0 }) {
      shareLanes(of: number)
    } else if traits.layout == .byType {
      for lane in ownLanes(of: number) {
        shares[Int(lanes[Int(lane)].share)].step = opened.step
        if sheds { longestShares.update(lanes[Int(lane)].share, in: &shares) }
      }
    }
    // In reverse: each job is inserted before the one inserted previously.
    var hints: [UInt32: UInt32] = [:]
    for slot in waiting.sorted(by: { isYounger($0, than: $1) }) { rejoin(slot, &hints) }
  }

  private mutating func isPossible(_ slot: UInt32, as type: TypeState) -> Bool {
    let choices = parked.choices(slot, of: jobs[slot].pointee.type)
    let pool = choices?.pool == true ? jobs[slot].pointee.pool : type.pool
    let memory = choices?.memory == true ? jobs[slot].pointee.memory : type.memory
    return pools[Int(pool.rawValue)].most > 0
      && (configuration.memoryBudget == nil || memory <= kibibytes(configuration.memoryBudget!))
  }

  /// Fills in what the submission left open.
  private mutating func settle(_ slot: UInt32, into type: TypeState) {
    let job = jobs[slot]
    guard let choices = parked.choices(slot, of: job.pointee.type) else { return }
    if !choices.priority { job.pointee.priority = type.priority }
    if !choices.pool { job.pointee.pool = type.pool }
    if !choices.timeout { job.pointee.timeout = type.timeout }
    if !choices.retry { job.pointee.retryPolicy = type.retryPolicy }
    if !choices.memory { job.pointee.memory = type.memory }
    guard job.pointee.rank == JobSlot.unranked else { return }
    switch configuration.policy {
    case .fifo, .priority, .aging, .slopeAging, .fair: break
    case .deadline: if let deadline = type.deadline { job.pointee.rank = (job.pointee.intended + deadline).nanoseconds }
    case .shortest: if let expected = type.expected { job.pointee.rank = expected.rawValue }
    }
  }

  /// The type's own lanes for jobs without a tenant, each once.
  private mutating func ownLanes(of type: Int) -> [UInt32] {
    var found: [UInt32] = []
    for offset in 0..<Self.lanesPerType where found.last != laneIndex[type * Self.lanesPerType + offset] {
      found.append(laneIndex[type * Self.lanesPerType + offset])
    }
    return found
  }

  /// Makes jobs of this type share lanes with other types. Its own lanes are empty.
  private mutating func shareLanes(of type: Int) {
    for lane in ownLanes(of: type) { freeLanes.append(lane) }
    for offset in 0..<Self.lanesPerType { laneIndex[type * Self.lanesPerType + offset] = UInt32(offset) }
    types[type].hasOwnLanes = false
  }

  /// Moves an eligible job into the lane where it now belongs, in order.
  ///
  /// - Parameter hints: by lane, the job that was inserted there last.
  private mutating func rejoin(_ slot: UInt32, _ hints: inout [UInt32: UInt32]) {
    let lane = laneOfJob(in: slot)
    jobs[slot].pointee.lane = UInt32(lane)
    gauges.availableByPriority[jobs[slot].pointee.priority] += 1
    if traits.layout != .byPriority { join(lane) }
    lanes[lane].jobs.insertBySequence(slot, before: hints[UInt32(lane)], in: jobs)
    hints[UInt32(lane)] = slot
    if sheds { noteYoung(slot) }
    if traits.order == .byKey { jobHeaps[lane].insert(slot, key: policyKey(slot, in: lane), in: jobs) }
    if head(of: lane) == slot { headChanged(lane) }
  }
}
