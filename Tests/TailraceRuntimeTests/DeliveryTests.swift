// Goal: time-outs, delays and retries go on while code of the user's is held up, whatever it is; it is told in order,
// on a thread of its own, which ends with the scheduler.

import Logging
import Synchronization
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(5)))
struct DeliveryTests {
  /// Code of the user's that what falls due leads to.
  enum Kind: CaseIterable {
    case callbackOfAJob, callbackOfEveryJob, observer, logger, middlewareOfASchedule, validationOfASchedule
    case cancellationHandler, releaseOfAPayload
  }

  /// Holds up whatever enters it until it is opened.
  private final class Obstacle: TimelineObserver, SubmissionMiddleware {
    let (entered, gate) = (Gate(), Gate())
    let holdsRecords = Atomic<Bool>(false)
    func hold() {
      entered.open()
      gate.waitBlocking()
    }
    func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
      if holdsRecords.load(ordering: .relaxed), records.contains(where: { $0.outcome == .timedOut }) { hold() }
    }
    func prepare(_ request: inout JobRequest) throws { if request.labels == ["hold"] { hold() } }
  }

  private final class Payload: Sendable {
    let obstacle: Obstacle
    init(_ obstacle: Obstacle) { self.obstacle = obstacle }
    deinit { obstacle.hold() }
  }

  private struct HoldingLog: LogHandler {
    let obstacle: Obstacle
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.error
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    init(_ obstacle: Obstacle) { self.obstacle = obstacle }
    func log(event: LogEvent) { obstacle.hold() }
  }

  @Test(arguments: Kind.allCases)
  func timeGoesOnWhileUserCodeIsHeldUp(kind: Kind) async throws {
    let obstacle = Obstacle()
    obstacle.holdsRecords.store(kind == .observer, ordering: .relaxed)
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 6
    configuration.retry = .never
    configuration.stuckAfter = .milliseconds(1)
    let scheduler = try Scheduler(
      configuration, observer: obstacle,
      logger: Logger(
        label: "test",
        factory: { _ in kind == .logger ? HoldingLog(obstacle) as any LogHandler : SwiftLogNoOpLogHandler() }))
    try scheduler.register("quick") { _ in nil }
    try scheduler.register("sleep") { context in
      try await context.sleep(for: .seconds(3_600))
      return nil
    }
    try scheduler.use(submission: obstacle)
    scheduler.start()
    try await Self.provoke(kind, obstacle, on: scheduler)
    await obstacle.entered.wait()
    // The delay and the time-out both pass while it is held up.
    let delayed = try await scheduler.submit(JobRequest("quick", delay: .milliseconds(5)))
    #expect(try await scheduler.result(of: delayed).state == .completed)
    let late = try await scheduler.submit(JobRequest("sleep", timeout: .milliseconds(5)))
    #expect(try await scheduler.result(of: late).cause == .timedOut)
    await #expect(throws: SchedulerError.self) {
      let id = try await scheduler.submit(JobRequest("sleep", timeout: .seconds(600)))
      defer { scheduler.cancel(id) }
      return try await scheduler.result(of: id, timeout: .milliseconds(5))
    }
    await eventually { scheduler.health().saysDeliveriesWait }
    obstacle.gate.open()
    await scheduler.shutdown(grace: .zero)
    #expect(scheduler.deliveries.backlog == nil && scheduler.cancellations.backlog == nil)
  }

  private static func provoke(_ kind: Kind, _ obstacle: Obstacle, on scheduler: Scheduler) async throws {
    let sleep = JobRequest("sleep", timeout: .milliseconds(5))
    switch kind {
    case .callbackOfAJob:
      try scheduler.onSettled(of: try await scheduler.submit(sleep)) { _ in obstacle.hold() }
    case .callbackOfEveryJob:
      let once = Once()
      scheduler.onJobSettled { _ in if once.claim() { obstacle.hold() } }
      try await scheduler.submit(sleep)
    case .observer, .logger: try await scheduler.submit(sleep)
    case .middlewareOfASchedule:
      try scheduler.schedule(
        RecurringJob("often", .every(.milliseconds(5)), job: JobRequest("quick", labels: ["hold"])))
    case .validationOfASchedule:
      try scheduler.register("validated", validate: { _ in obstacle.hold() }, handler: { _ in nil })
      try scheduler.schedule(RecurringJob("often", .every(.milliseconds(5)), job: JobRequest("validated")))
    case .cancellationHandler:
      try scheduler.register("careful") { context in
        try await withTaskCancellationHandler {
          try await context.sleep(for: .seconds(3_600))
        } onCancel: {
          obstacle.hold()
        }
        return nil
      }
      // One that times out before it begins is not told.
      while !obstacle.entered.isOpen {
        try await scheduler.submit(JobRequest("careful", timeout: .milliseconds(5)))
        try await Task.sleep(for: .milliseconds(20))
      }
    case .releaseOfAPayload:
      // Blocked by a job that times out, it is cancelled and never handed to a worker.
      // If that came first, the payload would be released here, and hold up the test.
      let first = try await scheduler.submit(JobRequest("sleep", timeout: .milliseconds(500)))
      try await scheduler.submit(JobRequest("quick", payload: Payload(obstacle), dependencies: [first]))
    }
  }

  @Test func slotsOfAScheduleThatIsHeldUpAreSkipped() async throws {
    let obstacle = Obstacle()
    let scheduler = Scheduler.quiet()
    try scheduler.register("quick") { _ in nil }
    try scheduler.use(submission: obstacle)
    scheduler.start()
    let id = try scheduler.schedule(
      RecurringJob("often", .every(.milliseconds(1)), job: JobRequest("quick", labels: ["hold"])))
    await obstacle.entered.wait()
    await eventually { scheduler.schedules()[0].missed >= 5 }
    let before = scheduler.schedules()[0]
    #expect(before.fired == 1)
    obstacle.gate.open()
    await eventually { scheduler.schedules()[0].lastJob != nil && scheduler.schedules()[0].fired > 1 }
    scheduler.removeSchedule(id)
    await scheduler.shutdown()
  }

  @Test func piecesRunInOrderAndTheThreadEnds() async {
    let (thread, done, order) = (DeliveryThread(), Gate(), Log<Int>())
    for number in 0..<1_000 { thread.deliver { order.append(number) } }
    thread.whenIdle { done.open() }
    await done.wait()
    #expect(order.all == Array(0..<1_000) && thread.backlog == nil)
    thread.finish()
    // What comes after the end runs where it comes from.
    thread.deliver { order.append(1_000) }
    #expect(order.all.last == 1_000)
  }

  @Test func shutdownDoesNotWaitForCodeThatNeverReturns() async throws {
    let obstacle = Obstacle()
    let scheduler = Scheduler.quiet()
    try scheduler.register("sleep") { context in
      try await context.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("sleep", timeout: .milliseconds(1)))
    try scheduler.onSettled(of: id) { _ in obstacle.hold() }
    await obstacle.entered.wait()
    let report = await scheduler.shutdown(grace: .seconds(60), stopping: .milliseconds(1))
    #expect(report.drained)
    obstacle.gate.open()
  }
}

extension SchedulerHealth {
  fileprivate var saysDeliveriesWait: Bool {
    guard case .degraded(let reasons) = self else { return false }
    return reasons.contains { if case .deliveriesWaiting = $0 { true } else { false } }
  }
}
