// Goal: a job that must not start before an instant does not, and starts in it.
import TailraceCore
import Testing

@Suite struct NotBeforeTests {
  private func instant(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

  @Test func theLaterOfDelayAndInstantHolds() throws {
    for (delay, notBefore, expected) in [(Int64(0), Int64(5), Int64(5)), (3, 5, 5), (5, 3, 5), (4, 0, 4)] {
      let driver = StepDriver()
      let type = driver.register()
      driver.advance(by: .seconds(1))
      let id = try driver.add(type) {
        $0.delay = .seconds(delay)
        $0.notBefore = self.instant(notBefore + 1)
      }
      driver.start()
      #expect(driver.core.state(of: id) == .scheduled)
      driver.advance(to: instant(expected + 1) - Nanoseconds(1))
      #expect(driver.running.isEmpty)
      driver.advance(to: instant(expected + 1))
      #expect(driver.running.map(\.job) == [id])
      try driver.finish(id)
      #expect(driver.records(of: id).first?.eligible == instant(expected + 1))
    }
  }

  @Test func anInstantInThePastIsAtOnce() throws {
    let driver = StepDriver()
    let type = driver.register()
    driver.advance(by: .seconds(10))
    let id = try driver.add(type) { $0.notBefore = self.instant(3) }
    driver.start()
    #expect(driver.running.map(\.job) == [id])
    try driver.finish(id)
    #expect(driver.records(of: id).first?.eligible == instant(10), "never eligible before it was admitted")
  }

  @Test func whoWaitedForRoomWaitsNoLonger() throws {
    let driver = StepDriver {
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    let type = driver.register()
    let first = try driver.add(type)
    guard case .waiting(let early) = driver.submit(type, nil, { $0.notBefore = self.instant(5) }),
      case .waiting(let late) = driver.submit(
        type, nil,
        {
          $0.notBefore = self.instant(30)
          $0.delay = .seconds(1)
        })
    else { throw StepDriver.Surprise.notRunning(first) }
    driver.advance(by: .seconds(10))
    driver.start()
    try driver.finish(first)
    #expect(driver.running.map(\.job) == [early], "its instant passed while it waited for room")
    try driver.finish(early)
    #expect(driver.core.state(of: late) == .scheduled)
    driver.advance(to: instant(29))
    #expect(driver.running.isEmpty)
    driver.advance(to: instant(30))
    #expect(driver.running.map(\.job) == [late])
  }

  @Test func dependenciesAndTheInstantBothHold() throws {
    let driver = StepDriver()
    let type = driver.register()
    let parent = try driver.add(type)
    let (early, late) = (
      try driver.add(type, after: [parent]) { $0.notBefore = self.instant(2) },
      try driver.add(type, after: [parent]) { $0.notBefore = self.instant(9) }
    )
    driver.start()
    driver.advance(by: .seconds(4))
    try driver.finish(parent)
    #expect(driver.running.map(\.job) == [early])
    try driver.finish(early)
    driver.advance(to: instant(9))
    #expect(driver.running.map(\.job) == [late])
  }
}
