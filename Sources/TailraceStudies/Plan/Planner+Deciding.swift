import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceWorkload

extension Planner {
  /// Evaluates an unclear candidate again with more data: runs of four times the length if its queue has not settled,
  /// otherwise four times the replications.
  ///
  /// Runs are lengthened first, because runs with an unsettled queue do not represent the steady load. One candidate
  /// may use at most half of the remaining budget, so that a value right at its limit does not use up everything.
  func decide(_ place: Place, _ state: inout SearchState) async throws {
    guard budget > 0 else { return }
    var allowance = state.left / 2
    while let known = state.tried[place], known.candidate.verdict == .unclear, !interruption.isSet {
      let looks = state.looks[place] ?? 1
      let tally = known.tally
      let lengthens = known.candidate.isUnsettled
      let cost =
        tally.jobs / max(1, tally.runs) * (lengthens ? replications * Self.growth : tally.runs * (Self.growth - 1))
      guard looks < Self.looks, cost <= allowance,
        let more = try await look(at: place, after: tally, lengthens: lengthens)
      else {
        var final = candidate(place, tally, isFinal: true)
        final.isOutOfLooks = looks >= Self.looks && final.verdict == .unclear
        state.tried[place] = (final, tally)
        return
      }
      let spent = lengthens ? more.jobs : more.jobs - tally.jobs
      allowance -= spent
      state.left -= spent
      state.looks[place] = looks + 1
      state.tried[place] = (candidate(place, more, isFinal: false), more)
      state.onProgress(state.tried.count)
    }
  }

  /// One more evaluation; nil: interrupted, or the runs cannot be longer.
  private func look(at place: Place, after tally: PlanTally, lengthens: Bool) async throws -> PlanTally? {
    var scenario = try makeScenario(at: place)
    if let length = tally.length.map({ lengthens ? $0.scaled(by: Double(Self.growth)) : $0 }),
      length != scenario.arrivalLength
    {
      guard let longer = scenario.lengthened(to: length) else { return nil }
      scenario = longer
    }
    var more = lengthens ? PlanTally(scenario, targets: try targets(of: scenario)) : tally
    let wanted = lengthens ? replications : tally.runs * Self.growth
    // Limit the number at a time, so that the results need little memory.
    for start in stride(from: more.runs, to: wanted, by: 64) {
      let seeds = start..<min(wanted, start + 64)
      let runs = await replay([scenario], seeds)[0]
      guard runs.count == seeds.count else { return nil }
      for run in runs { more.add(run) }
    }
    return more
  }
}
