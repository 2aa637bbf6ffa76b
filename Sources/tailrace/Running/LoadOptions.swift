import ArgumentParser
import TailraceCore
import TailraceMeasurement
import TailraceReplay

/// Flags that control how a tape is replayed.
struct LoadOptions: ParsableArguments {
  @Option(
    name: .customLong("system"),
    help: ArgumentHelp(
      "Replay on these, separated by commas: \(SystemNames.all.map(\.name).joined(separator: ", ")) "
        + "(default: live, and the systems in each scenario's compare key).",
      valueName: "names"), completion: Completions.systems)
  var systemLists: [String] = []
  @Option(help: "Seed of the tapes; the same seed gives the same jobs.")
  var seed: UInt64 = 1
  @Option(
    name: .customLong("target"),
    help: ArgumentHelp(
      "Add a target to each scenario, such as 'response.p99 < 50ms' (repeatable).", valueName: "expression"))
  var targets: [String] = []
  @Option(help: "How the load generator waits for the next arrival.")
  var pacer: Pacing = .hybrid
  @Option(
    help: ArgumentHelp(
      "Drop a job instead of submitting it more than this after its intended arrival (default: 10s).",
      valueName: "duration"),
    transform: DurationOption.duration)
  var maxLag = DurationOption(text: "10s", value: .seconds(10))
  @Option(
    help: ArgumentHelp("How long running jobs may go on after an interruption (default: 10s).", valueName: "duration"),
    transform: DurationOption.duration)
  var grace = DurationOption(text: "10s", value: .seconds(10))

  @Flag(
    help: ArgumentHelp(
      "Start even if the load is too large to finish in reasonable time. In comparisons, also go on if machines, "
        + "toolchains, tapes or settings differ; the report states this at the top."))
  var force = false

  @Option(name: .customLong("plant"), help: .hidden, transform: Self.slowdown)
  var planted: [PlantedSlowdown] = []

  /// A job type and the factor on its service times.
  struct PlantedSlowdown: Sendable {
    var type: String
    var factor: Double
  }

  private static func slowdown(_ text: String) throws -> PlantedSlowdown {
    let halves = text.split(separator: "=", maxSplits: 1)
    guard halves.count == 2, let factor = Double(halves[1]), (0.01...100).contains(factor) else {
      throw ValidationError("'\(text)': write TYPE=FACTOR, such as report=1.1")
    }
    return PlantedSlowdown(type: String(halves[0]), factor: factor)
  }

  /// Rejects bounds on changes in commands that cannot check them.
  func refuseBounds(_ reason: String) throws { try Self.refuseBounds(targets, reason) }

  static func refuseBounds(_ targets: [String], _ reason: String) throws {
    let bounds = targets.filter(RegressionTarget.isMeant)
    guard bounds.isEmpty else { throw Refusal.usage(bounds.map { "Error: --target '\($0)': \(reason)" }) }
  }

  /// How to handle loads that would take too long.
  var largeLoads: ScenarioSelection.LargeLoads { force ? .started : .refused(offers: true) }

  /// Each system once, in the order given.
  var systems: [String] {
    var names: [String] = []
    for list in systemLists {
      for name in list.split(separator: ",", omittingEmptySubsequences: false) {
        let name = name.trimmingPrefix(" ").description
        if !names.contains(name) { names.append(name) }
      }
    }
    return names
  }
}

extension Pacing: ExpressibleByArgument {}
extension DurationOption: CustomStringConvertible {
  var description: String { text }
}
