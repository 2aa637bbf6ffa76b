// Goal: a job that is submitted to a running scheduler reaches its handler, and whoever asks learns how it went.

import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct ResultTests {
  @Test func handlerGetsThePayloadAndItsValueComesBack() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("greet") { context in "Hello, \(try #require(context.payload as? String))" }
    try scheduler.registerBlocking("add") { context in (context.payload as? [Int])?.reduce(0, +) }
    scheduler.start()
    let greeting = try await scheduler.submit(JobRequest("greet", payload: "world"))
    let sum = try await scheduler.submit(JobRequest("add", payload: [1, 2, 3]))
    let result = try await scheduler.result(of: greeting)
    #expect(result.state == .completed && result.cause == .succeeded && result.attempts == 1 && result.error == nil)
    #expect(result.value as? String == "Hello, world")
    #expect(try await scheduler.result(of: sum).value as? Int == 6)
    await scheduler.shutdown()
  }

  @Test func nameIsRegisteredOnce() throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("bake") { _ in nil }
    #expect {
      try scheduler.registerBlocking("bake") { _ in nil }
    } throws: {
      "\($0)" == "job type 'bake' already has a handler; register each name once"
    }
  }

  @Test func unknownNameIsRefusedWithTheRemedy() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("fry") { _ in nil }
    try scheduler.register("bake") { _ in nil }
    await #expect {
      try await scheduler.submit(JobRequest("boil"))
    } throws: {
      "\($0)"
        == "no handler is registered for job type 'boil'; register a handler before the first job, or set "
        + "unknownTypes to .park to let jobs wait for it"
    }
  }

  @Test func handlersAreRegisteredWhileItRuns() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.register("first") { _ in 1 }
    scheduler.start()
    let first = try await scheduler.submit(JobRequest("first"))
    #expect(try await scheduler.result(of: first).value as? Int == 1)
    try scheduler.register("second") { _ in 2 }
    let second = try await scheduler.submit(JobRequest("second"))
    #expect(try await scheduler.result(of: second).value as? Int == 2)
    await scheduler.shutdown()
  }

  @Test func awaitingStopsAfterItsTimeoutAndTheJobGoesOn() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.registerBlocker("slow", started: started, until: gate)
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("slow"))
    await #expect {
      try await scheduler.result(of: id, timeout: .milliseconds(5))
    } throws: {
      "\($0)" == "job \(id.rawValue) did not settle within 0.005 seconds; it continues"
    }
    #expect(scheduler.status(of: id)?.state.isTerminal == false)
    gate.open()
    #expect(try await scheduler.result(of: id, timeout: .seconds(60)).state == .completed)
    await scheduler.shutdown()
  }

  @Test func awaitingTimesOutBeforeTheSchedulerStarts() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("idle") { _ in nil }
    let id = try await scheduler.submit(JobRequest("idle"))
    await #expect(throws: SchedulerError.self) { try await scheduler.result(of: id, timeout: .milliseconds(1)) }
  }

  @Test func everyOneOfManyWaitersIsAnswered() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.register("answer") { _ in
      started.open()
      await gate.wait()
      return 42
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("answer"))
    let answers = try await withThrowingTaskGroup(of: Int?.self) { group in
      for number in 0..<200 {
        group.addTask {
          try await scheduler.result(of: id, timeout: number % 2 == 0 ? nil : .seconds(60)).value as? Int
        }
      }
      await started.wait()
      gate.open()
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers == Array(repeating: 42, count: 200))
    await scheduler.shutdown()
  }

  @Test func cancellingWhoAwaitsLeavesTheJobAlone() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.registerBlocker("slow", started: started, until: gate)
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("slow"))
    await started.wait()
    let waiter = Task { try await scheduler.result(of: id) }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    #expect(scheduler.status(of: id)?.state == .running)
    gate.open()
    #expect(try await scheduler.result(of: id).state == .completed)
    await scheduler.shutdown()
  }

  @Test func statusTellsWhereAJobIs() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.registerBlocker("slow", started: started, until: gate)
    scheduler.start()
    let running = try await scheduler.submit(JobRequest("slow", priority: .high, labels: ["a", "b"]))
    await started.wait()
    let waiting = try await scheduler.submit(JobRequest("slow"))
    let delayed = try await scheduler.submit(JobRequest("slow", delay: .seconds(3_600)))
    let blocked = try await scheduler.submit(JobRequest("slow", dependencies: [waiting]))
    #expect(
      scheduler.status(of: running)
        == JobStatus(
          id: running, type: "slow", priority: .high, state: .running, cause: nil, attempts: 1, labels: ["a", "b"],
          failure: nil))
    #expect(scheduler.status(of: waiting)?.state == .available)
    #expect(scheduler.status(of: waiting)?.attempts == 0)
    #expect(scheduler.status(of: delayed)?.state == .scheduled)
    #expect(scheduler.status(of: blocked)?.state == .blocked)
    gate.open()
    _ = try await scheduler.result(of: blocked)
    #expect(scheduler.status(of: running)?.state == .completed)
    #expect(scheduler.status(of: running)?.cause == .succeeded)
    #expect(scheduler.status(of: JobID(rawValue: 77 << 32)) == nil)
    #expect(scheduler.cancel(delayed))
    let report = await scheduler.shutdown()
    #expect(report == ShutdownReport(drained: true, cancelled: 0, leftRunning: 0))
  }

  @Test func settledJobsAreForgottenBeyondTheCount() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1) { $0.retainedCount = 3 }
    try scheduler.register("nop") { context in context.payload }
    scheduler.start()
    var ids: [JobID] = []
    for number in 0..<6 {
      ids.append(try await scheduler.submit(JobRequest("nop", payload: number, labels: ["\(number)"])))
      _ = try? await scheduler.result(of: ids[number])
    }
    #expect(ids.map { scheduler.status(of: $0)?.labels } == [nil, nil, nil, ["3"], ["4"], ["5"]])
    await #expect {
      try await scheduler.result(of: ids[0])
    } throws: {
      "\($0)".hasPrefix("job \(ids[0].rawValue) is not known")
    }
    #expect(try await scheduler.result(of: ids[5]).value as? Int == 5)
    await #expect(throws: SchedulerError.self) {
      try await scheduler.submit(JobRequest("nop", dependencies: [ids[0]]))
    }
    await scheduler.shutdown()
  }

  @Test func resultOfAJobThatNobodyWatchedIsKnown() async throws {
    let scheduler = Scheduler.quiet()
    let type = try scheduler.register("nop") { _ in nil }
    scheduler.start()
    let id = Log<JobID>()
    let now = MonotonicClock.now()
    [JobSubmission(type: type, number: 1, intended: now, submitted: now)].withUnsafeBufferPointer { submissions in
      _ = scheduler.submit(submissions) { _, admission in
        if case .accepted(let accepted) = admission { id.append(accepted) }
      }
    }
    await eventually { scheduler.metrics().gauges.settledByCause[.succeeded] == 1 }
    let result = try await scheduler.result(of: id.all[0])
    #expect(result.state == .completed && result.cause == .succeeded)
    await scheduler.shutdown()
  }

  @Test func delayedJobStartsNoEarlierThanItsDelay() async throws {
    let started = Log<Instant>()
    let scheduler = Scheduler.quiet()
    try scheduler.register("note") { _ in
      started.append(MonotonicClock.now())
      return nil
    }
    scheduler.start()
    let before = MonotonicClock.now()
    let late = try await scheduler.submit(JobRequest("note", delay: .milliseconds(40)))
    // A later order with an earlier instant replaces the timer.
    let early = try await scheduler.submit(JobRequest("note", delay: .milliseconds(20)))
    _ = try await scheduler.result(of: early)
    _ = try await scheduler.result(of: late)
    #expect(started.all.count == 2)
    #expect(started.all[0] - before >= .milliseconds(20))
    #expect(started.all[1] - before >= .milliseconds(40))
    await scheduler.shutdown()
  }

  @Test func dependentStartsAfterAllItsDependenciesCompleted() async throws {
    let order = Log<String>()
    let scheduler = Scheduler.quiet(asyncWorkers: 3)
    try scheduler.register("note") { context in
      order.append(try #require(context.payload as? String))
      return nil
    }
    let first = try await scheduler.submit(JobRequest("note", payload: "first", delay: .milliseconds(10)))
    let second = try await scheduler.submit(JobRequest("note", payload: "second"))
    let last = try await scheduler.submit(JobRequest("note", payload: "last", dependencies: [first, second]))
    scheduler.start()
    #expect(try await scheduler.result(of: last).state == .completed)
    #expect(order.all.last == "last" && order.all.count == 3)
    await scheduler.shutdown()
  }
}
