// Goal: the examples of the articles in TailraceRuntime.docc compile, run and do what the articles say.

import TailraceRuntime
import Testing
@testable import TailracePlatform

@Suite(.timeLimit(.minutes(2)))
struct ArticleExamples {
  struct Greet: Job {
    typealias Output = String
    var name: String
  }

  @Test func gettingStarted() async throws {
    let scheduler = Scheduler()
    try scheduler.register(Greet.self) { job, context in "Hello, \(job.name)" }
    scheduler.start()
    let greeting = try await scheduler.submit(Greet(name: "world"))
    #expect(try await greeting.value() == "Hello, world")
    await scheduler.shutdown()
  }

  @Test func untyped() async throws {
    let scheduler = Scheduler()
    try scheduler.register("greet") { context in "Hello, \(context.payload as? String ?? "nobody")" }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("greet", payload: "world"))
    #expect(try await scheduler.result(of: id).value as? String == "Hello, world")
    await scheduler.shutdown()
  }

  @Test func lifeOfAJob() async throws {
    let time = VirtualTime()
    let scheduler = Scheduler(time: time)
    try scheduler.register("bake") { context in
      try await context.sleep(for: .seconds(60))
      return "bread"
    }
    scheduler.start()
    let dough = try await scheduler.submit(JobRequest("bake", delay: .seconds(10)))
    let meal = try await scheduler.submit(JobRequest("bake", dependencies: [dough]))
    #expect([dough, meal].map { scheduler.status(of: $0)?.state } == [.scheduled, .blocked])
    try await time.advance(by: .seconds(10))
    #expect([dough, meal].map { scheduler.status(of: $0)?.state } == [.running, .blocked])
    try await time.advance(by: .seconds(60))
    #expect([dough, meal].map { scheduler.status(of: $0)?.state } == [.completed, .running])
    try await time.advance(by: .seconds(60))
    #expect(scheduler.status(of: meal)?.cause == .succeeded)
    await scheduler.shutdown()
  }

  @Test func policies() async throws {
    let order = Locked<[Priority]>([])
    var configuration = SchedulerConfiguration()
    configuration.policy = .aging(boost: .seconds(60))
    configuration.asyncPool = PoolConfiguration(workers: 1)
    let time = VirtualTime()
    let scheduler = try Scheduler(configuration, time: time)
    try scheduler.register("serve") { context in
      order.withLock { $0.append(context.priority) }
      return nil
    }
    // Nothing starts before start(): all three wait.
    try await scheduler.submit(JobRequest("serve", priority: .low))
    try await time.advance(by: .seconds(90))
    try await scheduler.submit(JobRequest("serve", priority: .normal))
    try await scheduler.submit(JobRequest("serve", priority: .high))
    scheduler.start()
    try await time.settle()
    #expect(order.withLock { $0 } == [.high, .low, .normal])
    await scheduler.shutdown()
  }

  @Test func limitsOfTypes() async throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool = PoolConfiguration(workers: 50)
    configuration.memoryBudget = 512 << 20
    configuration.tenants = TenantConfiguration(each: TenantSettings(concurrency: 2))
    let time = VirtualTime()
    let scheduler = try Scheduler(configuration, time: time)
    try scheduler.register(JobTypeConfiguration(name: "render", concurrency: 3, memory: 64 << 20)) { context in
      try await context.sleep(for: .seconds(1))
      return nil
    }
    try scheduler.register(JobTypeConfiguration(name: "mail", rate: RateLimit(rate: Rate(perSecond: 5), burst: 10))) {
      _ in nil
    }
    scheduler.start()
    for _ in 0..<10 { try await scheduler.submit(JobRequest("render")) }
    for _ in 0..<10 { try await scheduler.submit(JobRequest("render", tenant: "customer-7")) }
    for _ in 0..<20 { try await scheduler.submit(JobRequest("mail")) }
    try await time.settle()
    #expect(scheduler.metrics().gauges.running == 3)
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 10)
    try await time.advance(by: .seconds(2))
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 10 + 2 * 3 + 2 * 5)
    await scheduler.shutdown(grace: .zero)
  }

  @Test func adaptiveLimits() async throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool = PoolConfiguration(
      workers: 100,
      adaptive: AdaptiveConcurrency(.aimd(target: .milliseconds(200), backoff: 0.5), initial: 20),
      codel: CoDelConfiguration(target: .seconds(1), interval: .seconds(10)))
    configuration.threadPool = PoolConfiguration(
      workers: 16, autoscaling: Autoscaling(least: 2, queueAge: .milliseconds(500)))
    let time = VirtualTime()
    let scheduler = try Scheduler(configuration, time: time)
    try scheduler.register("ask") { context in
      try await context.sleep(for: .milliseconds(300))
      return nil
    }
    scheduler.start()
    try await scheduler.submit(JobRequest("ask"))
    try await time.advance(by: .seconds(1))
    #expect(scheduler.concurrencyLimit(of: .async) == 10)
    await scheduler.shutdown()
  }

  struct Busy: Error {}
  struct NoSuchPage: PermanentFailure {}

  @Test func retriesAndDeadLetters() async throws {
    let time = VirtualTime()
    let scheduler = try Scheduler(SchedulerConfiguration(), observers: [], attemptsRemembered: 5, time: time)
    try scheduler.register("fetch") { context in
      switch context.payload as? String {
      case "busy page": throw Busy()
      case "lost page": throw NoSuchPage()
      default: return "text"
      }
    }
    scheduler.start()
    let retry = RetryPolicy(limit: 2, backoff: .exponential(base: .seconds(10), factor: 3), jitter: .none)
    let busy = try await scheduler.submit(JobRequest("fetch", payload: "busy page", retry: retry))
    let lost = try await scheduler.submit(JobRequest("fetch", payload: "lost page", retry: retry))
    try await time.advance(by: .seconds(60))
    #expect(scheduler.status(of: lost)?.attempts == 1)
    let starts = scheduler.history(of: busy)?.attempts.map { Instant.zero.duration(to: $0.started) }
    #expect(starts == [.zero, .seconds(10), .seconds(40)])
    #expect(scheduler.deadLetters().map(\.id) == [lost, busy])
    await scheduler.shutdown()
  }

  @Test func schedulesOfNights() async throws {
    let time = VirtualTime(startingAt: UnixTime("2026-10-24T12:00:00Z")!)
    let scheduler = Scheduler(time: time)
    let slots = Locked<[String]>([])
    try scheduler.register("report") { [time] _ in
      slots.withLock { $0.append("\(time.wallClock)") }
      return nil
    }
    scheduler.start()
    let nightly = try scheduler.schedule(
      RecurringJob(
        "nightly", .cron("0 2 * * *", timeZone: "Europe/Berlin"), job: JobRequest("report", uniqueKey: "report"),
        missed: .once))
    try await time.advance(by: .seconds(2 * 86_400))
    // In the first night clocks are set back: two o'clock comes twice, and the first counts.
    #expect(slots.withLock { $0 } == ["2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"])
    #expect(scheduler.schedules().first?.next == UnixTime("2026-10-27T01:00:00Z"))
    scheduler.removeSchedule(nightly)
    await scheduler.shutdown()
  }

  @Test func cancelling() async throws {
    let time = VirtualTime()
    let scheduler = Scheduler(time: time)
    try scheduler.registerBlocking("scan") { context in
      for _ in 0..<1_000 where !context.isCancelled { try context.sleep(for: .seconds(1)) }
      return nil
    }
    scheduler.start()
    let scan = try await scheduler.submit(JobRequest("scan"))
    let next = try await scheduler.submit(JobRequest("scan", dependencies: [scan]))
    try await time.advance(by: .seconds(5))
    #expect(scheduler.cancel(scan))
    #expect(scheduler.status(of: scan)?.cause == .cancelled)
    #expect(scheduler.status(of: next)?.cause == .dependencyFailed)
    #expect(!scheduler.cancel(scan))
    await scheduler.shutdown()
  }

  @Test func shuttingDown() async throws {
    let scheduler = Scheduler()
    try scheduler.register("save") { _ in "saved" }
    scheduler.start()
    let save = try await scheduler.submit(JobRequest("save"))
    let report = await scheduler.shutdown(grace: .seconds(20), stopping: .seconds(5))
    #expect(report.drained && report.cancelled == 0 && report.leftRunning == 0)
    #expect(try await scheduler.result(of: save).state == .completed)
    do {
      try await scheduler.submit(JobRequest("save"))
    } catch SchedulerError.refused(.stopping) {
      print("too late")
    }
  }

  @Test func watching() async throws {
    let scheduler = try Scheduler(SchedulerConfiguration(), observers: [], attemptsRemembered: 5)
    try scheduler.register("charge") { _ in nil }
    let events = scheduler.events()
    scheduler.onJobSettled(type: "charge") { job in print("\(job.number): \(job.result.cause.name)") }
    scheduler.start()
    let charge = try await scheduler.submit(JobRequest("charge", labels: ["order=12"]))
    _ = try await scheduler.result(of: charge)
    #expect(scheduler.history(of: charge)?.attempts.map(\.outcome) == [.succeeded])
    #expect(scheduler.health().isReady && scheduler.metrics().successRate == 1)
    await scheduler.shutdown()
    var steps: [String] = []
    for await event in events {
      switch event.kind {
      case .submitted: steps.append("submitted")
      case .started: steps.append("started")
      case .attemptEnded: steps.append("ended")
      case .settled: steps.append("settled")
      case .refused, .admitted, .progress, .stuck, .retrying, .dropped: break
      }
    }
    #expect(steps == ["submitted", "started", "ended", "settled"])
  }

  struct CardRefused: Error {}

  @Test func testingHandlers() async throws {
    let time = VirtualTime()
    let scheduler = Scheduler(time: time)
    try scheduler.register("charge") { context in
      try await context.sleep(for: .seconds(2))
      if context.attempt < 3 { throw CardRefused() }
      return "charged"
    }
    scheduler.start()
    let daily = RetryPolicy(limit: 3, backoff: .fixed(.seconds(86_400)), jitter: .none)
    let charge = try await scheduler.submit(JobRequest("charge", retry: daily))
    try await time.advance(by: .seconds(2 * 86_400 + 5))
    #expect(scheduler.status(of: charge)?.state == .running)
    try await time.advance(by: .seconds(1))
    #expect(scheduler.status(of: charge)?.attempts == 3)
    #expect(try await scheduler.result(of: charge).value as? String == "charged")
    await scheduler.shutdown()
  }
}
