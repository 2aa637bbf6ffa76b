// Goal: recurring arrivals run in virtual time over both changes of the clocks, measured from their slots.

import TailraceCore
import TailraceWorkload
import Testing

@Suite struct RecurringTests {
  private func scenario(_ start: String) -> String {
    """
    name: nightly
    starts_at: \(start)
    duration: 3d
    jobs:
      nightly: {service: 1m}
      often: {service: 1s}
    load:
      - {cron: "30 2 * * *", time_zone: Europe/Berlin, of: nightly}
      - {cron: "*/30 * * * *", time_zone: Europe/Berlin, of: often}
    scheduler: {workers: 2}
    """
  }

  @Test(arguments: [
    ("2026-03-28T00:00:00Z", [5_400.0, 90_000, 174_600]), ("2026-10-24T00:00:00Z", [1_800, 88_200, 178_200]),
  ])
  func slotsAreTheIntendedArrivals(_ start: String, _ slots: [Double]) throws {
    let run = try Simulated(scenario(start))
    let nightly = run.of("nightly").filter(\.settles)
    #expect(nightly.map { Simulated.ms($0.intended) / 1_000 } == slots)
    #expect(nightly.allSatisfy { $0.cause == .succeeded && $0.started == $0.intended })
    // A day of 23 or 25 hours has as many of these as fit into the time that passes.
    #expect(run.of("often").count { $0.settles } == 3 * 48)
  }

  @Test func aRunIsTheSameEachTime() throws {
    let runs = try (0..<2).map { _ in try Simulated(scenario("2026-03-28T00:00:00Z")) }
    #expect(runs[0].records.map(\.finished) == runs[1].records.map(\.finished))
    #expect(runs[0].tape.fingerprint() == runs[1].tape.fingerprint())
  }
}
