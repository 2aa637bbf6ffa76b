// Goal: the examples of docs/embedding.md compile, run and do what the page says.

import TailraceRuntime
import Testing

@Suite(.timeLimit(.minutes(2)))
struct EmbeddingExamples {
  struct Greet: Job {
    typealias Output = String
    var name: String
  }

  @Test func tenLines() async throws {
    let scheduler = Scheduler()
    try scheduler.register(Greet.self) { job, context in "Hello, \(job.name)" }
    scheduler.start()
    let greeting = try await scheduler.submit(Greet(name: "world"))
    #expect(try await greeting.value(timeout: .seconds(60)) == "Hello, world")
    await scheduler.shutdown()
  }

  @Test func configuration() async throws {
    var configuration = SchedulerConfiguration()
    configuration.policy = .aging(boost: .milliseconds(500))
    configuration.asyncPool = PoolConfiguration(workers: 10)
    configuration.threadPool = PoolConfiguration(workers: 5)
    configuration.queueCapacity = 1_000
    configuration.whenFull = .block
    configuration.memoryBudget = 512 << 20
    configuration.retainedCount = 5_000
    let scheduler = try Scheduler(configuration)
    try scheduler.register(
      JobTypeConfiguration(
        name: "workflow", priority: .high, timeout: .seconds(300), concurrency: 3,
        rate: RateLimit(rate: Rate(perSecond: 5), burst: 5))
    ) { _ in nil }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("workflow"))
    #expect(try await scheduler.result(of: id).state == .completed)
    await scheduler.shutdown()
  }

  @Test func jobsOfEveryKind() async throws {
    let scheduler = Scheduler()
    try scheduler.register("transcribe") { _ in "a text" }
    try scheduler.register("respond") { _ in "an answer" }
    try scheduler.registerBlocking("archive") { context in
      try context.sleep(for: .milliseconds(1))
      return context.isCancelled ? nil : "archived"
    }
    scheduler.start()
    let text = try await scheduler.submit(
      JobRequest("transcribe", priority: .high, labels: ["child-7"], timeout: .seconds(30)))
    let answer = try await scheduler.submit(JobRequest("respond", dependencies: [text]))
    let archive = try await scheduler.submit(JobRequest("archive", priority: .batch, delay: .milliseconds(5)))
    let heavy = try await scheduler.submit(JobRequest("transcribe", hints: [.cpuIntensive]))
    for id in [text, answer, archive, heavy] {
      #expect(try await scheduler.result(of: id).state == .completed)
    }
    #expect(scheduler.status(of: text)?.labels == ["child-7"])
    await scheduler.shutdown()
  }

  struct BadInput: PermanentFailure {}
  struct Unreachable: Error {}

  @Test func failuresAndRetries() async throws {
    let scheduler = Scheduler()
    try scheduler.register("fetch") { context in
      guard context.payload is String else { throw BadInput() }
      guard context.attempt > 1 else { throw Unreachable() }
      return "the page"
    }
    scheduler.start()
    let retry = RetryPolicy(limit: 3, backoff: .exponential(base: .milliseconds(1), factor: 2), jitter: .full)
    let good = try await scheduler.submit(JobRequest("fetch", payload: "a page's address", retry: retry))
    let bad = try await scheduler.submit(JobRequest("fetch", payload: 7, retry: retry))
    #expect(try await scheduler.result(of: good).attempts == 2)
    #expect(try await scheduler.result(of: bad).state == .deadLettered)
    #expect(scheduler.deadLetters().map(\.error) == ["BadInput()"])
    await scheduler.shutdown()
  }

  @Test func cancelling() async throws {
    let scheduler = Scheduler()
    try scheduler.register("import") { _ in
      try await Task.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("import"))
    let child = try await scheduler.submit(JobRequest("import", dependencies: [parent]))
    scheduler.cancel(parent)
    #expect(try await scheduler.result(of: child).cause == .dependencyFailed)
    await scheduler.shutdown()
  }

  @Test func uniqueKeys() async throws {
    let scheduler = Scheduler()
    try scheduler.register("rebuild-index") { _ in nil }
    let first = try await scheduler.submit(JobRequest("rebuild-index", uniqueKey: "customer-7"))
    do {
      try await scheduler.submit(JobRequest("rebuild-index", uniqueKey: "customer-7"))
    } catch SchedulerError.refused(.duplicate(let live)) {
      #expect(live == first)
    }
    scheduler.start()
    #expect(try await scheduler.result(of: first).state == .completed)
    try await scheduler.submit(JobRequest("rebuild-index", uniqueKey: "customer-7"))
    await scheduler.shutdown()
  }

  @Test func schedules() async throws {
    let scheduler = Scheduler()
    try scheduler.register("report") { _ in nil }
    scheduler.start()
    let nightly = try scheduler.schedule(
      RecurringJob(
        "nightly", .cron("0 2 * * *", timeZone: "Europe/Berlin"), job: JobRequest("report", uniqueKey: "nightly"),
        missed: .once))
    try scheduler.schedule(RecurringJob("often", .every(.milliseconds(10)), job: JobRequest("report")))
    while scheduler.schedules().allSatisfy({ $0.fired == 0 }) { try await Task.sleep(for: .milliseconds(1)) }
    let often = scheduler.schedules()[1]
    #expect(often.name == "often" && often.last != nil && often.refused == 0)
    scheduler.removeSchedule(nightly)
    #expect(scheduler.schedules().map(\.name) == ["often"])
    let later = try await scheduler.submit(JobRequest("report", startAt: often.last! + .milliseconds(50)))
    #expect(try await scheduler.result(of: later).state == .completed)
    await scheduler.shutdown()
  }

  @Test func batches() async throws {
    let scheduler = Scheduler()
    try scheduler.register("resize") { context in context.payload }
    scheduler.start()
    let batch = try scheduler.openBatch(failFast: true)
    var ids: [JobID] = []
    for width in [64, 128, 256] {
      ids.append(try await scheduler.submit(JobRequest("resize", payload: width, batch: batch)))
    }
    await scheduler.settleBatch(batch)
    #expect(ids.map { scheduler.status(of: $0)?.state } == [.completed, .completed, .completed])
    await scheduler.shutdown()
  }

  @Test func metricsAndShutdown() async throws {
    let scheduler = Scheduler()
    try scheduler.register("nop") { _ in nil }
    scheduler.start()
    for _ in 0..<100 { try await scheduler.submit(JobRequest("nop")) }
    let report = await scheduler.shutdown(grace: .seconds(30))
    #expect(report.drained && report.cancelled == 0 && report.leftRunning == 0)
    let metrics = scheduler.metrics()
    #expect(metrics.successRate == 1)
    #expect(metrics.gauges.settledByCause[.succeeded] == 100)
    #expect(metrics.workers.map(\.attempts).reduce(0, +) == 100)
  }

  @Test func jobsThatSubmitJobs() async throws {
    let scheduler = Scheduler()
    try scheduler.register("page") { context in context.payload }
    try scheduler.register("site") { context in
      for page in ["a", "b"] { try await context.scheduler.submit(JobRequest("page", payload: page)) }
      return nil
    }
    scheduler.start()
    let site = try await scheduler.submit(JobRequest("site"))
    #expect(try await scheduler.result(of: site).state == .completed)
    await scheduler.shutdown()
  }
}
