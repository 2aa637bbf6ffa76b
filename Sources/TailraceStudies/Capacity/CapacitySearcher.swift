import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceWorkload

/// Finds the highest arrival rate that one configuration sustains on one system.
///
/// # Method
/// 1. *Scout*: try a few rates around the first guess, until a good rate has a bad one above it. This uses means only,
///    because it only steers.
/// 2. *Cross*: if a target determines the limit, run rounds of one run on either side of the crossing, each round with
///    its own seed. A pilot finds the crossing, the scatter of rounds, and thus the number of rounds. The answer comes
///    from that many rounds with fresh seeds (C. Stein, *A Two-Sample Test…*, Ann. Math. Stat. 16, 1945, made
///    stricter: the answer does not use the pilot). If the crossing turns out to lie elsewhere, the rates move and the
///    step starts again.
/// 3. *Halve*: if no curve crosses (the queue grows first, or the target is a count that must be 0), halve the bracket
///    until it is narrow enough. Each end has a verdict with 95 % confidence.
///
/// The n-th run at any rate of any configuration has the same seed, so all runs see the same random draws.
struct CapacitySearcher {
  /// Options of one search.
  struct SearchSettings: Sendable {
    var seed: UInt64 = 1
    /// The initial number of rounds.
    var rounds = 8
    /// The maximum number of rounds at one crossing.
    var mostRounds = 400
    /// The standard deviation of the limit's logarithm between rounds, if already known.
    var roundSpread: Double?
    /// The required half-width of the interval, as a share of the limit.
    var precision = 0.02
    var lowest: Double?
    var highest: Double?
    /// Runs at each rate while scouting.
    var scouts = 8
    /// The first rate to try; nil: the scenario's own rate.
    var guess: Double?
    /// Theory's upper bound; nil: none.
    var bound: Double?
  }

  let scenario: Scenario
  let targets: [CapacityTarget]
  let probe: any CapacityProbe
  private(set) var settings: SearchSettings
  let onProgress: @Sendable (CapacityProgress) -> Void
  /// Valid runs, by rate.
  private(set) var runs: [Double: [CapacityRun]] = [:]
  /// Rounds that were run at each rate, including invalid ones.
  private var tried: [Double: Set<Int>] = [:]
  private var runCount = 0
  private var invalid: [Double: Int] = [:]
  private var invalidity: [String] = []
  /// Whether a run that was needed did not take place.
  private(set) var isCutShort = false
  /// The failure of a run, which ended the search; nil: none failed.
  private var failure: String?
  /// The results at the crossing's two rates, for comparison.
  private(set) var crossing: CapacityCrossing?
  private(set) var crossingRates: [Double] = []

  init(
    _ scenario: Scenario, targets: [CapacityTarget], probe: any CapacityProbe, settings: SearchSettings,
    onProgress: @escaping @Sendable (CapacityProgress) -> Void = { _ in }
  ) {
    self.scenario = scenario
    self.targets = targets
    self.probe = probe
    self.settings = settings
    self.onProgress = onProgress
  }

  mutating func search() async throws -> CapacitySearch {
    let begun = MonotonicClock.now()
    try await scout()
    var outcome = CapacitySearch.Outcome.found
    var limit: CapacityLimit?
    switch bracket {
    case (nil, _):
      // Rates below the tried ones may be sustained.
      outcome = isCutShort ? .inconclusive : .none
    case (let low?, nil):
      // Scouting uses few runs, but the verdict on the highest rate must be certain.
      try await fill([low], 0..<max(settings.rounds, 4))
      outcome = isCutShort || rate(low).point.verdict != .sustained ? .inconclusive : .beyond
    case (let low?, let high?):
      limit = try await cross(from: low, to: high)
      if limit == nil { limit = try await halve() }
      if limit?.rate.low == nil { outcome = .inconclusive }
    }
    let points = runs.keys.sorted().map { rate($0).point }
    if outcome == .none, let best = points.last(where: { $0.verdict == .unclear || $0.verdict == .sustained }) {
      // No lower rate is known to be missed, so a sustained rate may exist.
      if points.allSatisfy({ $0.rate >= best.rate }) || best.verdict == .sustained { outcome = .inconclusive }
    }
    let unmeetable = limit == nil ? self.unmeetable : []
    if !unmeetable.isEmpty { outcome = .none }
    var search = CapacitySearch(
      system: probe.system, outcome: outcome, limit: limit, points: points, runs: runCount,
      invalidRuns: invalid.values.reduce(0, +), invalidity: Array(invalidity.prefix(8)),
      isInvalid: isInvalid(limit), isCutShort: isCutShort,
      elapsed: Double((MonotonicClock.now() - begun).rawValue), meanService: meanService)
    if !unmeetable.isEmpty { search.unmeetable = unmeetable }
    search.failure = failure
    return search
  }

  /// Targets that are missed at every rate.
  private var unmeetable: [CapacityUnmeetable] {
    let rates = runs.keys.sorted().map { rate($0) }
    return targets.compactMap { $0.unmeetable(at: rates) }
  }

  /// Mean service time over the runs behind the answer, in nanoseconds.
  private var meanService: Double? {
    let decisive = crossingRates.isEmpty ? Array(runs.keys) : crossingRates
    let services = decisive.flatMap { runs[$0] ?? [] }.map(\.service)
    let count = services.reduce(0) { $0 + $1.count }
    return count > 0 ? services.reduce(0) { $0 + $1.sum } / count : nil
  }

  /// Whether more than a third of the runs behind the answer were invalid.
  private func isInvalid(_ limit: CapacityLimit?) -> Bool {
    let decisive = crossingRates.isEmpty ? Array(Set(runs.keys).union(invalid.keys)) : crossingRates
    let bad = decisive.reduce(0) { $0 + (invalid[$1] ?? 0) }
    let good = decisive.reduce(0) { $0 + (runs[$1]?.count ?? 0) }
    return bad > 0 && bad * 2 > good
  }

  // MARK: - Runs

  private func rate(_ value: Double) -> CapacityRate {
    CapacityRate(
      rate: value, runs: runs[value] ?? [], targets: targets, judgesGrowth: scenario.hasSteadyRate)
  }

  /// A round's seed. The n-th run at every rate of every configuration has the same seed.
  static func seed(_ base: UInt64, round: Int) -> UInt64 { base &+ UInt64(round) << 20 }

  /// Makes the missing runs of some rounds, complete rounds first.
  private mutating func fill(_ rates: [Double], _ rounds: Range<Int>) async throws {
    var wanted: [(rate: Double, round: Int)] = []
    for round in rounds {
      for rate in rates where tried[rate]?.contains(round) != true { wanted.append((rate, round)) }
    }
    guard !wanted.isEmpty, !isCutShort else { return }
    // Start live runs one by one, so that each is shown as progress.
    for chunk in probe.takesTime ? wanted.map({ [$0] }) : [wanted] where !isCutShort {
      onProgress(
        CapacityProgress(
          system: probe.system, rate: chunk[0].rate, round: chunk[0].round + 1, runs: runCount, limit: crossing?.rate))
      let results: [RunResult?]
      do {
        results = try await probe.replay(
          try chunk.map {
            (scenario: try scenario.withArrivalRate($0.rate), seed: Self.seed(settings.seed, round: $0.round))
          })
      } catch {
        // No further runs will be measured.
        failure = ErrorWords.line(of: error)
        isCutShort = true
        return
      }
      for ((rate, round), result) in zip(chunk, results) {
        guard let result else {
          isCutShort = true
          continue
        }
        runCount += 1
        tried[rate, default: []].insert(round)
        let run = CapacityRun(result, rate: rate, round: round, targets: targets)
        if run.invalidity.isEmpty {
          runs[rate, default: []].append(run)
        } else {
          invalid[rate, default: 0] += 1
          for words in run.invalidity where !invalidity.contains(words) { invalidity.append(words) }
        }
      }
    }
  }

  // MARK: - Scouting

  /// The highest rate that looks good, and the lowest bad one above it.
  private var bracket: (low: Double?, high: Double?) {
    let rates = runs.keys.sorted()
    guard let low = rates.last(where: { rate($0).leansGood }) else { return (nil, rates.first) }
    return (low, rates.first { $0 > low })
  }

  private func allowed(_ rate: Double) -> Double {
    min(max(rate, settings.lowest ?? 0), settings.highest ?? .infinity)
  }

  private mutating func scout() async throws {
    let guess = settings.guess ?? settings.bound ?? scenario.arrivalRate
    // Live runs are expensive. Their first guess comes from simulation, so rates far above it are not useful.
    let factors = probe.takesTime ? [0.6, 0.85, 1, 1.1] : [0.3, 0.5, 0.65, 0.8, 0.9, 1, 1.1]
    let rates = Set(factors.map { Self.rounded(allowed(guess * $0)) }).sorted()
    if probe.takesTime {
      for rate in rates {
        try await fill([rate], 0..<settings.scouts)
        if !self.rate(rate).leansGood { break }
      }
    } else {
      try await fill(rates, 0..<settings.scouts)
    }
    var steps = 0
    while !isCutShort, steps < 40 {
      steps += 1
      let (low, high) = bracket
      if let low, high == nil {
        let next = Self.rounded(allowed(low * (probe.takesTime ? 1.1 : 1.3)))
        guard next > low else { return }
        try await fill([next], 0..<settings.scouts)
      } else if low == nil, let lowest = runs.keys.min() {
        let next = Self.rounded(allowed(lowest / 2))
        // A target that does not depend on the load is missed at lower rates too.
        guard next < lowest, steps < 12, unmeetable.isEmpty || steps < 4 else { return }
        try await fill([next], 0..<settings.scouts)
      } else {
        return
      }
    }
  }

  /// Rounds to four digits, so that the rate is easy to type.
  static func rounded(_ rate: Double) -> Double {
    guard rate > 0, rate.isFinite else { return rate }
    let scale = pow(10, 3 - floor(log10(rate)))
    return (rate * scale).rounded() / scale
  }

  // MARK: - Crossing

  /// The rounds that were run at all of some rates. Incomplete rounds would bias the comparison.
  private func samples(of target: Int, at rates: [Double], from first: Int) -> [CapacityCrossing.Sample] {
    let rounds = rates.map { rate in Set((runs[rate] ?? []).map(\.round).filter { $0 >= first }) }
    let whole = rounds.dropFirst().reduce(rounds.first ?? []) { $0.intersection($1) }
    return rates.flatMap { rate in
      (runs[rate] ?? []).filter { whole.contains($0.round) }.compactMap { run in
        run.targets[target].load.map {
          CapacityCrossing.Sample(round: run.round, rate: rate, figure: $0, weight: run.targets[target].weight)
        }
      }
    }
  }

  /// The target whose curve reaches its limit first, according to the runs at some rates.
  private func firstCrossing(at rates: [Double], from first: Int = 0) -> (target: Int, crossing: CapacityCrossing)? {
    targets.indices.compactMap { index -> (target: Int, crossing: CapacityCrossing)? in
      guard let limit = targets[index].crossingLimit,
        let crossing = CapacityCrossing(samples(of: index, at: rates, from: first), limit: limit)
      else { return nil }
      return (index, crossing)
    }.min { $0.crossing.logRate < $1.crossing.logRate }
  }

  /// Measures where a target's curve crosses its limit between two rates; nil: none crosses.
  private mutating func cross(from low: Double, to high: Double) async throws -> CapacityLimit? {
    let first = firstCrossing(at: [low, high]).map { min(high, max(low, $0.crossing.rate)) }
    var centre = allowed((probe.takesTime ? settings.guess : nil) ?? first ?? (low * high).squareRoot())
    var spread = min(0.04, max(0.005, 2 * settings.precision))
    var best: CapacityLimit?
    for attempt in 1...8 where !isCutShort {
      var rates = pair(around: centre, spread)
      if settings.roundSpread == nil || attempt > 1 {
        guard let pilot = try await pilot(rates) else { break }
        let place = pilot.crossing.rate
        if rate(rates[0]).point.verdict == .growing { return nil }
        // Move the rates to the crossing, but only as far as the linear model is valid.
        centre = allowed(min(centre * 1.15, max(centre / 1.15, place)))
        if place < rates[0] * (1 - spread) || place > rates[1] * (1 + spread) { continue }
        rates = pair(around: centre, spread)
      }
      guard let found = try await measure(rates, from: 1_000 * attempt) else { break }
      crossing = found.crossing
      crossingRates = rates
      best = limit(found)
      let verdicts = rates.map { rate($0).point.verdict }
      if verdicts[0] == .growing { return nil }
      let place = found.crossing.rate
      if verdicts[1] == .growing, spread > 0.004 {
        spread /= 2
      } else if place > rates[0] * (1 - spread / 2), place < rates[1] * (1 + spread / 2) {
        return best
      }
      centre = allowed(min(centre * 1.15, max(centre / 1.15, place)))
    }
    return best
  }

  /// Rates on both sides of a rate. Curves are steep close to the point where the queue grows, so stay below it.
  private func pair(around centre: Double, _ spread: Double) -> [Double] {
    var width = spread
    if let bound = settings.bound, centre < bound { width = max(0.002, min(width, 0.4 * (1 - centre / bound))) }
    return [Self.rounded(centre * (1 - width)), Self.rounded(centre * (1 + width))]
  }

  /// The pilot: estimates the crossing and the scatter of rounds from two rates.
  private mutating func pilot(_ rates: [Double]) async throws -> (target: Int, crossing: CapacityCrossing)? {
    var rounds = probe.takesTime ? settings.rounds : max(32, settings.rounds)
    while true {
      try await fill(rates, 0..<rounds)
      let found = firstCrossing(at: rates)
      if let found, let error = found.crossing.error {
        crossing = found.crossing
        settings.roundSpread = error * Double(found.crossing.rounds).squareRoot()
        return found
      }
      // If no curve rises through these rates, more rounds do not help.
      guard found != nil, !isCutShort, rounds < 256 else { return found }
      rounds *= 2
    }
  }

  /// Runs as many rounds as the scatter requires, with seeds that did not influence the rates or the number. Stopping
  /// as soon as the interval looks narrow would make it too narrow, especially if late jobs are rare.
  private mutating func measure(
    _ rates: [Double], from first: Int
  ) async throws -> (target: Int, crossing: CapacityCrossing)? {
    let scatter = settings.roundSpread ?? 0
    let needed = (2.05 * scatter / settings.precision) * (2.05 * scatter / settings.precision)
    // Simulated rounds are cheap; with few of them the interval's coverage would be below 95 %.
    let least = probe.takesTime ? settings.rounds : max(40, settings.rounds)
    let rounds = max(least, min(settings.mostRounds, Int(min(needed, 1e6).rounded(.up))))
    try await fill(rates, first..<first + rounds)
    // Use complete rounds only, and repeat as many as were invalid.
    var missing = invalidRounds(of: rates, from: first)
    if missing > 0, !isCutShort {
      missing = min(missing, rounds)
      try await fill(rates, first + rounds..<first + rounds + missing)
    }
    return firstCrossing(at: rates, from: first)
  }

  private func invalidRounds(of rates: [Double], from first: Int) -> Int {
    rates.map { rate in
      (tried[rate] ?? []).count { $0 >= first } - (runs[rate] ?? []).count { $0.round >= first }
    }.max() ?? 0
  }

  private func limit(_ found: (target: Int, crossing: CapacityCrossing)) -> CapacityLimit {
    let interval = found.crossing.interval
    return CapacityLimit(
      rate: CapacityEstimate(found.crossing.rate, low: interval?.low, high: interval?.high), method: .crossing,
      reason: targets[found.target].text, rounds: found.crossing.rounds)
  }

  // MARK: - Halving

  /// Halves the bracket, using verdicts.
  private mutating func halve() async throws -> CapacityLimit? {
    crossingRates = []
    crossing = nil
    let most = probe.takesTime ? settings.rounds : settings.rounds * 4
    var undecided: Set<Double> = []
    for _ in 0..<30 {
      guard let low = bracket.low, let high = bracket.high else { break }
      for end in [low, high] {
        var rounds = settings.rounds
        while rounds <= most, !isCutShort {
          try await fill([end], 0..<rounds)
          if rate(end).point.verdict != .unclear { break }
          rounds += settings.rounds
        }
        if rate(end).point.verdict == .unclear { undecided.insert(end) }
      }
      // More runs may have changed which rates look good.
      guard (low, high) == (bracket.low ?? 0, bracket.high ?? 0) else { continue }
      guard !isCutShort, high / low - 1 > 2 * settings.precision, undecided.isEmpty else { break }
      try await fill([Self.rounded((low * high).squareRoot())], 0..<settings.rounds)
    }
    let points = runs.keys.sorted().map { rate($0).point }
    guard let low = points.last(where: { $0.verdict == .sustained }),
      let high = points.first(where: { $0.rate > low.rate && ($0.verdict == .missed || $0.verdict == .growing) })
    else { return nil }
    let reason = high.verdict == .growing ? "growing queue" : high.reason
    return CapacityLimit(
      rate: CapacityEstimate(low.rate, low: low.rate, high: high.rate), method: .bracket, reason: reason,
      rounds: min(low.runs, high.runs))
  }
}

/// The progress of a search.
package struct CapacityProgress: Sendable {
  /// `live` or `simulated`.
  package var system: String
  /// The varied settings; empty: none.
  package var configuration = ""
  /// The current rate, in jobs per second.
  package var rate: Double
  /// The current round, from 1.
  package var round: Int
  /// The number of completed runs.
  package var runs: Int
  /// The current estimate of the limit; nil: none yet.
  package var limit: Double?
}
