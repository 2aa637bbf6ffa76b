import Foundation
import TailraceCore
import TailraceMeasurement
import TailraceRuntime
import TailraceWorkload

/// Finds the cheapest configuration that meets a scenario's targets, in simulation.
///
/// Every candidate faces the same replications: the same seeds, so the same jobs and the same luck (common random
/// numbers). A target is *met* where the 95 % confidence interval of its mean over the replications lies on the right
/// side of the limit, *missed* where it lies on the wrong side, else *unclear*, which does not count as met.
package struct Planner: Sendable {
  /// One setting that varies.
  package struct Dimension: Sendable, Equatable {
    package var key: String
    /// Cheapest first.
    package var values: [String]
    /// Whether the values are a range of whole numbers, of which more are assumed not to make a target harder.
    package var isRange: Bool
    package init(key: String, values: [String], isRange: Bool) {
      self.key = key
      self.values = values
      self.isRange = isRange
    }
  }

  /// A configuration: for each dimension the index of its value.
  package typealias Place = [Int]

  /// What became of one target.
  package struct Outcome: Sendable, Equatable {
    package typealias Verdict = CapacityTargetPoint.Verdict
    package var target: String
    package var unit: FigureUnit
    package var limit: Double
    /// Mean over the replications; nil: nothing was measured.
    package var mean: Double?
    /// Half of its 95 % confidence interval.
    package var halfWidth: Double
    package var verdict: Verdict
    /// How far the mean is on the right side, as a share of the limit.
    package var margin: Double?
    /// By replication; empty: not every replication measured it.
    package var values: [Double] = []
  }

  /// A configuration that was tried.
  package struct Candidate: Sendable, Equatable {
    package var place: Place
    package var values: [String]
    package var outcomes: [Outcome]
    /// Busy share of each pool's workers, by the pool's name.
    package var utilization: [String: Double]
    /// Whether jobs were left when the time to drain was over: the queue grows without end.
    package var isOverloaded: Bool
    package var isGood: Bool { !isOverloaded && outcomes.allSatisfy { $0.verdict == .met } }
  }

  private let dimensions: [Dimension]
  private let seed: UInt64
  private let replications: Int
  private let make: @Sendable ([String]) throws -> Scenario
  private let interruption: StopFlag

  /// Candidates up to which all of them are tried; beyond, ranges are searched by bisection.
  private static let exhaustiveLimit = 48

  /// - Parameters:
  ///   - replications: independent seeds for each candidate; at least 2.
  ///   - make: the scenario with one value for each dimension.
  package init(
    _ dimensions: [Dimension], seed: UInt64, replications: Int = 10, interruption: StopFlag = StopFlag(),
    make: @escaping @Sendable ([String]) throws -> Scenario
  ) {
    self.dimensions = dimensions
    self.seed = seed
    self.replications = max(2, replications)
    self.interruption = interruption
    self.make = make
  }

  /// How many candidates there are.
  package var count: Int { dimensions.reduce(1) { $0 * $1.values.count } }

  /// What a configuration costs: its workers; of equal ones the values that come first are cheaper.
  package func cost(_ place: Place) -> (workers: Int, rank: Place) {
    var workers = 0
    for (dimension, index) in zip(dimensions, place)
    where dimension.key.hasSuffix("workers") || dimension.key.hasSuffix("concurrency") {
      workers += Int(dimension.values[index]) ?? 0
    }
    return (workers, place)
  }

  private func isCheaper(_ a: Place, _ b: Place) -> Bool {
    let (x, y) = (cost(a), cost(b))
    return x.workers != y.workers ? x.workers < y.workers : x.rank.lexicographicallyPrecedes(y.rank)
  }

  /// Tries candidates until the cheapest good one is known.
  ///
  /// - Returns: all that were tried, cheapest first; the first good one is the answer.
  /// - Throws: what making a scenario threw.
  package func search(onProgress: @escaping @Sendable (Int) -> Void = { _ in }) async throws -> [Candidate] {
    var tried: [Place: Candidate] = [:]
    func evaluate(_ places: [Place]) async throws {
      let fresh = places.filter { tried[$0] == nil }
      for candidate in try await self.evaluate(fresh) { tried[candidate.place] = candidate }
      onProgress(tried.count)
    }
    let all = places(dimensions.map { 0..<$0.values.count })
    if all.count <= Self.exhaustiveLimit {
      try await evaluate(all)
    } else {
      guard let range = dimensions.firstIndex(where: \.isRange) else {
        try await evaluate(all)
        return tried.values.sorted { isCheaper($0.place, $1.place) }
      }
      var others = dimensions.map { 0..<$0.values.count }
      others[range] = 0..<1
      for line in places(others) where !interruption.isSet {
        try await bisect(along: range, from: line, evaluate) { tried[$0] }
      }
    }
    return tried.values.sorted { isCheaper($0.place, $1.place) }
  }

  /// The least index on a line at which a candidate is good, and its neighbours, for the table around it.
  private func bisect(
    along range: Int, from line: Place, _ evaluate: ([Place]) async throws -> Void, _ known: (Place) -> Candidate?
  ) async throws {
    func place(_ index: Int) -> Place {
      var place = line
      place[range] = index
      return place
    }
    let last = dimensions[range].values.count - 1
    var (bad, good) = (-1, last)
    try await evaluate([place(last)])
    guard known(place(last))?.isGood == true else { return }
    while good - bad > 1, !interruption.isSet {
      let middle = (bad + good) / 2
      try await evaluate([place(middle)])
      if known(place(middle))?.isGood == true { good = middle } else { bad = middle }
    }
    try await evaluate(((good - 2)...(good + 2)).filter { $0 >= 0 && $0 <= last }.map(place))
  }

  private func places(_ ranges: [Range<Int>]) -> [Place] {
    ranges.reduce([[]]) { places, range in places.flatMap { place in range.map { place + [$0] } } }
  }

  // MARK: - One candidate

  func makeScenario(at place: Place) throws -> Scenario { try make(zip(dimensions, place).map { $0.values[$1] }) }

  private func evaluate(_ places: [Place]) async throws -> [Candidate] {
    let scenarios = try places.map { try makeScenario(at: $0) }
    let runs = await replay(scenarios)
    return try places.indices.compactMap { index in
      guard runs[index].count == replications else { return nil }
      return try candidate(places[index], scenarios[index], runs[index])
    }
  }

  /// Replays scenarios, all replications side by side on all processors.
  ///
  /// - Returns: the runs of each, in the order of the seeds; fewer where it was interrupted.
  func replay(_ scenarios: [Scenario]) async -> [[RunResult]] {
    let work = scenarios.indices.flatMap { index in (0..<replications).map { (index, $0) } }
    let none = [[RunResult?]](repeating: Array(repeating: nil, count: replications), count: scenarios.count)
    let found = Locked(none)
    await DedicatedThread.forEach(below: work.count) { turn in
      guard !interruption.isSet else { return false }
      let (index, replication) = work[turn]
      let run = SimulatedRun.result(
        scenarios[index], seed: seed &+ UInt64(replication) << 20, isInterrupted: { interruption.isSet })
      found.withLock { $0[index][replication] = run }
      return true
    }
    return found.withLock { $0.map { $0.compactMap { $0 } } }
  }

  private func candidate(_ place: Place, _ scenario: Scenario, _ runs: [RunResult]) throws -> Candidate {
    let types = scenario.jobs.map(\.name)
    let outcomes = try scenario.targets.map { text in
      Self.outcome(of: text, try TargetExpression(parsing: text, types: types), runs)
    }
    var utilization: [String: Double] = [:]
    for pool in PoolID.allCases {
      let shares = runs.flatMap { $0.measurement.workers.filter { $0.pool == pool }.map(\.utilization) }
      if !shares.isEmpty { utilization[pool.name] = shares.reduce(0, +) / Double(shares.count) }
    }
    return Candidate(
      place: place, values: zip(dimensions, place).map { $0.values[$1] }, outcomes: outcomes,
      utilization: utilization, isOverloaded: runs.contains { ($0.observations.cutOff ?? 0) > 0 })
  }

  static func outcome(of text: String, _ target: TargetExpression, _ runs: [RunResult]) -> Outcome {
    let each = runs.map { TargetOutcome(target, as: text, runs: [$0], scale: 1) }
    let values = each.compactMap(\.observed)
    var outcome = Outcome(
      target: text, unit: each[0].unit, limit: each[0].limit, mean: nil, halfWidth: 0, verdict: .missed)
    guard values.count == runs.count else { return outcome }
    let (mean, error) = Student.moments(values)
    outcome.mean = mean
    outcome.values = values
    outcome.halfWidth = Student.halfWidth95(error, count: values.count)
    outcome.verdict = target.comparison.verdict(mean, outcome.halfWidth, outcome.limit)
    let margin = target.comparison.margin(mean, outcome.limit)
    outcome.margin = outcome.limit == 0 ? nil : margin / abs(outcome.limit)
    return outcome
  }
}
