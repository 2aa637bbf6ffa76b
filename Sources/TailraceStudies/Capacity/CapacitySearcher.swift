import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceWorkload

/// Looks for the highest arrival rate that one configuration sustains on one system.
///
/// # The way
/// 1. *Scout*: a handful of rates around the first guess, until one that looks good has one above it that does not.
///    What is looked at are means: this only steers.
/// 2. *Cross*: where a target ends the limit, rounds of one run on either side of the crossing, each round with a seed
///    of its own. A pilot says where that is and how far rounds scatter, and so how many are needed; the answer comes
///    from that many rounds with fresh seeds (C. Stein, *A Two-Sample Test…*, Ann. Math. Stat. 16, 1945, made
///    stricter: the pilot has no part in the answer). If the crossing turns out to lie elsewhere, the rates move and
///    all begins anew.
/// 3. *Halve*: where no curve crosses (the queue grows first, or the target is a count that must be 0), the bracket is
///    halved until it is as narrow as asked for. Its ends carry verdicts, each with 95 % confidence.
///
/// The n-th run at any rate of any configuration has the same seed: all face the same luck.
struct CapacitySearcher {
  /// How a search is to go about it.
  struct Settings: Sendable {
    var seed: UInt64 = 1
    /// Rounds at first.
    var rounds = 8
    /// Rounds at most at one place.
    var mostRounds = 400
    /// The standard deviation of the limit's logarithm from round to round, where it is known from elsewhere.
    var roundSpread: Double?
    /// Half of the interval's width, as a share of the limit, that is narrow enough.
    var precision = 0.02
    var lowest: Double?
    var highest: Double?
    /// Runs at each rate while scouting.
    var scouts = 8
    /// Where to look first; nil: the scenario's own rate.
    var guess: Double?
    /// What theory says cannot be exceeded; nil: nothing.
    var bound: Double?
  }

  let scenario: Scenario
  let targets: [CapacityTarget]
  let probe: any CapacityProbe
  private(set) var settings: Settings
  let onProgress: @Sendable (CapacityProgress) -> Void
  /// Valid runs, by rate.
  private(set) var runs: [Double: [CapacityRun]] = [:]
  /// Rounds that were run at each rate, invalid ones too.
  private var tried: [Double: Set<Int>] = [:]
  private var runCount = 0
  private var invalid: [Double: Int] = [:]
  private var invalidity: [String] = []
  /// Whether a run that was wanted was not made.
  private(set) var isCutShort = false
  /// Why a run came to nothing, which ended the search; nil: none did.
  private var failure: String?
  /// What the two rates of the crossing gave, for whoever wants to compare.
  private(set) var crossing: CapacityCrossing?
  private(set) var crossingRates: [Double] = []

  init(
    _ scenario: Scenario, targets: [CapacityTarget], probe: any CapacityProbe, settings: Settings,
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
      // Lower rates than those that were tried may be sustained.
      outcome = isCutShort ? .inconclusive : .none
    case (let low?, nil):
      // Scouts may be few; that the highest rate is sustained must be sure.
      try await fill([low], 0..<max(settings.rounds, 4))
      outcome = isCutShort || rate(low).point.verdict != .sustained ? .inconclusive : .beyond
    case (let low?, let high?):
      limit = try await cross(from: low, to: high)
      if limit == nil { limit = try await halve() }
      if limit?.rate.low == nil { outcome = .inconclusive }
    }
    let points = runs.keys.sorted().map { rate($0).point }
    if outcome == .none, let best = points.last(where: { $0.verdict == .unclear || $0.verdict == .sustained }) {
      // Nothing is known to be missed below: then it cannot be said that no rate is sustained.
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

  /// Over the runs that the answer rests on, in nanoseconds.
  private var meanService: Double? {
    let decisive = crossingRates.isEmpty ? Array(runs.keys) : crossingRates
    let services = decisive.flatMap { runs[$0] ?? [] }.map(\.service)
    let count = services.reduce(0) { $0 + $1.count }
    return count > 0 ? services.reduce(0) { $0 + $1.sum } / count : nil
  }

  /// Whether more than a third of the runs that the answer rests on were invalid.
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

  /// The seed of a round: the n-th run at every rate and of every configuration has the same.
  static func seed(_ base: UInt64, round: Int) -> UInt64 { base &+ UInt64(round) << 20 }

  /// Makes the runs that rates lack of some rounds, whole rounds first.
  private mutating func fill(_ rates: [Double], _ rounds: Range<Int>) async throws {
    var wanted: [(rate: Double, round: Int)] = []
    for round in rounds {
      for rate in rates where tried[rate]?.contains(round) != true { wanted.append((rate, round)) }
    }
    guard !wanted.isEmpty, !isCutShort else { return }
    // Real runs are begun one by one, so that each is told of.
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
        // What was measured so far is all that there will be.
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

  /// The highest rate that looks good, and the lowest above it that does not.
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
    // Real time is dear: there the guess comes from simulation, and what is far beyond it says nothing.
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
        // At lower rates a target that does not depend on the load is missed too.
        guard next < lowest, steps < 12, unmeetable.isEmpty || steps < 4 else { return }
        try await fill([next], 0..<settings.scouts)
      } else {
        return
      }
    }
  }

  /// To four digits: a rate that people can type.
  static func rounded(_ rate: Double) -> Double {
    guard rate > 0, rate.isFinite else { return rate }
    let scale = pow(10, 3 - floor(log10(rate)))
    return (rate * scale).rounded() / scale
  }

  // MARK: - Crossing

  /// What the rounds that were run at all of some rates say: half a round would tilt the balance.
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

  /// The target whose curve reaches its limit first, by the runs at some rates.
  private func firstCrossing(at rates: [Double], from first: Int = 0) -> (target: Int, crossing: CapacityCrossing)? {
    targets.indices.compactMap { index -> (target: Int, crossing: CapacityCrossing)? in
      guard let limit = targets[index].crossingLimit,
        let crossing = CapacityCrossing(samples(of: index, at: rates, from: first), limit: limit)
      else { return nil }
      return (index, crossing)
    }.min { $0.crossing.logRate < $1.crossing.logRate }
  }

  /// Looks closely at where a target's curve crosses its limit between two rates; nil: none does.
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
        // The rates follow the crossing, but no further than the line can be trusted.
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

  /// Two rates on either side of one. Close to where the queue grows curves are steep: what lies beyond stays out.
  private func pair(around centre: Double, _ spread: Double) -> [Double] {
    var width = spread
    if let bound = settings.bound, centre < bound { width = max(0.002, min(width, 0.4 * (1 - centre / bound))) }
    return [Self.rounded(centre * (1 - width)), Self.rounded(centre * (1 + width))]
  }

  /// A first look at two rates: where the crossing lies, and how far rounds scatter.
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
      // Where no curve rises through these rates, more rounds would not bend it.
      guard found != nil, !isCutShort, rounds < 256 else { return found }
      rounds *= 2
    }
  }

  /// As many rounds as the scatter asks for, with seeds that had no part in choosing rates or number: an interval whose
  /// runs are counted until it looks narrow would be too narrow, most of all where late jobs are rare.
  private mutating func measure(
    _ rates: [Double], from first: Int
  ) async throws -> (target: Int, crossing: CapacityCrossing)? {
    let scatter = settings.roundSpread ?? 0
    let needed = (2.05 * scatter / settings.precision) * (2.05 * scatter / settings.precision)
    // Simulated rounds cost little, and with few of them the interval would hold the truth less often than it says.
    let least = probe.takesTime ? settings.rounds : max(40, settings.rounds)
    let rounds = max(least, min(settings.mostRounds, Int(min(needed, 1e6).rounded(.up))))
    try await fill(rates, first..<first + rounds)
    // Whole rounds only, and as many again for those that were invalid.
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

  /// Halves the bracket by verdicts.
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
      // More runs may have moved what looked good.
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

/// How far a search is.
package struct CapacityProgress: Sendable {
  /// `live` or `simulated`.
  package var system: String
  /// What varies; empty: nothing.
  package var configuration = ""
  /// Under way, in jobs per second.
  package var rate: Double
  /// Under way, from 1.
  package var round: Int
  /// Done so far.
  package var runs: Int
  /// The limit as it is known by now; nil: not yet.
  package var limit: Double?
}
