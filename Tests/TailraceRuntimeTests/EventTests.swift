// Goal: whoever watches a scheduler hears what happened to each job, in order and completely, or how much is missing;
// histories and callbacks agree with results.

import Logging
import Synchronization
import Testing

@testable import TailraceRuntime

@Suite(.timeLimit(.minutes(2)))
struct EventTests {
  /// The events of one job, in words.
  private func steps(_ events: [JobEvent], of id: JobID) -> [String] {
    events.filter { $0.job == id }.map { event in
      switch event.kind {
      case .submitted(let state, let due): "submitted \(state)\(due == nil ? "" : " with due")"
      case .refused(let refusal): "refused \(refusal)"
      case .admitted: "admitted"
      case .started(let attempt, _): "started \(attempt)"
      case .progress(let progress): "progress \(progress.fraction) \(progress.note)"
      case .stuck(let attempt, _, _, let isReplaced): "stuck \(attempt)\(isReplaced ? " replaced" : "")"
      case .attemptEnded(let attempt):
        "ended \(attempt.number) \(attempt.outcome) \(attempt.error.map { "\($0)" } ?? "")"
      case .retrying(let attempt, let backoff): "retrying \(attempt) \(backoff > .zero ? "later" : "at once")"
      case .settled(let state, let cause): "settled \(state) \(cause)"
      case .dropped(let count, _): "dropped \(count)"
      }
    }
  }

  private func all(_ events: JobEvents) async -> [JobEvent] {
    var all: [JobEvent] = []
    for await event in events { all.append(event) }
    return all
  }

  @Test func aJobsStepsComeInOrder() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("shaky") { context in
      if context.attempt == 1 { throw Broken() }
      return nil
    }
    try scheduler.registerBlocking("hopeless") { _ in throw Hopeless() }
    let events = try scheduler.events(bufferingNewest: 10_000)
    scheduler.start()
    let retry = RetryPolicy(limit: 1, backoff: .fixed(.milliseconds(1)), jitter: .none)
    let shaky = try await scheduler.submit(JobRequest("shaky", labels: ["t"], retry: retry))
    let late = try await scheduler.submit(JobRequest("shaky", delay: .milliseconds(1), retry: retry))
    let child = try await scheduler.submit(JobRequest("shaky", dependencies: [late], retry: retry))
    let hopeless = try await scheduler.submit(JobRequest("hopeless"))
    await scheduler.shutdown()
    let all = await all(events)
    let rest = [
      "started 1", "ended 1 failed the oven is cold", "retrying 2 later", "started 2", "ended 2 succeeded ",
      "settled completed succeeded",
    ]
    #expect(steps(all, of: shaky) == ["submitted available"] + rest)
    #expect(steps(all, of: late) == ["submitted scheduled with due"] + rest)
    #expect(steps(all, of: child) == ["submitted blocked"] + rest)
    #expect(
      steps(all, of: hopeless) == [
        "submitted available", "started 1", "ended 1 failedPermanently there is no oven",
        "settled deadLettered failedPermanently",
      ])
    let first = try #require(all.first)
    #expect(first.type == "shaky" && first.labels == ["t"] && first.number == 0)
    // After 2020, before 2200.
    #expect((1_577_836_800_000_000_000..<7_258_118_400_000_000_000).contains(first.unixNanoseconds))
  }

  @Test func cancelledTimedOutAndRefusedJobsAreToldTruly() async throws {
    let scheduler = Scheduler.quiet { $0.queueCapacity = 2 }
    let (started, gate) = (Gate(), Gate())
    try scheduler.registerBlocker("blocker", started: started, until: gate)
    let events = try scheduler.events(bufferingNewest: 10_000)
    let waiting = try await scheduler.submit(JobRequest("blocker"))
    let other = try await scheduler.submit(JobRequest("blocker"))
    await #expect(throws: SchedulerError.self) { try await scheduler.submit(JobRequest("blocker")) }
    scheduler.cancel(waiting)
    scheduler.cancel(other)
    scheduler.start()
    let overdue = try await scheduler.submit(JobRequest("blocker", timeout: .milliseconds(20)))
    #expect(try await scheduler.result(of: overdue).cause == .timedOut)
    gate.open()
    await scheduler.shutdown()
    let all = await all(events)
    #expect(steps(all, of: waiting) == ["submitted available", "settled cancelled cancelled"])
    #expect(
      steps(all, of: overdue) == [
        "submitted available", "started 1", "ended 1 timedOut ", "settled deadLettered timedOut",
      ])
    #expect(all.contains { if case .refused(.queueFull(2)) = $0.kind { $0.job == nil } else { false } })
  }

  @Test func whoWaitsForRoomIsToldOfIt() async throws {
    let scheduler = Scheduler.quiet {
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    try scheduler.register("nop") { _ in nil }
    let events = scheduler.events()
    try await scheduler.submit(JobRequest("nop"))
    let second = Task { try await scheduler.submit(JobRequest("nop", labels: ["second"])) }
    await eventually { scheduler.metrics().gauges.waitingForRoom == 1 }
    scheduler.start()
    let id = try await second.value
    await scheduler.shutdown()
    #expect(
      steps(await all(events), of: id) == [
        "submitted waitingForRoom", "admitted", "started 1", "ended 1 succeeded ", "settled completed succeeded",
      ])
  }

  @Test func aSlowSubscriberIsToldWhatItMissed() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("nop") { _ in nil }
    let slow = try scheduler.events(bufferingNewest: 10)
    let quick = try scheduler.events(bufferingNewest: 100_000)
    scheduler.start()
    for _ in 0..<100 { try await scheduler.submit(JobRequest("nop")) }
    await scheduler.shutdown()
    let (few, many) = (await all(slow), await all(quick))
    // Submitted, started, ended, settled.
    #expect(many.count == 400)
    #expect(few.count == 11)
    guard case .dropped(let count, let since) = few[0].kind else {
      Issue.record("the gap is not told")
      return
    }
    #expect(count == 390 && since == many[0].instant && few[0].instant == many[389].instant)
    #expect(few[1...].map(\.unixNanoseconds) == many[390...].map(\.unixNanoseconds))
  }

  @Test func aSequenceEndsWithItsTaskAndWithTheScheduler() async throws {
    let scheduler = Scheduler.quiet()
    scheduler.start()
    let events = scheduler.events()
    let reader = Task { await all(events).count }
    reader.cancel()
    #expect(await reader.value == 0)
    await scheduler.shutdown()
    #expect(await all(scheduler.events()).isEmpty)
  }

  @Test func aDroppedSequenceCostsNothingMore() async throws {
    let scheduler = Scheduler.quiet()
    do {
      let events = scheduler.events()
      let isAnnounced = scheduler.announcesStarts.load(ordering: .relaxed)
      #expect(isAnnounced)
      withExtendedLifetime(events) {}
    }
    let isAnnounced = scheduler.announcesStarts.load(ordering: .relaxed)
    #expect(!isAnnounced)
    #expect(!scheduler.withState { state in state.observation.isActive })
  }

  @Test func eventsOfEachJobStayInOrderUnderLoad() async throws {
    let scheduler = Scheduler.quiet(asyncWorkers: 4, threads: 2) {
      $0.queueCapacity = 100_000
      $0.retainedCount = 10
    }
    try scheduler.register("nop") { context in
      if context.attempt == 1, context.number % 5 == 0 { throw Broken() }
      return nil
    }
    try scheduler.registerBlocking("block") { _ in nil }
    let events = try scheduler.events(bufferingNewest: 1_000_000)
    let reader = Task { await all(events) }
    scheduler.start()
    await withTaskGroup(of: Void.self) { group in
      for submitter in 0..<3 {
        group.addTask {
          for number in 0..<1_000 {
            let request = JobRequest(
              (number + submitter) % 3 == 0 ? "block" : "nop", retry: RetryPolicy(limit: 1, backoff: .none))
            if let id = try? await scheduler.submit(request), number % 7 == 0 { scheduler.cancel(id) }
          }
        }
      }
    }
    await scheduler.shutdown()
    let byJob = Dictionary(grouping: await reader.value, by: \.job)
    #expect(byJob.count == 3_000)
    for (id, events) in byJob {
      let steps = events.map(rank)
      #expect(steps == steps.sorted() && steps.first == 0 && steps.last == .max, "job \(id!): \(steps)")
      #expect(steps.count { $0 == .max } == 1)
    }
  }

  /// Where a step belongs in a job's life.
  private func rank(_ event: JobEvent) -> Int {
    switch event.kind {
    case .submitted, .refused: 0
    case .admitted: 1
    case .started(let attempt, _): attempt * 10
    case .progress(let progress): progress.attempt * 10
    case .stuck: .max
    case .attemptEnded(let attempt): attempt.number * 10 + 1
    case .retrying(let attempt, _): attempt * 10 - 1
    case .settled: .max
    case .dropped: -1
    }
  }
}

@Suite(.timeLimit(.minutes(1)))
struct HistoryTests {
  private func scheduler(remembering: Int, _ change: (inout SchedulerConfiguration) -> Void = { _ in }) -> Scheduler {
    var configuration = SchedulerConfiguration()
    configuration.retry = RetryPolicy(limit: 4, backoff: .none)
    change(&configuration)
    return try! Scheduler(
      configuration, observers: [], attemptsRemembered: remembering,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  @Test func theLatestAttemptsAreRemembered() async throws {
    let scheduler = scheduler(remembering: 3)
    try scheduler.register("broken") { _ in throw Broken() }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("broken", labels: ["x"]))
    _ = try await scheduler.result(of: id)
    let history = try #require(scheduler.history(of: id))
    #expect(history.status.state == .deadLettered && history.status.labels == ["x"] && history.forgotten == 2)
    #expect(history.attempts.map(\.number) == [3, 4, 5])
    #expect(history.attempts.map(\.cause) == [nil, nil, .failed])
    #expect(history.attempts.allSatisfy { $0.outcome == .failed && $0.error is Broken && $0.pool == .async })
    for attempt in history.attempts {
      #expect(attempt.waiting >= .zero && attempt.service >= .zero)
      #expect(.nanoseconds(attempt.finishedUnixNanoseconds - attempt.startedUnixNanoseconds) == attempt.service)
    }
    #expect(scheduler.deadLetterHistories().map(\.attempts.count) == [3])
    await scheduler.shutdown()
  }

  @Test func anAttemptThatTimedOutHasNoOlderError() async throws {
    let time = VirtualTime()
    var configuration = SchedulerConfiguration()
    configuration.retry = RetryPolicy(limit: 1, backoff: .none)
    let scheduler = try Scheduler(configuration, observers: [], attemptsRemembered: 8, time: time)
    try scheduler.register("first broken, then late") { context in
      if context.attempt == 1 { throw Broken() }
      try await context.sleep(for: .seconds(60))
      return nil
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("first broken, then late", timeout: .milliseconds(20)))
    try await time.advance(by: .seconds(1))
    let attempts = try #require(scheduler.history(of: id)).attempts
    #expect(attempts.map(\.outcome) == [.failed, .timedOut])
    #expect(attempts.map { $0.error == nil } == [false, true])
    await scheduler.shutdown()
  }

  @Test func nothingIsKeptWithoutBeingAskedNorOfForgottenJobs() async throws {
    let none = scheduler(remembering: 0)
    try none.register("nop") { _ in nil }
    none.start()
    let id = try await none.submit(JobRequest("nop"))
    _ = try await none.result(of: id)
    #expect(none.history(of: id)?.attempts.isEmpty == true)
    await none.shutdown()
    let forgetful = scheduler(remembering: 4) { $0.retainedCount = 0 }
    try forgetful.register("nop") { _ in nil }
    forgetful.start()
    let gone = try await forgetful.submit(JobRequest("nop"))
    await forgetful.shutdown()
    #expect(forgetful.history(of: gone) == nil)
    #expect(forgetful.withState { state in state.entries.allSatisfy { $0.watch == nil } })
  }
}

@Suite(.timeLimit(.minutes(1)))
struct CallbackTests {
  @Test func aJobsCallbackComesOnceOrNotAtAllWhenWithdrawn() async throws {
    let scheduler = Scheduler.quiet()
    let (started, gate) = (Gate(), Gate())
    try scheduler.registerBlocker("blocker", started: started, until: gate)
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("blocker"))
    let log = Log<String>()
    try scheduler.onSettled(of: id) { log.append("kept \($0.state)") }
    let withdrawn = try scheduler.onSettled(of: id) { _ in log.append("withdrawn") }
    withdrawn.cancel()
    withdrawn.cancel()
    gate.open()
    _ = try await scheduler.result(of: id)
    await eventually { !log.all.isEmpty }
    try scheduler.onSettled(of: id) { log.append("late \($0.state)") }
    #expect(log.all == ["kept completed", "late completed"])
    await scheduler.shutdown()
    #expect(throws: SchedulerError.self) { try scheduler.onSettled(of: JobID(rawValue: 1 << 40)) { _ in } }
  }

  @Test(arguments: [0, 100])
  func everySettledJobIsAnnounced(retained: Int) async throws {
    let scheduler = Scheduler.quiet { $0.retainedCount = retained }
    try scheduler.register("good") { context in context.payload }
    try scheduler.registerBlocking("bad") { _ in throw Hopeless() }
    let (all, bad, none) = (Log<SettledJob>(), Log<SettledJob>(), Log<SettledJob>())
    scheduler.onJobSettled { all.append($0) }
    scheduler.onJobSettled(type: "bad") { job in
      // It may call the scheduler.
      _ = scheduler.metrics()
      bad.append(job)
    }
    scheduler.onJobSettled { none.append($0) }.cancel()
    scheduler.start()
    for number in 0..<10 { try await scheduler.submit(JobRequest("good", payload: number, labels: ["n\(number)"])) }
    try await scheduler.submit(JobRequest("bad"))
    let cancelled = try await scheduler.submit(JobRequest("good", delay: .seconds(3_600)))
    scheduler.cancel(cancelled)
    await scheduler.shutdown()
    #expect(all.all.count == 12 && bad.all.count == 1 && none.all.isEmpty)
    let good = all.all.filter { $0.result.state == .completed }
    #expect(good.allSatisfy { $0.labels == ["n\($0.number)"] && $0.result.value as? Int == Int($0.number) })
    #expect(good.allSatisfy { $0.result.attempts == 1 })
    #expect(bad.all[0].result.cause == .failedPermanently && bad.all[0].result.error == "there is no oven")
    let last = try #require(all.all.first { $0.result.id == cancelled })
    #expect(last.result.attempts == 0 && last.result.state == .cancelled)
  }
}
