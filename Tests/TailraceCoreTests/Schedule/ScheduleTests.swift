// Goal: schedules fire each slot once, at its instant, whatever the timer and the wall clock do.
import TailraceCore
import Testing

/// 2026-01-01T00:00:00Z at the driver's instant zero.
private let newYear = UnixTime("2026-01-01T00:00:00Z")!

extension StepDriver {
  fileprivate func tellWall(_ offset: Nanoseconds = .zero) {
    core.wallClockRead(newYear + (now - .zero) + offset, at: now)
    start()
  }

  fileprivate func add(
    every seconds: Int64 = 60, missed: MissedSlots = .skip, after: UnixTime? = nil
  ) throws -> ScheduleID {
    let id = try core.scheduleAdded(
      ScheduleDescription(.every(.seconds(seconds)), missed: missed, after: after), at: now)
    start()
    return id
  }

  fileprivate func schedule(_ id: ScheduleID) -> ScheduleState? { core.state(of: id) }
  fileprivate var scheduleCount: Int { core.scheduleCount }
  fileprivate var isDrained: Bool { core.isDrained }

  fileprivate func remove(_ id: ScheduleID) -> Bool {
    defer { start() }
    return core.scheduleRemoved(id, at: now)
  }

  fileprivate func pause(_ id: ScheduleID) -> Bool {
    defer { start() }
    return core.schedulePaused(id, at: now)
  }

  fileprivate func resume(_ id: ScheduleID) -> Bool {
    defer { start() }
    return core.scheduleResumed(id, at: now)
  }

  /// Seconds after the new year of each slot that fired.
  fileprivate var firings: [Int] {
    orders.compactMap { order in
      guard case .fireSchedule(_, let slot, _) = order else { return nil }
      return Int((slot - newYear).rawValue / 1_000_000_000)
    }
  }

  fileprivate var intendedSeconds: [Int] {
    orders.compactMap { order in
      guard case .fireSchedule(_, _, let intended) = order else { return nil }
      return Int(intended.nanoseconds / 1_000_000_000)
    }
  }
}

@Suite struct ScheduleTests {
  @Test func eachSlotFiresOnceAtItsInstant() throws {
    let driver = StepDriver()
    driver.advance(by: .seconds(5))
    driver.tellWall()
    let id = try driver.add()
    driver.advance(by: .seconds(300))
    #expect(driver.firings == [60, 120, 180, 240, 300])
    #expect(driver.intendedSeconds == driver.firings)
    let state = try #require(driver.schedule(id))
    #expect(state.fired == 5 && state.missed == 0 && state.last == newYear + .seconds(300))
    #expect(state.next == newYear + .seconds(360))
  }

  @Test func nothingFiresBeforeTheClockIsTold() throws {
    let driver = StepDriver()
    let id = try driver.add()
    driver.advance(by: .seconds(200))
    #expect(driver.firings.isEmpty && driver.schedule(id)?.next == nil)
    driver.tellWall()
    driver.advance(by: .seconds(100))
    #expect(driver.firings == [240, 300])
  }

  @Test func schedulesOfOneInstantFireInTheOrderInWhichTheyWereAdded() throws {
    let driver = StepDriver()
    driver.tellWall()
    let ids = [try driver.add(), try driver.add(every: 30), try driver.add()]
    driver.advance(by: .seconds(60))
    let fired = driver.orders.compactMap { if case .fireSchedule(let id, _, _) = $0 { id } else { nil } }
    #expect(fired == [ids[1], ids[0], ids[2], ids[1]])
  }

  // MARK: Missed slots

  @Test func skipFiresTheLatestIfItIsFresh() throws {
    for (late, expected) in [(Int64(20), [300]), (40, [])] {
      let driver = StepDriver()
      driver.tellWall()
      let id = try driver.add(missed: .skip(grace: .seconds(30)))
      driver.oversleep(by: .seconds(300 + late))
      driver.fireTimer()
      #expect(driver.firings == expected)
      #expect(driver.schedule(id)?.missed == 5 - expected.count)
      driver.advance(by: .seconds(60))
      #expect(driver.firings == expected + [360])
    }
  }

  @Test func onceFiresOnceForAll() throws {
    let driver = StepDriver()
    driver.tellWall()
    let id = try driver.add(missed: .once)
    driver.oversleep(by: .seconds(3_630))
    driver.fireTimer()
    #expect(driver.firings == [3_600] && driver.intendedSeconds == [3_600])
    #expect(driver.schedule(id)?.missed == 59)
    driver.advance(by: .seconds(60))
    #expect(driver.firings == [3_600, 3_660])
  }

  @Test func allFiresEachUpToItsBound() throws {
    let driver = StepDriver()
    driver.tellWall()
    let (bounded, whole) = (try driver.add(missed: .all(limit: 3)), try driver.add(every: 100, missed: .all))
    driver.oversleep(by: .seconds(310))
    driver.fireTimer()
    #expect(driver.firings == [180, 240, 300, 100, 200, 300])
    #expect(driver.schedule(bounded)?.missed == 2 && driver.schedule(whole)?.missed == 0)
  }

  @Test func cronCountsWhatWasMissed() throws {
    let driver = StepDriver()
    driver.tellWall()
    let hourly = Recurrence.cron(try CronExpression("30 * * * *"), .utc)
    let minutely = Recurrence.cron(try CronExpression("* * * * *"), .utc)
    let id = try driver.core.scheduleAdded(ScheduleDescription(hourly, missed: .once), at: driver.now)
    let often = try driver.core.scheduleAdded(ScheduleDescription(minutely, missed: .all(limit: 2)), at: driver.now)
    driver.start()
    driver.oversleep(by: .seconds(30 * 86_400))
    driver.fireTimer()
    #expect(driver.schedule(id)?.missed == 719)
    #expect(driver.schedule(id)?.last == UnixTime("2026-01-30T23:30:00Z"))
    #expect(driver.schedule(often)?.missed == ScheduleState.mostCounted - 2)
    #expect(driver.schedule(often)?.last == UnixTime("2026-01-31T00:00:00Z"))
  }

  @Test func whatAnEarlierProcessLeftIsMissed() throws {
    let driver = StepDriver()
    driver.tellWall()
    let before = newYear - .seconds(600)
    _ = try driver.add(missed: .once, after: before)
    _ = try driver.add(missed: .skip(grace: .seconds(30)), after: before)
    driver.advance(by: .zero)
    #expect(driver.firings == [0, 0], "the slot of this very instant is not late")
    _ = try driver.add(missed: .skip, after: newYear + .seconds(90))
    driver.advance(by: .seconds(120))
    #expect(driver.firings.count { $0 == 120 } == 3 && driver.firings.count { $0 == 60 } == 2)
  }

  // MARK: The clock is set

  @Test func aStepForwardMakesSlotsMissed() throws {
    let choices = [(MissedSlots.once, [60, 360]), (.all, [60, 120, 180, 240, 300, 360]), (.skip, [60, 360])]
    for (missed, expected) in choices {
      let driver = StepDriver()
      driver.tellWall()
      _ = try driver.add(missed: missed)
      driver.advance(by: .seconds(70))
      driver.tellWall(.seconds(300))
      driver.advance(by: .zero)
      #expect(driver.firings == expected)
      driver.advance(by: .seconds(50))
      #expect(driver.firings == expected + [420])
    }
  }

  @Test func aStepBackRepeatsNothing() throws {
    let driver = StepDriver()
    driver.tellWall()
    let id = try driver.add()
    driver.advance(by: .seconds(310))
    driver.tellWall(.seconds(-200))
    #expect(driver.schedule(id)?.next == newYear + .seconds(360))
    driver.advance(by: .seconds(200))
    #expect(driver.firings == [60, 120, 180, 240, 300])
    driver.advance(by: .seconds(60))
    #expect(driver.firings == [60, 120, 180, 240, 300, 360])
    #expect(driver.schedule(id)?.missed == 0)
  }

  @Test func aSmallStepBackRightAfterASlotRepeatsNothing() throws {
    let driver = StepDriver()
    driver.tellWall()
    _ = try driver.add()
    driver.advance(by: .seconds(60))
    for _ in 0..<5 {
      driver.tellWall(Nanoseconds(-1_000))
      driver.advance(by: Nanoseconds(2_000))
      driver.tellWall()
      driver.advance(by: Nanoseconds(2_000))
    }
    #expect(driver.firings == [60])
  }

  @Test func aClockThatWasFarAheadSilencesNobody() throws {
    let driver = StepDriver()
    driver.tellWall()
    let id = try driver.add(missed: .skip)
    driver.advance(by: .seconds(100))
    let century = Nanoseconds.seconds(70 * 365 * 86_400)
    for _ in 0..<12 {
      driver.tellWall(century)
      driver.advance(by: .seconds(60))
      driver.tellWall()
      driver.advance(by: .seconds(60))
    }
    let here = driver.firings.filter { $0 < 10_000 }
    #expect(here == Array(Set(here)).sorted() && here.count >= 12, "\(here)")
    #expect(driver.schedule(id)?.next == newYear + .seconds(1_560))
  }

  @Test func slotsThatWereLeftOutFireWhenTheirTimeComesAgain() throws {
    let driver = StepDriver()
    driver.tellWall()
    _ = try driver.add(missed: .once)
    driver.advance(by: .seconds(60))
    driver.tellWall(.seconds(240))
    driver.advance(by: .zero)
    #expect(driver.firings == [60, 300])
    driver.tellWall()
    driver.advance(by: .seconds(300))
    #expect(driver.firings == [60, 300, 120, 180, 240, 360])
  }

  // MARK: Ends

  @Test func removedAndPausedSchedulesDoNotFire() throws {
    let driver = StepDriver()
    driver.tellWall()
    let (removed, paused) = (try driver.add(), try driver.add())
    let kept = try driver.add(every: 100)
    driver.advance(by: .seconds(60))
    #expect(driver.remove(removed))
    #expect(!driver.remove(removed))
    #expect(driver.pause(paused))
    driver.advance(by: .seconds(150))
    #expect(driver.firings == [60, 60, 100, 200])
    let fresh = try driver.add()
    #expect(fresh != removed && driver.schedule(removed) == nil && driver.schedule(fresh) != nil)
    #expect(driver.resume(paused))
    driver.start()
    driver.advance(by: .seconds(60))
    #expect(driver.firings == [60, 60, 100, 200, 240, 240])
    #expect(driver.schedule(paused)?.missed == 0 && driver.scheduleCount == 3)
    #expect(driver.schedule(kept)?.fired == 2)
  }

  @Test func drainingEndsSchedules() throws {
    let driver = StepDriver()
    driver.tellWall()
    let id = try driver.add()
    driver.drain()
    #expect(driver.isDrained)
    driver.advance(by: .seconds(300))
    driver.tellWall(.seconds(60))
    #expect(driver.resume(id))
    driver.advance(by: .seconds(300))
    #expect(driver.firings.isEmpty)
    #expect(throws: Refusal.stopping) { try driver.add() }
  }

  /// Random clocks: no slot fires twice, and none fires before its time.
  @Test func noSlotFiresTwiceWhateverTheClockDoes() throws {
    for seed in 1...100 as ClosedRange<UInt64> {
      var random = SwarmRandom(seed: seed)
      let driver = StepDriver()
      driver.tellWall()
      let missed = random.pick([MissedSlots.skip, .skip(grace: .zero), .once, .all, .all(limit: 3)])
      let id = try driver.add(every: Int64(random.number(1...90)), missed: missed)
      var offset = Nanoseconds.zero
      for _ in 0..<60 {
        if random.chance(30) { driver.oversleep(by: .seconds(Int64(random.number(1...400)))) }
        if random.chance(40) {
          offset = .seconds(Int64(random.number(-1_000...1_000)))
          driver.tellWall(offset)
        }
        let wall = newYear + (driver.now - .zero) + offset
        driver.advance(by: .seconds(Int64(random.number(0...120))))
        if let next = driver.schedule(id)?.next { #expect(next > wall, "seed \(seed): a slot is overdue") }
      }
      let slots = driver.firings
      #expect(slots.count == Set(slots).count, "seed \(seed): a slot fired twice")
      #expect(driver.schedule(id)?.fired == slots.count)
    }
  }
}
