import TailraceHost
import TailraceReplay
import TailraceWorkload

/// Compares the replays' needs with the machine's limits, before anything runs.
package struct NeedCheck {
  private let known: MachineLimits?
  private let inChildren: Bool

  /// - Parameters:
  ///   - limits: The machine's limits; nil: read them if a replay needs anything.
  ///   - inChildren: Whether each run will be in a separate process.
  package init(_ limits: MachineLimits? = nil, inChildren: Bool = false) {
    known = limits
    self.inChildren = inChildren
  }

  /// Problems, one per line; empty: everything fits.
  ///
  /// - Parameters:
  ///   - replays: The replays, which run one after another.
  ///   - rehearsal: The rehearsal that runs first on each system that does the jobs itself; nil: none.
  package func problems(_ replays: [(scenario: Scenario, system: any ReplaySystem)], rehearsal: Rehearsal?) -> [String]
  {
    guard !replays.isEmpty else { return [] }
    let limits = known ?? MachineLimitsReader().read()
    var problems: [String] = []
    for (scenario, system) in replays {
      var needs = RunNeeds(scenario, system.demand(of: scenario), on: limits)
      if !system.bringsItsWork, !system.runsInVirtualTime, let small = try? rehearsal?.scenario(for: system) {
        needs = needs.joined(withRehearsal: RunNeeds(small, system.demand(of: small), on: limits))
      }
      if inChildren, !system.runsInVirtualTime { needs.addProcessAround(on: limits) }
      problems += needs.problems(on: limits, of: "scenario '\(scenario.name)' on '\(system.name)'")
    }
    return problems
  }
}
