// Every built-in scenario parses, says what its document says, and has a finite tape.

import TailraceCore
import TailraceWorkload
import Testing

@Suite struct BuiltInTests {
  static func scenario(_ name: String) throws -> Scenario {
    try #require(BuiltIn.scenario(named: name)).get()
  }

  @Test(arguments: BuiltIn.all) func parsesUnderItsOwnName(_ name: String) throws {
    let scenario = try Self.scenario(name)
    #expect(scenario.name == name)
    #expect(!scenario.summary.isEmpty)
    #expect(!scenario.targets.isEmpty)
  }

  @Test(arguments: BuiltIn.all) func hasAFiniteTapeInOrder(_ name: String) throws {
    var cursor = Tape(scenario: try Self.scenario(name), seed: 1).makeCursor()
    var count: UInt64 = 0
    var last = Instant.zero
    while let job = cursor.next() {
      guard job.index == count, job.intended >= last, job.dependencies.allSatisfy({ $0 < job.index }) else {
        Issue.record("job \(job) is out of order")
        return
      }
      last = job.intended
      count += 1
      if count > 1_000_000 { break }
    }
    #expect(count >= 5)
    #expect(count <= 1_000_000)
  }

  @Test func documentedSuiteNamesItsScenariosInOrder() throws {
    let suite = try #require(BuiltIn.suite(named: "documented"))
    #expect(
      suite.scenarios == [
        "governance-five", "governance-services", "audit-approvals", "companion-interactions", "swarm-tasks",
        "swarm-database", "swarm-subprocess", "swarm-events", "pipeline-phases",
      ])
    #expect(suite.scenarios.allSatisfy { BuiltIn.all.contains($0) })
    #expect(BuiltIn.yaml(named: "unheard-of") == nil)
  }
}
