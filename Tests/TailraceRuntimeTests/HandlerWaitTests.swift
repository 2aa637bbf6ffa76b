// Goal: handlers that submit jobs and wait for them drain with a shutdown, find room in a full queue, and where they
// stop each other the health report says so and why.

import Dispatch
import Foundation
import Synchronization
import TailraceCore
import Testing

@testable import TailraceRuntime

/// How a handler reaches its scheduler.
enum Reach: CaseIterable {
  case ownTask, childTask, unstructuredTask, thread, taskOnThread

  var pool: PoolID { self == .thread || self == .taskOnThread ? .thread : .async }
}

@Suite(.timeLimit(.minutes(2)))
struct DrainingHandlerTests {
  /// Registers `parent`, which waits for the shutdown and then submits `child`.
  private func register(_ reach: Reach, _ children: Log<JobID>, _ scheduler: Scheduler, _ started: Gate) throws {
    let submit: @Sendable () async throws -> Void = { [unowned scheduler] in
      children.append(try await scheduler.submit(JobRequest("child")))
    }
    if reach == .thread {
      try scheduler.registerBlocking("parent") { [unowned scheduler] _ in
        started.open()
        while !scheduler.isShuttingDown { usleep(500) }
        children.append(try scheduler.submitBlocking(JobRequest("child")))
        return nil
      }
    } else {
      try scheduler.register(JobTypeConfiguration(name: "parent", pool: reach.pool)) { [unowned scheduler] _ in
        started.open()
        await eventually { scheduler.isShuttingDown }
        switch reach {
        case .childTask:
          async let child: Void = submit()
          try await child
        case .unstructuredTask: try await Task { try await submit() }.value
        case .ownTask, .thread, .taskOnThread: try await submit()
        }
        return nil
      }
    }
    try scheduler.register("child") { _ in
      try await Task.sleep(for: .milliseconds(5))
      return "done"
    }
  }

  @Test(arguments: Reach.allCases) func whatRunningHandlersSubmitDrainsWithTheRest(reach: Reach) async throws {
    let scheduler = Scheduler.quiet { $0.retry = RetryPolicy(limit: 3, backoff: .none) }
    let (children, started) = (Log<JobID>(), Gate())
    try register(reach, children, scheduler, started)
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("parent"))
    await started.wait()
    let report = await scheduler.shutdown(grace: .seconds(60))
    #expect(report == ShutdownReport(drained: true, cancelled: 0, leftRunning: 0))
    #expect(children.all.count == 1 && scheduler.status(of: children.all[0])?.state == .completed)
    let status = try #require(scheduler.status(of: parent))
    #expect(status.state == .completed && status.attempts == 1)
    #expect(scheduler.violatedInvariants == [])
  }

  /// A detached task is no part of a handler; its parent fails once, not four times.
  @Test func aRefusalBecauseOfTheShutdownIsPermanentAndReported() async throws {
    let scheduler = Scheduler.quiet { $0.retry = RetryPolicy(limit: 3, backoff: .none) }
    let (started, attempts) = (Gate(), Log<Int>())
    try scheduler.register("parent") { [unowned scheduler] context in
      attempts.append(context.attempt)
      started.open()
      await eventually { scheduler.isShuttingDown }
      return try await Task.detached { try await scheduler.submit(JobRequest("parent")) }.value
    }
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("parent"))
    await started.wait()
    async let report = scheduler.shutdown(grace: .seconds(60))
    #expect(await report == ShutdownReport(drained: true, cancelled: 0, leftRunning: 0, refused: 1))
    #expect(attempts.all == [1] && scheduler.status(of: parent)?.cause == .failedPermanently)
    await #expect(throws: SchedulerError.self) { try await scheduler.submit(JobRequest("parent")) }
    #expect(await scheduler.shutdown().refused == 2)
  }

  @Test func afterTheGracePeriodNothingIsAdmitted() async throws {
    let scheduler = Scheduler.quiet()
    let errors = Log<String>()
    try scheduler.register("chain") { [unowned scheduler] _ in
      try? await Task.sleep(for: .milliseconds(2))
      do { try await scheduler.submit(JobRequest("chain")) } catch { errors.append("\(error)") }
      return nil
    }
    scheduler.start()
    try await scheduler.submit(JobRequest("chain"))
    // Each job submits the next one: only the end of the grace period stops them.
    let report = await scheduler.shutdown(grace: .milliseconds(50), stopping: .seconds(60))
    #expect(!report.drained && report.leftRunning == 0)
    #expect(report.cancelled + report.refused >= 1 && report.refused == errors.all.count)
    #expect(errors.all.allSatisfy { $0 == "the scheduler is shutting down and accepts no more jobs" })
    #expect(scheduler.violatedInvariants == [])
  }
}

@Suite(.timeLimit(.minutes(2)))
struct HandlerWaitTests {
  /// Handlers that have just begun to wait for each other count. So do threads, which other tests hold.
  private var atOnce: HealthLimits {
    var limits = HealthLimits()
    limits.blockedAfter = .zero
    return limits
  }

  private func isWaiting(_ scheduler: Scheduler) -> Bool {
    (try? scheduler.health(atOnce)).map { "\($0)".contains("hold handlers that wait for jobs") } ?? false
  }

  /// What the report says of handlers that wait for each other, once it does.
  private func standstill(_ scheduler: Scheduler) async -> SchedulerHealth {
    while !isWaiting(scheduler) { try? await Task.sleep(for: .milliseconds(1)) }
    return (try? scheduler.health(atOnce)) ?? scheduler.health()
  }

  @Test(arguments: [Reach.ownTask, .thread]) func handlersFindRoomInAFullQueue(reach: Reach) async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 2, threads: 2) {
      $0.queueCapacity = 2
      $0.whenFull = .block
    }
    let done = Log<Int>()
    try scheduler.register(JobTypeConfiguration(name: "child", pool: reach.pool)) { context in
      done.append(context.payload as! Int)
      return nil
    }
    let submit: @Sendable (JobContext) throws -> [JobRequest] = { context in
      (0..<10).map { JobRequest("child", payload: context.payload as! Int * 10 + $0) }
    }
    if reach == .thread {
      try scheduler.registerBlocking("parent") { [unowned scheduler] context in
        for request in try submit(context) { try scheduler.submitBlocking(request) }
        return nil
      }
    } else {
      try scheduler.register("parent") { [unowned scheduler] context in
        for request in try submit(context) { try await scheduler.submit(request) }
        return nil
      }
    }
    scheduler.start()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<6 {
        group.addTask { _ = try await scheduler.submit(JobRequest("parent", payload: number)) }
      }
      try await group.waitForAll()
    }
    let report = await scheduler.shutdown(grace: .seconds(60))
    #expect(report.drained && done.all.sorted() == Array(0..<60))
    #expect(scheduler.violatedInvariants == [])
  }

  @Test func handlersThatWaitForRoomAreToldOf() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 2) {
      $0.queueCapacity = 2
      $0.handlerReserve = 0
      $0.whenFull = .block
    }
    try scheduler.register("child") { _ in nil }
    let inside = Occupancy()
    try scheduler.register("parent") { [unowned scheduler] _ in
      inside.enter()
      await eventually { inside.most == 2 }
      for _ in 0..<4 { try await scheduler.submit(JobRequest("child")) }
      return nil
    }
    scheduler.start()
    #expect(!isWaiting(scheduler))
    let ids = [
      try await scheduler.submit(JobRequest("parent")), try await scheduler.submit(JobRequest("parent")),
    ]
    let health = await standstill(scheduler)
    guard case .unhealthy(.handlersWaitForEachOther(.async, 2, 2, ["parent"], true, _)) = health else {
      Issue.record("\(health)")
      return
    }
    #expect("\(health)".contains("raise queueCapacity or handlerReserve"))
    scheduler.cancel(ids[0])
    #expect(try await scheduler.result(of: ids[1], timeout: .seconds(60)).state == .completed)
    #expect(await scheduler.shutdown(grace: .seconds(60)).leftRunning == 0)
    #expect(scheduler.violatedInvariants == [])
  }

  /// Every resource of which handlers may hold all that there is.
  enum Scarce: CaseIterable { case workers, threads, bothPools, typePlaces, keyPlaces, memory, batch }

  @Test(arguments: Scarce.allCases) func handlersThatAwaitWhatOnlyTheyCanRunAreToldOf(scarce: Scarce) async throws {
    let workers = scarce == .bothPools ? 1 : 2
    let scheduler = Scheduler.quiet(asyncWorkers: workers, threads: workers) {
      $0.memoryBudget = 2 << 20
      $0.tenants = TenantConfiguration(each: TenantSettings(concurrency: 2))
      if scarce == .typePlaces || scarce == .keyPlaces || scarce == .memory { $0.asyncPool.workers = 5 }
    }
    let inside = Occupancy()
    let body: @Sendable (JobContext) async throws -> (any Sendable)? = { [unowned scheduler] context in
      guard var child = context.payload as? JobRequest else { return nil }
      inside.enter()
      await eventually { inside.most == 2 }
      guard scarce == .batch else {
        return try await scheduler.result(of: scheduler.submit(child)).state
      }
      let batch = try scheduler.openBatch(failFast: false)
      child.batch = batch
      try await scheduler.submit(child)
      await scheduler.settleBatch(batch)
      return nil
    }
    try scheduler.register("async", handler: body)
    try scheduler.register(JobTypeConfiguration(name: "thread", pool: .thread), handler: body)
    try scheduler.register(JobTypeConfiguration(name: "few", concurrency: 2), handler: body)
    scheduler.start()
    var parents = [JobRequest("async"), JobRequest("async")]
    switch scarce {
    case .workers, .batch: break
    case .threads: parents = [JobRequest("thread"), JobRequest("thread")]
    case .bothPools: parents = [JobRequest("async"), JobRequest("thread")]
    case .typePlaces: parents = [JobRequest("few"), JobRequest("few")]
    case .keyPlaces: parents = (0..<2).map { _ in JobRequest("async", tenant: "customer") }
    case .memory: parents = (0..<2).map { _ in JobRequest("async", memory: 1 << 20) }
    }
    let children = scarce == .bothPools ? parents.reversed() : parents
    var ids: [JobID] = []
    for (parent, child) in zip(parents, children) {
      var parent = parent
      parent.payload = child
      ids.append(try await scheduler.submit(parent))
    }
    let health = await standstill(scheduler)
    switch (scarce, health) {
    case (.workers, .unhealthy(.handlersWaitForEachOther(.async, 2, 2, ["async"], false, _))),
      (.batch, .unhealthy(.handlersWaitForEachOther(.async, 2, 2, ["async"], false, _))),
      (.threads, .unhealthy(.handlersWaitForEachOther(.thread, 2, 2, ["thread"], false, _))),
      (.bothPools, .unhealthy(.handlersWaitForEachOther(.async, 1, 1, ["async"], false, _))):
      break
    case (.typePlaces, .degraded(let reasons)), (.keyPlaces, .degraded(let reasons)), (.memory, .degraded(let reasons)):
      let type = scarce == .typePlaces ? "few" : "async"
      #expect(
        reasons.map(\.description).contains {
          $0.contains(
            "2 of 5 workers of pool 'async' hold handlers that wait for jobs that only these workers could run")
            && $0.contains(": \(type); let the jobs depend on each other")
        }, "\(reasons)")
    default: Issue.record("\(scarce): \(health)")
    }
    // One that is cancelled leaves its place to the others' children.
    scheduler.cancel(ids[0])
    #expect(try await scheduler.result(of: ids[1], timeout: .seconds(60)).state == .completed)
    #expect(!isWaiting(scheduler))
    #expect(await scheduler.shutdown(grace: .seconds(60)).leftRunning == 0)
    #expect(scheduler.withState { state in state.workers.joined().allSatisfy { $0.waits.isEmpty } })
  }

  @Test func handlersThatSomebodyMayHelpAreNoStandstill() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 2, threads: 1)
    let gate = Gate()
    try scheduler.register("slow") { _ in
      await gate.wait()
      return nil
    }
    try scheduler.register("parent") { [unowned scheduler] context in
      let child = try await scheduler.submit(JobRequest("slow"))
      return try await scheduler.result(of: child).state
    }
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("parent"))
    await eventually { scheduler.metrics().gauges.running == 2 }
    await eventually {
      scheduler.withState { state in state.workers.joined().contains { !$0.waits.isEmpty } }
    }
    #expect(!isWaiting(scheduler))
    gate.open()
    #expect(try await scheduler.result(of: parent).value as? JobState == .completed)
    await scheduler.shutdown()
  }

  /// Its worker would never come back: nobody makes room.
  @Test func aBlockedSubmissionOfAHandlerEndsWithItsAttempt() async throws {
    let scheduler = Scheduler.quiet(threads: 1) {
      $0.queueCapacity = 1
      $0.handlerReserve = 0
      $0.whenFull = .block
    }
    let errors = Log<String>()
    try scheduler.registerBlocking("parent") { [unowned scheduler] context in
      do {
        for _ in 0..<3 { try scheduler.submitBlocking(JobRequest("child")) }
      } catch {
        errors.append("\(error)")
        throw error
      }
      return nil
    }
    try scheduler.registerBlocking("child") { _ in nil }
    scheduler.start()
    let parent = try await scheduler.submit(JobRequest("parent", timeout: .milliseconds(500)))
    #expect(try await scheduler.result(of: parent, timeout: .seconds(60)).cause == .timedOut)
    let report = await scheduler.shutdown(grace: .seconds(60))
    #expect(report.drained && report.leftRunning == 0)
    #expect(errors.all == ["CancellationError()"])
    #expect(scheduler.metrics().gauges.settledByCause[.succeeded] == 1)
    #expect(scheduler.violatedInvariants == [])
  }

  @Test func whoeverAwaitsABatchIsReleasedByACancellation() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("nop") { _ in nil }
    let batch = try scheduler.openBatch(failFast: false)
    try await scheduler.submit(JobRequest("nop", batch: batch))
    let waiting = Task { await scheduler.settleBatch(batch) }
    waiting.cancel()
    #expect(await waiting.value == false)
    #expect(scheduler.withState { state in state.onBatchSettled[batch.rawValue]?.count ?? 0 } == 0)
    scheduler.start()
    #expect(await scheduler.settleBatch(batch) == true)
    await scheduler.shutdown()
  }

  /// From a thread, since the handlers hold every thread of Swift's concurrency.
  @Test func blockedThreadsOfTheAsyncPoolAreToldOf() async throws {
    let width = ProcessInfo.processInfo.activeProcessorCount
    let scheduler = Scheduler.quiet(asyncWorkers: width + 2) { $0.stuckAfter = .seconds(3_600) }
    let semaphore = DispatchSemaphore(value: 0)
    try scheduler.register("blocks its thread") { _ in
      semaphore.wait()
      return nil
    }
    try scheduler.register("suspends") { context in
      try await context.sleep(for: .seconds(3_600))
      return nil
    }
    scheduler.start()
    _ = scheduler.health()
    let sleeper = try await scheduler.submit(JobRequest("suspends"))
    await eventually { scheduler.metrics().gauges.running == 1 }
    var limits = HealthLimits()
    limits.blockedAfter = .milliseconds(100)
    let seen = await withUnsafeContinuation { (continuation: UnsafeContinuation<SchedulerHealth, Never>) in
      Thread.detachNewThread { [limits] in
        for _ in 0...width { _ = try? scheduler.submitBlocking(JobRequest("blocks its thread")) }
        var health = (try? scheduler.health(limits)) ?? .healthy
        // Other tests of the process hold threads too. Nothing of theirs goes on meanwhile: whatever is named will do.
        while !"\(health)".contains("blocks its thread") {
          usleep(10_000)
          health = (try? scheduler.health(limits)) ?? .healthy
        }
        for _ in 0...width { semaphore.signal() }
        continuation.resume(returning: health)
      }
    }
    guard case .degraded(let reasons) = seen, case .asyncPoolBlocked(let types, let longest) = reasons.last else {
      Issue.record("\(seen)")
      return
    }
    #expect(types == ["blocks its thread"] && longest > .milliseconds(100))
    #expect(reasons[0].description.contains("handlers of blocks its thread: register handlers that block or compute"))
    scheduler.cancel(sleeper)
    await scheduler.shutdown()
  }

  /// A handler that awaits something leaves its thread to others; one that blocks does not.
  @Test func aHandlerWhoseThreadWasHadByAnotherIsNotNamed() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 2)
    let workers = scheduler.withState { state in state.workers[Int(PoolID.async.rawValue)] }
    #expect(workers.allSatisfy { $0.mayHoldThread }, "it is not known where they began")
    let seen = await withUnsafeContinuation { (continuation: UnsafeContinuation<[[Bool]], Never>) in
      Thread.detachNewThread {
        var seen: [[Bool]] = []
        for worker in workers {
          worker.takeThread()
          seen.append(workers.map(\.mayHoldThread))
        }
        continuation.resume(returning: seen)
      }
    }
    #expect(seen == [[true, true], [false, true]])
    await eventually { !workers[1].mayHoldThread }
    await scheduler.shutdown()
  }

  /// From the scheduler's side: what awaits when another handler gets its thread is no longer among those named.
  @Test func aHandlerThatAwaitsIsFoundToHaveLeftItsThread() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 1)
    let (started, gate) = (Gate(), Gate())
    try scheduler.registerBlocker("awaits", started: started, until: gate)
    scheduler.start()
    _ = scheduler.health()
    let id = try await scheduler.submit(JobRequest("awaits"))
    await started.wait()
    let worker = scheduler.withState { state in state.workers[Int(PoolID.async.rawValue)][0] }
    #expect(worker.turnPlace.load(ordering: .relaxed) != 0)
    // Each report takes a turn on some thread of Swift's concurrency, its own among them sooner or later.
    await eventually {
      _ = scheduler.health()
      return !worker.mayHoldThread
    }
    gate.open()
    #expect(try await scheduler.result(of: id, timeout: .seconds(60)).state == .completed)
    await scheduler.shutdown()
  }

  @Test func whereNobodyIsKnownToBlockTheReportDoesNotGuess() {
    var facts = HealthFacts()
    facts.threadWantedSince = .zero
    facts.realNow = .zero + .seconds(3)
    guard case .degraded(let reasons) = facts.judged(by: HealthLimits(), at: .zero) else {
      Issue.record("the wait is not told of")
      return
    }
    #expect(reasons == [.asyncPoolBlocked(types: [], longest: .seconds(3))])
    #expect(reasons[0].description.contains("blocked by handlers that continued after an await, or by other code"))
  }
}
