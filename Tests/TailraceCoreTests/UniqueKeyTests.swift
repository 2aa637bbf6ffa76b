// Goal: while a job is live nobody else has its unique key; however it settles, the key is free at once.
import TailraceCore
import Testing

@Suite struct UniqueKeyTests {
  private let keyed: (inout JobSubmission) -> Void = { $0.uniqueKey = "report/7" }

  @Test func theSecondIsRefusedAndNamesTheFirst() throws {
    let driver = StepDriver()
    let type = driver.register()
    let first = try driver.add(type, nil, keyed)
    #expect(driver.submit(type, nil, keyed) == .refused(.duplicate(of: first)))
    #expect(driver.records.last?.cause == .duplicate)
    // Another key is another matter.
    _ = try driver.add(type) { $0.uniqueKey = "report/8" }
    driver.start()
    #expect(driver.submit(type, nil, keyed) == .refused(.duplicate(of: first)))
    try driver.finish(first)
    _ = try driver.add(type, nil, keyed)
  }

  enum End: CaseIterable { case failed, cancelledWaiting, cancelledRunning, shed, dependencyFailed, timedOut, stopped }

  @Test(arguments: End.allCases) func everyEndFreesTheKey(end: End) throws {
    let driver = StepDriver {
      $0.queueCapacity = 2
      $0.whenFull = .shed
      if end == .timedOut { $0.timeout = .milliseconds(5) }
    }
    let type = driver.register()
    let other = try driver.add(type, .critical)
    driver.start()
    switch end {
    case .failed, .cancelledRunning, .timedOut:
      try driver.finish(other)
      let id = try driver.add(type, nil, keyed)
      driver.start()
      if end == .failed { try driver.finish(id, .failed) }
      if end == .cancelledRunning { driver.cancel(id) }
      if end == .timedOut { driver.advance(by: .milliseconds(6)) }
    case .cancelledWaiting: driver.cancel(try driver.add(type, nil, keyed))
    case .shed:
      _ = try driver.add(type, .batch, keyed)
      for _ in 0..<2 { _ = try driver.add(type, .critical) }
      try driver.finish(other)
    case .dependencyFailed:
      _ = try driver.add(type, nil, after: [other], keyed)
      driver.cancel(other)
    case .stopped:
      _ = try driver.add(type, nil, keyed)
      driver.stop()
      return #expect(driver.core.violatedInvariants() == [])
    }
    _ = try driver.add(type, .critical, keyed)
  }
}
