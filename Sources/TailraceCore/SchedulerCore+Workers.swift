extension PoolState {
  /// Attempts that count for the pool's limit.
  @inline(__always) var occupied: Int { running - replaced }
}

/// Workers that go and come back: they crash and are started anew, hang for good, or are not needed for a while.
extension SchedulerCore {
  /// A worker is gone: it is handed nothing until ``workerReturned(_:pool:at:)``. What it holds goes on; a driver whose
  /// worker died with its attempts reports their ends too, as `crashed`.
  ///
  /// A worker that is already away stays away.
  /// - Complexity: O(idle workers of the pool).
  public mutating func workerLeft(_ worker: UInt16, pool: PoolID, at instant: Instant) {
    advance(to: instant)
    let (state, place) = (Int(pool.rawValue), Int(worker))
    guard !pools[state].isAbsent[place] else { return }
    pools[state].isAbsent[place] = true
    pools[state].absent += 1
    if pools[state].claims[place] == 0 { removeFromIdle(worker, state) }
    // An absence is one more claim, so that the end of its last attempt does not make it idle.
    pools[state].claims[place] += 1
  }

  /// A worker is back, and idle once it holds nothing. One that was not away stays as it is.
  public mutating func workerReturned(_ worker: UInt16, pool: PoolID, at instant: Instant) {
    advance(to: instant)
    let (state, place) = (Int(pool.rawValue), Int(worker))
    guard pools[state].isAbsent[place] else { return }
    pools[state].isAbsent[place] = false
    pools[state].absent -= 1
    pools[state].claims[place] -= 1
    if pools[state].claims[place] == 0 { pools[state].idle.append(worker) }
  }

  /// A worker's handler is stuck: a spare worker takes its place. What the stuck one holds goes on holding what it has
  /// of the limits of its job type, its tag key and the memory, but no longer counts for the pool's own limit. Once all
  /// of it is reported as ended, the worker is a spare one.
  ///
  /// Spare workers are numbered after the pool's own, ``SchedulerConfiguration/replacementLimit`` of them.
  /// - Precondition: the one is there and holds an attempt, the other is away and holds none.
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

  /// An attempt of a pool with replaced workers ended, and the worker's claim is gone.
  mutating func replacedWorkerEnded(_ worker: Int, in pool: Int) {
    guard pools[pool].isReplaced[worker] else { return }
    pools[pool].replaced -= 1
    if pools[pool].claims[worker] == 1 { pools[pool].isReplaced[worker] = false }
  }

  /// Takes a worker out of the idle ones, whose order stays.
  private mutating func removeFromIdle(_ worker: UInt16, _ pool: Int) {
    var kept = 0
    for position in pools[pool].idle.indices where pools[pool].idle[position] != worker {
      pools[pool].idle[kept] = pools[pool].idle[position]
      kept += 1
    }
    while pools[pool].idle.count > kept { pools[pool].idle.removeLast() }
  }
}
