extension PoolState {
  /// Attempts that count toward the pool's limit.
  @inline(__always) var occupied: Int { running - replaced }
}

/// Workers that leave and return: they crash and restart, hang, or are inactive for a while.
extension SchedulerCore {
  /// Removes a worker: it receives nothing until ``workerReturned(_:pool:at:)``. Its attempts continue; a driver whose
  /// worker died must also report the end of its attempts, as `crashed`.
  ///
  /// Has no effect if the worker is already absent.
  /// - Complexity: O(idle workers of the pool).
  public mutating func workerLeft(_ worker: UInt16, pool: PoolID, at instant: Instant) {
    advance(to: instant)
    let (state, place) = (Int(pool.rawValue), Int(worker))
    guard !pools[state].isAbsent[place] else { return }
    pools[state].isAbsent[place] = true
    pools[state].absent += 1
    if pools[state].claims[place] == 0 { removeFromIdle(worker, state) }
    // An absence counts as one more claim, so that the end of the last attempt does not make the worker idle.
    pools[state].claims[place] += 1
  }

  /// Restores a worker; it is idle once it holds nothing. Has no effect if the worker is not absent.
  public mutating func workerReturned(_ worker: UInt16, pool: PoolID, at instant: Instant) {
    advance(to: instant)
    let (state, place) = (Int(pool.rawValue), Int(worker))
    guard pools[state].isAbsent[place] else { return }
    pools[state].isAbsent[place] = false
    pools[state].absent -= 1
    pools[state].claims[place] -= 1
    if pools[state].claims[place] == 0 { pools[state].idle.append(worker) }
  }

  /// Replaces a worker whose handler is stuck with a spare one. The attempts of the stuck worker keep their share of
  /// the limits of job type, tenant and memory, but no longer count toward the pool's own limit. Once all of them are
  /// reported as ended, the worker becomes a spare.
  ///
  /// Spare workers are numbered after the pool's own, ``SchedulerConfiguration/replacementLimit`` of them.
  /// - Precondition: `worker` is present and holds an attempt; `spare` is absent and holds none.
  public mutating func workerReplaced(_ worker: UInt16, by spare: UInt16, pool: PoolID, at instant: Instant) {
    let state = Int(pool.rawValue)
    guard !pools[state].isAbsent[Int(worker)], pools[state].claims[Int(worker)] > 0 else {
      invariantViolated("worker \(worker) is not stuck")
    }
    guard pools[state].isAbsent[Int(spare)], pools[state].claims[Int(spare)] == 1 else {
      invariantViolated("worker \(spare) is not a spare one")
    }
    workerLeft(worker, pool: pool, at: instant)
    pools[state].isReplaced[Int(worker)] = true
    pools[state].replaced += Int(pools[state].claims[Int(worker)]) - 1
    workerReturned(spare, pool: pool, at: instant)
  }

  /// Handles the end of an attempt in a pool with replaced workers, after the worker's claim was removed.
  mutating func replacedWorkerEnded(_ worker: Int, in pool: Int) {
    guard pools[pool].isReplaced[worker] else { return }
    pools[pool].replaced -= 1
    if pools[pool].claims[worker] == 1 { pools[pool].isReplaced[worker] = false }
  }

  /// Removes a worker from the idle list and keeps the order of the others.
  private mutating func removeFromIdle(_ worker: UInt16, _ pool: Int) {
    var kept = 0
    for position in pools[pool].idle.indices where pools[pool].idle[position] != worker {
      pools[pool].idle[kept] = pools[pool].idle[position]
      kept += 1
    }
    while pools[pool].idle.count > kept { pools[pool].idle.removeLast() }
  }
}
