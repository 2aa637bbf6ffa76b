// Goal: recurring arrivals are the slots of the wall clock, counted from the scenario's start.

import TailraceCore
import TailraceWorkload
import Testing

@Suite struct RecurringArrivalTests {
  private func scenario(
    _ load: String, start: String? = nil, duration: String = "1d", _ overrides: [(key: String, value: String)] = []
  ) throws -> Scenario {
    let starts = start.map { "starts_at: \($0)\n" } ?? ""
    let yaml = "name: t\njobs: {a: {service: 1ms}}\nduration: \(duration)\n\(starts)load: \(load)\n"
    return try ScenarioParser.parse(yaml: yaml, file: "t.yaml", overrides: overrides).get()
  }

  /// Seconds from the tape's zero.
  private func arrivals(_ scenario: Scenario) -> [Double] {
    var cursor = Tape(scenario: scenario, seed: 1).makeCursor()
    var instants: [Double] = []
    while let job = cursor.next() { instants.append(Double(job.intended.nanoseconds) / 1e9) }
    return instants
  }

  @Test func anIntervalFallsOnRoundTimes() throws {
    let hour = try scenario("{interval: 15m}", start: "2026-01-01T00:10:00Z", duration: "1h")
    #expect(arrivals(hour) == [300, 1_200, 2_100, 3_000])
    #expect(arrivals(try scenario("{interval: 20m}", duration: "1h")) == [0, 1_200, 2_400])
    #expect(arrivals(try scenario("{interval: 20m, start: 30m, count: 1}")) == [2_400])
  }

  @Test func theUsualStartIsAMonday() throws {
    #expect(Scenario.usualStart.description == "2026-01-05T00:00:00Z")
    let scenario = try scenario("{cron: 30 8 * * MON}")
    #expect(scenario.startsAt == Scenario.usualStart && arrivals(scenario) == [30_600])
  }

  @Test func slotsFollowTheClocksOfTheirZone() throws {
    let load = "{cron: \"30 2 * * *\", time_zone: Europe/Berlin}"
    // 02:30 is shown at 01:30 UTC in winter and at 00:30 in summer; on the day of the change, which has none, 03:00
    // comes in its place at 01:00 UTC.
    let spring = try scenario(load, start: "2026-03-28T00:00:00Z", duration: "3d")
    #expect(arrivals(spring) == [5_400, 86_400 + 3_600, 172_800 + 1_800])
    let autumn = try scenario(load, start: "2026-10-24T00:00:00Z", duration: "3d")
    #expect(arrivals(autumn) == [1_800, 86_400 + 1_800, 172_800 + 5_400])
  }

  @Test func everyHourFollowsElapsedTime() throws {
    for start in ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"] {
      let scenario = try scenario("{cron: 0 * * * *, time_zone: America/New_York}", start: start, duration: "30d")
      #expect(arrivals(scenario) == (0..<720).map { Double($0) * 3_600 })
    }
  }

  @Test func aTimeScaleMakesTheDayShorter() throws {
    let whole = try scenario("{cron: \"0 */6 * * *\", start: 1h}", duration: "2d")
    let slots = [21_600.0, 43_200, 64_800, 86_400, 108_000, 129_600, 151_200]
    #expect(arrivals(whole) == slots)
    #expect(arrivals(whole.scaled(by: 0.001)) == slots.map { $0 / 1_000 })
    #expect(arrivals(whole.scaled(by: 0.1).scaled(by: 10)) == slots)
  }

  @Test func valuesCanBeSet() throws {
    let scenario = try scenario(
      "{poisson: 5/s}",
      [("load.cron", "30 8 * * *"), ("load.time_zone", "Asia/Kolkata"), ("starts_at", "2026-07-01T00:00Z")])
    #expect(arrivals(scenario) == [3 * 3_600])
    #expect { try self.scenario("{interval: 15m}", [("starts_at", "tomorrow")]) } throws: { error in
      "\(error)".hasPrefix("--set starts_at=tomorrow: starts_at: 'tomorrow' is not a valid time; write a time in UTC")
    }
  }

  @Test func theFingerprintKnowsWhenTheTapeStarts() throws {
    let load = "{cron: 30 8 * * MON-FRI}"
    let prints = try ["2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z"].map {
      Tape(scenario: try scenario(load, start: $0), seed: 1).fingerprint()
    }
    #expect(prints[0] != prints[1])
  }
}
