/// Limits that change at run time: adaptive concurrency, autoscaling, and shedding by waiting time.
extension SchedulerCore {
  /// The number of attempts that the pool may run at once now: its workers or concurrency, as reduced by an adaptive
  /// limit or autoscaling.
  public func concurrencyLimit(of pool: PoolID) -> Int { pools[Int(pool.rawValue)].limit }

  /// Updates the adaptive limit when an attempt ends. Called while the attempt still counts as running.
  mutating func learn(from service: Nanoseconds, in pool: Int, outcome: AttemptOutcome) {
    guard pools[pool].limiter != nil else { return }
    pools[pool].limiter!.attemptEnded(
      service: service, running: pools[pool].occupied, wasLost: outcome == .timedOut || outcome == .crashed)
    updateLimit(of: pool)
  }

  private mutating func updateLimit(of pool: Int) {
    let adaptive = pools[pool].limiter?.limit ?? .max
    let active = pools[pool].autoscaler?.active ?? .max
    pools[pool].limit = min(pools[pool].most, adaptive, active)
  }

  // MARK: - Autoscaling

  /// Schedules an autoscaling check if jobs wait in the pool and none is scheduled.
  mutating func watchQueue(of pool: Int) {
    guard pools[pool].autoscaler?.isWaiting == false,
      !pools[pool].heap.entries.isEmpty || memoryMayFit && !pools[pool].memoryHeap.entries.isEmpty
    else { return }
    lookAgain(pool)
  }

  private mutating func lookAgain(_ pool: Int) {
    pools[pool].autoscaler!.isWaiting = true
    timers.insert(.pool(pool), at: now + pools[pool].autoscaler!.interval, jobs: jobs, gates: &gates)
  }

  /// Runs an autoscaling check of the pool.
  mutating func scale(_ pool: Int) {
    let age = oldestEligible(in: pool).map { now - $0 }
    let running = pools[pool].occupied
    pools[pool].autoscaler!.look(age: age, running: running, at: now)
    pools[pool].autoscaler!.isWaiting = false
    updateLimit(of: pool)
    if age != nil || pools[pool].autoscaler!.isAboveLeast { lookAgain(pool) }
  }

  /// The earliest eligibility among jobs that only lack a worker; nil: none waits.
  private func oldestEligible(in pool: Int) -> Instant? {
    var oldest: Instant?
    let open = pools[pool].heap.entries.count
    for position in 0..<(open + (memoryMayFit ? pools[pool].memoryHeap.entries.count : 0)) {
      let lane = Int(
        position < open ? pools[pool].heap.entries[position] : pools[pool].memoryHeap.entries[position - open])
      let eligible = jobs[lanes[lane].jobs.head].pointee.eligible
      oldest = min(oldest ?? eligible, eligible)
    }
    return oldest
  }

  // MARK: - Shedding by waiting time

  /// Sheds the job that a worker is about to take, if waiting has been too long. Returns whether it was shed.
  mutating func shedsLate(_ lane: Int, in pool: Int, into outbox: inout Outbox) -> Bool {
    guard pools[pool].delayController != nil else { return false }
    let slot = head(of: lane)
    let waited = now - jobs[slot].pointee.eligible
    let isLast = gauges.available == 1
    guard pools[pool].delayController!.sheds(waited: waited, isLast: isLast, at: now) else { return false }
    withdrawAndSettle(slot, cause: .shed, into: &outbox)
    return true
  }
}
