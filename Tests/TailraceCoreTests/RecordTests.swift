// Goal: the parts of a job's records, whatever befell it, add up to its response time to the nanosecond.
import Testing

@testable import TailraceCore

@Suite struct RecordTests {
  /// The parts that the records name, each by its stages; what a record leaves open ends with the record.
  private func parts(_ records: [TimelineRecord]) -> [String: Int64] {
    var parts: [String: Int64] = [:]
    for record in records {
      let isFirst = record.previousFinished == TimelineRecord.never
      var stages = [("service", record.started), ("end", record.finished)]
      stages.insert(("waiting", record.eligible), at: 0)
      if isFirst {
        stages =
          [
            ("submission lag", record.intended), ("submission", record.submitted), ("dependency wait", record.accepted),
          ] + stages
      } else {
        stages.insert(("backoff", record.previousFinished), at: 0)
      }
      let reached = stages.filter { $0.1 != TimelineRecord.never }
      for (stage, next) in zip(reached, reached.dropFirst()) {
        parts[stage.0, default: 0] += (next.1 - stage.1).rawValue / 1_000_000
      }
    }
    return parts
  }

  @Test func everyPartOfALongLife() throws {
    let driver = StepDriver {
      $0.retry = RetryPolicy(limit: 2, backoff: .fixed(.milliseconds(32)), jitter: .none)
      $0.timeout = .milliseconds(64)
      $0.queueCapacity = 1
      $0.whenFull = .block
    }
    let type = driver.register()
    driver.advance(by: .milliseconds(1))
    let parent = try driver.add(type) { $0.timeout = .seconds(9) }
    guard
      case .waiting(let id) = driver.submit(
        type, nil,
        {
          $0.intended = .zero
          $0.dependencies = [parent]
        })
    else {
      Issue.record("the queue is full")
      return
    }
    driver.advance(by: .milliseconds(2))
    driver.start()
    driver.advance(by: .milliseconds(4))
    try driver.end(parent)
    driver.advance(by: .milliseconds(8))
    driver.start()
    driver.advance(by: .milliseconds(16))
    try driver.finish(id, .failed)
    driver.advance(by: .milliseconds(32))
    driver.advance(by: .milliseconds(64))
    try driver.finish(id)
    driver.advance(by: .milliseconds(32))
    driver.advance(by: .milliseconds(128))
    let records = driver.records(of: id)
    #expect(records.map(\.outcome) == [.failed, .timedOut, .timedOut])
    #expect(records.map(\.settles) == [false, false, true] && records[2].cause == .timedOut)
    #expect(
      parts(records) == [
        "submission lag": 1, "submission": 2, "dependency wait": 4, "waiting": 8, "service": 16 + 64 + 64,
        "backoff": 64,
      ])
    #expect(parts(records).values.reduce(0, +) == (records[2].finished - records[0].intended).rawValue / 1_000_000)
  }

  @Test func everyEndLeavesOneLastRecord() throws {
    let driver = StepDriver { $0.queueCapacity = 3 }
    let type = driver.register()
    let running = try driver.add(type)
    driver.start()
    let waiting = try driver.add(type)
    let delayed = try driver.add(type) { $0.delay = .seconds(1) }
    let blocked = try driver.add(type, after: [waiting])
    #expect(driver.submit(type) == .refused(.queueFull(capacity: 3)))
    driver.advance(by: .milliseconds(5))
    for id in [running, waiting, delayed] { driver.cancel(id) }
    try driver.end(running)
    for id in [running, waiting, delayed, blocked] {
      #expect(driver.records(of: id).map(\.settles) == [true])
      #expect(parts(driver.records(of: id)).values.reduce(0, +) == 5)
    }
    #expect(driver.records.count == 5 && driver.records.count(where: \.settles) == 5)
  }

  @Test func aJobTakesTwoCacheLines() {
    #expect(MemoryLayout<JobSlot>.stride <= 128)
  }
}
