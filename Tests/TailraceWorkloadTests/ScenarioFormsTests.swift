// Goal: forms that people know from elsewhere mean here what they mean there: jumps between rates, merge keys, no
// time-out, schedules with seconds and special days.

import TailraceCore
import TailraceWorkload
import Testing

@Suite struct ScenarioFormsTests {
  private func parse(_ yaml: String) throws -> Scenario {
    try ScenarioParser.parse(yaml: "name: f\n" + yaml, file: "f.yaml").get()
  }

  private func instants(_ load: String, duration: String) throws -> [Int64] {
    let scenario = try parse("jobs: {a: {service: 1ms}}\nduration: \(duration)\nload: \(load)\n")
    var cursor = Tape(scenario: scenario, seed: 5).makeCursor()
    var found: [Int64] = []
    while let job = cursor.next() { found.append(job.intended.nanoseconds) }
    return found
  }

  @Test func aStageWithoutLengthIsAJump() throws {
    let load = "{stages: [{to: 100/s, for: 0s}, {to: 100/s, for: 50s}, {to: 400/s, for: 0s}, {to: 400/s, for: 50s}]}"
    let found = try instants(load, duration: "200s")
    func count(_ range: Range<Int64>) -> Double { Double(found.count { range.contains($0 / 1_000_000_000) }) }
    // Four standard deviations of each Poisson count.
    #expect(abs(count(0..<50) - 5_000) < 283 && abs(count(50..<100) - 20_000) < 566)
    #expect(abs(count(0..<5) - 500) < 90, "the rate is there from the first instant")
    #expect(count(100..<200) == 0)
    // A jump at the end changes nothing.
    let scenario = try parse("jobs: {a: {service: 1ms}}\nload: \(load)\n")
    #expect(abs(scenario.arrivalRate - 250) < 1e-9 && scenario.arrivalLength == .seconds(100))
  }

  @Test func mergeKeysGiveWhatAMappingDoesNotSay() throws {
    let scenario = try parse(
      """
      x-base: &base {service: 10ms, priority: high, timeout: 5s, concurrency: 2, retries: {limit: 2}}
      x-slow: &slow {service: 1s, delay: 1ms, priority: low}
      jobs:
        plain: {<<: *base}
        own: {priority: low, <<: *base, service: 20ms, concurrency: none, timeout: none, retries: none}
        first: &first {<<: [*base, *slow]}
        again: {<<: *first, priority: batch}
      load: {batch: [plain]}

      """)
    let jobs = Dictionary(uniqueKeysWithValues: scenario.jobs.map { ($0.name, $0) })
    let plain = try #require(jobs["plain"])
    let own = try #require(jobs["own"])
    let first = try #require(jobs["first"])
    #expect(plain.priority == .high && plain.timeout == .seconds(5) && plain.concurrency == 2)
    #expect(own.priority == .low && own.service == .constant(.milliseconds(20)) && own.concurrency == nil)
    #expect(own.timeout == nil && own.isUntimed && own.retry?.limit == 0)
    // The first of a list comes first.
    #expect(first.service == .constant(.milliseconds(10)) && first.delay == .constant(.milliseconds(1)))
    #expect(jobs["again"]?.priority == .batch && jobs["again"]?.delay == first.delay)
  }

  @Test func noTimeOutHoldsForTheJobAlone() throws {
    let scenario = try parse(
      """
      jobs: {a: {service: 1ms, timeout: none}, b: {service: 1ms}, c: {service: 1ms, timeout: 1m30s}}
      scheduler: {timeout: 2s}
      load: {batch: [a, b, c]}

      """)
    let timeouts = scenario.jobs.map { $0.timeout(under: scenario.scheduler) }
    #expect(timeouts == [nil, .seconds(2), .seconds(90)])
    #expect(scenario.jobs.map { JobTypeConfiguration($0).timeout } == [Nanoseconds(.max).duration, nil, .seconds(90)])
    #expect(scenario.scaled(by: 0.1).jobs[0].isUntimed)
  }

  @Test func everyCountsFromTheStart() throws {
    #expect(try instants("{cron: \"@every 1m30s\"}", duration: "5m").map { $0 / 1_000_000_000 } == [90, 180, 270])
  }

  @Test func secondsAndSpecialDaysFire() throws {
    let tens = try instants("{cron: \"*/10 * * * * *\"}", duration: "1m")
    #expect(tens.map { $0 / 1_000_000_000 } == [0, 10, 20, 30, 40, 50])
    // The usual start is Monday, 5 January 2026: the last Friday is the 30th.
    let last = try instants("{cron: \"0 0 12 ? * FRIL\"}", duration: "40d")
    #expect(last.map { $0 / 1_000_000_000 } == [25 * 86_400 + 43_200])
  }

  @Test func aSingleTargetNeedsNoList() throws {
    let scenario = try parse("jobs: {a: {service: 1ms}}\nload: {batch: [a]}\ntargets: success >= 99%\n")
    #expect(scenario.targets == ["success >= 99%"])
  }
}
