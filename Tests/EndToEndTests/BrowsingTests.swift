// Goal: what comes with the program can be listed, printed, copied and unrolled, and a seed always gives one tape.

import Foundation
import Testing

@Suite struct BrowsingTests {
  static let documented = [
    "governance-five", "governance-services", "audit-approvals", "companion-interactions", "swarm-tasks",
    "swarm-database", "swarm-subprocess", "swarm-events", "pipeline-phases",
  ]

  @Test func listIsAsRecorded() async throws {
    let outcome = try await Binary.run(["list"])
    #expect(outcome.status == 0)
    for name in ["documented", "quick-start", "live", "sequential"] + Self.documented {
      #expect(outcome.outputLines.contains { $0.hasPrefix("  \(name) ") }, "\(name) is not listed")
    }
    try expectGolden(outcome.output, "list.txt")
  }

  @Test(arguments: documented) func aShownScenarioIsAValidFile(_ name: String) async throws {
    let folder = try TemporaryFolder()
    let shown = try await Binary.run(["show", name])
    #expect(shown.status == 0 && shown.output.contains("name: \(name)\n"))
    try shown.output.write(to: folder.url.appendingPathComponent("copy.yaml"), atomically: true, encoding: .utf8)
    let checked = try await Binary.run(["validate", "copy.yaml"], in: folder)
    #expect(checked.status == 0, "\(checked)")
    #expect(checked.output.hasPrefix("copy.yaml: \(name) is valid"))
  }

  @Test func aSuiteIsShownAsItsScenarios() async throws {
    let outcome = try await Binary.run(["show", "documented"])
    #expect(outcome.status == 0)
    for name in Self.documented { #expect(outcome.outputLines.contains("  \(name)")) }
  }

  @Test func aSeedGivesOneTape() async throws {
    let first = try await Binary.run(["show", "quick-start", "--tape", "--seed", "7"])
    let second = try await Binary.run(["show", "quick-start", "--tape", "--seed", "7"])
    let other = try await Binary.run(["show", "quick-start", "--tape", "--seed", "8"])
    #expect(first.status == 0 && first.output == second.output && first.output != other.output)
    #expect(
      first.outputLines.first
        == "job,job_type,priority,intended_ns,delay_ns,cancel_after_ns,batch,dependencies,service_ns,ending")
    try expectGolden(
      try await Binary.run(["show", Binary.scenario("graph"), "--tape", "--seed", "7"]).output, "tape.csv")
  }

  @Test func recurringArrivalsFollowTheClocksOfTheirZone() async throws {
    let file = Binary.scenario("clock-change")
    let tape = ["show", file, "--tape", "--set", "load.1.interval=12h"]
    try expectGolden(try await Binary.run(tape).output, "tape-clock-change.csv")
    let autumn = try await Binary.run(tape + ["--set", "starts_at=2026-10-24T00:00:00Z"])
    let nightly = autumn.outputLines.map { $0.split(separator: ",") }.filter { $0[1] == "nightly" }
    #expect(nightly.map { $0[3] } == ["1800000000000", "88200000000000", "178200000000000"], "\(autumn)")
    let refused = try await Binary.run(["validate", file, "--set", "load.0.time_zone=Europe/Berln"])
    #expect(refused.status == 64)
    #expect(refused.error.contains("load.0.time_zone: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"))
    let folder = try TemporaryFolder()
    let run = try await Binary.run(["run", file, "--system", "simulated"], in: folder)
    #expect(run.status == 0, "\(run)")
  }

  @Test func tapesAreLimitedAndChanged() async throws {
    let limited = try await Binary.run(["show", "no-op", "--tape", "--limit", "3"])
    #expect(limited.outputLines.count == 4)
    let arguments = ["show", Binary.scenario("steady"), "--tape", "--set", "load.count=5", "--time-scale", "0.5"]
    let changed = try await Binary.run(arguments)
    #expect(changed.outputLines.count == 6, "\(changed)")
    // The second of the jobs that arrive at 100/s, twice as fast.
    #expect(changed.outputLines.dropFirst(2).first?.split(separator: ",")[3] == "5000000")
  }

  @Test func theDoctorFindsFigures() async throws {
    let text = try await Binary.run(["doctor"])
    #expect(text.status == 0 && text.output.contains("clock reading") && text.output.contains("thread wake-up"))
    let outcome = try await Binary.run(["doctor", "--json"])
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let json = try #require(object as? [String: Any])
    #expect((json["clock_cost_ns"] as? Double ?? 0) > 0)
    #expect((json["processors"] as? Int ?? 0) > 0)
  }
}
