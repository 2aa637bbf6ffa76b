import Foundation
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceWorkload

/// Exact counts of allocations, taken in a child process: counting exactly needs an allocator without thread caches,
/// which is slower, so the run that is timed must be another one.
enum AllocationCount {
  /// Runs the scenarios in a child, and reads what it counted.
  ///
  /// - Returns: calls of the allocator per settled job by scenario, of the whole process during the run: the load
  ///   generator and the measurement included.
  static func inChild(
    _ arguments: [String], _ changes: ScenarioChanges, _ load: LoadOptions, of selection: ScenarioSelection,
    interruption: StopFlag
  ) async throws -> [String: Reading] {
    func all(_ reason: String) -> [String: Reading] {
      Dictionary(uniqueKeysWithValues: selection.scenarios.map { ($0.name, .unavailable(reason)) })
    }
    let meter = JemallocMeter()
    if let reason = meter.unavailability { return all(reason) }
    let counting = try await ProgramOutput.of(
      StoreOptions.ownProgram,
      ["run", "--counts-allocations", "--seed", "\(load.seed)"]
        + load.childArguments(arguments, changes, system: "live"),
      environment: [meter.exactCountingEnvironment], grace: load.grace.value, interruption: interruption)
    guard counting.status == 0 else { return all("the counting run ended with \(counting.status)") }
    return try JSONDecoder().decode([String: Reading].self, from: Data(counting.output))
  }

  /// What the child prints.
  static func encode(_ suite: SuiteResult) throws -> [UInt8] {
    let counts = suite.scenarios.compactMap { scenario in
      scenario.primary.map { (scenario.name, $0.observations.allocationsPerJob) }
    }
    return Array(try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: counts))) + [0x0A]
  }
}
