// Goal: every table of the core has a row for each pool. The tests go over all cases, so that a new pool is tested too.
import TailraceCore
import Testing

@Suite struct PoolTests {
  @Test func theNumbersOfPoolsAndPrioritiesAreThoseOfTheirCases() {
    #expect(PoolID.count == PoolID.allCases.count)
    #expect(PoolID.allCases.map { Int($0.rawValue) } == Array(0..<PoolID.count), "tables are indexed by it")
    #expect(Priority.count == Priority.allCases.count)
    #expect(Priority.allCases.map { Int($0.rawValue) } == Array(1...Priority.count))
  }

  /// Each pool has one worker, and gets jobs of several types, priorities and keys. It runs its own jobs, one at a
  /// time, in the same order as the other pools.
  @Test(arguments: [DispatchPolicy.fifo, .priority, .fair(by: .jobType), .fair(by: .tenant), .deadline])
  func eachPoolRunsItsOwnJobsInTheSameOrder(policy: DispatchPolicy) throws {
    let driver = StepDriver { configuration in
      configuration.policy = policy
      for pool in PoolID.allCases { configuration[pool] = PoolConfiguration(workers: 1) }
    }
    // Types with and without lanes of their own.
    let types = (0..<3).map { driver.register("type \($0)", concurrency: $0 == 2 ? 100 : nil) }
    var placeOfNumber: [UInt64: (pool: PoolID, place: Int)] = [:]
    var number: UInt64 = 0
    for place in 0..<30 {
      for pool in PoolID.allCases {
        number += 1
        placeOfNumber[number] = (pool, place)
        _ = try driver.add(types[place % 3], Priority.allCases[place % Priority.count]) {
          $0.pool = pool
          $0.tenant = "key \(place % 2)"
        }
      }
    }
    driver.start()
    var started: [PoolID: [Int]] = [:]
    while !driver.running.isEmpty {
      #expect(Set(driver.running.map(\.pool)).count == driver.running.count, "one worker runs one job")
      try driver.finish(driver.running[0].job)
    }
    for number in driver.startedNumbers {
      let (pool, place) = try #require(placeOfNumber[number])
      started[pool, default: []].append(place)
    }
    for pool in PoolID.allCases { #expect(started[pool] == started[.async] && started[pool]?.count == 30, "\(pool)") }
    for record in driver.records { #expect(placeOfNumber[record.number]?.pool == record.pool) }
  }
}
