// Goal: what the tests of the simulation share: a scenario as text, replayed in virtual time, its records by job.

import TailraceCore
import TailraceSimulation
import TailraceWorkload
import Testing

/// A scenario that was replayed in virtual time.
struct Simulated {
  var records: [TimelineRecord] = []
  var summary: Simulation.Summary
  let scenario: Scenario
  let tape: Tape
  var faults: [InjectedFault] = []

  init(_ yaml: String, seed: UInt64 = 1, dropAfter: Nanoseconds = .seconds(10)) throws {
    scenario = try ScenarioParser.parse(yaml: yaml, file: "test.yaml").get()
    tape = Tape(scenario: scenario, seed: seed)
    var records: [TimelineRecord] = []
    var faults: [InjectedFault] = []
    summary = Simulation(tape, dropAfter: dropAfter).run(injected: { faults.append($0) }, record: { records += $0 })
    self.records = records
    self.faults = faults
  }

  /// Types of the attempts in the order of their starts.
  var starts: [String] {
    records.filter { $0.started != TimelineRecord.never }.sorted { $0.started < $1.started }
      .map { scenario.jobs[Int($0.type.rawValue)].name }
  }

  /// The records of a type's jobs, in the order in which they were made.
  func of(_ type: String) -> [TimelineRecord] {
    records.filter { scenario.jobs[Int($0.type.rawValue)].name == type }
  }

  /// Milliseconds from the run's start.
  static func ms(_ instant: Instant) -> Double { Double(instant.nanoseconds) / 1e6 }
}
