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
      guard job.number == count, job.intended >= last, job.dependencies.allSatisfy({ $0 < job.number }) else {
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

  /// Whoever compares them must know that nothing else is different.
  @Test(arguments: ["policies", "overload"]) func filesOfASuiteDifferInWhatTheyCompareAlone(_ suite: String) throws {
    let names = try #require(BuiltIn.suite(named: suite)).scenarios
    let tapes = try names.map { Tape(scenario: try Self.scenario($0), seed: 1).fingerprint() }
    #expect(Set(tapes).count == 1)
    let scenarios = try names.map { name in
      var scenario = try Self.scenario(name)
      (scenario.name, scenario.summary, scenario.targets) = ("", "", [])
      (scenario.scheduler.policy, scenario.scheduler.adaptive, scenario.scheduler.codel) = (.fifo, nil, nil)
      return scenario
    }
    #expect(Set(scenarios).count == 1)
  }

  @Test func thePoliciesSuiteHasEveryPolicy() throws {
    let policies = try #require(BuiltIn.suite(named: "policies")).scenarios.map {
      try Self.scenario($0).scheduler.policy
    }
    #expect(
      policies == [
        .fifo, .priority, .aging(boost: .milliseconds(500)), .slopeAging(PrioritySlopes()), .deadline, .shortest,
        .fair(by: .jobType),
      ])
  }
}
