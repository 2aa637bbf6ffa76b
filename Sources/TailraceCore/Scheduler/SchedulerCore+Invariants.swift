extension SchedulerCore {
  /// Descriptions of all violated invariants; empty if there are none.
  ///
  /// For tests: it inspects the whole state after an event and changes nothing.
  /// - Complexity: O(jobs + lanes + workers).
  public mutating func violatedInvariants() -> [String] {
    var problems: [String] = []
    func check(_ holds: Bool, _ words: @autoclosure () -> String) { if !holds { problems.append(words()) } }
    checkCounts(check)
    checkLanes(check)
    checkPools(check)
    checkTimers(check)
    checkTenants(check)
    checkSchedules(check)
    checkShedding(check)
    check(settling.isEmpty, "settlements are left over between facts")
    check(settled.count <= configuration.retainedCount, "\(settled.count) settled jobs are kept")
    checkDeadLetters(check)
    if configuration.whenFull != .reject || gauges.retries == 0 {
      check(
        gauges.retries > 0 || configuration.queueCapacity == 0
          || gauges.waiting - (configuration.whenFull == .block ? configuration.handlerReserve : 0)
            <= configuration.queueCapacity,
        "\(gauges.waiting) jobs wait, the queue holds \(configuration.queueCapacity)")
    }
    return problems
  }

  private mutating func checkCounts(_ check: (Bool, @autoclosure () -> String) -> Void) {
    var (available, scheduled, blocked, running, waiting, terminal) = (0, 0, 0, 0, 0, 0)
    var held = 0
    for slot in 0..<jobs.highWater {
      let job = jobs[slot].pointee
      switch job.state {
      case .waitingForRoom: waiting += 1
      case .blocked: blocked += 1
      case .scheduled: scheduled += 1
      case .available: available += 1
      case .running: running += 1
      case .completed, .cancelled, .deadLettered: terminal += 1
      }
      check(
        (job.state == .scheduled) == (job.timerPosition >= 0) || job.state == .running,
        "a \(job.state) job has timer position \(job.timerPosition)")
      if uniqueKeys.isHeld(by: slot) {
        held += 1
        check(!job.state.isTerminal, "a \(job.state) job holds a unique key")
      }
      check(
        job.state != .blocked || job.unsettledDependencies > 0, "a blocked job waits for no dependency")
      check(
        job.state.isTerminal || Int(job.attempt) <= retryPolicy(of: slot).limit + 1,
        "attempt \(job.attempt) exceeds the limit")
    }
    let keys = uniqueKeys.count
    check(held == keys, "\(held) jobs hold unique keys, \(keys) are held")
    check(available == gauges.available, "\(available) available jobs, counted \(gauges.available)")
    check(scheduled == gauges.scheduled, "\(scheduled) scheduled jobs, counted \(gauges.scheduled)")
    check(blocked == gauges.blocked, "\(blocked) blocked jobs, counted \(gauges.blocked)")
    check(running == gauges.running, "\(running) running jobs, counted \(gauges.running)")
    check(waiting == gauges.waitingForRoom, "\(waiting) waiting submitters, counted \(gauges.waitingForRoom)")
    check(
      available + scheduled + blocked + running == gauges.inSystem,
      "\(available + scheduled + blocked + running) jobs in the system, counted \(gauges.inSystem)")
    check(terminal >= settled.count + deadLetters.count, "more settled jobs are listed than known")
  }

  /// Checks the candidate for shedding against a full search.
  private mutating func checkShedding(_ check: (Bool, @autoclosure () -> String) -> Void) {
    guard sheds else { return }
    if traits.layout == .byPriority {
      for priority in Priority.allCases {
        var found = JobSlot.none
        for slot in 0..<jobs.highWater
        where jobs[slot].pointee.state == .available && jobs[slot].pointee.priority == priority
          && (found == JobSlot.none || isYounger(slot, than: found))
        {
          found = slot
        }
        let noted = youngest[Int(priority.rawValue) - 1].youngest(in: jobs)
        check(found == noted, "the youngest job of priority \(priority) is \(found), noted \(noted)")
      }
    } else {
      var longest = 0.0
      for share in shares.indices { longest = max(longest, shares[share].length) }
      let noted = longestShares.first.map { shares[Int($0)].length } ?? 0
      check(noted == longest, "the longest share has \(longest), noted \(noted)")
    }
  }

  private mutating func checkDeadLetters(_ check: (Bool, @autoclosure () -> String) -> Void) {
    let kept = configuration.deadLetterCount
    check(deadLetters.count <= kept, "\(deadLetters.count) dead letters are kept of \(kept)")
    var (slot, count, keys) = (deadLetters.head, 0, 0)
    while slot != JobSlot.none, count <= deadLetters.count {
      check(jobs[slot].pointee.state == .deadLettered, "a \(jobs[slot].pointee.state) job is a dead letter")
      if deadLetterKeys[slot] != nil { keys += 1 }
      (slot, count) = (jobs[slot].pointee.next, count + 1)
    }
    check(count == deadLetters.count, "the dead letters' links and count disagree")
    check(keys == deadLetterKeys.count, "\(deadLetterKeys.count) dead letters have keys, \(keys) are kept")
  }

  private mutating func checkLanes(_ check: (Bool, @autoclosure () -> String) -> Void) {
    var listed = 0
    for index in lanes.indices {
      let lane = lanes[index]
      listed += lane.jobs.count
      check(
        (lane.heapPosition >= 0) == ((lane.gate == .open || lane.gate == .memory) && lane.jobs.count > 0),
        "lane \(index) with \(lane.jobs.count) jobs and gate \(lane.gate) has heap position \(lane.heapPosition)")
      var (slot, count, last) = (lane.jobs.head, 0, JobSlot.none)
      while slot != JobSlot.none, count <= lane.jobs.count {
        check(jobs[slot].pointee.state == .available, "a \(jobs[slot].pointee.state) job is in lane \(index)")
        check(Int(jobs[slot].pointee.lane) == index, "a job of another lane is in lane \(index)")
        (last, slot, count) = (slot, jobs[slot].pointee.next, count + 1)
      }
      check(count == lane.jobs.count && last == lane.jobs.tail, "lane \(index)'s links and count disagree")
    }
    for index in jobHeaps.indices {
      let (sorted, listed) = (jobHeaps[index].entries.count, lanes[index].jobs.count)
      check(sorted == listed, "lane \(index) sorts \(sorted) jobs and lists \(listed)")
      for position in jobHeaps[index].entries.indices {
        let entry = jobHeaps[index].entries[position]
        check(jobs[entry.slot].pointee.heapPosition == position, "a job is misplaced in lane \(index)")
        let parent = jobHeaps[index].entries[max(0, position - 1) / 4]
        check(position == 0 || !JobHeap.Entry.precedes(entry, parent), "lane \(index)'s jobs are out of order")
      }
    }
    check(listed == gauges.available, "\(listed) jobs in lanes, \(gauges.available) available")
  }

  private mutating func checkPools(_ check: (Bool, @autoclosure () -> String) -> Void) {
    var running = 0
    for index in pools.indices {
      running += pools[index].running
      var (claimed, idle, absent) = (0, 0, 0)
      for worker in pools[index].claims.indices {
        claimed += Int(pools[index].claims[worker])
        if pools[index].claims[worker] == 0 { idle += 1 }
        if pools[index].isAbsent[worker] { absent += 1 }
      }
      claimed -= absent
      let countedAbsent = pools[index].absent
      check(absent == countedAbsent, "pool \(index): \(absent) workers are away, counted \(countedAbsent)")
      var held = 0
      for worker in pools[index].claims.indices where pools[index].isReplaced[worker] {
        held += Int(pools[index].claims[worker]) - 1
        check(pools[index].isAbsent[worker], "pool \(index): worker \(worker) was replaced and is there")
      }
      let replaced = pools[index].replaced
      check(held == replaced, "pool \(index): replaced workers hold \(held) attempts, counted \(replaced)")
      let (counted, listed) = (pools[index].running, pools[index].idle.count)
      check(claimed == counted, "pool \(index): \(claimed) claims, \(counted) running")
      check(listed == idle, "pool \(index): \(listed) workers listed as idle, \(idle) are")
      for position in pools[index].heap.entries.indices.dropFirst() {
        let (lane, parent) = (pools[index].heap.entries[position], pools[index].heap.entries[(position - 1) / 2])
        check(!Lane.precedes(lanes[Int(lane)], lanes[Int(parent)]), "pool \(index): its lanes are out of order")
      }
    }
    checkMemory(check)
    check(
      running == gauges.running + gauges.abandoned,
      "\(running) occupied workers' attempts, \(gauges.running) running and \(gauges.abandoned) abandoned")
    for index in types.indices {
      let type = types[index]
      check(type.running <= type.concurrency, "type \(index) runs \(type.running) of \(type.concurrency)")
      check(type.running >= 0, "type \(index) runs \(type.running)")
    }
  }

  private mutating func checkMemory(_ check: (Bool, @autoclosure () -> String) -> Void) {
    if let budget = configuration.memoryBudget {
      check(memoryInUse <= Int(kibibytes(budget)), "\(memoryInUse) KiB reserved of \(kibibytes(budget))")
    }
    check(memoryInUse >= 0, "\(memoryInUse) KiB reserved")
    var closed = 0
    for index in pools.indices {
      closed += pools[index].memoryHeap.entries.count
      for position in pools[index].memoryHeap.entries.indices {
        let lane = lanes[Int(pools[index].memoryHeap.entries[position])]
        let parent = lanes[Int(pools[index].memoryHeap.entries[max(0, position - 1) / 2])]
        check(lane.gate == .memory, "pool \(index): a lane with gate \(lane.gate) waits for memory")
        check(position == 0 || !Lane.precedes(lane, parent), "pool \(index): lanes wait for memory out of order")
      }
    }
    let counted = lanesForMemory
    check(closed == counted, "\(closed) lanes wait for memory, counted \(counted)")
    let mayFit = memoryMayFit
    check(mayFit == (closed > 0 && !memoryIsAwaited), "\(closed) lanes wait for memory, and may fit: \(mayFit)")
  }

  private mutating func checkTenants(_ check: (Bool, @autoclosure () -> String) -> Void) {
    guard usesTenants else { return }
    var (live, running) = (0, 0)
    for index in tenants.states.indices {
      let key = tenants.states[index]
      live += key.live
      running += key.running
      check(
        (0...key.concurrency).contains(key.running), "key '\(key.name)' runs \(key.running) of \(key.concurrency)")
      check(!key.isFree || key.live == 0 && key.running == 0, "the forgotten key '\(key.name)' is in use")
    }
    var unsettled = 0
    for slot in 0..<jobs.highWater
    where !jobs[slot].pointee.state.isTerminal && tenants.key(of: slot) != TenantTable.none {
      unsettled += 1
    }
    check(live == unsettled, "\(unsettled) unsettled jobs have a tenant, counted \(live)")
    let occupied = gauges.running + gauges.abandoned
    check(running <= occupied, "\(running) attempts run for tenants, \(occupied) in all")
    for index in shares.indices {
      let waiting = shares[index].lanes.reduce(0) { $0 + lanes[Int($1)].jobs.count }
      let counted = shares[index].waiting
      check(waiting == counted, "share \(index): \(waiting) jobs wait, counted \(counted)")
    }
  }

  private mutating func checkTimers(_ check: (Bool, @autoclosure () -> String) -> Void) {
    for position in timers.entries.indices {
      let entry = timers.entries[position]
      if let pool = entry.owner.pool {
        check(pools[pool].autoscaler?.isWaiting == true, "a look at pool \(pool)'s queue that nobody waits for")
      } else if let gate = entry.owner.gate {
        check(gates[gate].timerPosition == position, "a rate limit's timer is misplaced")
      } else if let schedule = entry.owner.schedule {
        check(timers.position(ofSchedule: schedule) == position, "a schedule's timer is misplaced")
      } else {
        let job = jobs[entry.owner.rawValue].pointee
        check(job.timerPosition == position, "a job's timer is misplaced")
        check(job.state == .scheduled || job.state == .running, "a \(job.state) job has a timer")
      }
      if position > 0 { check(timers.entries[(position - 1) / 4].at <= entry.at, "the timers are out of order") }
    }
  }
}
