// Goal: middleware around submissions and attempts runs in the promised order, sees what it should, and what it changes
// is what the scheduler and the handlers see.

import Logging
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(1)))
struct MiddlewareTests {
  struct TooMany: Error, Equatable {}

  @Test func theFirstAroundSubmissionsSeesTheRequestFirst() async throws {
    let scheduler = Scheduler.quiet()
    let seen = Log<String>()
    try scheduler.register("a") { context in "\(context.payload ?? "nothing") \(context.labels)" }
    try scheduler.onSubmission { request in
      seen.append("first \(request.labels)")
      request.labels.append("one")
    }
    try scheduler.onSubmission { request in
      seen.append("second \(request.labels)")
      request.labels.append("two")
      request.payload = "changed"
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("a", payload: "as made", labels: ["mine"]))
    #expect(try await scheduler.result(of: id).value as? String == #"changed ["mine", "one", "two"]"#)
    let blocking = try scheduler.submitBlocking(JobRequest("a"))
    #expect(try await scheduler.result(of: blocking).value as? String == #"changed ["one", "two"]"#)
    #expect(seen.all.prefix(2) == [#"first ["mine"]"#, #"second ["mine", "one"]"#])
    await scheduler.shutdown()
  }

  @Test func aRefusalReachesTheSubmitterWithItsReason() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("a") { _ in nil }
    try scheduler.onSubmission { request in if request.labels.isEmpty { throw TooMany() } }
    scheduler.start()
    do {
      try await scheduler.submit(JobRequest("a"))
      Issue.record("it was not refused")
    } catch SchedulerError.refusedByMiddleware(let error) {
      #expect(error is TooMany)
    }
    try await scheduler.submit(JobRequest("a", labels: ["ok"]))
    await scheduler.shutdown()
    #expect(scheduler.metrics().gauges.admitted == 1)
  }

  /// Notes when it is entered and left, for both kinds of handler.
  struct Noting: AttemptMiddleware {
    let name: String
    let log: Log<String>

    func attempt(
      _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
    ) async throws -> (any Sendable)? {
      log.append("\(name) in")
      defer { log.append("\(name) out") }
      return try await next(context)
    }

    func blockingAttempt(
      _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
    ) throws -> (any Sendable)? {
      log.append("\(name) in")
      defer { log.append("\(name) out") }
      return try next(context)
    }
  }

  @Test(arguments: ["async", "blocking", "async on a thread"])
  func theFirstAroundAttemptsIsOutermost(kind: String) async throws {
    let scheduler = Scheduler.quiet()
    let log = Log<String>()
    // Registered before and between: all are wrapped in all.
    try scheduler.register("async") { _ in log.append("handler") }
    try scheduler.use(attempt: Noting(name: "outer", log: log))
    try scheduler.registerBlocking("blocking") { _ in log.append("handler") }
    try scheduler.use(attempt: Noting(name: "inner", log: log))
    scheduler.start()
    let request =
      kind == "async on a thread" ? JobRequest("async", hints: [.cpuIntensive]) : JobRequest(kind)
    let id = try await scheduler.submit(request)
    #expect(try await scheduler.result(of: id).state == .completed)
    #expect(log.all == ["outer in", "inner in", "handler", "inner out", "outer out"])
    await scheduler.shutdown()
  }

  enum TenantKey: JobValueKey { typealias Value = String }

  @Test func attemptsSeeWhatTheJobIs() async throws {
    let scheduler = Scheduler.quiet()
    let log = Log<String>()
    try scheduler.registerBlocking("type") { context in context.payload }
    try scheduler.use(
      attempt: AttemptHooks { context in
        log.append(
          "\(context.type) \(context.priority) \(context.pool) \(context.labels) \(context[TenantKey.self] ?? "none")")
      })
    scheduler.start()
    var request = JobRequest("type", payload: 7, priority: .high, labels: ["x"])
    request[TenantKey.self] = "school-7"
    let id = try await scheduler.submit(request)
    #expect(try await scheduler.result(of: id).value as? Int == 7)
    let bare = try await scheduler.submit(JobRequest("type"))
    #expect(try await scheduler.result(of: bare).state == .completed)
    #expect(log.all == [#"type high thread ["x"] school-7"#, "type normal thread [] none"])
    await scheduler.shutdown()
  }

  @Test func hooksMayTurnAnErrorAndHoldAHandlerBack() async throws {
    let scheduler = Scheduler.quiet { $0.retry = RetryPolicy(limit: 3, backoff: .none) }
    let calls = Log<Int>()
    try scheduler.register("broken") { context in
      calls.append(context.attempt)
      throw Broken()
    }
    try scheduler.registerBlocking("held back") { _ in
      calls.append(99)
      return nil
    }
    try scheduler.use(
      attempt: AttemptHooks(
        before: { if $0.type == "held back" { throw Hopeless() } },
        after: { context, result in
          if case .failure = result, context.attempt == 2 { throw Hopeless() }
        }))
    scheduler.start()
    let broken = try await scheduler.submit(JobRequest("broken"))
    let held = try await scheduler.submit(JobRequest("held back"))
    #expect(try await scheduler.result(of: broken).cause == .failedPermanently)
    #expect(try await scheduler.result(of: held).cause == .failedPermanently)
    #expect(calls.all == [1, 2])
    await scheduler.shutdown()
  }

  @Test func afterTheStartNoMiddlewareIsTaken() async throws {
    let scheduler = Scheduler.quiet()
    scheduler.start()
    #expect(throws: SchedulerError.self) { try scheduler.onSubmission { _ in } }
    #expect(throws: SchedulerError.self) { try scheduler.use(attempt: AttemptHooks()) }
    await scheduler.shutdown()
  }

  @Test func handlersRegisteredAfterTheStartAreWrappedToo() async throws {
    let scheduler = Scheduler.quiet()
    let log = Log<String>()
    try scheduler.use(attempt: Noting(name: "only", log: log))
    scheduler.start()
    try scheduler.register("late") { _ in log.append("handler") }
    let id = try await scheduler.submit(JobRequest("late"))
    _ = try await scheduler.result(of: id)
    #expect(log.all == ["only in", "handler", "only out"])
    await scheduler.shutdown()
  }

  @Test func everyObserverGetsEveryRecordAndTheNamesOfTypes() async throws {
    final class Names: TimelineObserver {
      let log = Log<String>()
      let jobs = Log<JobID>()
      func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
        for record in records { jobs.append(record.id) }
      }
      func typeRegistered(_ name: String, as id: JobTypeID) { log.append("\(name)=\(id.rawValue)") }
    }
    let observers = [Names(), Names()]
    let scheduler = try Scheduler(
      SchedulerConfiguration(), observers: observers,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    try scheduler.register("a") { _ in nil }
    try scheduler.register("b") { _ in nil }
    scheduler.start()
    let ids = [try await scheduler.submit(JobRequest("a")), try await scheduler.submit(JobRequest("b"))]
    await scheduler.shutdown()
    for observer in observers {
      #expect(observer.log.all == ["a=0", "b=1"])
      #expect(Set(observer.jobs.all) == Set(ids))
    }
  }
}
