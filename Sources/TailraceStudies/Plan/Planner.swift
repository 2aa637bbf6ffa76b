import Foundation
import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceSimulation
import TailraceWorkload

/// Finds the cheapest configuration that meets a scenario's targets, in simulation.
///
/// Every candidate has the same replications, with the same seeds and thus the same jobs (common random numbers). A
/// target is *met* if its confidence interval lies on the right side of the limit, *missed* if it lies on the wrong
/// side, otherwise *unclear*, which does not count as met. An unclear candidate that could be the answer gets more
/// replications, or longer runs if its queue has not settled, until it is decided or the budget is used up; see
/// ``Planner/decide(_:_:)``.
package struct Planner: Sendable {
  /// One setting that varies.
  package struct Dimension: Sendable, Equatable {
    package var key: String
    /// Cheapest first.
    package var values: [String]
    /// Whether the values are a range of whole numbers. Larger values are assumed not to make a target harder to meet.
    package var isRange: Bool
    package init(key: String, values: [String], isRange: Bool) {
      self.key = key
      self.values = values
      self.isRange = isRange
    }
  }

  /// A configuration: the index of its value in each dimension.
  package typealias Place = [Int]

  /// The result of one target.
  package struct Outcome: Sendable, Equatable {
    package typealias Verdict = CapacityTargetPoint.Verdict
    package var target: String
    package var unit: FigureUnit
    package var limit: Double
    /// Mean over the replications, or the percentile of all their samples; nil: not measured.
    package var mean: Double?
    /// The half-width of the confidence interval behind the verdict.
    package var halfWidth: Double
    package var verdict: Verdict
    /// Values by replication; empty: not every replication has one.
    package var values: [Double] = []
  }

  /// The verdict on a configuration.
  package enum Verdict: String, Sendable, Codable { case met, missed, unclear }

  /// A configuration that was tried.
  package struct Candidate: Sendable, Equatable {
    package var place: Place
    package var values: [String]
    package var outcomes: [Outcome]
    /// The utilization of each pool's workers, by the pool's name.
    package var utilization: [String: Double]
    /// The share of jobs that succeeded of those that could have; nil: none could.
    package var success: Double?
    /// Whether the queue grows: more jobs arrive than complete.
    package var isOverloaded: Bool
    /// Whether the queue is not known to have settled.
    package var isUnsettled: Bool
    /// A problem that overrides the targets; nil: none.
    package var trouble: String?
    package var replications: Int
    /// The duration of arrivals in its runs; nil: unknown.
    package var length: Nanoseconds?
    /// The number of jobs simulated for it.
    package var jobs: Int
    /// Whether it is still unclear after the maximum number of evaluations.
    package var isOutOfLooks = false

    package var verdict: Verdict {
      if isOverloaded || trouble != nil || outcomes.contains(where: { $0.verdict == .missed }) { return .missed }
      return isUnsettled || outcomes.contains { $0.verdict == .unclear } ? .unclear : .met
    }
    package var isGood: Bool { verdict == .met }
  }

  /// A configuration that could not be tried.
  package struct Failure: Sendable {
    package var values: [String]
    package var error: any Error
  }

  let dimensions: [Dimension]
  let seed: UInt64
  let replications: Int
  let budget: Int
  let make: @Sendable ([String]) throws -> Scenario
  let interruption: StopFlag

  /// Up to this number of candidates, all are tried; with more, ranges are searched by bisection.
  private static let exhaustiveLimit = 48
  /// The maximum number of evaluations of a candidate. The allowed error of 5 % is divided among them.
  static let looks = 5
  /// The factor by which each evaluation has more replications, or longer runs.
  static let growth = 4
  /// The default number of jobs to simulate for undecided candidates.
  package static let usualBudget = 20_000_000

  /// - Parameters:
  ///   - replications: The initial number of seeds for each candidate, at least 2.
  ///   - budget: Jobs to simulate beyond the initial replications, for undecided candidates; 0: none.
  ///   - make: Makes the scenario with one value for each dimension.
  package init(
    _ dimensions: [Dimension], seed: UInt64, replications: Int = 10, budget: Int = Planner.usualBudget,
    interruption: StopFlag = StopFlag(), make: @escaping @Sendable ([String]) throws -> Scenario
  ) {
    self.dimensions = dimensions
    self.seed = seed
    self.replications = max(2, replications)
    self.budget = max(0, budget)
    self.interruption = interruption
    self.make = make
  }

  /// The number of candidates.
  package var count: Int { dimensions.reduce(1) { $0 * $1.values.count } }

  /// The cost of a configuration: its workers; among equals, values that come first are cheaper.
  package func cost(_ place: Place) -> (workers: Int, rank: Place) {
    var workers = 0
    for (dimension, index) in zip(dimensions, place)
    where dimension.key.hasSuffix("workers") || dimension.key.hasSuffix("concurrency") {
      workers += Int(dimension.values[index]) ?? 0
    }
    return (workers, place)
  }

  func isCheaper(_ a: Place, _ b: Place) -> Bool {
    let (x, y) = (cost(a), cost(b))
    return x.workers != y.workers ? x.workers < y.workers : x.rank.lexicographicallyPrecedes(y.rank)
  }

  /// The state of a search.
  struct SearchState {
    var tried: [Place: (candidate: Candidate, tally: PlanTally)] = [:]
    /// The remaining budget in jobs.
    var left: Int
    /// The number of evaluations of each candidate.
    var looks: [Place: Int] = [:]
    var failed: [Place: any Error] = [:]
    let onProgress: @Sendable (Int) -> Void
  }

  /// Tries candidates until the cheapest good one is known, and every cheaper one is decided or the budget is used up.
  ///
  /// - Returns: All tried candidates, cheapest first; the first good one is the answer.
  /// - Throws: The error of making a scenario.
  package func search(onProgress: @escaping @Sendable (Int) -> Void = { _ in }) async throws -> [Candidate] {
    let (tried, failed) = try await find(onProgress: onProgress)
    if let failure = failed.first { throw failure.error }
    return tried
  }

  /// The same, but continues if a configuration cannot be tried.
  ///
  /// - Returns: All candidates that were tried, and those that could not be, cheapest first.
  func find(
    onProgress: @escaping @Sendable (Int) -> Void
  ) async throws -> (tried: [Candidate], failed: [Failure]) {
    var state = SearchState(left: budget, onProgress: onProgress)
    if count > Self.exhaustiveLimit, let range = dimensions.firstIndex(where: \.isRange) {
      var others = dimensions.map { 0..<$0.values.count }
      others[range] = 0..<1
      for line in places(others) where !interruption.isSet { try await bisect(along: range, from: line, &state) }
    } else {
      try await evaluate(places(dimensions.map { 0..<$0.values.count }), &state)
    }
    for place in state.tried.keys.sorted(by: isCheaper) where !interruption.isSet {
      try await decide(place, &state)
      if state.tried[place]?.candidate.isGood == true { break }
    }
    let failed = state.failed.sorted { isCheaper($0.key, $1.key) }
      .map { Failure(values: values($0.key), error: $0.value) }
    return (state.tried.values.map(\.candidate).sorted { isCheaper($0.place, $1.place) }, failed)
  }

  /// The smallest index on a line at which a candidate is good, and its neighbors for the table.
  private func bisect(along range: Int, from line: Place, _ state: inout SearchState) async throws {
    func place(_ index: Int) -> Place {
      var place = line
      place[range] = index
      return place
    }
    let last = dimensions[range].values.count - 1
    var (bad, good) = (-1, last)
    try await evaluate([place(last)], &state)
    try await decide(place(last), &state)
    guard state.tried[place(last)]?.candidate.isGood == true else { return }
    while good - bad > 1, !interruption.isSet {
      let middle = (bad + good) / 2
      try await evaluate([place(middle)], &state)
      try await decide(place(middle), &state)
      if state.tried[place(middle)]?.candidate.isGood == true { good = middle } else { bad = middle }
    }
    try await evaluate(((good - 2)...(good + 2)).filter { $0 >= 0 && $0 <= last }.map(place), &state)
  }

  private func places(_ ranges: [Range<Int>]) -> [Place] {
    ranges.reduce([[]]) { places, range in places.flatMap { place in range.map { place + [$0] } } }
  }

  // MARK: - One candidate

  private func values(_ place: Place) -> [String] { zip(dimensions, place).map { $0.values[$1] } }

  func makeScenario(at place: Place) throws -> Scenario { try make(values(place)) }

  private func evaluate(_ places: [Place], _ state: inout SearchState) async throws {
    var (fresh, scenarios): ([Place], [Scenario]) = ([], [])
    for place in places where state.tried[place] == nil && state.failed[place] == nil {
      do {
        scenarios.append(try makeScenario(at: place))
        fresh.append(place)
      } catch {
        state.failed[place] = error
      }
    }
    // Limit the number at a time, so that the results need little memory.
    let step = max(1, 128 / replications)
    for start in stride(from: 0, to: fresh.count, by: step) where !interruption.isSet {
      let part = start..<min(fresh.count, start + step)
      let runs = await replay(Array(scenarios[part]), 0..<replications)
      for (index, runs) in zip(part, runs) where runs.count == replications {
        var tally = PlanTally(scenarios[index], targets: try targets(of: scenarios[index]))
        for run in runs { tally.add(run) }
        state.looks[fresh[index]] = 1
        state.tried[fresh[index]] = (candidate(fresh[index], tally, isFinal: budget == 0), tally)
      }
      state.onProgress(state.tried.count)
    }
  }

  func targets(of scenario: Scenario) throws -> [CapacityTarget] {
    let types = scenario.jobs.map(\.name)
    return try scenario.targets.map { CapacityTarget($0, try TargetExpression(parsing: $0, types: types)) }
  }

  /// Replays scenarios with some replications' seeds, in parallel on all processors.
  ///
  /// - Returns: The runs of each, in the order of the seeds; fewer if interrupted.
  func replay(_ scenarios: [Scenario], _ seeds: Range<Int>) async -> [[RunResult]] {
    let work = scenarios.indices.flatMap { index in seeds.map { (index, $0) } }
    let needsAttempts = scenarios.map { (try? targets(of: $0))?.contains(where: \.expression.needsAttempts) == true }
    let none = [[RunResult?]](repeating: Array(repeating: nil, count: seeds.count), count: scenarios.count)
    let found = Locked(none)
    await DedicatedThread.forEach(below: work.count) { turn in
      guard !interruption.isSet else { return false }
      let (index, replication) = work[turn]
      let run = SimulatedRun.result(
        scenarios[index], seed: seed &+ UInt64(replication) << 20, keepsAttempts: needsAttempts[index],
        isInterrupted: { interruption.isSet })
      found.withLock { $0[index][replication - seeds.lowerBound] = run }
      return true
    }
    // A truncated run is not comparable with a complete one.
    return interruption.isSet ? scenarios.map { _ in [] } : found.withLock { $0.map { $0.compactMap { $0 } } }
  }

  /// The probability below each interval's upper end, for 95 % confidence over all evaluations.
  private var level: Double { 1 - 0.025 / Double(budget > 0 ? Self.looks : 1) }

  /// - Parameter isFinal: Whether there will be no further evaluation.
  func candidate(_ place: Place, _ tally: PlanTally, isFinal: Bool) -> Candidate {
    let queue = tally.queue(isFinal: isFinal)
    return Candidate(
      place: place, values: values(place),
      outcomes: tally.targets.indices.map { tally.outcome($0, upTo: level) }, utilization: tally.utilization,
      success: tally.success, isOverloaded: queue == .growing, isUnsettled: queue == .unsettled,
      trouble: tally.trouble(queue), replications: tally.runs, length: tally.length, jobs: tally.jobs)
  }
}
