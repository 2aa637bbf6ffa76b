import Foundation
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceWorkload

/// Exact allocation counts, taken in a child process. Exact counts need an allocator without thread caches, which is
/// slower, so the timed run is a separate one.
enum AllocationCount {
  /// Runs the scenarios in a child process and reads its counts.
  ///
  /// - Returns: allocator calls per settled job, by scenario. Counts the whole process during the run, including the
  ///   load generator and the measurement.
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

  /// The child's output.
  static func encode(_ suite: SuiteResult) throws -> [UInt8] {
    let counts = suite.scenarios.compactMap { scenario in
      scenario.primary.map { (scenario.name, $0.observations.allocationsPerJob) }
    }
    return Array(try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: counts))) + [0x0A]
  }
}
