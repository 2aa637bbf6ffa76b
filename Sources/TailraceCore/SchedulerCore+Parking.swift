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

/// Job types that nothing is known of yet but their jobs.
extension SchedulerCore {
  /// Registers a job type whose jobs are admitted and wait until it is opened.
  public mutating func registerParked(_ name: String) -> JobTypeID {
    let id = register(JobTypeConfiguration(name: name))
    types[Int(id.rawValue)].isParked = true
    if !types[Int(id.rawValue)].hasOwnLanes { giveOwnLanes(to: Int(id.rawValue)) }
    return id
  }

  /// Whether a job waits for its type to be opened.
  public func isParked(_ id: JobID) -> Bool {
    guard let job = jobs.job(id)?.pointee, !job.state.isTerminal else { return false }
    return types[Int(job.type)].isParked
  }

  /// The jobs of a type that have not settled, in the order of their places.
  /// - Complexity: O(jobs).
  public func unsettledJobs(of type: JobTypeID) -> [JobID] {
    jobs.unsettled(of: type.rawValue)
  }

  /// A parked type is now known: its jobs take from it what their submitters left open, keep their order, and go on.
  ///
  /// Those that it makes impossible (its pool has no workers, or it reserves more memory than the budget) are cancelled
  /// as rejected.
  /// - Complexity: O(jobs).
  /// - Precondition: the type is parked; else as ``register(_:)``.
  public mutating func typeOpened(
    _ id: JobTypeID, as configuration: JobTypeConfiguration, at instant: Instant, into outbox: inout Outbox
  ) {
    advance(to: instant)
    let number = Int(id.rawValue)
    precondition(types[number].isParked, "\(#function): job type \(configuration.name) is open")
    var opened = typeState(configuration)
    for slot in 0..<jobs.highWater where isUnsettled(slot, id) && !isPossible(slot, as: opened) {
      withdrawAndSettle(slot, cause: .rejected, into: &outbox)
    }
    let members = (0..<jobs.highWater).filter { isUnsettled($0, id) }
    let waiting = members.filter { jobs[$0].pointee.state == .available }
    for slot in waiting { removeFromLane(slot) }
    for slot in members { settle(slot, into: opened) }
    for letter in deadLetterIDs where jobs[UInt32(letter.slot)].pointee.type == id.rawValue {
      settle(UInt32(letter.slot), into: opened)
    }
    for lane in types[number].gatedLanes { lanes[Int(lane)].gate = .open }
    opened.hasOwnLanes = true
    types[number] = opened
    if !needsOwnLanes(opened), members.allSatisfy({ jobs[$0].pointee.memory == 0 }) {
      shareLanes(of: number)
    } else if traits.layout == .byType {
      for lane in ownLanes(of: number) { shares[Int(lanes[Int(lane)].share)].step = opened.step }
    }
    // The last first: each finds its place at the front.
    for slot in waiting.sorted(by: { isYounger($0, than: $1) }) { rejoin(slot) }
  }

  private mutating func isUnsettled(_ slot: UInt32, _ type: JobTypeID) -> Bool {
    jobs[slot].pointee.type == type.rawValue && !jobs[slot].pointee.state.isTerminal
  }

  private mutating func isPossible(_ slot: UInt32, as type: TypeState) -> Bool {
    let choices = parkedChoices[slot]
    let pool = choices?.pool == true ? jobs[slot].pointee.pool : type.pool
    let memory = choices?.memory == true ? jobs[slot].pointee.memory : type.memory
    return pools[Int(pool.rawValue)].most > 0
      && (configuration.memoryBudget == nil || memory <= kibibytes(configuration.memoryBudget!))
  }

  /// Fills in what the submitter left open.
  private mutating func settle(_ slot: UInt32, into type: TypeState) {
    guard let choices = parkedChoices.removeValue(forKey: slot) else { return }
    let job = jobs[slot]
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

  /// The lanes of the type's own that jobs without a tag key wait in, each once.
  private mutating func ownLanes(of type: Int) -> [UInt32] {
    let perType = PoolID.allCases.count * Priority.allCases.count
    var found: [UInt32] = []
    for offset in 0..<perType where found.last != laneIndex[type * perType + offset] {
      found.append(laneIndex[type * perType + offset])
    }
    return found
  }

  /// From now on jobs of this type wait among those of others. Its lanes are empty.
  private mutating func shareLanes(of type: Int) {
    for lane in ownLanes(of: type) { freeLanes.append(lane) }
    let perType = PoolID.allCases.count * Priority.allCases.count
    for offset in 0..<perType { laneIndex[type * perType + offset] = UInt32(offset) }
    types[type].hasOwnLanes = false
  }

  /// Puts an eligible job into the lane where it now belongs, in its order.
  private mutating func rejoin(_ slot: UInt32) {
    let lane = laneOfJob(in: slot)
    jobs[slot].pointee.lane = UInt32(lane)
    gauges.availableByPriority[jobs[slot].pointee.priority] += 1
    if traits.layout != .byPriority { join(lane) }
    lanes[lane].jobs.insertBySequence(slot, in: jobs)
    if traits.order == .byKey { jobHeaps[lane].insert(slot, key: policyKey(slot, in: lane), in: jobs) }
    if head(of: lane) == slot { headChanged(lane) }
  }
}
