// Goal: under virtual time days pass in moments, all falls due at its exact instant, and what is real is waited for.
import TailraceCore
import TailraceRuntime
import Testing
@testable import TailracePlatform

@Suite struct VirtualTimeTests {
  private struct Broken: Error {}

  /// No attempt times out by itself.
  private var patient: SchedulerConfiguration {
    var configuration = SchedulerConfiguration()
    configuration.timeout = nil
    return configuration
  }

  private func hours(_ time: VirtualTime) -> Double { (time.now - .zero).seconds / 3_600 }

  @Test func delaysAndSleepsTakeNoRealTime() async throws {
    let time = VirtualTime()
    let scheduler = try Scheduler(patient, time: time)
    let log = Locked<[String]>([])
    try scheduler.register("nap") { [time] context in
      log.withLock { $0.append("\(context.number) starts at \((time.now - .zero).seconds)") }
      try await context.sleep(for: .seconds(3_600))
      log.withLock { $0.append("\(context.number) ends at \((time.now - .zero).seconds)") }
      return nil
    }
    scheduler.start()
    let late = try await scheduler.submit(JobRequest("nap", delay: .seconds(5_400)))
    let early = try await scheduler.submit(JobRequest("nap"))
    try await time.advance(by: .seconds(3_599))
    #expect(scheduler.status(of: early)?.state == .running && scheduler.status(of: late)?.state == .scheduled)
    try await time.advance(by: .seconds(6_000))
    #expect(scheduler.status(of: late)?.state == .completed)
    #expect(
      log.withLock { $0 } == [
        "1 starts at 0.0", "1 ends at 3600.0", "0 starts at 5400.0", "0 ends at 9000.0",
      ])
    await scheduler.shutdown()
  }

  @Test func retriesAndTimeOutsFallDueAtTheirExactInstants() async throws {
    let time = VirtualTime()
    var configuration = SchedulerConfiguration()
    configuration.retry = RetryPolicy(
      limit: 2, backoff: .exponential(base: .seconds(60), factor: 10), jitter: .none, cap: .seconds(3_600))
    let scheduler = try Scheduler(configuration, observers: [], time: time)
    let starts = Locked<[Double]>([])
    try scheduler.register("flaky") { [time] context in
      starts.withLock { $0.append((time.now - .zero).seconds) }
      // The second attempt hangs until its time-out.
      if context.attempt == 2 { try await context.sleep(for: .seconds(100_000)) }
      throw Broken()
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("flaky", timeout: .seconds(300)))
    try await time.advance(by: .seconds(86_400))
    #expect(starts.withLock { $0 } == [0, 60, 60 + 300 + 600])
    #expect(scheduler.status(of: id)?.cause == .failed)
    await scheduler.shutdown()
  }

  @Test func blockingHandlersSleepAndAreCancelledToo() async throws {
    let time = VirtualTime()
    let scheduler = try Scheduler(patient, time: time)
    try scheduler.registerBlocking("block") { context in
      try context.sleep(for: .seconds(3_000))
      return "rested"
    }
    scheduler.start()
    let rested = try await scheduler.submit(JobRequest("block"))
    let timedOut = try await scheduler.submit(JobRequest("block", timeout: .seconds(60), retry: .never))
    try await time.advance(by: .seconds(3_000))
    #expect(try await scheduler.result(of: rested).value as? String == "rested")
    #expect(scheduler.status(of: timedOut)?.cause == .timedOut)
    await scheduler.shutdown()
  }

  @Test func theWallClockMayBeginAtAnyTime() async throws {
    let time = VirtualTime(startingAt: UnixTime("2026-10-24T12:00:00Z")!)
    let scheduler = try Scheduler(patient, observers: [], attemptsRemembered: 1, time: time)
    let starts = Locked<[String]>([])
    try scheduler.register("report") { [time] _ in
      starts.withLock { $0.append(time.wallClock.description) }
      return nil
    }
    scheduler.start()
    try scheduler.schedule(
      RecurringJob("nightly", .cron("0 2 * * *", timeZone: "Europe/Berlin"), job: JobRequest("report")))
    try await time.advance(by: .seconds(2 * 86_400))
    // Clocks go from 03:00 back to 02:00 in the night of the 25th: the first of the two 02:00 counts.
    #expect(starts.withLock { $0 } == ["2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"])
    #expect(time.wallClock == UnixTime("2026-10-26T12:00:00Z"))
    let last = try #require(scheduler.schedules().first?.lastJob)
    let started = scheduler.history(of: last)?.attempts.first?.startedUnixNanoseconds
    #expect(started == UnixTime("2026-10-26T01:00:00Z")!.nanoseconds)
    await scheduler.shutdown()
  }

  @Test func manyJobsOfADayRunInOrderOfTheirInstants() async throws {
    let time = VirtualTime()
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 3
    let scheduler = try Scheduler(configuration, observers: [], time: time)
    let instants = Locked<[Int]>([])
    try scheduler.register("tick") { [time] context in
      instants.withLock { $0.append(Int((time.now - .zero).seconds)) }
      try await context.sleep(for: .seconds(30))
      return nil
    }
    scheduler.start()
    for minute in (0..<1_440).reversed() {
      try await scheduler.submit(JobRequest("tick", delay: .seconds(minute * 60)))
    }
    try await time.advance(by: .seconds(86_400))
    #expect(instants.withLock { $0 } == (0..<1_440).map { $0 * 60 })
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 1_440)
    await scheduler.shutdown()
  }

  @Test func aHandlerThatWaitsForSomethingRealIsNamed() async throws {
    let time = VirtualTime()
    let scheduler = try Scheduler(patient, time: time)
    let gate = Gate()
    try scheduler.register("real") { _ in
      await gate.wait()
      return nil
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("real"))
    await #expect(throws: HandlersStillRunning.self) {
      try await time.advance(by: .seconds(1), patience: .milliseconds(50))
    }
    #expect(hours(time) == 0, "time stands until the handler is done")
    gate.open()
    try await time.advance(by: .seconds(3_600))
    #expect(hours(time) == 1 && scheduler.status(of: id)?.state == .completed)
    await scheduler.shutdown()
  }

  @Test func theGraceOfAShutdownIsVirtualToo() async throws {
    let time = VirtualTime()
    let scheduler = try Scheduler(patient, time: time)
    try scheduler.register("long") { context in
      try await context.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("long"))
    try await time.settle()
    async let report = scheduler.shutdown(grace: .seconds(60))
    while !scheduler.isShuttingDown { await Task.yield() }
    try await time.advance(by: .seconds(61))
    #expect(await report.cancelled == 1)
    #expect(scheduler.status(of: id)?.cause == .stopped)
  }

  @Test func withoutGraceAShutdownNeedsNobodyToMoveTime() async throws {
    let time = VirtualTime()
    let scheduler = try Scheduler(patient, time: time)
    try scheduler.register("long") { context in
      try await context.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    try await scheduler.submit(JobRequest("long"))
    try await time.settle()
    let report = await scheduler.shutdown(grace: .zero)
    #expect(report.cancelled == 1 && report.leftRunning == 0 && hours(time) == 0)
  }

  /// A handler that waits for another job, for room or for a batch waits for what happens in virtual time.
  @Test func handlersThatAwaitOtherJobsLetTimeGoOn() async throws {
    let time = VirtualTime()
    let scheduler = try Scheduler(patient, time: time)
    try scheduler.register("nap") { context in
      async let one: Void = context.sleep(for: .seconds(600))
      async let two: Void = context.sleep(for: .seconds(1_200))
      _ = try await (one, two)
      return "rested"
    }
    try scheduler.register("parent") { [unowned scheduler] context in
      let child = try await scheduler.submit(JobRequest("nap"))
      await #expect(throws: SchedulerError.self) { try await scheduler.result(of: child, timeout: .seconds(60)) }
      #expect(context.number == 0)
      return try await scheduler.result(of: child).value
    }
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("parent"))
    try await time.advance(by: .seconds(1_199))
    #expect(scheduler.status(of: parent)?.state == .running)
    try await time.advance(by: .seconds(1))
    #expect(try await scheduler.result(of: parent).value as? String == "rested")
    await scheduler.shutdown()
  }

  /// Nobody moves time on: whoever waits is told, and does not hang.
  @Test func waitingWhileTimeStandsStillFailsWithTheReason() async throws {
    let time = VirtualTime(patience: .milliseconds(300))
    let scheduler = try Scheduler(patient, time: time)
    try scheduler.register("nap") { context in
      try await context.sleep(for: .seconds(600))
      return nil
    }
    scheduler.start()
    let sleeping = try await scheduler.submit(JobRequest("nap"))
    let delayed = try await scheduler.submit(JobRequest("nap", delay: .seconds(60)))
    for id in [sleeping, delayed] {
      let error = await #expect(throws: TimeStandsStill.self) { try await scheduler.result(of: id) }
      #expect(error?.sleeping == 1 && error?.scheduled == 1)
      #expect(error?.description.contains("job \(id.rawValue) is awaited, but virtual time has stood at 0.0 s") == true)
    }
    // Whoever moves it on in time is not disturbed.
    async let result = scheduler.result(of: sleeping)
    try await time.advance(by: .seconds(600))
    #expect(try await result.state == .completed)
    let batch = try scheduler.openBatch(failFast: false)
    try await scheduler.submit(JobRequest("nap", batch: batch))
    #expect(await scheduler.settleBatch(batch) == false)
    let report = await scheduler.shutdown()
    #expect(!report.drained && report.cancelled == 2 && report.leftRunning == 0)
  }

  /// Each way of waiting for room: on a submitter's task and thread, and on a handler's.
  @Test func waitingForRoomWhileTimeStandsStillFailsWithTheReason() async throws {
    var configuration = patient
    configuration.queueCapacity = 1
    configuration.handlerReserve = 0
    configuration.whenFull = .block
    configuration.retry = .never
    let time = VirtualTime(patience: .milliseconds(300))
    let scheduler = try Scheduler(configuration, time: time)
    let isFull = Gate()
    try scheduler.register("late") { _ in nil }
    try scheduler.register("submits") { context in
      await isFull.wait()
      return try await context.scheduler.submit(JobRequest("late"))
    }
    try scheduler.register(JobTypeConfiguration(name: "submits from a thread", pool: .thread)) { context in
      await isFull.wait()
      return try context.scheduler.submitBlocking(JobRequest("late"))
    }
    scheduler.start()
    var parents: [JobID] = []
    for type in ["submits", "submits from a thread"] {
      let id = try await scheduler.submit(JobRequest(type))
      await eventually { scheduler.status(of: id)?.state == .running }
      parents.append(id)
    }
    try await scheduler.submit(JobRequest("late", delay: .seconds(60)))
    isFull.open()
    let error = await #expect(throws: TimeStandsStill.self) { try await scheduler.submit(JobRequest("late")) }
    #expect(error?.description.contains("room in the queue is awaited for job") == true)
    #expect(error?.scheduled == 1)
    await #expect(throws: TimeStandsStill.self) { try await scheduler.submitInBackground(JobRequest("late")) }
    for id in parents {
      await eventually { scheduler.status(of: id)?.state == .deadLettered }
      #expect(scheduler.status(of: id)?.failure is TimeStandsStill)
    }
    #expect(scheduler.metrics().gauges.waitingForRoom == 0)
    // Whoever moves it on in time is not disturbed.
    async let admitted = scheduler.submit(JobRequest("late"))
    try await time.advance(by: .seconds(60))
    let id = try await admitted
    try await time.settle()
    #expect(scheduler.status(of: id)?.state == .completed)
    await scheduler.shutdown()
  }

  @Test func timeDoesNotGoBack() async throws {
    let time = VirtualTime()
    try await time.advance(by: .seconds(5))
    let error = await #expect(throws: TimeCannotGoBack.self) { try await time.advance(by: .seconds(-2)) }
    #expect(error?.description.contains("it stands at 5.0 s and was to move by -2.0 seconds") == true)
    #expect((time.now - .zero) == .seconds(5))
    // However far, it ends at the last instant there is.
    try await time.advance(by: .seconds(Int64.max))
    try await time.advance(by: .seconds(1))
    #expect(time.now == .distantFuture)
  }
}
