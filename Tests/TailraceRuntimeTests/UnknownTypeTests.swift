// Goal: a job of a type that nobody has registered is refused, or waits if the scheduler is set so, and a handler that
// never returns costs its pool no worker.

import Logging
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(1)))
struct UnknownTypeTests {
  struct Letter: Job {
    typealias Output = Int
    var pages: Int
    func validate() throws { if pages == 0 { throw Broken() } }
  }

  @Test func aJobOfAnUnknownTypeIsRefusedWithTheNamesThatAreClose() async throws {
    let scheduler = Scheduler.quiet()
    for name in ["resize-image", "resize-video", "mail"] { try scheduler.register(name) { _ in nil } }
    scheduler.start()
    for _ in 0..<2 {
      do {
        try await scheduler.submit(JobRequest("resize-imgae"))
        Issue.record("the job was admitted")
      } catch SchedulerError.unknownJobType(let name, let close) {
        #expect(name == "resize-imgae" && close == ["resize-image"])
        let error = SchedulerError.unknownJobType(name, close: close)
        #expect(error.description.hasPrefix("no handler is registered for job type 'resize-imgae'; did you mean"))
      }
    }
    await #expect(throws: SchedulerError.self) { try await scheduler.submit(Letter(pages: 1)) }
    let recurring = RecurringJob("often", .every(.seconds(60)), job: JobRequest("mial"))
    #expect {
      try scheduler.schedule(recurring)
    } throws: {
      if case SchedulerError.unknownJobType("mial", ["mail"]) = $0 { true } else { false }
    }
    #expect(scheduler.health() == .healthy && scheduler.metrics().gauges.inSystem == 0)
    await scheduler.shutdown()
  }

  @Test func jobsWaitUntilTheirTypeIsRegistered() async throws {
    let scheduler = Scheduler.quiet { $0.unknownTypes = .park }
    try scheduler.register("known") { _ in nil }
    scheduler.start()
    let handles = [try await scheduler.submit(Letter(pages: 3)), try await scheduler.submit(Letter(pages: 4))]
    let invalid = try await scheduler.submit(JobRequest("Letter", payload: Letter(pages: 0)))
    let strange = try await scheduler.submit(JobRequest("Letter", payload: "three pages"))
    let known = try await scheduler.submit(JobRequest("known"))
    #expect(try await scheduler.result(of: known).state == .completed)
    #expect(handles[0].status?.isParked == true && handles[0].status?.state == .available)
    #expect(scheduler.health() == .degraded([.unknownJobTypes(["Letter"])]))
    try scheduler.registerBlocking(Letter.self) { job, context in
      #expect(context.pool == .thread)
      return job.pages
    }
    #expect(try await handles[0].value(timeout: .seconds(60)) == 3)
    #expect(try await handles[1].value(timeout: .seconds(60)) == 4)
    #expect(try await scheduler.result(of: invalid).cause == .invalid)
    #expect(try await scheduler.result(of: strange).failure is WrongParameters)
    #expect(handles[0].status?.isParked == false)
    #expect(throws: SchedulerError.self) { try scheduler.register("Letter") { _ in nil } }
    #expect(try await scheduler.submit(Letter(pages: 5)).value(timeout: .seconds(60)) == 5)
    #expect(scheduler.violatedInvariants == [])
    await scheduler.shutdown()
  }

  /// Deadlines order jobs and time-outs bound attempts: neither ends a wait. Whoever awaits such a job decides.
  @Test func aJobWaitsForItsTypeUntilSomebodyEndsTheWait() async throws {
    let time = VirtualTime()
    var configuration = Scheduler.quiet().configuration
    configuration.policy = .deadline
    configuration.unknownTypes = .park
    configuration.retainedAge = .seconds(60)
    let scheduler = try Scheduler(configuration, logger: Scheduler.silentLogger, time: time)
    scheduler.start()
    let requests = (0..<3).map { _ in JobRequest("nobody's", timeout: .seconds(1), deadline: .seconds(1)) }
    var ids: [JobID] = []
    for request in requests { ids.append(try await scheduler.submit(request)) }
    try await time.advance(by: .seconds(30 * 86_400))
    #expect(ids.allSatisfy { scheduler.status(of: $0)?.isParked == true })
    await #expect(throws: SchedulerError.self) { try await scheduler.result(of: ids[0], timeout: .zero) }
    #expect(scheduler.cancel(ids[0]) && scheduler.status(of: ids[0])?.cause == .cancelled)
    async let report = scheduler.shutdown(grace: .seconds(60))
    while !scheduler.isShuttingDown { await Task.yield() }
    // The grace period is theirs too: somebody may still register the type.
    try await time.advance(by: .seconds(59))
    #expect(scheduler.status(of: ids[1])?.isParked == true)
    try await time.advance(by: .seconds(1))
    #expect(await report.cancelled == 2)
    #expect(ids.dropFirst().allSatisfy { scheduler.status(of: $0)?.cause == .stopped })
  }

  @Test func itIsReportedOnceWithTheNamesThatAreClose() async throws {
    let log = Log<String>()
    let scheduler = try Scheduler(
      Scheduler.quietConfiguration { $0.unknownTypes = .park }, observers: [],
      logger: Logger(label: "test") { _ in LogLines(log) })
    for name in ["resize-image", "resize-video", "mail"] { try scheduler.register(name) { _ in nil } }
    for _ in 0..<3 { try await scheduler.submit(JobRequest("resize-imgae")) }
    let lines = log.all.filter { $0.hasPrefix("warning") }
    #expect(
      lines == [
        "warning jobs wait for a job type without a handler close-to=resize-image "
          + "tailrace-job-type=resize-imgae"
      ])
    await scheduler.shutdown()
  }

  @Test func tooManyUnknownTypesAreRefused() async throws {
    let scheduler = Scheduler.quiet {
      $0.queueCapacity = 10_000
      $0.unknownTypes = .park
    }
    for number in 0..<1_000 { try await scheduler.submit(JobRequest("type-\(number)")) }
    await #expect {
      try await scheduler.submit(JobRequest("one-more"))
    } throws: {
      if case SchedulerError.tooManyUnknownJobTypes("one-more", 1_000) = $0 { true } else { false }
    }
    try await scheduler.submit(JobRequest("type-7"))
    await scheduler.shutdown(grace: .zero)
  }
}

@Suite(.timeLimit(.minutes(1)))
struct StuckHandlerTests {
  @Test(arguments: PoolID.allCases) func aStuckWorkerIsReplacedAndItsPlaceIsUsedAgain(pool: PoolID) async throws {
    let log = Log<String>()
    let configuration = Scheduler.quietConfiguration {
      $0.asyncPool.workers = 1
      $0.threadPool.workers = 1
      $0.stuckAfter = .milliseconds(20)
      $0.replacementLimit = 1
    }
    let collector = Collector(configuration, spares: 2)
    let scheduler = try Scheduler(
      configuration, observers: [collector], logger: Logger(label: "test") { _ in LogLines(log) })
    let gates = [Gate(), Gate()]
    let started = [Gate(), Gate()]
    try scheduler.register(JobTypeConfiguration(name: "stubborn", pool: pool)) { context in
      let round = context.payload as? Int ?? 0
      started[round].open()
      await gates[round].wait()
      return nil
    }
    try scheduler.register(JobTypeConfiguration(name: "nop", pool: pool)) { context in context.workerNumber }
    let events = scheduler.events()
    scheduler.start()
    for round in 0..<2 {
      let stuck = try await scheduler.submit(JobRequest("stubborn", payload: round))
      await started[round].wait()
      scheduler.cancel(stuck)
      // Runs only once another worker has taken the place.
      let next = try await scheduler.submit(JobRequest("nop"))
      #expect(try await scheduler.result(of: next).value as? Int == 1 - round)
      #expect(scheduler.health() != .healthy)
      gates[round].open()
      await eventually { scheduler.metrics().gauges.abandoned == 0 }
      // Its loop has ended, so its place is free.
      await eventually { scheduler.spares(in: pool) == 1 }
    }
    #expect(scheduler.violatedInvariants == [])
    let report = await scheduler.shutdown()
    #expect(report.leftRunning == 0 && collector.overlaps == 0)
    var told = 0
    for await event in events { if case .stuck(1, _, _, true) = event.kind { told += 1 } }
    #expect(told == 2 && log.all.count { $0.hasPrefix("warning handler ignores its cancellation") } == 2)
  }

  @Test func withoutSparesItIsOnlyReported() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1) { $0.stuckAfter = .milliseconds(1) }
    let (started, gate) = (Gate(), Gate())
    try scheduler.registerBlocker("stubborn", started: started, until: gate)
    let events = scheduler.events()
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("stubborn", timeout: .milliseconds(5)))
    for await event in events {
      if case .stuck(let attempt, let worker, let since, let isReplaced) = event.kind {
        #expect(attempt == 1 && worker == 0 && since >= .milliseconds(1) && !isReplaced && event.job == id)
        break
      }
    }
    gate.open()
    #expect(await scheduler.shutdown().leftRunning == 0)
  }
}

extension Scheduler {
  func spares(in pool: PoolID) -> Int { withState { state in state.spares[Int(pool.rawValue)].count } }
}
