// Goal: a shutdown lets jobs go on for the grace period, then cancels them, reports what it had to leave, and comes to
// an end in every state of the scheduler.

import Dispatch
import Glibc
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct ShutdownTests {
  @Test func drainsWithinTheGracePeriod() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("short") { _ in
      try await Task.sleep(for: .milliseconds(1))
      return nil
    }
    scheduler.start()
    for _ in 0..<20 { try await scheduler.submit(JobRequest("short")) }
    try await scheduler.submit(JobRequest("short", delay: .milliseconds(10)))
    let report = await scheduler.shutdown()
    #expect(report == ShutdownReport(drained: true, cancelled: 0, leftRunning: 0))
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 21)
    await #expect {
      try await scheduler.submit(JobRequest("short"))
    } throws: {
      "\($0)" == "the scheduler is shutting down and accepts no more jobs"
    }
  }

  @Test func cancelsWhatIsLeftAfterIt() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.register("long") { _ in
      try await Task.sleep(for: .seconds(3_600))
      return nil
    }
    try scheduler.registerBlocking("long on a thread") { context in
      try context.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    let ids = [
      try await scheduler.submit(JobRequest("long")), try await scheduler.submit(JobRequest("long")),
      try await scheduler.submit(JobRequest("long on a thread")),
      try await scheduler.submit(JobRequest("long", delay: .seconds(3_600))),
    ]
    let report = await scheduler.shutdown(grace: .milliseconds(5), stopping: .seconds(60))
    #expect(report == ShutdownReport(drained: false, cancelled: 4, leftRunning: 0))
    for id in ids { #expect(try await scheduler.result(of: id).cause == .stopped) }
  }

  @Test func reportsStubbornHandlersAndLaterThatTheyAreGone() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.registerBlocker("stubborn", started: started, until: gate)
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("stubborn"))
    await started.wait()
    let first = await scheduler.shutdown(grace: .zero, stopping: .milliseconds(5))
    #expect(first == ShutdownReport(drained: false, cancelled: 1, leftRunning: 1))
    #expect(try await scheduler.result(of: id, timeout: .seconds(60)).cause == .stopped)
    gate.open()
    let second = await scheduler.shutdown()
    #expect(second == ShutdownReport(drained: false, cancelled: 1, leftRunning: 0))
  }

  @Test func secondShutdownAndShutdownsSideBySideEnd() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("long") { _ in
      try await Task.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    try await scheduler.submit(JobRequest("long"))
    async let patient = scheduler.shutdown(grace: .seconds(3_600), stopping: .seconds(300))
    async let hasty = scheduler.shutdown(grace: .milliseconds(1), stopping: .seconds(300))
    let reports = await [patient, hasty]
    let expected = ShutdownReport(drained: false, cancelled: 1, leftRunning: 0)
    #expect(reports == [expected, expected])
    #expect(await scheduler.shutdown() == expected)
  }

  @Test func schedulerThatWasNeverStartedCancelsItsJobsAtOnce() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("nop") { _ in nil }
    let id = try await scheduler.submit(JobRequest("nop"))
    let report = await scheduler.shutdown(grace: .seconds(3_600))
    #expect(report == ShutdownReport(drained: false, cancelled: 1, leftRunning: 0))
    #expect(try await scheduler.result(of: id).cause == .stopped)
    scheduler.start()
    #expect(await scheduler.shutdown().leftRunning == 0)
    #expect(await Scheduler.quiet().shutdown() == ShutdownReport(drained: true, cancelled: 0, leftRunning: 0))
  }

  @Test func submittersThatWaitForRoomAreReleased() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1) {
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    try scheduler.register("nop") { _ in nil }
    try await scheduler.submit(JobRequest("nop"))
    let waiting = Task { try await scheduler.submit(JobRequest("nop")) }
    await eventually { scheduler.metrics().gauges.waitingForRoom == 1 }
    await scheduler.shutdown()
    let id = try await waiting.value
    #expect(try await scheduler.result(of: id).cause == .stopped)
  }

  @Test func handlerMayShutTheSchedulerDown() async throws {
    let reports = Log<ShutdownReport>()
    let ended = Gate()
    let scheduler = Scheduler.quiet()
    try scheduler.register("poison") { _ in
      reports.append(await scheduler.shutdown(grace: .milliseconds(1), stopping: .milliseconds(1)))
      ended.open()
      return nil
    }
    scheduler.start()
    try await scheduler.submit(JobRequest("poison"))
    await ended.wait()
    #expect(reports.all == [ShutdownReport(drained: false, cancelled: 1, leftRunning: 1)])
    #expect(await scheduler.shutdown().leftRunning == 0)
  }

  @Test func schedulerIsFreedAfterItsShutdownOrWithoutAStart() async throws {
    weak var stopped: Scheduler?
    weak var idle: Scheduler?
    do {
      let scheduler = Scheduler.quiet()
      try scheduler.register("nop") { _ in nil }
      scheduler.start()
      try await scheduler.submit(JobRequest("nop", delay: .milliseconds(1)))
      await scheduler.shutdown()
      stopped = scheduler
      let other = Scheduler.quiet()
      try other.register("nop") { _ in nil }
      let id = try await other.submit(JobRequest("nop"))
      _ = try? await other.result(of: id, timeout: .milliseconds(1))
      idle = other
    }
    // The last worker may still be on its way out of the function that reported its end.
    while stopped != nil || idle != nil { await Task.yield() }
  }
}

// Signals belong to the process: one test at a time.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct SignalTests {
  @Test(arguments: [SIGTERM, SIGINT])
  func signalShutsDownGracefully(number: Int32) async throws {
    let started = Gate()
    let scheduler = Scheduler.quiet()
    try scheduler.register("short") { _ in
      started.open()
      try await Task.sleep(for: .milliseconds(20))
      return nil
    }
    let id = try await scheduler.submit(JobRequest("short"))
    async let report = scheduler.run()
    // Handlers run only once signals are listened to.
    await started.wait()
    kill(getpid(), number)
    #expect(try await report == ShutdownReport(drained: true, cancelled: 0, leftRunning: 0))
    #expect(try await scheduler.result(of: id).state == .completed)
  }
}
