import TailraceHost
import TailraceReplay
import TailraceWorkload

/// Compares what replays need with what the machine gives, before anything runs.
package struct NeedCheck {
  private let known: MachineLimits?
  private let inChildren: Bool

  /// - Parameters:
  ///   - limits: nil: they are read where a replay needs anything.
  ///   - inChildren: whether each run will be in a process of its own, beside this one.
  package init(_ limits: MachineLimits? = nil, inChildren: Bool = false) {
    known = limits
    self.inChildren = inChildren
  }

  /// What does not fit, a line each; empty: everything does.
  ///
  /// - Parameters:
  ///   - replays: which come one after another.
  ///   - rehearsal: what is replayed before on each system that does the jobs itself; nil: nothing.
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
