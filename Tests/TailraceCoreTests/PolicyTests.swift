// Goal: the policies that look further than priority and age: each one's order by hand, its cost to others, its shares.
import TailraceCore
import Testing

@Suite struct PolicyTests {
  // MARK: - Slopes

  /// Two slopes, 2 and 1: a job that has waited less than half as long as another loses to it, more wins.
  @Test(arguments: [(Nanoseconds.milliseconds(49), [2, 1, 3] as [UInt64]), (.milliseconds(51), [2, 3, 1])])
  func slopesWeighWaiting(younger: Nanoseconds, order: [UInt64]) throws {
    let slopes = PrioritySlopes(critical: 0, high: 2, normal: 1, low: 0, batch: 0)
    let driver = StepDriver { $0.policy = .slopeAging(slopes) }
    let type = driver.register()
    // The worker is busy with the second until 100 ms; then the first has waited 100 ms, the third `younger`.
    _ = try driver.add(type, .normal)
    let second = try driver.add(type, .high)
    driver.advance(by: .milliseconds(1))
    driver.start()
    driver.advance(to: .zero + .milliseconds(100) - younger)
    _ = try driver.add(type, .high)
    driver.advance(to: .zero + .milliseconds(100))
    try driver.finish(second)
    #expect(try driver.runAll() == order)
  }

  @Test func aSlopeOfZeroStarves() throws {
    let driver = StepDriver { $0.policy = .slopeAging(PrioritySlopes(batch: 0)) }
    let type = driver.register()
    _ = try driver.add(type, .batch)
    for _ in 0..<20 { _ = try driver.add(type, .low) }
    driver.advance(by: .milliseconds(1))
    #expect(try driver.runAll().last == 1)
  }

  // MARK: - Deadlines

  @Test func earliestDeadlineFirstAndThoseWithoutLast() throws {
    let driver = StepDriver { $0.policy = .deadline }
    let (due, free) = (
      driver.register("due", deadline: .milliseconds(50)), driver.register("free", priority: .critical)
    )
    _ = try driver.add(free)
    _ = try driver.add(due)
    _ = try driver.add(due) { $0.deadline = .milliseconds(10) }
    _ = try driver.add(due) { $0.deadline = .milliseconds(30) }
    _ = try driver.add(free)
    driver.advance(by: .milliseconds(1))
    _ = try driver.add(due)
    #expect(try driver.runAll() == [3, 4, 2, 6, 1, 5])
  }

  /// Deadlines count from the intended arrival: a job that was submitted late is no less due.
  @Test func deadlinesCountFromTheIntendedArrival() throws {
    let driver = StepDriver { $0.policy = .deadline }
    let type = driver.register(deadline: .milliseconds(50))
    driver.advance(by: .milliseconds(40))
    _ = try driver.add(type)
    _ = try driver.add(type) { $0.intended = .zero }
    #expect(try driver.runAll() == [2, 1])
  }

  /// A job taken out of the middle leaves the others in order, whatever the place of its limits.
  @Test func cancellingKeepsTheOrder() throws {
    let driver = StepDriver { $0.policy = .deadline }
    let type = driver.register(concurrency: 1)
    var ids: [JobID] = []
    for number in [7, 3, 9, 1, 8, 2, 6, 4, 5] {
      ids.append(try driver.add(type) { $0.deadline = .milliseconds(Int64(number)) })
    }
    driver.cancel(ids[3])
    driver.cancel(ids[6])
    #expect(try driver.runAll() == [6, 2, 8, 9, 1, 5, 3])
  }

  // MARK: - Shortest

  @Test func shortestByWhatItWasTold() throws {
    let driver = StepDriver { $0.policy = .shortest }
    let type = driver.register(expected: .milliseconds(20))
    _ = try driver.add(type)
    _ = try driver.add(type) { $0.expectedService = .milliseconds(30) }
    _ = try driver.add(type) { $0.expectedService = .milliseconds(10) }
    _ = try driver.add(type)
    #expect(try driver.runAll() == [3, 1, 4, 2])
  }

  /// Of two types it learns which is the shorter one.
  @Test func shortestByWhatItLearnt() throws {
    let driver = StepDriver { $0.policy = .shortest }
    let (long, short) = (driver.register("long"), driver.register("short"))
    for (type, time) in [(long, 50), (short, 5)] {
      let id = try driver.add(type)
      driver.start()
      driver.advance(by: .milliseconds(Int64(time)))
      try driver.finish(id)
    }
    _ = try driver.add(long)
    _ = try driver.add(short)
    _ = try driver.add(long)
    _ = try driver.add(short)
    #expect(try driver.runAll() == [1, 2, 4, 6, 3, 5])
  }

  // MARK: - Shares

  private func shares(_ weights: [Double], jobs: Int, workers: Int = 1) throws -> [Int] {
    let driver = StepDriver {
      $0.policy = .fair(by: .jobType)
      $0.asyncPool.workers = workers
      $0.queueCapacity = 1_000_000
      $0.retainedCount = 0
    }
    let types = weights.map { driver.register("w\($0)", weight: $0) }
    var starts = [Int](repeating: 0, count: weights.count)
    // Each type always has work waiting.
    for type in types { for _ in 0..<50 { _ = try driver.add(type) } }
    driver.start()
    for _ in 0..<jobs {
      let token = driver.running[0]
      starts[Int(token.type.rawValue)] += 1
      _ = try driver.add(token.type)
      try driver.finish(token.job)
    }
    return starts
  }

  @Test func saturatedSharesFollowTheWeights() throws {
    let starts = try shares([1, 2, 4], jobs: 7_000)
    // The bound that is promised, with what one worker still runs.
    #expect(abs(starts[0] - 1_000) <= 2 && abs(starts[1] - 2_000) <= 2 && abs(starts[2] - 4_000) <= 2, "\(starts)")
  }

  @Test func oneThatWasIdleSavesUpNoTurns() throws {
    let driver = StepDriver { $0.policy = .fair(by: .jobType) }
    let (busy, idle) = (driver.register("busy"), driver.register("idle"))
    for _ in 0..<40 { _ = try driver.add(busy) }
    driver.start()
    for _ in 0..<20 { try driver.finish(driver.running[0].job) }
    for _ in 0..<10 { _ = try driver.add(idle) }
    for _ in 0..<20 { try driver.finish(driver.running[0].job) }
    let last = driver.startedNumbers.suffix(20)
    #expect((9...11).contains(last.count { $0 > 40 }), "\(last)")
  }

  @Test func withinATypeTheFirstIsFirstWhateverItsPriority() throws {
    let driver = StepDriver { $0.policy = .fair(by: .jobType) }
    let type = driver.register()
    for priority in [Priority.batch, .critical, .normal] { _ = try driver.add(type, priority) }
    #expect(try driver.runAll() == [1, 2, 3])
  }

  /// Who makes room is the type with most waiting for its weight, not the one that is less urgent.
  @Test func theLongestQueueForItsWeightMakesRoom() throws {
    let driver = StepDriver {
      $0.policy = .fair(by: .jobType)
      $0.queueCapacity = 6
      $0.whenFull = .shed
    }
    let (greedy, modest) = (driver.register("greedy", priority: .critical), driver.register("modest", priority: .batch))
    _ = try driver.add(modest)
    driver.start()
    var ids: [JobID] = []
    for _ in 0..<6 { ids.append(try driver.add(greedy)) }
    _ = try driver.add(modest)
    #expect(driver.settlements[ids[5]] == .init(.cancelled, .shed))
    guard case .refused = driver.submit(greedy) else { return #expect(Bool(false), "its own type has most") }
  }
}
