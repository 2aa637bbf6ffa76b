import Foundation
import TailraceHarness
import TailraceMeasurement
import TailraceWorkload

/// Exact counts of allocations, taken in a child process: counting exactly needs an allocator without thread caches,
/// which is slower, so the run that is timed must be another one.
enum AllocationCount {
  /// Runs the scenarios in a child, and reads what it counted.
  ///
  /// - Returns: calls of the allocator per settled job by scenario, of the whole process during the run: the load
  ///   generator and the measurement included.
  static func inChild(
    _ arguments: [String], _ changes: ScenarioChanges, _ load: LoadOptions, of selection: ScenarioSelection
  ) throws -> [String: Reading] {
    func all(_ reason: String) -> [String: Reading] {
      Dictionary(uniqueKeysWithValues: selection.scenarios.map { ($0.name, .unavailable(reason)) })
    }
    let meter = JemallocMeter()
    if let reason = meter.unavailability { return all(reason) }
    let child = Process()
    child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    child.arguments =
      ["run", "--counts-allocations", "--seed", "\(load.seed)"]
      + load.childArguments(arguments, changes, system: "live")
    let (name, value) = meter.exactCountingEnvironment
    child.environment = ProcessInfo.processInfo.environment.merging([name: value]) { $1 }
    let counts = Pipe()
    child.standardOutput = counts
    child.standardInput = FileHandle.nullDevice
    child.standardError = FileHandle.nullDevice
    try child.run()
    var wasAsked = false
    while child.isRunning {
      // A signal to this process alone must reach the child too.
      if Interruption.hasCome, !wasAsked {
        wasAsked = true
        child.interrupt()
      }
      usleep(20_000)
    }
    let bytes = counts.fileHandleForReading.readDataToEndOfFile()
    guard child.terminationStatus == 0 else { return all("the counting run ended with \(child.terminationStatus)") }
    return try JSONDecoder().decode([String: Reading].self, from: bytes)
  }

  /// What the child prints.
  static func encode(_ suite: SuiteResult) throws -> [UInt8] {
    let counts = suite.scenarios.compactMap { scenario in
      scenario.primary.map { (scenario.name, $0.observations.allocationsPerJob) }
    }
    return Array(try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: counts))) + [0x0A]
  }
}
