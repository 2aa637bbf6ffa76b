// Goal: blocking work runs on threads and never holds up asynchronous work; priorities decide who starts first; batches
// settle together; the metrics count all of it.

import Glibc
import TailraceCore
import TailracePlatform
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct PoolTests {
  @Test(arguments: [JobHint.ioBound, .cpuIntensive])
  func hintSendsAnAsyncHandlerToAThread(hint: JobHint) async throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 1
    configuration.threadPool.workers = 1
    let collector = Collector(configuration)
    let scheduler = Scheduler.quiet(asyncWorkers: 1, threads: 1, observer: collector)
    try scheduler.register("work") { _ in
      await Task.yield()
      async let half = 21
      return await half * 2
    }
    scheduler.start()
    let hinted = try await scheduler.submit(JobRequest("work", hints: [hint]))
    let plain = try await scheduler.submit(JobRequest("work"))
    #expect(try await scheduler.result(of: hinted).value as? Int == 42)
    #expect(try await scheduler.result(of: plain).value as? Int == 42)
    await scheduler.shutdown()
    #expect(collector.records.sorted { $0.number < $1.number }.map(\.pool) == [.thread, .async])
  }

  @Test func blockedThreadsNeverHoldUpAsyncJobs() async throws {
    let gate = Gate()
    let scheduler = Scheduler.quiet(asyncWorkers: 2, threads: 8)
    try scheduler.registerBlocking("block") { _ in
      gate.waitBlocking()
      return nil
    }
    try scheduler.register("nop") { context in
      await Task.yield()
      return context.payload
    }
    scheduler.start()
    var blocked: [JobID] = []
    for _ in 0..<16 { blocked.append(try await scheduler.submit(JobRequest("block"))) }
    await eventually { scheduler.metrics().gauges.running == 8 }
    for number in 0..<500 {
      let id = try await scheduler.submit(JobRequest("nop", payload: number))
      #expect(try await scheduler.result(of: id).value as? Int == number)
    }
    #expect(scheduler.metrics().gauges.running == 8)
    gate.open()
    for id in blocked { #expect(try await scheduler.result(of: id).state == .completed) }
    await scheduler.shutdown()
  }

  @Test func workersWithoutAThreadAreMissedAndSaid() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1, threads: 4)
    try scheduler.registerBlocking("work") { $0.payload }
    var jobs: [JobID] = []
    for number in 0..<50 { jobs.append(try await scheduler.submit(JobRequest("work", payload: number))) }
    scheduler.threadLimit.withLock { $0 = 1 }
    scheduler.start()
    for (number, id) in jobs.enumerated() {
      #expect(try await scheduler.result(of: id).value as? Int == number)
    }
    let reason = HealthReason.workersNotStarted(.thread, missing: 3, of: 4, error: EAGAIN)
    #expect(scheduler.health() == .degraded([reason]))
    #expect("\(reason)".hasPrefix("3 of 4 workers of pool 'thread' have no thread: Resource temporarily unavailable"))
    #expect(await scheduler.shutdown().leftRunning == 0)
  }

  @Test func aPoolWithoutAnyThreadIsUnhealthyAndShutsDown() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1, threads: 2)
    var limit = JobTypeConfiguration(name: "limited")
    limit.rate = RateLimit(rate: Rate(perSecond: 1_000), burst: 1)
    try scheduler.registerBlocking(limit) { _ in nil }
    scheduler.threadLimit.withLock { $0 = 0 }
    scheduler.start()
    for _ in 0..<3 { try await scheduler.submit(JobRequest("limited")) }
    #expect(scheduler.health() == .unhealthy(.workersNotStarted(.thread, missing: 2, of: 2, error: EAGAIN)))
    #expect(scheduler.metrics().gauges.waiting == 3)
    let report = await scheduler.shutdown(grace: .zero)
    #expect(report.cancelled == 3 && report.leftRunning == 0)
  }

  @Test func moreUrgentJobsStartFirst() async throws {
    let order = Log<Priority>()
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.register("note") { context in
      order.append(try #require(context.payload as? Priority))
      return nil
    }
    // Submitted before the start, they wait for it and for one another.
    for priority in [Priority.batch, .low, .normal, .critical, .high, .batch, .critical] {
      try await scheduler.submit(JobRequest("note", payload: priority, priority: priority))
    }
    #expect(scheduler.metrics().gauges.available == 7)
    scheduler.start()
    await scheduler.shutdown()
    #expect(order.all == [.critical, .critical, .high, .normal, .low, .batch, .batch])
  }

  @Test func handlersSeeNoTaskLocalOfTheStarter() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("look") { _ in Self.label }
    Self.$label.withValue("starter") { scheduler.start() }
    let id = try await scheduler.submit(JobRequest("look"))
    #expect(try await scheduler.result(of: id).value as? String == "none")
    await scheduler.shutdown()
  }
  @TaskLocal private static var label = "none"

  @Test func typeLimitHoldsLive() async throws {
    let occupancy = Occupancy()
    let scheduler = Scheduler.quiet(asyncWorkers: 8)
    try scheduler.register(JobTypeConfiguration(name: "workflow", concurrency: 3)) { _ in
      occupancy.enter()
      for _ in 0..<20 { await Task.yield() }
      occupancy.leave()
      return nil
    }
    for _ in 0..<100 { try await scheduler.submit(JobRequest("workflow")) }
    scheduler.start()
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    #expect((1...3).contains(occupancy.most))
  }

  @Test func rateHoldsForTheRealStarts() async throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool = PoolConfiguration(workers: 4, rate: RateLimit(rate: Rate(perSecond: 500), burst: 2))
    let collector = Collector(configuration)
    let scheduler = Scheduler.quiet(asyncWorkers: 4, threads: 2, observer: collector) {
      $0.asyncPool = configuration.asyncPool
    }
    try scheduler.register("call") { _ in nil }
    for _ in 0..<40 { try await scheduler.submit(JobRequest("call")) }
    scheduler.start()
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    let starts = collector.records.map(\.started).sorted()
    #expect(starts.count == 40)
    for (index, start) in starts.enumerated().dropFirst(2) {
      // Three starts never lie within the time of one.
      #expect(start - starts[index - 2] >= .milliseconds(2))
    }
  }

  @Test func failFastBatchCancelsTheRest() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet(asyncWorkers: 2)
    try scheduler.registerBlocker("slow", started: started, until: gate)
    try scheduler.register("fail") { _ in
      await started.wait()
      throw Hopeless()
    }
    let batch = try scheduler.openBatch(failFast: true)
    let slow = try await scheduler.submit(JobRequest("slow", batch: batch))
    let failing = try await scheduler.submit(JobRequest("fail", batch: batch))
    let waiting = try await scheduler.submit(JobRequest("slow", batch: batch))
    scheduler.start()
    await scheduler.settleBatch(batch)
    #expect(try await scheduler.result(of: failing).cause == .failedPermanently)
    #expect(try await scheduler.result(of: slow).cause == .batchFailed)
    #expect(try await scheduler.result(of: waiting).cause == .batchFailed)
    gate.open()
    await scheduler.shutdown()
  }

  @Test func collectingBatchWaitsForEveryResultAndAnyoneMayAwaitIt() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("mixed") { context in
      if context.number % 2 == 0 { throw Broken() }
      return nil
    }
    let batch = try scheduler.openBatch(failFast: false)
    var ids: [JobID] = []
    for _ in 0..<10 { ids.append(try await scheduler.submit(JobRequest("mixed", batch: batch))) }
    scheduler.start()
    async let first = scheduler.settleBatch(batch)
    async let second = scheduler.settleBatch(batch)
    _ = await (first, second)
    // Settled already.
    await scheduler.settleBatch(batch)
    #expect(ids.map { scheduler.status(of: $0)?.state == .completed } == (0..<10).map { $0 % 2 == 1 })
    // One without jobs.
    await scheduler.settleBatch(try scheduler.openBatch(failFast: true))
    await scheduler.shutdown()
  }

  @Test func metricsCountEverything() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 2, threads: 1)
    #expect(scheduler.metrics().uptime == .zero && scheduler.metrics().utilization == 0)
    #expect(scheduler.metrics().successRate == nil && scheduler.metrics().meanServiceTime == nil)
    try scheduler.register("work") { context in
      if context.payload as? Int == 0 { throw Hopeless() }
      try await Task.sleep(for: .milliseconds(2))
      return nil
    }
    try scheduler.registerBlocking("block") { context in
      try context.sleep(for: .milliseconds(2))
      return nil
    }
    scheduler.start()
    for number in 0..<4 { try await scheduler.submit(JobRequest("work", payload: number, priority: .low)) }
    for _ in 0..<2 { try await scheduler.submit(JobRequest("block")) }
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    let metrics = scheduler.metrics()
    #expect(metrics.attempts == 6 && metrics.gauges.admitted == 6 && metrics.gauges.inSystem == 0)
    #expect(metrics.successRate == 5.0 / 6)
    #expect(metrics.workers.map(\.pool) == [.async, .async, .thread])
    #expect(metrics.workers.map(\.worker) == [0, 1, 0])
    #expect(metrics.workers.map(\.attempts).reduce(0, +) == 6 && metrics.workers[2].attempts == 2)
    #expect(metrics.workers[2].busy >= .milliseconds(4))
    #expect(metrics.workers.map(\.busy).reduce(.zero, +) == metrics.serviceTime)
    #expect(try #require(metrics.meanServiceTime) == metrics.serviceTime / 6)
    #expect(metrics.utilization > 0 && metrics.utilization <= 1)
    #expect(metrics.uptime >= metrics.workers[2].busy)
  }
}
