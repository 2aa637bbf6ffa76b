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
