// Goal: failed and timed-out attempts are repeated as the policy says, and what cannot be mended is kept with its
// reason.

import Logging
import TailraceCore
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct RetryTests {
  @Test func jobIsRetriedUntilItSucceeds() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("flaky") { context in
      guard context.attempt > 2 else { throw Broken() }
      return context.attempt
    }
    scheduler.start()
    let policy = RetryPolicy(limit: 3, backoff: .exponential(base: .microseconds(100), factor: 2))
    let id = try await scheduler.submit(JobRequest("flaky", retry: policy))
    let result = try await scheduler.result(of: id)
    #expect(result.state == .completed && result.attempts == 3 && result.value as? Int == 3)
    #expect(scheduler.deadLetters().isEmpty)
    await scheduler.shutdown()
  }

  /// A time-out or a cancelled part inside the handler throws it too: it says nothing of the job.
  @Test(arguments: PoolID.allCases) func cancellationErrorOfAnAttemptThatWasNotCancelledIsAFailure(
    pool: PoolID
  ) async throws {
    let log = Log<String>()
    let scheduler = try Scheduler(
      Scheduler.quietConfiguration { _ in }, observers: [], logger: Logger(label: "test") { _ in LogLines(log) })
    try scheduler.register(JobTypeConfiguration(name: "impatient", pool: pool)) { context in
      let part = Task { try await Task.sleep(for: .seconds(3_600)) }
      part.cancel()
      if context.attempt < context.payload as! Int { try await part.value }
      return context.attempt
    }
    scheduler.start()
    let policy = RetryPolicy(limit: 3, backoff: .none)
    let mended = try await scheduler.submit(JobRequest("impatient", payload: 3, retry: policy))
    let lost = try await scheduler.submit(JobRequest("impatient", payload: 99, retry: policy))
    #expect(try await scheduler.result(of: mended).value as? Int == 3)
    let result = try await scheduler.result(of: lost)
    #expect(result.state == .deadLettered && result.cause == .failed && result.attempts == 4)
    #expect(result.failure is CancellationError)
    #expect(scheduler.deadLetters().map(\.id) == [lost])
    await scheduler.shutdown()
    let lines = log.all.filter { $0.contains("attempt failed") }
    #expect(lines.count == 6 && lines.allSatisfy { $0.contains("its attempt was not cancelled") }, "\(log.all)")
  }

  @Test func exhaustedJobsAreDeadLetteredWithTheErrorsWords() async throws {
    let scheduler = Scheduler.quiet { $0.deadLetterCount = 2 }
    try scheduler.register("flaky") { _ in throw Broken() }
    try scheduler.registerBlocking("hopeless") { _ in throw Hopeless() }
    scheduler.start()
    let policy = RetryPolicy(limit: 2, backoff: .none)
    let forgotten = try await scheduler.submit(JobRequest("flaky"))
    _ = try? await scheduler.result(of: forgotten)
    let flaky = try await scheduler.submit(JobRequest("flaky", labels: ["bread"], retry: policy))
    _ = try? await scheduler.result(of: flaky)
    let hopeless = try await scheduler.submit(JobRequest("hopeless", retry: policy))
    let result = try await scheduler.result(of: hopeless)
    #expect(result.state == .deadLettered && result.cause == .failedPermanently && result.attempts == 1)
    #expect(result.error == "there is no oven" && result.value == nil)
    let letters = scheduler.deadLetters()
    #expect(letters.map(\.id) == [flaky, hopeless])
    #expect(letters.map(\.error) == ["the oven is cold", "there is no oven"])
    #expect(letters.map(\.cause) == [.failed, .failedPermanently])
    #expect(letters.map(\.attempts) == [3, 1])
    #expect(letters[0].labels == ["bread"])
    await scheduler.shutdown()
  }

  @Test func retriesOfJobsThatFailTogetherAreSpread() async throws {
    let collector = Collector(Scheduler.quiet(asyncWorkers: 4).configuration)
    let scheduler = Scheduler.quiet(asyncWorkers: 4, observer: collector)
    try scheduler.register("flaky") { context in
      guard context.attempt > 1 else { throw Broken() }
      return nil
    }
    var ids: [JobID] = []
    let policy = RetryPolicy(limit: 1, backoff: .fixed(.milliseconds(50)), jitter: .full)
    for _ in 0..<20 { ids.append(try await scheduler.submit(JobRequest("flaky", retry: policy))) }
    scheduler.start()
    for id in ids { _ = try await scheduler.result(of: id) }
    await scheduler.shutdown()
    // Twenty uniform draws in 50 ms lie within 10 ms of each other once in 10^11 runs. A processor may come late to all
    // of them, so what counts is when each was due.
    let records = collector.records
    var failures: [JobID: Instant] = [:]
    for record in records where record.attempt == 1 { failures[record.id] = record.finished }
    var delays: [Int64] = []
    for record in records where record.attempt == 2 {
      delays.append((record.eligible - failures[record.id]!).rawValue)
    }
    #expect(delays.count == 20)
    #expect(try #require(delays.max()) - delays.min()! > 10_000_000)
  }

  @Test func timedOutAttemptIsOverButItsWorkerIsNotReusedUntilTheHandlerReturns() async throws {
    let (gate, ran) = (Gate(), Gate())
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.register("stubborn") { _ in
      await gate.wait()
      return nil
    }
    try scheduler.register("note") { _ in
      ran.open()
      return nil
    }
    scheduler.start()
    let stubborn = try await scheduler.submit(JobRequest("stubborn", timeout: .milliseconds(5)))
    let next = try await scheduler.submit(JobRequest("note"))
    let result = try await scheduler.result(of: stubborn)
    #expect(result.state == .deadLettered && result.cause == .timedOut && result.attempts == 1)
    #expect(scheduler.metrics().gauges.abandoned == 1)
    #expect(!ran.isOpen)
    gate.open()
    #expect(try await scheduler.result(of: next).state == .completed)
    await scheduler.shutdown()
    #expect(scheduler.metrics().gauges.abandoned == 0)
    #expect(scheduler.violatedInvariants == [])
  }

  @Test func timedOutBlockingHandlerIsToldAndRetried() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.registerBlocking("slow once") { context in
      if context.attempt == 1 { try context.sleep(for: .seconds(3_600)) }
      return context.attempt
    }
    scheduler.start()
    let id = try await scheduler.submit(
      JobRequest("slow once", timeout: .milliseconds(20), retry: RetryPolicy(limit: 5, backoff: .none)))
    let result = try await scheduler.result(of: id)
    #expect(result.state == .completed && (result.value as? Int ?? 0) > 1)
    await scheduler.shutdown()
  }

  @Test func failedAttemptsAndDeadLettersAreLogged() async throws {
    let lines = Log<String>()
    let scheduler = Scheduler(logger: Logger(label: "test", factory: { _ in LineLog(lines: lines) }))
    try scheduler.register("flaky") { _ in throw Broken() }
    try scheduler.register("slow") { _ in
      try await Task.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    let flaky = try await scheduler.submit(JobRequest("flaky", retry: RetryPolicy(limit: 1, backoff: .none)))
    _ = try await scheduler.result(of: flaky)
    let slow = try await scheduler.submit(JobRequest("slow", timeout: .milliseconds(1), retry: .never))
    _ = try await scheduler.result(of: slow)
    await scheduler.shutdown()
    #expect(lines.all.first == "info scheduler started")
    #expect(lines.all.filter { $0 == "warning attempt failed flaky the oven is cold" }.count == 2)
    #expect(lines.all.filter { $0 == "warning attempt failed slow timed out" }.count == 1)
    #expect(lines.all.filter { $0.hasPrefix("error job dead-lettered") }.count == 2)
    #expect(lines.all.last == "info scheduler stopped")
  }
}

private struct LineLog: LogHandler {
  let lines: Log<String>
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  init(lines: Log<String>) { self.lines = lines }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
  func log(event: LogEvent) {
    let words = ["tailrace-job-type", "error"].compactMap { event.metadata?[$0].map { "\($0)" } }
    lines.append((["\(event.level)", "\(event.message)"] + words).joined(separator: " "))
  }
}
