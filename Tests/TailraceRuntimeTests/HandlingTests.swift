// Goal: what stands around a handler does its work however the attempt ends: resources are released, a recovery has the
// last word, progress is told and never floods.

import Logging
import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(1)))
struct ResourceTests {
  /// What was opened and closed, in order.
  private final class Doors: Sendable {
    let log = Log<String>()
    var provider: ResourceProvider<String> {
      ResourceProvider(
        open: { context in
          self.log.append("open \(context.attempt)")
          return "connection \(context.attempt)"
        },
        close: { resource in
          // Would throw were it a part of a cancelled attempt.
          try await Task.sleep(for: .milliseconds(1))
          self.log.append("close \(resource)")
        })
    }
  }

  private struct Stubborn: Job {
    typealias Output = String
    var fails: Bool
  }

  @Test func itIsReleasedAfterSuccessAndFailure() async throws {
    let doors = Doors()
    let scheduler = Scheduler.quiet { $0.retry = RetryPolicy(limit: 1, backoff: .none) }
    try scheduler.register(Stubborn.self, resource: doors.provider) { job, context, connection in
      if job.fails && context.attempt == 1 { throw Broken() }
      return connection
    }
    scheduler.start()
    let handle = try await scheduler.submit(Stubborn(fails: true))
    #expect(try await handle.value(timeout: .seconds(60)) == "connection 2")
    #expect(doors.log.all == ["open 1", "close connection 1", "open 2", "close connection 2"])
    await scheduler.shutdown()
  }

  enum End: CaseIterable { case cancel, timeout, shutdown }

  @Test(arguments: End.allCases) func itIsReleasedWhenTheAttemptIsStopped(end: End) async throws {
    let (doors, started) = (Doors(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.register(
      JobTypeConfiguration(name: "slow", timeout: end == .timeout ? .milliseconds(20) : nil), resource: doors.provider
    ) { _, connection in
      started.open()
      try await Task.sleep(for: .seconds(3_600))
      return connection
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("slow"))
    await started.wait()
    if end == .cancel { scheduler.cancel(id) }
    if end != .shutdown { #expect(try await scheduler.result(of: id).state != .completed) }
    await scheduler.shutdown(grace: .zero, stopping: .seconds(60))
    #expect(doors.log.all == ["open 1", "close connection 1"])
  }

  @Test func openingFailsTheAttemptAndReleasingIsLogged() async throws {
    let log = Log<String>()
    let scheduler = try Scheduler(
      Scheduler.quietConfiguration { _ in }, observers: [], logger: Logger(label: "test") { _ in LogLines(log) })
    let called = Log<Int>()
    try scheduler.register(
      JobTypeConfiguration(name: "closed"),
      resource: ResourceProvider<Int>(open: { _ in throw Broken() }, close: { _ in })
    ) { _, _ in
      called.append(1)
      return nil
    }
    try scheduler.registerBlocking(
      JobTypeConfiguration(name: "sticky"),
      resource: BlockingResourceProvider<Int>(open: { _ in 7 }, close: { _ in throw Hopeless() })
    ) { _, resource in resource }
    scheduler.start()
    let closed = try await scheduler.submit(JobRequest("closed"))
    #expect(try await scheduler.result(of: closed).failure is Broken)
    let sticky = try await scheduler.submit(JobRequest("sticky"))
    #expect(try await scheduler.result(of: sticky).value as? Int == 7)
    #expect(called.all.isEmpty)
    await scheduler.shutdown()
    #expect(log.all.contains { $0.hasPrefix("error cannot close resource") && $0.contains("there is no oven") })
  }
}

/// Keeps each line: level, message, metadata.
struct LogLines: LogHandler {
  let log: Log<String>
  var logLevel = Logger.Level.info
  var metadata = Logger.Metadata()
  init(_ log: Log<String>) { self.log = log }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
  func log(event: LogEvent) {
    let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    log.append("\(event.level) \(event.message) \(pairs.joined(separator: " "))")
  }
}

@Suite(.timeLimit(.minutes(1)))
struct RecoveryTests {
  struct Fetch: Job {
    typealias Output = String
    var address: String
  }

  @Test func itHasTheLastWordAfterTheLastAttempt() async throws {
    let asked = Log<Int>()
    let scheduler = Scheduler.quiet { $0.retry = RetryPolicy(limit: 2, backoff: .none) }
    try scheduler.register(
      Fetch.self,
      recover: { job, context, error in
        asked.append(context.attempt)
        #expect(error is Broken)
        return job.address.isEmpty ? .giveUp : .complete("a cached \(job.address)")
      }
    ) { _, _ in throw Broken() }
    scheduler.start()
    let good = try await scheduler.submit(Fetch(address: "page"))
    #expect(try await good.value(timeout: .seconds(60)) == "a cached page")
    let result = try await good.result()
    #expect(result.isRecovered && result.recoveredFrom is Broken && result.attempts == 3)
    #expect(good.status?.isRecovered == true && good.status?.state == .completed)
    let bad = try await scheduler.submit(Fetch(address: ""))
    #expect(try await bad.result().failure is Broken)
    #expect(bad.status?.isRecovered == false && asked.all == [3, 3])
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 1)
    await scheduler.shutdown()
  }

  @Test func itHearsOfPermanentFailuresAtOnceAndOfMiddleware() async throws {
    let scheduler = Scheduler.quiet { $0.retry = RetryPolicy(limit: 5) }
    try scheduler.registerBlocking(
      JobTypeConfiguration(name: "a"), recover: { context, error in .complete("\(context.attempt) \(error)") }
    ) { _ in throw Hopeless() }
    try scheduler.register(
      JobTypeConfiguration(name: "b", retry: .never), recover: { _, error in .complete("\(error)") }
    ) { _ in nil }
    try scheduler.use(
      attempt: AttemptHooks(after: { context, _ in if context.type == "b" { throw Broken() } }))
    scheduler.start()
    let (a, b) = (try await scheduler.submit(JobRequest("a")), try await scheduler.submit(JobRequest("b")))
    #expect(try await scheduler.result(of: a).value as? String == "1 there is no oven")
    #expect(try await scheduler.result(of: b).value as? String == "the oven is cold")
    await scheduler.shutdown()
  }

  @Test func aRecoveryThatThrowsLeavesTheHandlersError() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register(JobTypeConfiguration(name: "a"), recover: { _, _ in throw Hopeless() }) { _ in throw Broken()
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("a"))
    let result = try await scheduler.result(of: id)
    #expect(result.failure is Broken && result.cause == .failed && !result.isRecovered)
    await scheduler.shutdown()
  }

  @Test func aCancelledAttemptIsNotRecovered() async throws {
    let (started, asked) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.register(
      JobTypeConfiguration(name: "a"),
      recover: { _, _ in
        asked.open()
        return .complete(1)
      }
    ) { _ in
      started.open()
      try await Task.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("a"))
    await started.wait()
    scheduler.cancel(id)
    await scheduler.shutdown()
    #expect(!asked.isOpen && scheduler.status(of: id)?.state == .cancelled)
  }
}

@Suite(.timeLimit(.minutes(1)))
struct ProgressTests {
  @Test func itIsShownWhileTheAttemptRuns() async throws {
    let (told, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.register("slow") { context in
      for wrong in [Double.nan, -3, 7] { context.report(progress: wrong) }
      let status = try context.scheduler.status(of: context.id)
      #expect(status?.progress?.fraction == 1)
      context.report(progress: 0.4, "resizing")
      told.open()
      await gate.wait()
      return nil
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("slow"))
    await told.wait()
    #expect(scheduler.status(of: id)?.progress == JobProgress(fraction: 0.4, note: "resizing", attempt: 1))
    gate.open()
    _ = try await scheduler.result(of: id)
    #expect(scheduler.status(of: id)?.progress == nil)
    await scheduler.shutdown()
  }

  @Test func aHandlerCannotFloodAndItsLastWordIsHeard() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.registerBlocking("chatty") { context in
      for step in 0...10_000 { context.report(progress: Double(step) / 10_000) }
      return nil
    }
    let events = try scheduler.events(bufferingNewest: 10_000)
    scheduler.start()
    let begin = MonotonicClock.now()
    let id = try await scheduler.submit(JobRequest("chatty"))
    _ = try await scheduler.result(of: id)
    let time = MonotonicClock.now() - begin
    await scheduler.shutdown()
    var fractions: [Double] = []
    for await event in events { if case .progress(let progress) = event.kind { fractions.append(progress.fraction) } }
    #expect(fractions.last == 1)
    // One at first, one each 100 ms, one at the end.
    #expect(fractions.count <= 2 + Int(time.rawValue / 100_000_000))
  }

  @Test func whatIsSaidAfterTheAttemptIsNotHeard() async throws {
    let over = Gate()
    let late = Log<JobContext>()
    let scheduler = Scheduler.quiet()
    try scheduler.register("brief") { context in
      late.append(context)
      return nil
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("brief"))
    _ = try await scheduler.result(of: id)
    late.all[0].report(progress: 0.5)
    #expect(scheduler.status(of: id)?.progress == nil)
    over.open()
    await scheduler.shutdown()
  }
}
