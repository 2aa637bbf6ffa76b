// Goal: the examples of docs/embedding.md on limits and on virtual time compile, run and do what the page says.

import TailraceRuntime
import Testing

@Suite(.timeLimit(.minutes(2)))
struct LimitExamples {
  @Test func limitsByTag() async throws {
    var configuration = SchedulerConfiguration()
    configuration.policy = .fair(by: .tenant)
    configuration.tenants = TenantConfiguration(
      each: TenantSettings(concurrency: 2, rate: RateLimit(rate: Rate(perSecond: 1_000), burst: 50)),
      named: ["gold": TenantSettings(concurrency: 10, weight: 4)])
    let scheduler = try Scheduler(configuration)
    try scheduler.register("export") { _ in "done" }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("export", tenant: "customer-7"))
    #expect(try await scheduler.result(of: id).state == .completed)
    await scheduler.shutdown()
  }

  @Test func limitsThatFindThemselves() async throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool = PoolConfiguration(
      workers: 100,
      adaptive: AdaptiveConcurrency(.gradient(tolerance: 1.5), initial: 10),
      codel: CoDelConfiguration(target: .milliseconds(50), interval: .milliseconds(500)))
    configuration.threadPool = PoolConfiguration(
      workers: 16, autoscaling: Autoscaling(least: 2, queueAge: .milliseconds(200)))
    let scheduler = try Scheduler(configuration)
    try scheduler.register("call-the-service") { _ in "an answer" }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("call-the-service"))
    #expect(try await scheduler.result(of: id).state == .completed)
    #expect(scheduler.concurrencyLimit(of: .async) >= 10)
    await scheduler.shutdown()
  }

  @Test func valuesOutOfRange() {
    var configuration = SchedulerConfiguration()
    configuration.threadPool.workers = -1
    configuration.retry = RetryPolicy(limit: 70_000)
    do {
      _ = try Scheduler(configuration)
    } catch {
      #expect(error.values.map(\.name) == ["threadPool.workers", "retry.limit"])
      #expect(error.values[1].description == "retry.limit is 70,000; allowed: 0 to 65,534")
    }
  }

  @Test func misspeltTypes() async throws {
    let scheduler = Scheduler()
    try scheduler.register("resize-image") { _ in nil }
    scheduler.start()
    do {
      try await scheduler.submit(JobRequest("resise-image"))
    } catch SchedulerError.unknownJobType(let name, let close) {
      #expect(name == "resise-image" && close == ["resize-image"])
    }
    await scheduler.shutdown()
  }

  @Test func testingWithoutWaiting() async throws {
    struct NotToday: Error {}
    let time = VirtualTime()
    let scheduler = Scheduler(time: time)
    try scheduler.register("pay") { context in
      try await context.sleep(for: .seconds(30))
      if context.attempt == 1 { throw NotToday() }
      return "paid"
    }
    scheduler.start()
    let retry = RetryPolicy(limit: 1, backoff: .fixed(.seconds(3_600)), jitter: .none)
    let id = try await scheduler.submit(JobRequest("pay", delay: .seconds(86_400), retry: retry))
    try await time.advance(by: .seconds(86_400 + 30 + 3_600 + 29))
    #expect(scheduler.status(of: id)?.state == .running)
    try await time.advance(by: .seconds(1))
    #expect(scheduler.status(of: id)?.state == .completed)
    await scheduler.shutdown()
  }
}
