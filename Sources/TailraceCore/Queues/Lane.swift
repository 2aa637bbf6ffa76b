/// Why a non-empty lane is excluded from dispatch.
enum LaneGate: UInt8 {
  /// In its pool's heap, or empty.
  case open
  /// The job type runs as many jobs as its concurrency allows.
  case concurrency
  /// The job type has used up its rate.
  case rate
  /// The first job that needs memory does not fit into the budget.
  case memory
  /// The tenant runs as many jobs as its concurrency allows.
  case keyConcurrency
  /// The tenant has used up its rate.
  case keyRate
  /// The job type has no handler yet.
  case parked
}

/// Eligible jobs of one pool that start in the order in which they became eligible.
///
/// Types without limits share one lane per priority. A type with a limit has its own lanes, and so does a tenant if
/// keys have limits or shares. A closed limit thus stops only its own jobs, and dispatch never searches.
struct Lane {
  /// Marks a lane shared by job types.
  static let shared = UInt16.max

  var jobs = JobList()
  let pool: PoolID
  let priority: Priority
  /// The only job type in it, or ``shared``.
  let type: UInt16
  /// The only tenant in it, or ``TenantTable/none``.
  let key: UInt16
  /// The account that its starts are charged to under `fair`.
  var share = ShareAccount.none
  var gate = LaneGate.open
  /// Position in the pool's heap, or -1.
  var heapPosition: Int32 = -1
  /// The policy's key of the first job: smaller starts earlier, ties by sequence.
  var headKey: Int64 = 0
  var headSequence: UInt32 = 0

  init(pool: PoolID, priority: Priority, type: UInt16, key: UInt16 = TenantTable.none) {
    self.pool = pool
    self.priority = priority
    self.type = type
    self.key = key
  }

  /// Whether no limit of a type or tenant applies to its jobs.
  @inline(__always) var isShared: Bool { type == Lane.shared && key == TenantTable.none }

  @inline(__always)
  static func precedes(_ a: borrowing Lane, _ b: borrowing Lane) -> Bool {
    // Sequences wrap, so they are compared by their difference.
    a.headKey != b.headKey
      ? a.headKey < b.headKey : Int32(bitPattern: a.headSequence &- b.headSequence) < 0
  }
}

/// A binary heap of the open, non-empty lanes of one pool.
struct LaneHeap: ~Copyable {
  var entries = OwnedArray<UInt32>()

  @inline(__always) var top: UInt32? { entries.first }

  mutating func insert(_ lane: UInt32, in lanes: inout OwnedArray<Lane>) {
    entries.append(lane)
    siftUp(entries.count - 1, in: &lanes)
  }

  mutating func remove(_ lane: UInt32, in lanes: inout OwnedArray<Lane>) {
    let position = Int(lanes[Int(lane)].heapPosition)
    lanes[Int(lane)].heapPosition = -1
    let last = entries.removeLast()
    guard position < entries.count else { return }
    entries[position] = last
    lanes[Int(last)].heapPosition = Int32(position)
    update(last, in: &lanes)
  }

  /// Restores the order after a lane's key changed.
  mutating func update(_ lane: UInt32, in lanes: inout OwnedArray<Lane>) {
    let position = Int(lanes[Int(lane)].heapPosition)
    if siftUp(position, in: &lanes) == position { siftDown(position, in: &lanes) }
  }

  @discardableResult
  private mutating func siftUp(_ start: Int, in lanes: inout OwnedArray<Lane>) -> Int {
    var position = start
    let lane = entries[position]
    while position > 0 {
      let parent = (position - 1) / 2
      guard Lane.precedes(lanes[Int(lane)], lanes[Int(entries[parent])]) else { break }
      entries[position] = entries[parent]
      lanes[Int(entries[position])].heapPosition = Int32(position)
      position = parent
    }
    entries[position] = lane
    lanes[Int(lane)].heapPosition = Int32(position)
    return position
  }

  private mutating func siftDown(_ start: Int, in lanes: inout OwnedArray<Lane>) {
    var position = start
    let lane = entries[position]
    let count = entries.count
    while true {
      var child = position * 2 + 1
      guard child < count else { break }
      if child + 1 < count, Lane.precedes(lanes[Int(entries[child + 1])], lanes[Int(entries[child])]) { child += 1 }
      guard Lane.precedes(lanes[Int(entries[child])], lanes[Int(lane)]) else { break }
      entries[position] = entries[child]
      lanes[Int(entries[position])].heapPosition = Int32(position)
      position = child
    }
    entries[position] = lane
    lanes[Int(lane)].heapPosition = Int32(position)
  }
}
