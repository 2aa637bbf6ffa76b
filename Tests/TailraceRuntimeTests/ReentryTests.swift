// Goal: no code of the user's runs under a lock of the library, whatever it is: it may call everything from everywhere.

import Logging
import Synchronization
import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.serialized, .timeLimit(.minutes(5)))
struct ReentryTests {
  /// Every kind of code of the user's that a scheduler may enter; each is entered in the test below.
  private static let kinds: Set<String> = [
    "payload.deinit", "value.deinit", "callback.deinit", "callback", "schedule.deinit", "request value.deinit",
    "error.description", "error.deinit", "parameters.deinit", "parameters.encode", "parameters.validate",
    "middleware.submission", "middleware.attempt", "middleware.deinit", "observer.record",
    "observer.record of a worker", "observer.type", "observer.deinit", "logger", "validation", "recovery",
    "handler.deinit", "cancellation handler", "dead letters' condition",
  ]

  @Test(arguments: [OverflowPolicy.shed, .reject])
  func everyKindOfUserCodeMayCallEverything(whenFull: OverflowPolicy) async throws {
    let intruder = Intruder()
    do {
      var configuration = SchedulerConfiguration()
      configuration.asyncPool.workers = 2
      configuration.threadPool.workers = 2
      configuration.retry = RetryPolicy(limit: 1, backoff: .fixed(.microseconds(100)))
      configuration.queueCapacity = 30
      configuration.whenFull = whenFull
      configuration.retainedCount = 10
      configuration.deadLetterCount = 5
      configuration.stuckAfter = .milliseconds(5)
      configuration.replacementLimit = 2
      let scheduler = try Scheduler(
        configuration, observers: [HostileObserver(intruder)], attemptsRemembered: 1,
        logger: Logger(label: "test", factory: { _ in HostileLogHandler(intruder) }))
      intruder.intrude(on: scheduler)
      try Self.furnish(scheduler, intruder)
      let idle = try scheduler.events(bufferingNewest: 2)
      scheduler.start()
      for round in 0..<12 { await Self.submitEverything(round, to: scheduler, intruder) }
      try await Self.describeDeadLetters(of: scheduler, intruder)
      try await Self.recover(on: scheduler, intruder)
      try await Self.stopAHandler(of: scheduler, intruder)
      // Hostile code may have purged the dead letters meanwhile.
      for _ in 0..<100 where !intruder.entered.contains("dead letters' condition") {
        try await Self.describeDeadLetters(of: scheduler, intruder)
        _ = scheduler.replayAll { _ in
          intruder.enter("dead letters' condition")
          return true
        }
      }
      withExtendedLifetime(idle) {}
      await scheduler.shutdown(grace: .seconds(60), stopping: .seconds(60))
      #expect(scheduler.violatedInvariants == [])
    }
    // The last of it is released by threads and tasks that end.
    let deadline = MonotonicClock.now() + .seconds(60)
    await eventually { intruder.entered.isSuperset(of: Self.kinds) || MonotonicClock.now() > deadline }
    #expect(Self.kinds.subtracting(intruder.entered) == [])
    #expect(intruder.underLock == [:])
  }

  /// Handlers, callbacks, middleware and schedules, each with something whose release is noticed.
  private static func furnish(_ scheduler: Scheduler, _ intruder: Intruder) throws {
    let wire = Tripwire(intruder, "handler.deinit")
    try scheduler.register("plain") { context in
      wire.hold()
      return Tripwire(intruder, "value.deinit")
    }
    try scheduler.registerBlocking(
      "fail", validate: { _ in intruder.enter("validation") },
      recover: { _, _ in
        intruder.enter("recovery")
        return .giveUp
      }, handler: { _ in throw IntrudingError(intruder) })
    try scheduler.register("invalid", validate: { _ in throw IntrudingError(intruder) }, handler: { _ in nil })
    try scheduler.register("sleep") { context in
      try await withTaskCancellationHandler {
        try await context.sleep(for: .seconds(3_600))
      } onCancel: {
        intruder.enter("cancellation handler")
      }
      return nil
    }
    try scheduler.registerBlocking("ignore") { context in
      // Stuck for as long as it takes to be replaced.
      while !context.isCancelled { try? context.sleep(for: .milliseconds(1)) }
      Parker().sleep(.milliseconds(20))
      throw IntrudingError(intruder)
    }
    try scheduler.register(Errand.self) { job, _ in
      if job.fails { throw IntrudingError(intruder) }
      return Tripwire(intruder, "value.deinit")
    }
    try scheduler.use(submission: HostileMiddleware(intruder))
    try scheduler.use(attempt: HostileMiddleware(intruder))
    let callback = Tripwire(intruder, "callback.deinit")
    scheduler.onJobSettled { _ in
      callback.hold()
      intruder.enter("callback")
    }
    try scheduler.schedule(
      RecurringJob(
        "often", .every(.milliseconds(3)),
        job: JobRequest("plain", payload: Tripwire(intruder, "schedule.deinit"))))
  }

  /// Describes dead letters, parameters that are encoded among them.
  private static func describeDeadLetters(of scheduler: Scheduler, _ intruder: Intruder) async throws {
    // Slow processors would do nothing but what this asks for again and again.
    for schedule in scheduler.schedules() { scheduler.removeSchedule(schedule.id) }
    var types: Set<String> = []
    while !types.contains("errand") {
      var errand = Errand(intruder)
      errand.fails = true
      guard let handle = try? await scheduler.submit(errand, priority: .critical, retry: .never) else {
        try await Task.sleep(for: .milliseconds(1))
        continue
      }
      _ = try? await handle.result(timeout: .seconds(60))
      for letter in scheduler.deadLetters() {
        _ = (letter.payloadDescription, letter.error)
        types.insert(letter.type)
      }
    }
  }

  /// Fails jobs until one has failed for good: those before may all have been shed.
  private static func recover(on scheduler: Scheduler, _ intruder: Intruder) async throws {
    while !intruder.entered.contains("recovery") {
      if let id = try? await scheduler.submit(JobRequest("fail", priority: .critical, retry: .never)) {
        _ = try? await scheduler.result(of: id, timeout: .seconds(60))
      }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  /// Stops handlers until one is told of it: a stop may come before the handler begins.
  private static func stopAHandler(of scheduler: Scheduler, _ intruder: Intruder) async throws {
    while !intruder.entered.contains("cancellation handler") {
      let request = JobRequest("sleep", priority: .critical, timeout: .milliseconds(20), retry: .never)
      if let id = try? await scheduler.submit(request) {
        _ = try? await scheduler.result(of: id, timeout: .seconds(60))
      }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  /// One job of each kind, and what can be done to it.
  private static func submitEverything(_ round: Int, to scheduler: Scheduler, _ intruder: Intruder) async {
    guard let batch = try? scheduler.openBatch(failFast: true) else { return }
    let requests = [
      JobRequest("plain", payload: Tripwire(intruder, "payload.deinit")),
      JobRequest("plain", payload: Tripwire(intruder, "payload.deinit"), delay: .milliseconds(1), uniqueKey: "one"),
      JobRequest("fail", payload: Tripwire(intruder, "payload.deinit"), batch: batch),
      JobRequest("plain", payload: Tripwire(intruder, "payload.deinit"), batch: batch),
      JobRequest("invalid", payload: Tripwire(intruder, "payload.deinit")),
      JobRequest("sleep", payload: Tripwire(intruder, "payload.deinit"), timeout: .milliseconds(2), retry: .never),
      JobRequest("sleep", payload: Tripwire(intruder, "payload.deinit"), timeout: .milliseconds(500)),
      JobRequest("ignore", timeout: .milliseconds(2), retry: .never),
      JobRequest("unknown-\(round)", payload: Tripwire(intruder, "payload.deinit")),
      JobRequest("plain", labels: ["refuse"]),
      JobRequest(Errand(intruder)),
      JobRequest("errand", payload: Tripwire(intruder, "payload.deinit")),
    ]
    var ids: [JobID] = []
    for request in requests {
      guard let id = try? await scheduler.submit(request) else { continue }
      intruder.note(id)
      ids.append(id)
      let wire = Tripwire(intruder, "callback.deinit")
      _ = try? scheduler.onSettled(of: id) { _ in
        wire.hold()
        intruder.enter("callback")
      }
    }
    for id in ids.shuffled().prefix(3) { scheduler.cancel(id) }
    for id in ids.prefix(2) { _ = try? await scheduler.result(of: id, timeout: .milliseconds(20)) }
    await scheduler.settleBatch(batch)
    _ = try? scheduler.register("unknown-\(round)") { _ in Tripwire(intruder, "value.deinit") }
  }

  #if DEBUG
    @Test func callUnderALockEndsADebugBuild() async {
      await #expect(processExitsWith: .failure) {
        let scheduler = Scheduler()
        Lock().withLock { _ = scheduler.metrics() }
      }
    }
  #endif

  @Test func errorsAreDescribedOnlyWhenSomebodyAsks() async throws {
    struct Counted: Error, CustomStringConvertible {
      static let descriptions = Atomic<Int>(0)
      var description: String {
        Self.descriptions.add(1, ordering: .relaxed)
        return "counted"
      }
    }
    let scheduler = Scheduler.quiet()
    try scheduler.register("fail") { _ in throw Counted() }
    scheduler.start()
    for _ in 0..<50 { _ = try await scheduler.result(of: scheduler.submit(JobRequest("fail"))) }
    let letters = scheduler.deadLetters()
    let status = try #require(letters.first.flatMap { scheduler.status(of: $0.id) })
    #expect(Counted.descriptions.load(ordering: .relaxed) == 0)
    #expect(letters.count == 50 && letters[0].error == "counted" && status.error == "counted")
    #expect(letters[0].failure is Counted && status.failure is Counted)
    #expect(Counted.descriptions.load(ordering: .relaxed) == 2)
    await scheduler.shutdown()
  }

  @Test func longNamesAreNotSearchedFor() async throws {
    let closeTo = Log<String>()
    struct Handler: LogHandler {
      let closeTo: Log<String>
      var metadata: Logger.Metadata = [:]
      var logLevel = Logger.Level.warning
      subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
      }
      init(_ closeTo: Log<String>) { self.closeTo = closeTo }
      func log(event: LogEvent) { if let close = event.metadata?["close-to"] { closeTo.append("\(close)") } }
    }
    let scheduler = try Scheduler(
      Scheduler.quietConfiguration { $0.unknownTypes = .park },
      logger: Logger(label: "test", factory: { _ in Handler(closeTo) }))
    // As long as names may be.
    let long = String(repeating: "a", count: 998)
    for number in 10..<30 { try scheduler.register("\(long)\(number)") { _ in nil } }
    try scheduler.register("resize-image") { _ in nil }
    try await scheduler.submit(JobRequest(long))
    try await scheduler.submit(JobRequest("resize-imag"))
    #expect(closeTo.all == ["", "resize-image"])
  }

  /// An observer whose every record causes another one holds up neither a submitter nor a shutdown.
  @Test func observerThatSubmitsHoldsUpNobody() async throws {
    final class Feeding: TimelineObserver {
      let scheduler = Locked<Scheduler?>(nil)
      let calls = Atomic<Int>(0)
      func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {
        calls.add(1, ordering: .relaxed)
        _ = try? scheduler.withLock({ $0 })?.submitBlocking(JobRequest("full"))
      }
      func typeRegistered(_ name: String, as id: JobTypeID) {}
    }
    let observer = Feeding()
    let scheduler = Scheduler.quiet(observer: observer) { $0.queueCapacity = 0 }
    try scheduler.register("full") { _ in nil }
    observer.scheduler.withLock { $0 = scheduler }
    for _ in 0..<5 { _ = try? await scheduler.submit(JobRequest("full")) }
    await scheduler.shutdown(grace: .milliseconds(50))
    observer.scheduler.withLock { $0 = nil }
    #expect(observer.calls.load(ordering: .relaxed) > 5)
  }

  /// Records of one shard come one call after another, in their order, whichever threads report.
  @Test func observerOfManySubmittersIsToldInOrder() async throws {
    let collector = Collector(SchedulerConfiguration())
    let scheduler = Scheduler.quiet(observer: collector) { $0.queueCapacity = 0 }
    try scheduler.register("full") { _ in nil }
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<500 { _ = try? await scheduler.submit(JobRequest("full")) } }
      }
    }
    await scheduler.shutdown()
    #expect(collector.overlaps == 0)
    // In the order in which the scheduler took note of them: the first two wait for the start, and are cancelled.
    #expect(collector.records.map(\.number) == Array(2..<4_000) + [0, 1])
  }
}

extension Parker {
  fileprivate func sleep(_ time: Duration) {
    park(untilNanoseconds: (MonotonicClock.now().advanced(by: time)).nanoseconds)
  }
}
