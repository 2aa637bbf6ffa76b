// Goal: whatever a scheduler gives numbers to is given back when nothing uses it, or refused with its count and limit.

import Logging
import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.serialized, .timeLimit(.minutes(10)))
struct InternedTests {
  @Test func eachJobMayHaveARetryPolicyOfItsOwn() async throws {
    let time = VirtualTime()
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 2
    configuration.retainedCount = 100
    configuration.deadLetterCount = 100
    let scheduler = try Scheduler(configuration, logger: Scheduler.silentLogger, time: time)
    try scheduler.register("call") { context in
      guard context.attempt > 1 else { throw Broken() }
      return context.attempt
    }
    scheduler.start()
    var last: JobID?
    var kept: [Int] = []
    for round in 0..<68 {
      for number in 0..<1_000 {
        // As with a response's Retry-After, no policy comes twice. All retries of a round are due at once.
        let cap = Duration.seconds(1) + .nanoseconds(round * 1_000 + number)
        let retry = RetryPolicy(limit: 1, backoff: .fixed(.microseconds(1)), jitter: .none, cap: cap)
        last = try await scheduler.submit(JobRequest("call", retry: retry))
      }
      try await time.advance(by: .seconds(1))
      kept.append(scheduler.withState { state in state.core.retryPoliciesKept })
    }
    let result = try await scheduler.result(of: try #require(last))
    #expect(result.state == .completed && result.attempts == 2)
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 68_000)
    #expect(scheduler.metrics().gauges.retries == 68_000)
    // The first thousand have numbers, the jobs that are remembered theirs.
    #expect(kept.allSatisfy { $0 <= 1_000 + 100 + 2 }, "\(kept.max() ?? 0)")
    await scheduler.shutdown()
  }

  @Test func asManyPoliciesCanWaitAtOnceAsJobs() async throws {
    let time = VirtualTime()
    var configuration = SchedulerConfiguration()
    configuration.queueCapacity = 100_000
    configuration.deadLetterCount = 100_000
    let scheduler = try Scheduler(configuration, logger: Scheduler.silentLogger, time: time)
    try scheduler.register("call") { _ in throw Broken() }
    for number in 0..<70_000 {
      let cap = Duration.seconds(1) + .nanoseconds(number)
      let retry = RetryPolicy(limit: number % 2, backoff: .fixed(.microseconds(1)), jitter: .none, cap: cap)
      try scheduler.submitBlocking(JobRequest("call", retry: retry))
    }
    scheduler.start()
    try await time.advance(by: .seconds(1))
    let letters = scheduler.deadLetters()
    #expect(letters.count == 70_000)
    #expect(letters.count { $0.attempts == 2 } == 35_000)
    // A replayed job has the policy of the first time.
    let again = try scheduler.replay(try #require(letters.last { $0.attempts == 2 }).id)
    try await time.advance(by: .seconds(1))
    #expect(scheduler.status(of: again)?.attempts == 2)
    #expect(scheduler.violatedInvariants == [])
    await scheduler.shutdown()
  }

  @Test func thereAreSoManyJobTypesAndNoMore() async throws {
    let scheduler = Scheduler.quiet { $0.unknownTypes = .park }
    for number in 0..<SchedulerCore.mostTypes { try scheduler.register("type \(number)") { _ in number } }
    #expect(
      throws: LimitReached(
        "job types", count: 64_000, limit: 64_000, remedy: "use one type for jobs that differ only in a value")
    ) { try scheduler.register("one more") { _ in nil } }
    await #expect(throws: LimitReached.self) { try await scheduler.submit(JobRequest("unknown")) }
    scheduler.start()
    let last = try await scheduler.submit(JobRequest("type 63999"))
    #expect(try await scheduler.result(of: last, timeout: .seconds(60)).value as? Int == 63_999)
    await scheduler.shutdown()
  }

  @Test func thereAreSoManyOpenBatchesAndNoMore() throws {
    let scheduler = Scheduler.quiet()
    var last: BatchID?
    for _ in 0..<SchedulerCore.mostBatches { last = try scheduler.openBatch(failFast: false) }
    #expect(throws: LimitReached.self) { try scheduler.openBatch(failFast: false) }
    scheduler.sealBatch(try #require(last))
    _ = try scheduler.openBatch(failFast: true)
  }

  @Test func thereAreSoManyTagKeysAndNoMore() async throws {
    let scheduler = Scheduler.quiet {
      $0.queueCapacity = .max
      $0.tenants.each.concurrency = 1
    }
    try scheduler.register("job") { _ in nil }
    for number in 0..<60_000 { try scheduler.submitBlocking(JobRequest("job", tenant: "customer \(number)")) }
    await #expect {
      try await scheduler.submit(JobRequest("job", tenant: "one more"))
    } throws: {
      if case SchedulerError.refused(.tooManyTenants(60_000)) = $0 { true } else { false }
    }
    scheduler.start()
    while scheduler.metrics().gauges.inSystem > 0 { try await Task.sleep(for: .milliseconds(5)) }
    // Nobody has them any more.
    try await scheduler.submit(JobRequest("job", tenant: "one more"))
    await scheduler.shutdown()
  }

  // MARK: - Unknown types

  @Test func misspeltTypesGiveTheirPlacesBack() async throws {
    let log = Log<String>()
    let scheduler = try Scheduler(
      Scheduler.quietConfiguration {
        $0.retainedCount = 100
        $0.unknownTypes = .park
      }, observers: [], logger: Logger(label: "test") { _ in LogLines(log) })
    try scheduler.register("resize") { _ in 1 }
    scheduler.start()
    for number in 0..<1_000 { try await scheduler.submit(JobRequest("resise \(number)")) }
    await #expect(throws: SchedulerError.self) { try await scheduler.submit(JobRequest("resise")) }
    let health = scheduler.health()
    guard case .degraded(let reasons) = health else { throw Broken() }
    #expect("\(reasons[0])".contains("cancelJobs(ofUnregistered:)"))
    #expect(scheduler.cancelJobs(ofUnregistered: "resise 7") == 1)
    #expect(scheduler.cancelJobs(ofUnregistered: "resise 7") == 0)
    #expect(scheduler.cancelJobs(ofUnregistered: "resize") == 0)
    try await scheduler.submit(JobRequest("resise"))
    #expect(scheduler.cancelJobs(ofUnregistered: nil) == 1_000)
    #expect(scheduler.health() == .healthy)
    #expect(scheduler.violatedInvariants == [])
    await scheduler.shutdown()
  }

  @Test func misspeltTypesForEverNeedNoMoreMemory() async throws {
    let names = NameKeeper()
    let scheduler = Scheduler.quiet(observer: names) {
      $0.retainedCount = 50
      $0.unknownTypes = .park
    }
    try scheduler.register("known") { _ in 1 }
    scheduler.start()
    for number in 0..<70_000 {
      let id = try scheduler.submitBlocking(JobRequest("unknown \(number)", labels: ["x"]))
      #expect(scheduler.status(of: id)?.type == "unknown \(number)")
      #expect(scheduler.cancel(id))
      #expect(scheduler.status(of: id)?.type == "unknown \(number)")
    }
    #expect(scheduler.health() == .healthy)
    let types = scheduler.withState { state in state.types.count }
    #expect(types < 3_000)
    // A number that was used again is registered like any other.
    let late = try scheduler.submitBlocking(JobRequest("late"))
    try scheduler.register("late") { context in context.type }
    #expect(try await scheduler.result(of: late, timeout: .seconds(60)).value as? String == "late")
    #expect(names.names.withLock { $0.count } == types)
    #expect(scheduler.violatedInvariants == [])
    await scheduler.shutdown()
  }
}

/// Keeps the names of the types as it is told them.
private final class NameKeeper: TimelineObserver {
  let names = Locked<[Int: String]>([:])
  func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {}
  func typeRegistered(_ name: String, as id: JobTypeID) { names.withLock { $0[Int(id.rawValue)] = name } }
}
