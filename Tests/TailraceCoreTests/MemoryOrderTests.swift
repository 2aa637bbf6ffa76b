// Goal: which job gets the memory that comes free is what a plain look at all that wait would say.
import TailraceCore
import Testing

@Suite struct MemoryOrderTests {
  @Test(arguments: [DispatchPolicy.fifo, .priority, .slopeAging(PrioritySlopes())], 0..<20)
  func theFirstThatWaitsIsTheFirstToBeLookedAt(policy: DispatchPolicy, seed: Int) throws {
    var random = SwarmRandom(seed: UInt64(seed))
    let driver = StepDriver {
      $0.policy = policy
      $0.asyncPool.workers = 4
      $0.memoryBudget = 100 << 10
    }
    var plain = PlainMemory(workers: 4, budget: 100, isStrict: policy == .priority)
    let types = (0..<12).map { driver.register("\($0)", memory: 1 << 10) }
    var jobs: [UInt64: JobID] = [:]
    for _ in 0..<400 {
      if random.chance(55) {
        // All of one instant: under slope aging nothing but the order of arrival tells them apart then.
        let (type, priority) = (random.pick(types), random.pick(Priority.allCases))
        let memory = random.pick([0, 1, 10, 30, 60, 100])
        let id = try driver.add(type, priority) { $0.memory = memory << 10 }
        jobs[driver.number(of: id)] = id
        plain.add(driver.number(of: id), type, priority, memory)
      } else if random.chance(80), let token = driver.running.randomElement(using: &random) {
        try driver.end(token.job)
        plain.end(driver.number(of: token.job))
      } else if let number = plain.waiting.randomElement(using: &random)?.number {
        driver.cancel(jobs[number]!)
        plain.cancel(number)
      }
      driver.start()
      plain.start()
      #expect(driver.startedNumbers == plain.started)
      #expect(driver.core.violatedInvariants() == [])
    }
    #expect(plain.started.count > 50)
  }
}

/// Goes through all that wait, each time.
private struct PlainMemory {
  struct Lane: Hashable {
    var type: JobTypeID
    var priority: Priority
  }

  let workers: Int
  /// KiB.
  let budget: Int
  /// Whether priority comes before the order of arrival.
  let isStrict: Bool
  private(set) var waiting: [(number: UInt64, lane: Lane, memory: Int)] = []
  private(set) var started: [UInt64] = []
  private var running: [UInt64: Int] = [:]
  /// Whose first job does not fit.
  private var waiter: Lane?
  private var closed: Set<Lane> = []

  init(workers: Int, budget: Int, isStrict: Bool) {
    (self.workers, self.budget, self.isStrict) = (workers, budget, isStrict)
  }

  mutating func add(_ number: UInt64, _ type: JobTypeID, _ priority: Priority, _ memory: Int) {
    waiting.append((number, Lane(type: type, priority: priority), memory))
  }

  mutating func end(_ number: UInt64) { if running.removeValue(forKey: number)! > 0 { release() } }

  private mutating func release() { (waiter, closed) = (nil, []) }

  mutating func cancel(_ number: UInt64) {
    let place = waiting.firstIndex { $0.number == number }!
    let lane = waiting[place].lane
    let isFirst = waiting.firstIndex { $0.lane == lane } == place
    waiting.remove(at: place)
    guard isFirst else { return }
    if lane == waiter { release() }
    // It is closed for its first job, not for good.
    if waiting.first(where: { $0.lane == lane }).map({ $0.memory == 0 }) ?? true { closed.remove(lane) }
  }

  mutating func start() {
    while running.count < workers, let place = first {
      let job = waiting[place]
      if job.memory > 0, waiter != nil || running.values.reduce(0, +) + job.memory > budget {
        waiter = waiter ?? job.lane
        closed.insert(job.lane)
        continue
      }
      waiting.remove(at: place)
      running[job.number] = job.memory
      started.append(job.number)
    }
  }

  /// The first job of those lanes that are not closed.
  private var first: Int? {
    waiting.indices.filter { !closed.contains(waiting[$0].lane) }
      .min {
        isStrict && waiting[$0].lane.priority != waiting[$1].lane.priority
          ? waiting[$0].lane.priority < waiting[$1].lane.priority : $0 < $1
      }
  }
}
