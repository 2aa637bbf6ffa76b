// Goal: no argument of a call ends the process or hangs it, and no identifier that nobody gave out is taken for one.

import Glibc
import Logging
import TailraceCore
import TailracePlatform
import Testing

@testable import TailraceRuntime

@Suite(.serialized, .timeLimit(.minutes(10)))
struct ExtremeCallTests {
  private static let durations: [Duration] = [
    Duration(secondsComponent: .min, attosecondsComponent: 0), .seconds(-1_000_000_000_000_000_000), .seconds(-1),
    .nanoseconds(-1), .zero, Duration(secondsComponent: 0, attosecondsComponent: 1), .nanoseconds(1),
    .seconds(1_000_000_000_000_000_000), Duration(secondsComponent: .max, attosecondsComponent: 0),
  ]
  private static let identifiers: [UInt64] = [0, 1, 7, 0x7fff_ffff, 0xffff_ffff, 1 << 32, 1 << 63, .max - 1, .max]
  private static let times = [Int64.min, -1, 0, 1, .max - 1, .max].map { UnixTime(nanoseconds: $0) }

  @Test func awaitsMayTakeAnyTime() async throws {
    let time = VirtualTime()
    let scheduler = Scheduler(logger: Scheduler.silentLogger, time: time)
    try scheduler.register("nap") { context in
      try await context.sleep(for: .milliseconds(5))
      return nil
    }
    scheduler.start()
    for duration in Self.durations {
      let id = try await scheduler.submit(JobRequest("nap"))
      async let result = scheduler.result(of: id, timeout: duration)
      try await time.advance(by: .milliseconds(10))
      do {
        #expect(try await result.state == .completed, "\(duration)")
      } catch SchedulerError.awaitTimedOut {
        #expect(duration < .milliseconds(5), "\(duration)")
      }
    }
    await scheduler.shutdown(grace: .zero)
  }

  @Test func handlersMaySleepForAnyTime() async throws {
    let time = VirtualTime()
    let scheduler = Scheduler(logger: Scheduler.silentLogger, time: time)
    try scheduler.register("sleep") { context in
      context.report(progress: .nan)
      context.report(progress: -.infinity)
      try await context.sleep(for: context.payload as? Duration ?? .zero)
      return nil
    }
    try scheduler.registerBlocking("block") { context in
      try context.sleep(for: context.payload as? Duration ?? .zero)
      return nil
    }
    scheduler.start()
    for duration in Self.durations {
      for type in ["sleep", "block"] {
        let id = try await scheduler.submit(JobRequest(type, payload: duration, timeout: .seconds(1), retry: .never))
        try await time.advance(by: .seconds(2))
        let result = try await scheduler.result(of: id)
        #expect(result.cause == (duration > .seconds(1) ? .timedOut : .succeeded), "\(type) for \(duration)")
      }
    }
    await scheduler.shutdown(grace: .zero)
  }

  @Test(arguments: durations) func shutdownsMayTakeAnyTime(duration: Duration) async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("nop") { _ in nil }
    scheduler.start()
    try await scheduler.submit(JobRequest("nop"))
    let report = await scheduler.shutdown(grace: duration, stopping: duration)
    #expect(report.leftRunning == 0 || duration <= .nanoseconds(1))
  }

  @Test func virtualTimeMovesByAnyLength() async throws {
    for duration in Self.durations {
      let time = VirtualTime(startingAt: Self.times.randomElement())
      let scheduler = Scheduler(logger: Scheduler.silentLogger, time: time)
      try scheduler.register("nop") { _ in nil }
      scheduler.start()
      try await scheduler.submit(JobRequest("nop", delay: .seconds(3_600)))
      do {
        try await time.advance(by: duration)
        try await time.advance(by: .seconds(1))
        #expect(duration >= .zero)
      } catch is TimeCannotGoBack {
        #expect(duration < .zero)
      }
      // However long time went on, nothing is due after its end.
      await scheduler.shutdown(grace: .zero)
    }
  }

  @Test func identifiersThatNobodyGaveOutAreUnknown() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("nop") { _ in nil }
    for raw in Self.identifiers {
      let id = JobID(rawValue: raw)
      #expect(scheduler.status(of: id) == nil && scheduler.history(of: id) == nil)
      #expect(!scheduler.cancel(id) && !scheduler.purgeDeadLetter(id))
      #expect(throws: SchedulerError.self) { try scheduler.replay(id) }
      #expect(throws: SchedulerError.self) { try scheduler.onSettled(of: id) { _ in } }
      await #expect(throws: SchedulerError.self) { try await scheduler.result(of: id, timeout: .zero) }
      await scheduler.settleBatch(BatchID(rawValue: UInt32(truncatingIfNeeded: raw)))
      let schedule = ScheduleID(rawValue: raw)
      #expect(!scheduler.removeSchedule(schedule) && !scheduler.pauseSchedule(schedule))
      #expect(!scheduler.resumeSchedule(schedule))
    }
    await scheduler.shutdown(grace: .zero)
  }

  @Test func deadLettersMayBePurgedByAnyAge() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("broken") { _ in throw Broken() }
    scheduler.start()
    for duration in Self.durations {
      let id = try await scheduler.submit(JobRequest("broken"))
      _ = try await scheduler.result(of: id)
      #expect(scheduler.purgeDeadLetters(olderThan: duration) == (duration < .seconds(1) ? 1 : 0), "\(duration)")
      scheduler.purgeDeadLetters()
    }
    await scheduler.shutdown()
  }

  @Test func healthLimitsAreRefusedOrWork() async throws {
    let scheduler = Scheduler.quiet()
    scheduler.start()
    for share in [-Double.infinity, -1, -0.0, 0, 0.5, 1, 1.1, .infinity, .nan] {
      try judge(scheduler, isInRange: (0...1).contains(share), "queueShare") { $0.queueShare = share }
      try judge(scheduler, isInRange: (0...1).contains(share), "successShare") { $0.successShare = share }
    }
    for count in [Int.min, -1, 0, 1, 65_534, 65_535, .max] {
      try judge(scheduler, isInRange: count >= 1, "fewestJobs") { $0.fewestJobs = count }
      try judge(scheduler, isInRange: (0...65_534).contains(count), "stuckWorkers") { $0.stuckWorkers = count }
    }
    for duration in Self.durations {
      try judge(scheduler, isInRange: duration >= .zero, "blockedAfter") { $0.blockedAfter = duration }
    }
    await scheduler.shutdown()
  }

  private func judge(
    _ scheduler: Scheduler, isInRange: Bool, _ name: String, _ set: (inout HealthLimits) -> Void
  ) throws {
    var limits = HealthLimits()
    set(&limits)
    expectRefusal(of: [name], unless: isInRange) {
      let health = try scheduler.health(limits)
      #expect(health.isReady)
    }
  }

  /// Whether a call is refused for these values, and no others, unless all are in range.
  private func expectRefusal(of names: [String], unless isInRange: Bool, _ call: () throws -> Void) {
    do {
      try call()
      #expect(isInRange, "\(names) were taken")
    } catch let error as InvalidValues {
      #expect(!isInRange && error.values.map(\.name) == names, "\(error)")
      #expect(error.values.allSatisfy { !$0.value.isEmpty && !$0.range.isEmpty })
    } catch {
      Issue.record("\(names): \(error)")
    }
  }

  @Test func buffersOfEverySizeAreRefusedOrWork() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("nop") { _ in nil }
    var all: [JobEvents] = []
    for size in [Int.min, -1, 0, 1, 10_000_000, 10_000_001, .max] {
      expectRefusal(of: ["capacity"], unless: (1...10_000_000).contains(size)) {
        all.append(try scheduler.events(bufferingNewest: size))
      }
    }
    scheduler.start()
    let id = try await scheduler.submit(JobRequest("nop"))
    _ = try await scheduler.result(of: id)
    await scheduler.shutdown()
    for events in all {
      var count = 0
      for await _ in events { count += 1 }
      #expect(count > 0)
    }
    for remembered in [Int.min, -1, 1_001, .max] {
      #expect(throws: InvalidValues.self) { try Scheduler(observers: [], attemptsRemembered: remembered) }
    }
    for bytes in [Int.min, -1] {
      #expect(throws: InvalidValues.self) { try Scheduler(observers: [], results: .bytes(bytes)) }
      #expect(throws: InvalidValues.self) { try Scheduler(observers: [], results: .untilAwaited(bytes: bytes)) }
    }
  }

  @Test func evidenceSettingsAreChecked() {
    for value in [Int.min, -1, 0, .max] {
      var settings = EvidenceLog.Configuration(path: "/nowhere/at/all")
      (settings.files, settings.waitingLines, settings.maximumBytes) = (value, value, value)
      expectRefusal(of: (value == .max ? [] : ["maximumBytes"]) + ["files", "waitingLines"], unless: false) {
        try settings.validate()
      }
      #expect(throws: EvidenceLogError.self) { try EvidenceLog(settings) }
    }
    for path in ["", "/dev/null\u{0}.jsonl", String(repeating: "x", count: 4_091)] {
      let settings = EvidenceLog.Configuration(path: path)
      expectRefusal(of: ["path"], unless: false) { try settings.validate() }
      #expect {
        try EvidenceLog(settings)
      } throws: {
        if case .invalidSettings = $0 as? EvidenceLogError { true } else { false }
      }
    }
  }

  @Test func aProgramThatRunsUntilASignalIsToldOfItsPeriod() async throws {
    let scheduler = Scheduler.quiet()
    for duration in Self.durations where duration < .zero {
      await #expect(throws: InvalidValues.self) { try await scheduler.run(until: [SIGUSR1], grace: duration) }
    }
    await #expect(throws: InvalidValues.self) { try await scheduler.run(until: []) }
    #expect(scheduler.health() == .unhealthy(.notStarted))
    await scheduler.shutdown(grace: .zero)
  }

  @Test(arguments: [Int32.min, -1, 0, SIGKILL, SIGSTOP, 65, 4_096, .max])
  func signalsThatCannotBeCaughtAreRefused(signal: Int32) async throws {
    let scheduler = Scheduler.quiet()
    await #expect(throws: InvalidValues.self) { try await scheduler.run(until: [SIGUSR1, signal]) }
    #expect(scheduler.health() == .unhealthy(.notStarted))
    await scheduler.shutdown(grace: .zero)
  }

  @Test func aTimerWithoutAThreadIsSaidAndTriedAgain() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("late") { _ in 1 }
    scheduler.timer.refuseThread(times: .max)
    scheduler.start()
    #expect(scheduler.health() == .degraded([.timerNotStarted(error: EAGAIN)]))
    let first = try await scheduler.submit(JobRequest("late", delay: .milliseconds(5)))
    #expect("\(scheduler.health())".contains("cannot start the timer thread"))
    scheduler.timer.refuseThread(times: 0)
    let second = try await scheduler.submit(JobRequest("late", delay: .milliseconds(1)))
    for id in [first, second] { #expect(try await scheduler.result(of: id, timeout: .seconds(60)).state == .completed) }
    #expect(scheduler.health() == .healthy)
    await scheduler.shutdown()
  }

  // MARK: - Schedules

  @Test func everyScheduleIsRefusedOrWorks() async throws {
    let time = VirtualTime()
    let scheduler = Scheduler(logger: Scheduler.silentLogger, time: time)
    try scheduler.register("tick") { _ in nil }
    scheduler.start()
    var number = 0
    func take(_ timing: RecurringJob.Timing, _ missed: MissedSlots = .skip, after: UnixTime? = nil) async throws {
      number += 1
      do {
        let id = try scheduler.schedule(
          RecurringJob("\(number)", timing, job: JobRequest("tick"), missed: missed, after: after))
        try await time.advance(by: .milliseconds(1))
        _ = scheduler.schedules()
        #expect(scheduler.pauseSchedule(id) && scheduler.resumeSchedule(id) && scheduler.removeSchedule(id))
      } catch let error as InvalidValues {
        #expect(!error.values.isEmpty)
      } catch is CronError {
      } catch is TimeZoneError {
      }
    }
    // One slot every nanosecond is as many as there is time for.
    for duration in Self.durations where duration != .nanoseconds(1) {
      for anchor in Self.times { try await take(.every(duration, anchor: anchor), .once) }
    }
    for after in Self.times {
      try await take(.every(.seconds(1)), .all(limit: 3), after: after)
      try await take(.cron("* * * * *"), .once, after: after)
      try await take(.cron("0 0 29 2 *", timeZone: "Europe/Berlin"), .all, after: after)
    }
    for limit in [Int.min, -1, 0, 1, 1_000, 1_001, .max] { try await take(.every(.seconds(1)), .all(limit: limit)) }
    for grace in [Int64.min, -1, 0, .max] { try await take(.every(.seconds(1)), .skip(grace: .nanoseconds(grace))) }
    for text in ["", " ", "* * * * * * * *", "99999999999999999999 * * * *", "*/0 * * * *", "0 0 31 2 *", "\u{0}"] {
      try await take(.cron(text))
      try await take(.cron("* * * * *", timeZone: text))
    }
    for offset in [Int.min, -93_601, -93_600, 0, 93_600, 93_601, .max] {
      let isInRange = abs(Double(offset)) <= 93_600
      if let zone = try? TimeZoneOffsets(name: "x", fixed: offset) {
        #expect(isInRange)
        try await take(.recurrence(.cron(try CronExpression("0 12 * * *"), zone)))
      } else {
        #expect(!isInRange)
      }
    }
    #expect(throws: InvalidValues.self) { try TimeZoneOffsets(name: "x", initial: 0, transitions: [(5, 0), (5, 1)]) }
    #expect(scheduler.violatedInvariants == [])
    await scheduler.shutdown(grace: .zero)
  }

  @Test func timesSaturate() {
    let extremes = [Int64.min, -1, 0, 1, .max]
    for a in extremes {
      for b in extremes {
        let (sum, overflows) = a.addingReportingOverflow(b)
        let expected = overflows ? (b < 0 ? Int64.min : .max) : sum
        #expect((Nanoseconds(a) + Nanoseconds(b)).rawValue == expected)
        #expect((Instant(nanoseconds: a) + Nanoseconds(b)).nanoseconds == expected)
        let (difference, underflows) = a.subtractingReportingOverflow(b)
        let wanted = underflows ? (b < 0 ? Int64.max : .min) : difference
        #expect((Nanoseconds(a) - Nanoseconds(b)).rawValue == wanted)
        #expect((Instant(nanoseconds: a) - Instant(nanoseconds: b)).rawValue == wanted)
        #expect((Instant(nanoseconds: a) - Nanoseconds(b)).nanoseconds == wanted)
      }
      #expect(Nanoseconds.seconds(a).rawValue == (a == .min ? .min : a == .max ? .max : a * 1_000_000_000))
    }
  }
}
