// Goal: what is simulated and what is live differ in nothing but the machine: the same starts in the same order, the
// same counts, the same parts; and a simulated report has no trace of the machine that computed it.

import TailraceCore
import TailraceMeasurement
import TailraceWorkload
import Testing
@testable import TailracePlatform
@testable import TailraceReplay
@testable import TailraceSimulation

@testable import TailraceHarness

struct SimulatedSystemTests {
  /// Starts, by number on the tape, in their order.
  private func starts(_ scenario: Scenario, on system: any ReplaySystem) async throws -> [UInt64] {
    let log = AttemptLog()
    var replay = Replay(tape: Tape(scenario: scenario, seed: 3))
    replay.log = log
    _ = try await system.replay(replay)
    return log.take().records.filter { $0.started != TimelineRecord.never }
      .sorted { ($0.started, $0.number) < ($1.started, $1.number) }.map(\.number)
  }

  @Test(arguments: ["fifo", "priority", "aging"])
  func aDeterministicTapeStartsInTheSameOrderLiveAndSimulated(policy: String) async throws {
    let scenario = try ScenarioParser.parse(
      yaml: """
        name: order
        jobs:
          a: {service: 2ms, priority: critical}
          b: {service: 3ms, priority: high}
          c: {service: 4ms, priority: normal}
          d: {service: 2ms, priority: low}
          e: {service: 3ms, priority: batch}
          f: {service: 2ms, priority: high, concurrency: 1}
        load: {batch: [e, d, c, b, a, f, f, e, d, c, b, a, c, c, e, b, f, a, d, d, e]}
        scheduler: {workers: 1, policy: \(policy)}
        """, file: "order.yaml"
    ).get()
    let live = try await starts(scenario, on: LiveSystem())
    #expect(live.count == 21)
    #expect(try await starts(scenario, on: SimulatedSystem()) == live)
  }

  @Test func jobsOfRealWorkNeedATimeInVirtualTime() throws {
    func scenario(_ job: String) throws -> Scenario {
      try ScenarioParser.parse(
        yaml: "name: real\njobs: {job: \(job)}\nload: {batch: [job]}\n", file: "real.yaml"
      ).get()
    }
    #expect(
      SimulatedSystem().lacks(try scenario("{work: {sqlite: read}}"))
        == ["a simulated_service for job type 'job', whose real work has no declared length"])
    #expect(SimulatedSystem().lacks(try scenario("{work: {sqlite: read}, simulated_service: 1ms}")).isEmpty)
  }

  @Test func aSimulatedRunBringsItsBaselineAndNothingOfTheMachine() async throws {
    let scenario = try #require(BuiltIn.scenario(named: "pipeline-phases")).get()
    var options = SuiteOptions()
    options.systems = ["simulated"]
    func run() async throws -> ScenarioResult {
      let parts = SuiteParts.forTests()
      let suite = try await SuiteRunner(options, parts: parts, interruption: StopFlag()).run([scenario]) { _ in }
      return try #require(suite.result.scenarios.first)
    }
    let first = try await run()
    #expect(first.runs.map(\.system) == ["simulated", "simulated-sequential"])
    #expect(first.verdict == .passed)
    #expect(first.runs.allSatisfy { $0.reading(of: .processorTime)?.value == nil })
    // To the last digit.
    #expect(try await run() == first)
  }

  /// Whether a queue may fill only the tape's jobs tell, and there may be millions: drawing them ends at once.
  @Test func lookingForWhatASystemLacksCanBeInterrupted() throws {
    let scenario = try ScenarioParser.parse(
      yaml: """
        name: many
        jobs: {a: {service: 0ms}}
        load: {constant: 1000000/s, of: a}
        duration: 1000s
        scheduler: {policy: fifo, retries: 0, queue: {capacity: 5000}}
        """, file: "many.yaml"
    ).get()
    let interruption = StopFlag()
    interruption.stop()
    for system in Systems.forTests.all where system.lacks(scenario) == ["a bounded queue"] {
      // The job after the queue's last was not drawn any more.
      #expect(system.lacks(scenario, interruption: interruption) == [], "\(system.name)")
    }
    #expect(Systems.forTests.all.count { $0.lacks(scenario) == ["a bounded queue"] } == 3)
  }

  /// What was injected is no fault of the scheduler's; one job more or fewer would be.
  @Test func theCertificateExpectsWhatWasInjected() async throws {
    let scenario = try ScenarioParser.parse(
      yaml: """
        name: faults
        jobs: {a: {service: 5ms}}
        load: {poisson: 100/s, count: 1000}
        faults: [{lose: 5%}, {double: 3%}, {crash: 1, every: 1s, restart: 100ms}]
        """, file: "faults.yaml"
    ).get()
    #expect(LiveSystem().lacks(scenario).count == 1 && SequentialSystem().lacks(scenario).count == 1)
    let outcome = try await SimulatedSystem().replay(Replay(tape: Tape(scenario: scenario, seed: 3)))
    func verdicts(_ change: (inout InjectedFaults) -> Void) throws -> [ValidityCheck.Verdict] {
      var observations = outcome.observations
      change(&observations.injectedFaults!)
      let result = RunResult(
        system: "simulated", seed: 3, timeScale: 1, fingerprint: "",
        measurement: outcome.recorder.measurement(outcome.facts), observations: observations)
      return result.validity.filter { $0.name.hasPrefix("none_") }.map(\.verdict)
    }
    let injected = try #require(outcome.observations.injectedFaults)
    #expect(injected.jobsLost > 20 && injected.jobsDoubled > 10 && injected.workersCrashed > 3)
    #expect(try verdicts { _ in } == [.passed, .passed])
    #expect(try verdicts { $0.jobsLost += 1 } == [.failed, .passed])
    #expect(try verdicts { $0.jobsDoubled -= 1 } == [.passed, .failed])
  }
}
