// Goal: the examples of docs/embedding.md about watching a scheduler compile, run and do what the page says.

import Foundation
import TailraceRuntime
import Testing

extension EmbeddingExamples {
  struct NoTenant: Error {}
  struct UpstreamFailed: Error {}

  struct Deadline: AttemptMiddleware {
    @TaskLocal static var current: ContinuousClock.Instant?

    func attempt(
      _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
    ) async throws -> (any Sendable)? {
      try await Self.$current.withValue(.now + .seconds(5)) { try await next(context) }
    }

    func blockingAttempt(
      _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
    ) throws -> (any Sendable)? {
      try Self.$current.withValue(.now + .seconds(5)) { try next(context) }
    }
  }

  @Test func middleware() async throws {
    let scheduler = Scheduler()
    try scheduler.register("charge") { context in
      #expect(Deadline.current != nil)
      return context.labels
    }
    try scheduler.onSubmission { request in
      guard request.labels.contains(where: { $0.hasPrefix("tenant=") }) else { throw NoTenant() }
      request.priority = request.priority ?? .high
    }
    try scheduler.use(attempt: Deadline())
    try scheduler.use(
      attempt: AttemptHooks(after: { context, result in
        if case .failure = result, context.type == "charge" { throw UpstreamFailed() }
      }))
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("charge", labels: ["tenant=7"]))
    #expect(try await scheduler.result(of: id).value as? [String] == ["tenant=7"])
    do {
      try await scheduler.submit(JobRequest("charge"))
    } catch SchedulerError.refusedByMiddleware(let error) {
      #expect(error is NoTenant)
    }
    await scheduler.shutdown()
  }

  @Test func events() async throws {
    let scheduler = Scheduler()
    try scheduler.register("nop") { _ in nil }
    let events = try scheduler.events(bufferingNewest: 1_024)
    let watcher = Task {
      var settled = 0
      for await event in events {
        switch event.kind {
        case .settled: settled += 1
        case .dropped(let count, let since): print("missed \(count) events since \(since)")
        case .submitted, .refused, .admitted, .started, .progress, .stuck, .attemptEnded, .retrying: break
        }
      }
      return settled
    }
    scheduler.start()
    for _ in 0..<10 { try await scheduler.submit(JobRequest("nop")) }
    await scheduler.shutdown()
    #expect(await watcher.value == 10)
  }

  @Test func histories() async throws {
    let scheduler = try Scheduler(SchedulerConfiguration(), observers: [], attemptsRemembered: 8)
    try scheduler.register("fetch") { context in
      guard context.attempt > 1 else { throw Unreachable() }
      return nil
    }
    scheduler.onJobSettled(type: "fetch") { job in print("\(job.type) \(job.number): \(job.result.cause.name)") }
    scheduler.start()
    let id = try await scheduler.submit(
      JobRequest("fetch", retry: RetryPolicy(limit: 1, backoff: .fixed(.milliseconds(1)))))
    try scheduler.onSettled(of: id) { result in print("settled after \(result.attempts) attempts") }
    _ = try await scheduler.result(of: id)
    let attempts = scheduler.history(of: id)?.attempts ?? []
    #expect(attempts.map(\.outcome) == [.failed, .succeeded])
    #expect(attempts[0].error is Unreachable)
    #expect(attempts[1].startedUnixNanoseconds >= attempts[0].finishedUnixNanoseconds)
    await scheduler.shutdown()
  }

  @Test func healthReport() async throws {
    let scheduler = Scheduler()
    try scheduler.register("nop") { _ in nil }
    scheduler.start()
    var limits = HealthLimits()
    limits.queueShare = 0.5
    limits.stuckWorkers = 1
    switch try scheduler.health(limits) {
    case .healthy: break
    case .degraded(let reasons): for reason in reasons { print("degraded: \(reason)") }
    case .unhealthy(let reason): print("unhealthy: \(reason)")
    }
    #expect(try scheduler.health(limits).isReady)
    await scheduler.shutdown()
    #expect(scheduler.health() == .unhealthy(.stopped))
  }

  @Test func evidence() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appendingPathComponent("evidence.jsonl").path
    let scheduler = Scheduler()
    try scheduler.register("nop") { _ in nil }
    var settings = EvidenceLog.Configuration(path: path)
    settings.maximumBytes = 16 << 20
    settings.files = 4
    let log = try EvidenceLog(settings)
    try scheduler.record(to: log)
    scheduler.start()
    try await scheduler.submit(JobRequest("nop", labels: ["order-12"]))
    await scheduler.shutdown()
    #expect(log.counts == EvidenceCounts(written: 1, dropped: 0, refused: 0))
  }
}
