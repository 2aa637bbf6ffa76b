// Goal: a cancelled or timed-out job never starts, or its handler is told; its worker goes on with others.

import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct CancellationTests {
  @Test func waitingJobNeverStarts() async throws {
    let (started, gate, ran) = (Gate(), Gate(), Gate())
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.registerBlocker("slow", started: started, until: gate)
    try scheduler.register("note") { _ in
      ran.open()
      return nil
    }
    scheduler.start()
    _ = try await scheduler.submit(JobRequest("slow"))
    await started.wait()
    let id = try await scheduler.submit(JobRequest("note"))
    #expect(scheduler.cancel(id))
    #expect(!scheduler.cancel(id))
    let result = try await scheduler.result(of: id)
    #expect(result.state == .cancelled && result.cause == .cancelled && result.attempts == 0)
    gate.open()
    await scheduler.shutdown()
    #expect(!ran.isOpen)
  }

  @Test func runningAsyncHandlerIsToldAndItsWorkerGoesOn() async throws {
    let started = Gate()
    let sawContext = Gate()
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.register("long") { context in
      started.open()
      do { try await Task.sleep(for: .seconds(3_600)) } catch {
        if context.isCancelled && Task.isCancelled { sawContext.open() }
        throw error
      }
      return nil
    }
    try scheduler.register("nop") { context in Task.isCancelled ? nil : context.payload }
    scheduler.start()
    let long = try await scheduler.submit(JobRequest("long"))
    await started.wait()
    let waiting = try await scheduler.submit(JobRequest("nop", payload: -1))
    #expect(scheduler.cancel(long))
    #expect(try await scheduler.result(of: long).state == .cancelled)
    #expect(try await scheduler.result(of: waiting).value as? Int == -1)
    for number in 0..<50 {
      let id = try await scheduler.submit(JobRequest("nop", payload: number))
      #expect(try await scheduler.result(of: id).value as? Int == number)
    }
    #expect(sawContext.isOpen)
    await scheduler.shutdown()
    #expect(scheduler.violatedInvariants == [])
  }

  @Test func asyncHandlerOnAThreadIsTold() async throws {
    let started = Gate()
    let scheduler = Scheduler.quiet()
    try scheduler.register("long") { _ in
      started.open()
      try await Task.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    for _ in 0..<3 {
      let long = try await scheduler.submit(JobRequest("long", hints: [.ioBound]))
      await started.wait()
      #expect(scheduler.cancel(long))
      #expect(try await scheduler.result(of: long).state == .cancelled)
    }
    #expect(await scheduler.shutdown().leftRunning == 0)
  }

  @Test func blockingHandlerIsToldAndItsSleepEnds() async throws {
    let (started, ended) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.registerBlocking("long") { context in
      started.open()
      do { try context.sleep(for: .seconds(3_600)) } catch {
        if error is CancellationError, context.isCancelled { ended.open() }
        throw error
      }
      return nil
    }
    try scheduler.registerBlocking("nop") { context in
      try context.sleep(for: .microseconds(1))
      return context.isCancelled
    }
    scheduler.start()
    let long = try await scheduler.submit(JobRequest("long"))
    await started.wait()
    #expect(scheduler.cancel(long))
    await ended.wait()
    #expect(try await scheduler.result(of: long).cause == .cancelled)
    let next = try await scheduler.submit(JobRequest("nop"))
    #expect(try await scheduler.result(of: next).value as? Bool == false)
    await scheduler.shutdown()
  }

  @Test func cancellingCascadesToDependents() async throws {
    let (started, gate) = (Gate(), Gate())
    let scheduler = Scheduler.quiet()
    try scheduler.registerBlocker("slow", started: started, until: gate)
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("slow"))
    let child = try await scheduler.submit(JobRequest("slow", dependencies: [parent]))
    let grandchild = try await scheduler.submit(JobRequest("slow", dependencies: [child]))
    await started.wait()
    #expect(scheduler.cancel(parent))
    #expect(try await scheduler.result(of: child).cause == .dependencyFailed)
    #expect(try await scheduler.result(of: grandchild).cause == .dependencyFailed)
    gate.open()
    await scheduler.shutdown()
  }

  @Test func cancellationAmongClaimedAttemptsMeetsOnlyItsJob() async throws {
    let (started, gate) = (Gate(), Gate())
    let ran = Log<UInt64>()
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.register("note") { context in
      ran.append(context.number)
      return nil
    }
    try scheduler.registerBlocker("slow", started: started, until: gate)
    // Short jobs teach the worker to claim several at once.
    var ids: [JobID] = []
    for number in 0..<400 {
      ids.append(try await scheduler.submit(JobRequest(number == 300 ? "slow" : "note")))
    }
    scheduler.start()
    await started.wait()
    // Some of these are claimed by the worker that waits.
    let cancelled = Array(ids[301...].enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
    for id in cancelled { #expect(scheduler.cancel(id)) }
    #expect(scheduler.cancel(ids[300]))
    gate.open()
    for id in ids {
      let isCancelled = cancelled.contains(id) || id == ids[300]
      #expect(try await scheduler.result(of: id).state == (isCancelled ? .cancelled : .completed))
    }
    #expect(ran.all.count == 400 - 1 - cancelled.count)
    #expect(Set(ran.all).count == ran.all.count)
    #expect(await scheduler.shutdown(grace: .seconds(300)).drained)
    #expect(scheduler.violatedInvariants == [])
  }

  @Test func handlerMayCallTheSchedulerWhenItIsCancelled() async throws {
    let started = Gate()
    let scheduler = Scheduler.quiet()
    try scheduler.register("child") { _ in
      try await Task.sleep(for: .seconds(3_600))
      return nil
    }
    try scheduler.register("parent") { _ in
      let child = try await scheduler.submit(JobRequest("child"))
      return try await withTaskCancellationHandler {
        started.open()
        return try await scheduler.result(of: child).state
      } onCancel: {
        scheduler.cancel(child)
      }
    }
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("parent"))
    await started.wait()
    #expect(scheduler.cancel(parent))
    #expect(await scheduler.shutdown() == ShutdownReport(drained: true, cancelled: 0, leftRunning: 0))
    #expect(scheduler.metrics().gauges.settledByCause[.cancelled] == 2)
  }

  @Test func handlerMayCancelItsOwnJob() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    try scheduler.register("quit") { context in
      #expect(scheduler.cancel(context.id))
      return Task.isCancelled && context.isCancelled
    }
    try scheduler.registerBlocking("quit on a thread") { context in
      #expect(scheduler.cancel(context.id))
      return nil
    }
    scheduler.start()
    for name in ["quit", "quit on a thread", "quit"] {
      let id = try await scheduler.submit(JobRequest(name))
      #expect(try await scheduler.result(of: id).state == .cancelled)
    }
    await scheduler.shutdown()
  }
}
