import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay

/// Runs a gate: checks the candidate's targets, then regressions against a baseline, and confirms failures with fresh
/// rounds.
package struct GateRunner: Sendable {
  /// The baseline to compare the candidate with.
  package enum Reference: Sendable {
    /// Stored rounds; the candidate replays their tapes.
    case stored(Baseline)
    /// Another program, run in alternation with the candidate.
    case program(ComparisonRunner.Candidate)
  }

  /// The source of the candidate's rounds.
  package enum Source: Sendable {
    case program(ComparisonRunner.Candidate)
    /// Stored results. Nothing is run, so failures cannot be confirmed.
    case results(label: String, [SuiteResult])

    var label: String {
      switch self {
      case .program(let candidate): candidate.label
      case .results(let label, _): label
      }
    }
    var canRunAgain: Bool {
      switch self {
      case .program: true
      case .results: false
      }
    }
  }

  package var rules: ComparisonRules
  /// Bounds from flags.
  package var regressions: [String]
  /// The metrics to compare; empty: the default ones.
  package var metrics: [String]
  package var seed: UInt64
  package var budget: Nanoseconds?
  package var isForced: Bool
  /// The baseline's name in `vs(…)`.
  package var baseline: String
  /// The job types of each scenario, by its name.
  package var types: [String: [String]] = [:]
  /// Metrics that the user named, which must have a value.
  package var asked: [String] = []
  private let interruption: StopFlag

  package init(
    rules: ComparisonRules, regressions: [String], metrics: [String], seed: UInt64, budget: Nanoseconds?,
    isForced: Bool, baseline: String, interruption: StopFlag
  ) {
    self.rules = rules
    self.regressions = regressions
    self.metrics = metrics
    self.seed = seed
    self.budget = budget
    self.isForced = isForced
    self.baseline = baseline
    self.interruption = interruption
  }

  /// A gate's rounds and their results.
  package struct Pass: Sendable {
    package var outcome: ComparisonRunner.Outcome
    package var checks: [GateCheck]
  }

  /// Runs the gate.
  ///
  /// - Returns: The first rounds, fresh rounds if something was missed, and the resulting checks.
  /// - Throws: ``ChildRunProblem``, or ``UnlikeCandidates``.
  package func run(
    _ source: Source, against reference: Reference,
    onProgress: @escaping @Sendable (ComparisonRunner.Progress) -> Void
  ) async throws -> (first: Pass, fresh: Pass?, checks: [GateCheck]) {
    let first = try await pass(source, reference, seed: seed, onProgress)
    let failed = first.checks.contains { $0.verdict == .missed }
    guard failed, first.outcome.comparison.invalid.isEmpty, !interruption.isSet, case .program = source else {
      return (first, nil, first.checks)
    }
    // Use new seeds, so that the fresh rounds have independent random draws.
    let fresh: Pass
    do {
      fresh = try await pass(source, reference, seed: seed &+ 1_000_003, onProgress)
    } catch {
      var kept = first
      let words = (error as? ChildRunProblem)?.line ?? ErrorWords.line(of: error)
      kept.outcome.comparison.distrust(["the fresh rounds failed: \(words)"])
      return (kept, nil, kept.checks)
    }
    return (first, fresh, GateCheck.confirmed(first.checks, by: fresh.checks))
  }

  private func pass(
    _ source: Source, _ reference: Reference, seed: UInt64,
    _ onProgress: @escaping @Sendable (ComparisonRunner.Progress) -> Void
  ) async throws -> Pass {
    let outcome: ComparisonRunner.Outcome
    switch reference {
    case .program(let other):
      guard case .program(let candidate) = source else {
        preconditionFailure("stored results are compared with a stored baseline")
      }
      outcome = try await ComparisonRunner(
        [other, candidate], rules: rules, metrics: metrics, seed: seed, budget: budget, isForced: isForced,
        interruption: interruption
      ).run(onProgress: onProgress)
    case .stored(let baseline):
      outcome = try await replay(source, against: baseline, onProgress)
    }
    return Pass(
      outcome: outcome,
      checks: GateCheck.checks(
        of: outcome.comparison, outcome.contrasts, regressions: regressions, baseline: self.baseline, types: types,
        asked: asked))
  }

  /// Runs the candidate on the tapes of a stored baseline. Repeats rounds that the machine disturbed.
  private func replay(
    _ source: Source, against baseline: Baseline, _ onProgress: (ComparisonRunner.Progress) -> Void
  ) async throws -> ComparisonRunner.Outcome {
    var rules = rules
    rules.looks = LookPlan(least: baseline.rounds.count, most: baseline.rounds.count)
    var comparison = Comparison(rules: rules, metrics: metrics)
    var forced: [String] = []
    var ending = "the baseline has no more"
    let start = MonotonicClock.now()
    var first: [SuiteResult] = []
    var shown: [Contrast] = []
    // Repeat at most as many rounds as the baseline has.
    var spare = max(4, baseline.rounds.count)
    var index = 0
    while index < baseline.rounds.count {
      let stored = baseline.rounds[index]
      onProgress(progress(comparison, shown, of: baseline, done: index, since: start))
      let found: SuiteResult?
      do {
        found = try await result(of: source, for: stored, of: baseline)
      } catch let problem as ChildRunProblem where problem.leavesRounds(comparison.counted) {
        comparison.distrust(["round \(comparison.rounds.count + 1) failed on \(source.label): \(problem.line)"])
        ending = "round \(comparison.rounds.count + 1) failed"
        break
      }
      guard let own = found else {
        if interruption.isSet {
          ending = "it was interrupted"
          break
        }
        index += 1
        continue
      }
      let unlike = stored.unlikeness(own, varied: [Setting.plantedSlowdown]).map { "\(baseline.name) has \($0)" }
      guard unlike.isEmpty || isForced else {
        try comparison.end(at: comparison.rounds.count + 1, unlike: unlike)
        ending = "round \(comparison.rounds.count + 1) could not be compared"
        break
      }
      for line in unlike where !forced.contains(line) { forced.append(line) }
      comparison.add(
        ComparisonRound(number: comparison.rounds.count + 1, seed: stored.seed, order: [1]), [stored, own],
        labels: [baseline.name, source.label])
      if first.isEmpty { first = [stored, own] }
      let isSpoiled = comparison.rounds.last?.discarded.isEmpty == false
      if isSpoiled, source.canRunAgain, spare > 0, !own.isWhollyValid {
        spare -= 1
      } else {
        index += 1
      }
      if comparison.counted > 0 { shown = comparison.contrasts(isLast: false) }
      onProgress(progress(comparison, shown, of: baseline, done: index, since: start))
      if let budget, MonotonicClock.now() - start > budget, index < baseline.rounds.count {
        ending = "the budget of \(budget.words) was spent"
        break
      }
    }
    comparison.distrust(comparison.conditionDifferences(of: 1, labels: [baseline.name, source.label]))
    return ComparisonRunner.Outcome(
      comparison: comparison, contrasts: comparison.contrasts(isLast: true), ending: ending, forced: forced,
      first: first, isInterrupted: interruption.isSet)
  }

  /// The candidate's result on a stored round's tape; nil: none.
  private func result(
    of source: Source, for stored: SuiteResult, of baseline: Baseline
  ) async throws -> SuiteResult? {
    switch source {
    case .program(let candidate):
      return try await ChildRun.result(
        of: candidate.program, candidate.arguments + ["--seed", "\(stored.seed)"], interruption: interruption)
    case .results(let name, let results):
      let own = results.first { $0.seed == stored.seed }
      guard own != nil || isForced else {
        throw UnlikeCandidates(lines: ["\(baseline.name) has a round with seed \(stored.seed), \(name) has none"])
      }
      return own
    }
  }

  private func progress(
    _ comparison: Comparison, _ shown: [Contrast], of baseline: Baseline, done: Int, since start: Instant
  ) -> ComparisonRunner.Progress {
    let elapsed = MonotonicClock.now() - start
    let left = done == 0 ? nil : Nanoseconds(elapsed.rawValue / Int64(done) * Int64(baseline.rounds.count - done))
    return ComparisonRunner.Progress(
      counted: comparison.counted, most: baseline.rounds.count, left: left, contrasts: shown)
  }
}

extension SuiteResult {
  /// Whether all its runs are valid.
  fileprivate var isWhollyValid: Bool { scenarios.allSatisfy { $0.runs.allSatisfy(\.isValid) } }
}

/// Runs the rounds of a baseline.
package enum BaselineRun {
  /// - Parameters:
  ///   - rounds: The number of valid rounds to run.
  ///   - onRound: Called after each valid round.
  /// - Returns: The valid rounds, and why others were discarded. There are fewer rounds if the machine disturbs too
  ///   many, a system or a run fails, or of an interruption.
  /// - Throws: ``ChildRunProblem`` if the first run is rejected.
  package static func rounds(
    of candidate: ComparisonRunner.Candidate, count rounds: Int, seed: UInt64, interruption: StopFlag,
    onRound: (Int) -> Void
  ) async throws -> (results: [SuiteResult], spoiled: [String], broken: [String]) {
    var results: [SuiteResult] = []
    var (spoiled, broken): ([String], [String]) = ([], [])
    var number = 0
    while results.count < rounds, broken.isEmpty, spoiled.count <= max(4, rounds) {
      let own: SuiteResult?
      number += 1
      do {
        own = try await ChildRun.result(
          of: candidate.program, candidate.arguments + ["--seed", "\(seed &+ UInt64(number - 1))"],
          interruption: interruption)
      } catch let problem as ChildRunProblem where problem.leavesRounds(results.count) {
        broken.append("round \(number) failed: \(problem.line)")
        return (results, spoiled, broken)
      }
      guard let own else { return (results, spoiled, broken) }
      let failed = own.scenarios.flatMap { scenario in
        scenario.runs.flatMap { run in
          run.validity.filter { $0.verdict == .failed }.map { (scenario.name, $0) }
        }
      }
      let words = failed.map { "\($0): \($1.name), \($1.words)" }
      if failed.isEmpty {
        results.append(own)
        onRound(results.count)
      } else if failed.allSatisfy({ $0.1.suspect != .system }) {
        spoiled += words
      } else {
        broken += words
      }
    }
    return (results, spoiled, broken)
  }
}
