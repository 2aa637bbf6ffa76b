// Goal: dead letters show what their jobs were, and can be run again or purged; invalid input goes there without an
// attempt.

import Foundation
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(1)))
struct DeadLetterTests {
  struct Invoice: Job {
    var number: Int
    var path: String
    func validate() throws { if number < 0 { throw NoSuchInvoice(number: number) } }
  }
  struct NoSuchInvoice: Error, CustomStringConvertible {
    var number: Int
    var description: String { "there is no invoice \(number)" }
  }
  struct Died: CrashFailure {}

  @Test func aDeadLetterSaysWhatItsJobWas() async throws {
    let scheduler = try Scheduler(
      Scheduler.quietConfiguration { $0.retry = RetryPolicy(limit: 1, backoff: .none) }, observers: [],
      attemptsRemembered: 4, logger: Scheduler.silentLogger)
    try scheduler.register(Invoice.self) { _, _ in throw Died() }
    try scheduler.register("plain") { _ in throw Broken() }
    scheduler.start()
    let invoice = try await scheduler.submit(Invoice(number: 7, path: "a/b"), labels: ["customer-3"])
    _ = try await invoice.result(timeout: .seconds(60))
    let plain = try await scheduler.submit(JobRequest("plain", payload: ["a": 1]))
    _ = try await scheduler.result(of: plain)
    let bare = try await scheduler.submit(JobRequest("plain", payload: Died()))
    _ = try await scheduler.result(of: bare)
    let letters = scheduler.deadLetters()
    #expect(letters.map(\.id) == [invoice.id, plain, bare])
    #expect(letters.map(\.isPoison) == [true, false, false])
    #expect(letters[0].failure is Died && letters[0].history.map(\.outcome) == [.crashed, .crashed])
    #expect(letters[0].labels == ["customer-3"] && letters[0].type == "Invoice" && letters[0].attempts == 2)
    #expect((letters[0].payload as? Invoice)?.number == 7)
    #expect(
      letters.map(\.payloadDescription) == [#"{"number":7,"path":"a/b"}"#, #"{"a":1}"#, "Died()"])
    await scheduler.shutdown()
  }

  @Test func aReplayHasAllThatItsJobHad() async throws {
    let seen = Log<String>()
    let mended = Gate()
    let scheduler = Scheduler.quiet()
    try scheduler.register(Invoice.self) { job, context in
      seen.append("\(job.number) \(context.labels) \(context.priority) \(context.pool)")
      if !mended.isOpen { throw Broken() }
    }
    scheduler.start()
    let first = try await scheduler.submit(
      Invoice(number: 7, path: ""), priority: .low, labels: ["x"], hints: [.ioBound], uniqueKey: "invoice 7")
    _ = try await first.result()
    mended.open()
    let again = try scheduler.handle(of: scheduler.replay(first.id), as: Invoice.self)
    try await again.value(timeout: .seconds(60))
    #expect(seen.all == Array(repeating: #"7 ["x"] low thread"#, count: 2))
    #expect(scheduler.deadLetters().isEmpty && first.status == nil && again.status?.labels == ["x"])
    #expect(throws: SchedulerError.self) { try scheduler.replay(first.id) }
    #expect(throws: SchedulerError.self) { try scheduler.replay(again.id) }
    await scheduler.shutdown()
  }

  @Test func replaysThatAreRefusedLeaveTheirDeadLetters() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet(asyncWorkers: 1) { $0.queueCapacity = 1 }
    try scheduler.register("fails") { _ in throw Broken() }
    try scheduler.registerBlocker("blocker", started: started, until: gate)
    scheduler.start()
    var ids: [JobID] = []
    for _ in 0..<3 {
      ids.append(try await scheduler.submit(JobRequest("fails")))
      _ = try await scheduler.result(of: ids.last!)
    }
    try await scheduler.submit(JobRequest("blocker"))
    await started.wait()
    let report = scheduler.replayAll { $0.id != ids[0] }
    #expect(report.replayed.count == 1 && report.refused.map(\.id) == [ids[2]])
    #expect(scheduler.deadLetters().map(\.id) == [ids[0], ids[2]])
    gate.open()
    _ = try await scheduler.result(of: report.replayed[0])
    #expect(scheduler.purgeDeadLetter(ids[2]) && !scheduler.purgeDeadLetter(ids[2]))
    #expect(scheduler.purgeDeadLetters(olderThan: .seconds(3_600)) == 0)
    #expect(scheduler.purgeDeadLetters() == 2 && scheduler.deadLetters().isEmpty)
    #expect(scheduler.violatedInvariants == [])
    await scheduler.shutdown()
  }

  @Test func aFloodOfSuccessesDrivesNoDeadLetterOut() async throws {
    let scheduler = Scheduler.quiet { $0.retainedCount = 5 }
    try scheduler.register("fails") { _ in throw Broken() }
    try scheduler.register("nop") { _ in nil }
    scheduler.start()
    let bad = try await scheduler.submit(JobRequest("fails", payload: 7))
    _ = try await scheduler.result(of: bad)
    for _ in 0..<100 { try await scheduler.submit(JobRequest("nop")) }
    await scheduler.shutdown()
    #expect(scheduler.deadLetters().map { $0.payload as? Int } == [7])
  }

  @Test func invalidInputMakesNoAttempt() async throws {
    let scheduler = Scheduler.quiet { $0.retry = RetryPolicy(limit: 3) }
    let ran = Log<Int>()
    try scheduler.register(Invoice.self) { job, _ in ran.append(job.number) }
    try scheduler.register(
      JobTypeConfiguration(name: "plain"),
      validate: { payload in if payload == nil { throw Broken() } }
    ) { _ in nil }
    scheduler.start()
    let bad = try await scheduler.submit(Invoice(number: -1, path: ""))
    let failure = try #require(await #expect(throws: JobFailure.self) { try await bad.value(timeout: .seconds(60)) })
    #expect(failure.cause == .invalid && failure.attempts == 0 && failure.error is NoSuchInvoice)
    let named = try await scheduler.submit(JobRequest("Invoice", payload: Invoice(number: -2, path: "")))
    let plain = try await scheduler.submitInBackground(JobRequest("plain"))
    let good = try await scheduler.submit(JobRequest("plain", payload: 1))
    #expect(try await scheduler.result(of: good).state == .completed)
    #expect(scheduler.deadLetters().map(\.id) == [bad.id, named, plain])
    #expect(scheduler.deadLetters().map(\.error).last == "the oven is cold")
    #expect(scheduler.status(of: bad.id)?.state == .deadLettered && ran.all == [])
    #expect(throws: SchedulerError.self) { try scheduler.replay(bad.id) }
    #expect(scheduler.replayAll().refused.count == 3 && scheduler.metrics().attempts == 1)
    await scheduler.shutdown()
  }
}

extension Scheduler {
  static let silentLogger = quiet().logger
  static func quietConfiguration(_ change: (inout SchedulerConfiguration) -> Void) -> SchedulerConfiguration {
    var changed = quiet().configuration
    change(&changed)
    return changed
  }
  /// Submits from a thread that may block.
  func submitInBackground(_ request: JobRequest) async throws -> JobID {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try self.submitBlocking(request) }) }
    }
  }
}
