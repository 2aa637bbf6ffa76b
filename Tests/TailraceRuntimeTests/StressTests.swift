// Goal: whatever submitters, cancellations, time-outs, failures and dependencies do at once, every job settles once and
// the scheduler comes to rest.

import Testing

@testable import TailraceRuntime

@Suite(.serialized, .timeLimit(.minutes(5)))
struct StressTests {
  @Test(arguments: [UInt64.random(in: 0...999_999), 1, 2])
  func everythingAtOnce(seed: UInt64) async throws {
    print("seed \(seed)")
    let (submitters, jobsEach) = (4, 400)
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 6
    configuration.threadPool.workers = 3
    configuration.retry = RetryPolicy(limit: 2, backoff: .fixed(.microseconds(200)))
    configuration.timeout = .seconds(60)
    configuration.whenFull = .block
    configuration.queueCapacity = 100
    let collector = Collector(configuration)
    let scheduler = Scheduler.quiet(observer: collector) { $0 = configuration }
    try Self.registerHandlers(scheduler)
    scheduler.start()
    let counts = try await withThrowingTaskGroup(of: [JobState: Int].self) { group in
      for submitter in 0..<submitters {
        group.addTask { try await Self.submit(jobsEach, to: scheduler, Random(state: seed &* 31 &+ UInt64(submitter))) }
      }
      return try await group.reduce(into: [JobState: Int]()) { $0.merge($1, uniquingKeysWith: +) }
    }
    #expect(counts.values.reduce(0, +) == submitters * jobsEach, "seed \(seed)")
    let report = await scheduler.shutdown()
    #expect(report == ShutdownReport(drained: true, cancelled: 0, leftRunning: 0), "seed \(seed)")
    #expect(collector.overlaps == 0)
    checkTimelines(collector.records, jobs: submitters * jobsEach)
    #expect(scheduler.violatedInvariants == [], "seed \(seed)")
  }

  @Test(arguments: [UInt64.random(in: 0...999_999), 3])
  func shutdownAmidSubmissions(seed: UInt64) async throws {
    print("seed \(seed)")
    let scheduler = Scheduler.quiet(asyncWorkers: 4, threads: 2) {
      $0.whenFull = .block
      $0.queueCapacity = 20
      $0.retainedCount = 100_000
    }
    try Self.registerHandlers(scheduler)
    scheduler.start()
    let submitted = Log<JobID>()
    await withTaskGroup(of: Void.self) { group in
      for submitter in 0..<4 {
        group.addTask {
          var random = Random(state: seed &* 37 &+ UInt64(submitter))
          while let id = try? await scheduler.submit(Self.request(&random, [])) { submitted.append(id) }
        }
      }
      group.addTask {
        await eventually { submitted.all.count > 200 }
        let report = await scheduler.shutdown(grace: .milliseconds(2), stopping: .seconds(60))
        #expect(report.leftRunning == 0, "seed \(seed)")
      }
    }
    for id in submitted.all { #expect(scheduler.status(of: id)?.state.isTerminal == true, "seed \(seed)") }
    #expect(scheduler.violatedInvariants == [], "seed \(seed)")
  }

  private static func registerHandlers(_ scheduler: Scheduler) throws {
    try scheduler.register("nop") { context in context.payload }
    try scheduler.register("yield") { context in
      for _ in 0..<(context.payload as? Int ?? 0) { await Task.yield() }
      if context.number % 5 == 0 { throw Broken() }
      return nil
    }
    try scheduler.register("sleep") { context in
      try await Task.sleep(for: .microseconds(context.payload as? Int ?? 0))
      return nil
    }
    try scheduler.registerBlocking("block") { context in
      try context.sleep(for: .microseconds(context.payload as? Int ?? 0))
      if context.number % 7 == 0 { throw Hopeless() }
      return nil
    }
  }

  private static func request(_ random: inout Random, _ earlier: [JobID]) -> JobRequest {
    var request = JobRequest(
      ["nop", "nop", "nop", "yield", "sleep", "block"].randomElement(using: &random)!,
      payload: Int.random(in: 0...300, using: &random), priority: Priority.allCases.randomElement(using: &random))
    if Int.random(in: 0..<5, using: &random) == 0 {
      request.delay = .microseconds(Int.random(in: 0...500, using: &random))
    }
    if Int.random(in: 0..<4, using: &random) == 0 {
      request.timeout = .microseconds(Int.random(in: 1...400, using: &random))
    }
    if Int.random(in: 0..<6, using: &random) == 0 { request.hints = [.ioBound] }
    if let dependency = earlier.last, Int.random(in: 0..<6, using: &random) == 0 { request.dependencies = [dependency] }
    return request
  }

  /// Submits jobs, cancels some of its own, and awaits them all.
  private static func submit(
    _ count: Int, to scheduler: Scheduler, _ random: Random
  ) async throws -> [JobState: Int] {
    var random = random
    var ids: [JobID] = []
    for _ in 0..<count {
      ids.append(try await scheduler.submit(request(&random, ids)))
      if Int.random(in: 0..<3, using: &random) == 0 { scheduler.cancel(ids.suffix(20).randomElement(using: &random)!) }
      if Int.random(in: 0..<10, using: &random) == 0 {
        _ = try? await scheduler.result(of: ids.randomElement(using: &random)!, timeout: .microseconds(50))
      }
    }
    var states: [JobState: Int] = [:]
    for id in ids { states[try await scheduler.result(of: id).state, default: 0] += 1 }
    return states
  }
}

/// SplitMix64.
struct Random: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
