// Goal: what a scheduler was given is given back: entries of those who await no longer, and the scheduler itself after
// its shutdown, whatever of the user's holds it.

import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(5)))
struct LifetimeTests {
  @Test func awaitThatEndsEarlyLeavesNoEntry() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.registerBlocker("long", started: started, until: gate)
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("long"))
    for _ in 0..<2_000 {
      await #expect(throws: SchedulerError.self) { try await scheduler.result(of: id, timeout: .microseconds(1)) }
    }
    #expect(scheduler.waiters(of: id) == 0)
    let cancelled = (0..<500).map { _ in Task { try await scheduler.result(of: id, timeout: .seconds(3_600)) } }
    for task in cancelled { task.cancel() }
    for task in cancelled { await #expect(throws: CancellationError.self) { try await task.value } }
    #expect(scheduler.waiters(of: id) == 0)
    let patient = Task { try await scheduler.result(of: id) }
    await eventually { scheduler.waiters(of: id) == 1 }
    gate.open()
    #expect(try await patient.value.state == .completed)
    #expect(scheduler.waiters(of: id) == 0)
    await scheduler.shutdown()
  }

  @Test func withdrawnCallbackIsReleasedAtOnce() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("bake") { _ in nil }
    let id = try await scheduler.submit(JobRequest("bake", delay: .seconds(3_600)))
    weak var held: Gate?
    do {
      let gate = Gate()
      held = gate
      let registrations = [
        try scheduler.onSettled(of: id) { _ in gate.open() }, scheduler.onJobSettled { _ in gate.open() },
      ]
      for registration in registrations { registration.cancel() }
      for registration in registrations { registration.cancel() }
    }
    #expect(held == nil && scheduler.waiters(of: id) == 0)
  }

  @Test func waitersAreToldInOrderAndFoundByNumber() {
    var waiters = SettlementWaiters()
    let numbers = (0..<1_000).map { number in waiters.add(isOwn: number % 2 == 0) { _ in } }
    for number in numbers where number % 10 != 3 { #expect(waiters.withdraw(number) != nil) }
    for number in numbers where number % 10 != 3 { #expect(waiters.withdraw(number) == nil) }
    #expect(waiters.withdraw(1_000) == nil && waiters.count == 100 && waiters.places <= 216)
    let late = waiters.add(isOwn: true) { _ in }
    #expect(late == 1_000)
    #expect(waiters.takeAll().map(\.isOwn) == Array(repeating: false, count: 100) + [true])
    #expect(waiters.isEmpty && waiters.withdraw(late) == nil)
  }

  /// Holds a scheduler, as observers, middleware and loggers of programs do.
  private final class Holder: TimelineObserver, SubmissionMiddleware, AttemptMiddleware {
    let scheduler = Locked<Scheduler?>(nil)
    func record(_ records: UnsafeBufferPointer<TimelineRecord>, shard: Int) {}
    func prepare(_ request: inout JobRequest) throws {}
    func attempt(
      _ context: JobContext, next: @Sendable (JobContext) async throws -> (any Sendable)?
    ) async throws -> (any Sendable)? { try await next(context) }
    func blockingAttempt(
      _ context: JobContext, next: @Sendable (JobContext) throws -> (any Sendable)?
    ) throws -> (any Sendable)? { try next(context) }
  }

  @Test func schedulerIsFreedAfterItsShutdownWhateverHoldsIt() async throws {
    let (count, schedulers) = (200, Log<Weak>())
    for number in 0..<count {
      let holder = Holder()
      let scheduler = Scheduler.quiet(asyncWorkers: 1, threads: 1, observer: holder) {
        $0.deadLetterCount = 0
        $0.unknownTypes = .park
      }
      schedulers.append(Weak(scheduler))
      holder.scheduler.withLock { $0 = scheduler }
      try scheduler.use(submission: holder)
      try scheduler.use(attempt: holder)
      try scheduler.onSubmission { _ in _ = scheduler.metrics() }
      try scheduler.register(
        "async", validate: { _ in _ = scheduler.metrics() },
        recover: { _, _ in
          _ = scheduler.metrics()
          return .giveUp
        }, handler: { _ in scheduler.metrics() })
      try scheduler.registerBlocking("blocking") { context in try context.scheduler.metrics() }
      scheduler.onJobSettled { _ in _ = scheduler.metrics() }
      try scheduler.schedule(
        RecurringJob("hourly", .every(.seconds(3_600)), job: JobRequest("async", payload: scheduler)))
      // Some are shut down without ever having run.
      if number % 4 > 0 { scheduler.start() }
      for type in ["async", "blocking", "unknown"] {
        let id = try await scheduler.submit(JobRequest(type, payload: scheduler))
        try scheduler.onSettled(of: id) { _ in _ = scheduler.metrics() }
      }
      await scheduler.shutdown(grace: .milliseconds(number % 2 == 0 ? 0 : 1))
      // Nothing that holds it is taken any more.
      scheduler.onJobSettled { _ in _ = scheduler.metrics() }
      #expect(throws: SchedulerError.self) { try scheduler.register("late") { _ in scheduler.metrics() } }
      #expect(throws: SchedulerError.self) { try scheduler.use(attempt: holder) }
      #expect(scheduler.schedules().map(\.name) == ["hourly"])
    }
    // A worker's thread or task lets go a moment after it was counted as ended.
    await eventually { schedulers.all.allSatisfy { $0.scheduler == nil } }
    #expect(schedulers.all.count == count)
  }

  @Test func schedulerLetsGoWhenItsLastHandlerReturns() async throws {
    let (started, gate, watched) = (Gate(), Gate(), Log<Weak>())
    do {
      let scheduler = Scheduler.quiet(asyncWorkers: 1, threads: 0)
      watched.append(Weak(scheduler))
      try scheduler.register("stubborn") { _ in
        started.open()
        await gate.wait()
        return scheduler.metrics()
      }
      scheduler.start()
      try await scheduler.submit(JobRequest("stubborn"))
      await started.wait()
      let report = await scheduler.shutdown(grace: .zero, stopping: .milliseconds(1))
      #expect(report.leftRunning == 1)
    }
    #expect(watched.all[0].scheduler != nil)
    gate.open()
    await eventually { watched.all[0].scheduler == nil }
  }

  @Test func handlerSubmitsChildrenThroughItsContext() async throws {
    let scheduler = Scheduler.quiet()
    let kept = Log<JobContext>()
    try scheduler.register("child") { context in context.payload }
    try scheduler.register("parent") { context in
      kept.append(context)
      return try await context.scheduler.submit(JobRequest("child", payload: 7))
    }
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("parent"))
    let child = try #require(try await scheduler.result(of: parent).value as? JobID)
    #expect(try await scheduler.result(of: child).value as? Int == 7)
    let same = try kept.all[0].scheduler
    #expect(same === scheduler)
    await scheduler.shutdown()
  }

  @Test func contextThatOutlivesItsSchedulerSaysSo() async throws {
    let (kept, watched) = (Log<JobContext>(), Log<Weak>())
    do {
      let scheduler = Scheduler.quiet()
      watched.append(Weak(scheduler))
      try scheduler.register("keep") { context in
        kept.append(context)
        return nil
      }
      scheduler.start()
      _ = try await scheduler.result(of: scheduler.submit(JobRequest("keep")))
      await scheduler.shutdown()
    }
    await eventually { watched.all[0].scheduler == nil }
    #expect {
      _ = try kept.all[0].scheduler
    } throws: {
      "\($0)" == "the scheduler is shutting down and accepts no more jobs"
    }
  }
}

private struct Weak: @unchecked Sendable {
  weak var scheduler: Scheduler?
  init(_ scheduler: Scheduler) { self.scheduler = scheduler }
}

extension Scheduler {
  /// How many wait for a job's end.
  fileprivate func waiters(of id: JobID) -> Int {
    withState { state in id.slot < state.entries.count ? state.entries[id.slot].watch?.onSettled.count ?? 0 : 0 }
  }
}
