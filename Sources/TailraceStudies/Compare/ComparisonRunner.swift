import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay

/// Runs the rounds of a comparison until every verdict is reached or the budget is used up.
package struct ComparisonRunner: Sendable {
  /// A candidate: a program and the arguments of its `run` command, without a seed.
  package struct Candidate: Sendable {
    package var label: String
    /// The path of a tailrace executable.
    package var program: String
    package var arguments: [String]
    /// The inputs of its tape besides the seed: scenario files and varied settings. Candidates with different inputs
    /// may have different tapes; candidates that differ only in the program may not.
    package var tapeSource: [String]
    package init(label: String, program: String, arguments: [String], tapeSource: [String] = []) {
      self.label = label
      self.program = program
      self.arguments = arguments
      self.tapeSource = tapeSource
    }
  }

  /// The progress of a comparison.
  package struct Progress: Sendable {
    /// Counted rounds so far.
    package var counted: Int
    /// The maximum number of counted rounds.
    package var most: Int
    /// Time until all rounds are run or the budget is used up; nil: unknown.
    package var left: Nanoseconds?
    /// The results of the rounds so far.
    package var contrasts: [Contrast]
    /// The number of rounds needed before any of the metrics can be called better or worse; 0: unknown.
    package var needed = 0
  }

  /// The outcome of the rounds.
  package struct Outcome: Sendable {
    package var comparison: Comparison
    package var contrasts: [Contrast]
    /// Why the rounds ended.
    package var ending: String
    package var forced: [String]
    /// The results of the first counted round, by candidate; empty: no round counts.
    package var first: [SuiteResult]
    package var isInterrupted: Bool
  }

  private let candidates: [Candidate]
  private let rules: ComparisonRules
  private let metrics: [String]
  private let seed: UInt64
  private let budget: Nanoseconds?
  private let isForced: Bool
  private let interruption: StopFlag

  /// - Parameters:
  ///   - candidates: At least two candidates, the baseline first.
  ///   - metrics: The metrics to compare; empty: the default ones.
  ///   - seed: The first round's seed; each round adds one.
  ///   - budget: The time limit. No round starts that would probably exceed it; nil: none.
  ///   - isForced: Whether to go on if the candidates' machines, toolchains or tapes differ.
  package init(
    _ candidates: [Candidate], rules: ComparisonRules, metrics: [String] = [], seed: UInt64 = 1,
    budget: Nanoseconds? = nil, isForced: Bool = false, interruption: StopFlag
  ) {
    precondition(candidates.count > 1, "a comparison needs two candidates")
    self.candidates = candidates
    self.rules = rules
    self.metrics = metrics
    self.seed = seed
    self.budget = budget
    self.isForced = isForced
    self.interruption = interruption
  }

  /// Runs.
  ///
  /// A failed run ends the rounds; earlier rounds are kept.
  ///
  /// - Throws: ``ChildRunProblem`` or ``UnlikeCandidates`` if the comparison is rejected before any round counts.
  package func run(onProgress: @Sendable (Progress) -> Void) async throws -> Outcome {
    var comparison = Comparison(rules: rules, metrics: metrics)
    var forced: [String] = []
    var shown: [Contrast] = []
    let most = rules.looks.looks[rules.looks.looks.count - 1]
    let start = MonotonicClock.now()
    var longest = Nanoseconds.zero
    var number = 0
    func progress() -> Progress {
      let elapsed = MonotonicClock.now() - start
      let rest = longest > .zero ? Nanoseconds(longest.rawValue * Int64(max(0, most - comparison.counted))) : nil
      let left = [rest, budget.map { max(.zero, $0 - elapsed) }].compactMap { $0 }.min()
      return Progress(
        counted: comparison.counted, most: most, left: left, contrasts: shown,
        needed: shown.isEmpty ? 0 : rules.roundsNeeded(metrics: shown.count))
    }
    func outcome(_ contrasts: [Contrast], _ ending: String) -> Outcome {
      Outcome(
        comparison: comparison, contrasts: contrasts, ending: ending, forced: forced,
        first: comparison.results.first ?? [], isInterrupted: interruption.isSet)
    }
    while true {
      number += 1
      let began = MonotonicClock.now()
      let order = number.isMultiple(of: 2) ? Array(candidates.indices.reversed()) : Array(candidates.indices)
      var results = [SuiteResult?](repeating: nil, count: candidates.count)
      let roundSeed = seed &+ UInt64(number - 1)
      for index in order {
        onProgress(progress())
        let candidate = candidates[index]
        do {
          results[index] = try await ChildRun.result(
            of: candidate.program, candidate.arguments + ["--seed", "\(roundSeed)"], interruption: interruption)
        } catch let problem as ChildRunProblem where problem.leavesRounds(comparison.counted) {
          comparison.distrust(["round \(number) failed on \(candidate.label): \(problem.line)"])
          return outcome(comparison.contrasts(isLast: true), "round \(number) failed")
        }
        if results[index] == nil { return outcome(comparison.contrasts(isLast: true), "it was interrupted") }
      }
      let suites = aligned(results.compactMap { $0 })
      let unlike = unlikeness(suites)
      guard unlike.isEmpty || isForced else {
        try comparison.end(at: number, unlike: unlike)
        return outcome(comparison.contrasts(isLast: true), "round \(number) could not be compared")
      }
      for line in unlike where !forced.contains(line) { forced.append(line) }
      comparison.add(
        ComparisonRound(number: number, seed: roundSeed, order: order), suites, labels: candidates.map(\.label))
      longest = max(longest, MonotonicClock.now() - began)
      if comparison.counted > 0 { shown = comparison.contrasts(isLast: false) }
      onProgress(progress())
      if comparison.isAtLook, comparison.counted < most, !shown.contains(where: { $0.verdict == .unclear }),
        comparison.rounds.last?.discarded.isEmpty == true
      {
        return outcome(shown, "every verdict was reached")
      }
      if comparison.counted >= most {
        return outcome(comparison.contrasts(isLast: true), "no more were planned")
      }
      // Periods of CPU steal pass. Allow them as many rounds as the first evaluation uses.
      if number - comparison.counted > max(rules.looks.looks[0], comparison.counted) {
        return outcome(
          comparison.contrasts(isLast: true),
          "the machine disturbed \(number - comparison.counted) others, so no more were run")
      }
      if let budget, MonotonicClock.now() - start + longest > budget {
        return outcome(comparison.contrasts(isLast: true), "the budget of \(budget.words) was used up")
      }
    }
  }

  /// Compared scenario files may have different names. Renames each scenario to the baseline's name.
  private func aligned(_ suites: [SuiteResult]) -> [SuiteResult] {
    let names = suites[0].scenarios.map(\.name)
    return suites.map { suite in
      guard suite.scenarios.count == names.count, names.count == 1 else { return suite }
      var suite = suite
      suite.scenarios[0].name = names[0]
      return suite
    }
  }

  private func unlikeness(_ suites: [SuiteResult]) -> [String] {
    candidates.indices.dropFirst().flatMap { index in
      let isNamed = candidates[index].tapeSource != candidates[0].tapeSource
      return suites[0].unlikeness(suites[index], varied: nil, isTapeNamed: isNamed).map {
        "\(candidates[0].label) has \($0) (\(candidates[index].label))"
      }
    }
  }
}

extension Comparison {
  /// Ends the rounds at one that is not comparable with earlier ones.
  ///
  /// - Throws: ``UnlikeCandidates`` if there is no earlier round.
  mutating func end(at round: Int, unlike lines: [String]) throws(UnlikeCandidates) {
    guard counted > 0 else { throw UnlikeCandidates(lines: lines) }
    distrust(lines.map { "round \(round) is not comparable with earlier rounds: \($0)" })
  }
}

/// Results that are not comparable because jobs, machines or toolchains differ.
package struct UnlikeCandidates: Error, CustomStringConvertible {
  /// One line each.
  package var lines: [String]
  package var description: String { lines.joined(separator: "\n") }
}
