// Goal: recurring jobs are submitted at their slots, whatever the wall clock does, and refusals never stop them.

import Logging
import Synchronization
import TailraceCore
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

/// A wall clock that tests set.
private final class SteppedClock: Sendable {
  private let offset = Atomic<Int64>(0)
  func step(by time: Nanoseconds) { offset.add(time.rawValue, ordering: .relaxed) }
  func now() -> UnixTime { at(MonotonicClock.now()) }
  func at(_ instant: Instant) -> UnixTime { WallClock.at(instant) + Nanoseconds(offset.load(ordering: .relaxed)) }
}

extension Scheduler {
  fileprivate func setWallClock(_ clock: SteppedClock) { withState { state in state.wallClock = { clock.at($0) } } }

  /// What the re-reading does, without the wait for it.
  fileprivate func readWallClock() { report { state, now, _ in state.readWallClock(at: now) } }

  fileprivate func status(_ name: String) throws -> ScheduleStatus {
    try #require(schedules().first { $0.name == name })
  }
}

@Suite(.timeLimit(.minutes(2)))
struct ScheduleTests {
  @Test func aJobRecursUntilItsScheduleIsRemoved() async throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 2
    let collector = Collector(configuration)
    let scheduler = Scheduler.quiet(observer: collector)
    let log = Log<String>()
    try scheduler.register("tick") { context in
      log.append(context.payload as? String ?? "")
      return nil
    }
    scheduler.start()
    let began = WallClock.now()
    let id = try scheduler.schedule(
      RecurringJob("often", .every(.milliseconds(20)), job: JobRequest("tick", payload: "tock"), missed: .all))
    await eventually { log.all.count >= 4 }
    #expect(scheduler.removeSchedule(id) && !scheduler.removeSchedule(id))
    #expect(scheduler.schedules().isEmpty)
    await scheduler.shutdown()
    #expect(Set(log.all) == ["tock"] && scheduler.violatedInvariants == [])
    // The intended arrivals are the slots, one after the other. Where the thread loses its processor between two
    // readings of the clocks a slot is off by as much, so the median is compared.
    let intended = collector.records.filter(\.settles).map(\.intended).sorted()
    let gaps = zip(intended.dropFirst(), intended).map { ($0 - $1).rawValue }.sorted()
    try #require(gaps.count >= 3)
    #expect(abs(gaps[gaps.count / 2] - 20_000_000) < 2_000_000, "\(gaps)")
    #expect(collector.records.allSatisfy { $0.submitted >= $0.intended && began < WallClock.now() })
  }

  @Test func aThreadThatLostItsProcessorBetweenTheClocksReadsThemAgain() {
    // Each reading takes 40 ns; the first two attempts are held up for 5 ms, one on either side of the wall clock.
    var (time, readings) = (Int64(0), 0)
    func read(_ origin: Int64) -> Int64 {
      readings += 1
      time += readings == 2 || readings == 6 ? 5_000_000 : 40
      return origin + time
    }
    #expect(WallClock.offset(monotonic: { read(0) }, wall: { read(1_000_000) }) == 1_000_000)
    #expect(readings == 9)
    // Held up every time: the shortest wait counts.
    (time, readings) = (0, 0)
    func slow(_ origin: Int64) -> Int64 {
      readings += 1
      time += readings == 11 ? 10_000 : 100_000
      return origin + time
    }
    let offset = WallClock.offset(monotonic: { slow(0) }, wall: { slow(1_000_000) })
    #expect(abs(offset - 1_000_000) <= 100_000 && readings == 24)
  }

  @Test func aCronJobIsKnownByItsNextSlot() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("report") { _ in nil }
    let id = try scheduler.schedule(
      RecurringJob("nightly", .cron("0 2 * * *", timeZone: "Europe/Berlin"), job: JobRequest("report"), missed: .once))
    let status = try scheduler.status("nightly")
    let berlin = try TimeZoneFiles.load("Europe/Berlin")
    let next = try #require(status.next)
    #expect(status.id == id && status.last == nil && status.fired == 0 && status.missed == 0 && !status.isPaused)
    #expect((next.nanoseconds / 1_000_000_000 + Int64(berlin.offset(at: next))) % 86_400 == 7_200)
    await scheduler.shutdown()
    #expect(try scheduler.status("nightly").next == nil)
  }

  @Test func underBlockOneSubmissionOfASchedulesWaits() async throws {
    let time = VirtualTime()
    let configuration = Scheduler.quietConfiguration {
      $0.asyncPool.workers = 1
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    let scheduler = try Scheduler(configuration, time: time)
    let (started, gate) = (Gate(), Gate())
    try scheduler.register("slow") { context in
      started.open()
      try await context.sleep(for: .seconds(1_000))
      await gate.wait()
      return nil
    }
    scheduler.start()
    try scheduler.schedule(RecurringJob("a", .every(.seconds(10)), job: JobRequest("slow")))
    try scheduler.schedule(RecurringJob("b", .every(.seconds(10)), job: JobRequest("slow")))
    try await time.advance(by: .seconds(905))
    // One runs, one is queued, and of the others one of each schedule waits.
    let gauges = scheduler.metrics().gauges
    #expect(gauges.running == 1 && gauges.waiting == 1 && gauges.waitingForRoom == 2)
    let statuses = scheduler.schedules()
    #expect(statuses.map { $0.fired + $0.missed } == [90, 90])
    #expect(statuses.map(\.fired).reduce(0, +) == 4 && statuses.map(\.refused) == [0, 0])
    gate.open()
    // The first ends at 1,010 s: the queued one runs, and one that waited gets its place.
    try await time.advance(by: .seconds(120))
    #expect(scheduler.metrics().gauges.waitingForRoom == 2)
    #expect(scheduler.schedules().map(\.fired).reduce(0, +) == 5)
    await scheduler.shutdown(grace: .zero)
    #expect(scheduler.violatedInvariants == [])
  }

  @Test func refusalsAreCountedAndStopNothing() async throws {
    let scheduler = Scheduler.quiet()
    let (started, gate) = (Gate(), Gate())
    try scheduler.registerBlocker("slow", started: started, until: gate)
    scheduler.start()
    try scheduler.schedule(
      RecurringJob(
        "often", .every(.milliseconds(10)), job: JobRequest("slow", labels: ["x"], uniqueKey: "one"), missed: .once))
    await started.wait()
    await eventually { (try? scheduler.status("often").refused) ?? 0 >= 2 }
    let status = try scheduler.status("often")
    let first = try #require(status.lastJob)
    #expect(status.lastError?.contains("same unique key") == true && status.fired > status.refused)
    #expect(scheduler.status(of: first)?.labels == ["x"])
    gate.open()
    await eventually { (try? scheduler.status("often").lastJob) != first }
    await scheduler.shutdown()
    #expect(scheduler.violatedInvariants == [])
  }

  @Test func shutdownEndsSchedules() async throws {
    let scheduler = Scheduler.quiet()
    let runs = Log<Int>()
    try scheduler.register("tick") { _ in
      runs.append(1)
      return nil
    }
    scheduler.start()
    try scheduler.schedule(RecurringJob("often", .every(.milliseconds(5)), job: JobRequest("tick")))
    await eventually { !runs.all.isEmpty }
    let report = await scheduler.shutdown()
    #expect(report.drained)
    let status = try scheduler.status("often")
    #expect(status.next == nil && status.fired >= runs.all.count && status.fired > 0)
    #expect { try scheduler.schedule(RecurringJob("late", .every(.seconds(1)), job: JobRequest("tick"))) } throws: {
      if case SchedulerError.refused(.stopping) = $0 { true } else { false }
    }
  }

  @Test func aPausedScheduleStandsStill() async throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("tick") { _ in nil }
    scheduler.start()
    let id = try scheduler.schedule(RecurringJob("often", .every(.milliseconds(5)), job: JobRequest("tick")))
    await eventually { (try? scheduler.status("often").fired) ?? 0 > 0 }
    #expect(scheduler.pauseSchedule(id))
    let paused = try scheduler.status("often")
    #expect(paused.isPaused && paused.next == nil)
    #expect(scheduler.resumeSchedule(id))
    await eventually { (try? scheduler.status("often").fired) ?? 0 > paused.fired }
    await scheduler.shutdown()
  }

  @Test func threeMonthsOfNightsPassInVirtualTime() async throws {
    let time = VirtualTime()
    var configuration = SchedulerConfiguration()
    configuration.timeout = nil
    let scheduler = try Scheduler(configuration, time: time)
    let seconds = Log<Int>()
    try scheduler.register("report") { context in
      seconds.append(Int((time.now - .zero).seconds))
      try await context.sleep(for: .seconds(600))
      return nil
    }
    scheduler.start()
    try scheduler.schedule(
      RecurringJob("nightly", .cron("30 2 * * *", timeZone: "Europe/Berlin"), job: JobRequest("report")))
    try await time.advance(by: .seconds(90 * 86_400))
    // Virtual time begins with the year 2000. In the night of 26 March clocks go from 02:00 to 03:00.
    let winter = (0..<85).map { $0 * 86_400 + 5_400 }
    #expect(seconds.all == winter + [85 * 86_400 + 3_600] + (86..<90).map { $0 * 86_400 + 1_800 })
    let status = try scheduler.status("nightly")
    #expect(status.fired == 90 && status.missed == 0 && status.next == UnixTime("2000-03-31T00:30:00Z"))
    try await scheduler.submit(JobRequest("report", startAt: UnixTime("2000-04-01T12:00:00Z")))
    try await time.advance(by: .seconds(3 * 86_400))
    #expect(seconds.all.contains(91 * 86_400 + 43_200))
    await scheduler.shutdown()
  }

  // MARK: The wall clock

  @Test func aClockSetForwardMakesSlotsMissed() async throws {
    let scheduler = Scheduler.quiet()
    let clock = SteppedClock()
    scheduler.setWallClock(clock)
    let intended = Log<String>()
    try scheduler.register("tick") { context in
      intended.append(context.payload as? String ?? "")
      return nil
    }
    scheduler.start()
    for (name, missed) in [("once", MissedSlots.once), ("all", .all(limit: 3)), ("skip", .skip(grace: .zero))] {
      try scheduler.schedule(
        RecurringJob(
          name, .every(.seconds(86_400), anchor: clock.now() + .seconds(3_600)),
          job: JobRequest("tick", payload: name), missed: missed))
    }
    clock.step(by: .seconds(10 * 86_400))
    scheduler.readWallClock()
    await eventually { intended.all.count >= 4 }
    #expect(intended.all.sorted() == ["all", "all", "all", "once"])
    #expect(try scheduler.status("once").missed == 9)
    #expect(try scheduler.status("all").missed == 7)
    #expect(try scheduler.status("skip").missed == 10)
    // Back again: nothing is repeated.
    clock.step(by: .seconds(-86_400))
    scheduler.readWallClock()
    #expect(try #require(scheduler.status("once").next) > clock.now())
    await scheduler.shutdown()
    #expect(intended.all.count == 4 && scheduler.violatedInvariants == [])
  }

  @Test func aSlotIsNotBelievedBeforeTheClockShowsIt() async throws {
    let scheduler = Scheduler.quiet()
    let clock = SteppedClock()
    scheduler.setWallClock(clock)
    let runs = Log<UnixTime>()
    try scheduler.register("tick") { _ in
      runs.append(clock.now())
      return nil
    }
    scheduler.start()
    let slot = clock.now() + .milliseconds(50)
    try scheduler.schedule(RecurringJob("soon", .every(.seconds(86_400), anchor: slot), job: JobRequest("tick")))
    // Set back behind the scheduler's back: the timer fires early, and the clock is read before it is believed.
    clock.step(by: .milliseconds(-200))
    await eventually { !runs.all.isEmpty }
    #expect(runs.all.allSatisfy { $0 >= slot - WallClock.tolerance })
    await scheduler.shutdown()
  }

  // MARK: Refused schedules

  @Test func badSchedulesAreRefusedByName() throws {
    let scheduler = Scheduler.quiet()
    try scheduler.register("tick") { _ in nil }
    func words(_ name: String, _ timing: RecurringJob.Timing, _ type: String = "tick", _ missed: MissedSlots = .skip)
      -> String
    {
      do {
        try scheduler.schedule(RecurringJob(name, timing, job: JobRequest(type), missed: missed))
        return "taken"
      } catch {
        return "\(error)"
      }
    }
    #expect(words("a", .every(.seconds(60))) == "taken")
    #expect(words("a", .every(.seconds(60))).hasPrefix("a schedule named 'a' already exists"))
    #expect(words("b", .cron("0 25 * * *")).hasPrefix("cron expression '0 25 * * *': hour '25'"))
    #expect(words("c", .cron("@daily", timeZone: "Europe/Berln")).contains("did you mean 'Europe/Berlin'"))
    #expect(words("d", .every(.zero)).contains("interval is 0.0 seconds; allowed: 1 ns or longer"))
    #expect(words("e", .recurrence(.every(.nanoseconds(-5)))).contains("interval is -5e-09 seconds"))
    #expect(words("f", .every(.seconds(1)), "tock").hasPrefix("no handler is registered for job type 'tock'"))
    #expect(words("g", .every(.seconds(1)), "tick", .all(limit: 0)).contains("missed.limit is 0; allowed: 1 to 1,000"))
    #expect(scheduler.schedules().map(\.name) == ["a"])
  }

  // MARK: One job at a time of its own

  @Test func aJobStartsAtItsTime() async throws {
    let scheduler = Scheduler.quiet()
    let begun = Log<UnixTime>()
    try scheduler.register("note") { _ in
      begun.append(WallClock.now())
      return nil
    }
    scheduler.start()
    let time = WallClock.now() + .milliseconds(60)
    let late = try await scheduler.submit(JobRequest("note", startAt: time))
    let past = try await scheduler.submit(JobRequest("note", startAt: time - .seconds(86_400)))
    _ = try await scheduler.result(of: past)
    #expect(try await scheduler.result(of: late).state == .completed)
    #expect(begun.all.count == 2 && begun.all.max()! >= time - .milliseconds(1))
    await scheduler.shutdown()
  }
}
