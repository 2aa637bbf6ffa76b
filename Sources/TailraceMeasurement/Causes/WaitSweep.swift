import TailraceCore

/// Walks through a run from event to event, and adds up what kept slow attempts waiting and what ran meanwhile.
struct WaitSweep {
  /// What the waiting of a job type's slow attempts was for, in nanoseconds times attempts.
  struct Tally {
    var workersOnly: Int64 = 0
    var typeOnly: Int64 = 0
    var workersAndType: Int64 = 0
    var pool: Int64 = 0
    var memory: Int64 = 0
    var rest: Int64 = 0
    /// While any of the type's slow attempts waited: for how long, and how many of the type and of its pool started.
    var length: Int64 = 0
    var starts = 0
    var poolStarts = 0
    var total: Int64 { workersOnly + typeOnly + workersAndType + pool + memory + rest }
  }

  private struct Event {
    var at: Int64
    /// In the order in which events of one instant are taken: ends, departures, starts, arrivals.
    var kind: Int8
    var isSlow: Bool
    var isRetry: Bool
    var attempt: Int
  }

  private let attempts: [AttemptList.Attempt]
  private let limits: RunLimits
  private let workers: [Int?]
  private let types: Int
  private var running: [Int]
  private var runningOfType: [Int]
  private var memory = 0
  private var waitingInPool = [Int](repeating: 0, count: PoolID.allCases.count)
  private var slowInPool = [Int](repeating: 0, count: PoolID.allCases.count)
  private var slowOfType: [Int]
  private var retriesInPool = [Int](repeating: 0, count: PoolID.allCases.count)
  private var runningByPool: [[Int]]

  /// By job type, then pool: a type may run in one pool only, so that the pool is the one of its attempts.
  private(set) var tallies: [Tally]
  private(set) var poolOfType: [PoolID]
  /// By pool, while slow attempts waited in it: for how long; attempts × time running, of each type, of retries; and
  /// the most that waited.
  private(set) var length = [Int64](repeating: 0, count: PoolID.allCases.count)
  private(set) var busy: [[Int64]]
  private(set) var busyWithRetries = [Int64](repeating: 0, count: PoolID.allCases.count)
  private(set) var queued = [Int](repeating: 0, count: PoolID.allCases.count)
  /// By pool: when slow attempts waited, as stretches without gaps.
  private(set) var waits = [[Range<Int64>]](repeating: [], count: PoolID.allCases.count)

  /// - Parameters:
  ///   - workers: of each pool; nil: not known.
  ///   - types: how many there are, the unknown one included.
  ///   - isSlow: of each attempt.
  init(
    _ attempts: [AttemptList.Attempt], limits: RunLimits, workers: [Int?], types: Int, isSlow: [Bool]
  ) {
    self.attempts = attempts
    self.limits = limits
    self.workers = workers
    self.types = types
    let pools = PoolID.allCases.count
    running = Array(repeating: 0, count: pools)
    runningOfType = Array(repeating: 0, count: types)
    slowOfType = Array(repeating: 0, count: types)
    runningByPool = Array(repeating: Array(repeating: 0, count: types), count: pools)
    tallies = Array(repeating: Tally(), count: types)
    poolOfType = Array(repeating: .async, count: types)
    busy = Array(repeating: Array(repeating: 0, count: types), count: pools)
    walk(makeEvents(isSlow))
  }

  private func makeEvents(_ isSlow: [Bool]) -> [Event] {
    var events: [Event] = []
    events.reserveCapacity(attempts.count * 4)
    for (index, attempt) in attempts.enumerated() {
      let isRetry = index > 0 && attempts[index - 1].job == attempt.job
      func add(_ at: Int64, _ kind: Int8) {
        events.append(Event(at: at, kind: kind, isSlow: isSlow[index], isRetry: isRetry, attempt: index))
      }
      add(attempt.eligible, 3)
      add(attempt.left, 1)
      if attempt.started != .max {
        add(attempt.started, 2)
        add(attempt.finished, 0)
      }
    }
    return events.sorted { ($0.at, $0.kind) < ($1.at, $1.kind) }
  }

  private mutating func walk(_ events: [Event]) {
    var now = events.first?.at ?? 0
    for event in events {
      if event.at > now {
        pass(from: now, to: event.at)
        now = event.at
      }
      take(event)
    }
  }

  private func type(of attempt: AttemptList.Attempt) -> Int { min(Int(attempt.type.rawValue), types - 1) }

  private mutating func take(_ event: Event) {
    let attempt = attempts[event.attempt]
    let (pool, type) = (Int(attempt.pool.rawValue), type(of: attempt))
    switch event.kind {
    case 0, 2:
      let change = event.kind == 2 ? 1 : -1
      running[pool] += change
      runningOfType[type] += change
      runningByPool[pool][type] += change
      memory += change * limits[type].memory
      if event.isRetry { retriesInPool[pool] += change }
      guard change > 0 else { return }
      for other in 0..<types where slowOfType[other] > 0 && poolOfType[other] == attempt.pool {
        tallies[other].poolStarts += 1
        if other == type { tallies[other].starts += 1 }
      }
    default:
      let change = event.kind == 3 ? 1 : -1
      waitingInPool[pool] += change
      guard event.isSlow else { return }
      slowInPool[pool] += change
      slowOfType[type] += change
      poolOfType[type] = attempt.pool
    }
  }

  private mutating func pass(from start: Int64, to end: Int64) {
    let span = end - start
    for pool in length.indices where slowInPool[pool] > 0 {
      length[pool] += span
      queued[pool] = max(queued[pool], waitingInPool[pool])
      busyWithRetries[pool] += span * Int64(retriesInPool[pool])
      for type in 0..<types where runningByPool[pool][type] > 0 {
        busy[pool][type] += span * Int64(runningByPool[pool][type])
      }
      if let last = waits[pool].last, last.upperBound == start {
        waits[pool][waits[pool].count - 1] = last.lowerBound..<end
      } else {
        waits[pool].append(start..<end)
      }
    }
    for type in 0..<types where slowOfType[type] > 0 {
      let weight = span * Int64(slowOfType[type])
      let pool = Int(poolOfType[type].rawValue)
      let isFull = workers[pool].map { running[pool] >= $0 } ?? false
      let isLimited = limits[type].concurrency.map { runningOfType[type] >= $0 } ?? false
      tallies[type].length += span
      switch (isFull, isLimited) {
      case (true, true): tallies[type].workersAndType += weight
      case (true, false): tallies[type].workersOnly += weight
      case (false, true): tallies[type].typeOnly += weight
      case (false, false):
        if let limit = limits.concurrency, running[pool] >= limit {
          tallies[type].pool += weight
        } else if let budget = limits.memory, limits[type].memory > 0, memory + limits[type].memory > budget {
          tallies[type].memory += weight
        } else {
          tallies[type].rest += weight
        }
      }
    }
  }

  /// What slow attempts waited for, over all job types, largest first; what is less than a hundredth is left out.
  func held(names: [String]) -> [SlowJobs.Held] {
    let all = tallies.reduce(0) { $0 + $1.total }
    guard all > 0 else { return [] }
    var shares: [SlowJobs.Held] = []
    func add(_ hold: SlowJobs.Hold, _ time: Int64, type: Int? = nil, limit: Double? = nil) {
      guard time > 0 else { return }
      let name = type.map { names[$0] }
      let share = Double(time) / Double(all)
      if let place = shares.firstIndex(where: { $0.by == hold && $0.type == name && $0.limit == limit }) {
        shares[place].share += share
      } else {
        shares.append(SlowJobs.Held(by: hold, share: share, type: name, limit: limit))
      }
    }
    for (type, tally) in tallies.enumerated() where tally.total > 0 {
      let pool = Int(poolOfType[type].rawValue)
      // A limit that was reached while workers were free is what held the jobs back while none was free, too.
      let isOfType = tally.typeOnly * 4 >= tally.typeOnly + tally.workersAndType
      let own = tally.typeOnly + (isOfType ? tally.workersAndType : 0)
      let size = workers[pool].map(Double.init)
      add(.workers, tally.workersOnly + (isOfType ? 0 : tally.workersAndType), limit: size)
      add(.typeConcurrency, own, type: type, limit: limits[type].concurrency.map(Double.init))
      add(.poolConcurrency, tally.pool, limit: limits.concurrency.map(Double.init))
      add(.memory, tally.memory, limit: limits.memory.map(Double.init))
      let (hold, limit) = rest(tally, type)
      add(hold, tally.rest, type: hold == .typeRate ? type : nil, limit: limit)
    }
    return shares.filter { $0.share >= 0.01 }.sorted { $0.share > $1.share }
  }

  /// What waiting is for that nothing was full in: a rate limit where starts came at its pace.
  private func rest(_ tally: Tally, _ type: Int) -> (SlowJobs.Hold, Double?) {
    let seconds = Nanoseconds(max(1, tally.length)).seconds
    if let rate = limits[type].rate, Double(tally.starts + 1) / seconds >= 0.7 * rate { return (.typeRate, rate) }
    if let rate = limits.rate, Double(tally.poolStarts + 1) / seconds >= 0.7 * rate { return (.poolRate, rate) }
    return (limits.isAdaptive ? .adaptive : .unknown, nil)
  }
}
