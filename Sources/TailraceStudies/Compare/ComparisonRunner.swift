import TailraceCore
import TailraceMeasurement
import TailracePlatform
import TailraceReplay

/// Runs the rounds of a comparison until every verdict is reached, or the budget is spent.
package struct ComparisonRunner: Sendable {
  /// Something to compare: a program and the arguments of its `run` command, without a seed.
  package struct Candidate: Sendable {
    package var label: String
    /// The path of a tailrace executable.
    package var program: String
    package var arguments: [String]
    /// What its tape is made from, beside the seed: scenario files and the settings that vary. Tapes made from
    /// something else may differ, since that was asked for; where only the program differs they may not.
    package var tapeSource: [String]
    package init(label: String, program: String, arguments: [String], tapeSource: [String] = []) {
      self.label = label
      self.program = program
      self.arguments = arguments
      self.tapeSource = tapeSource
    }
  }

  /// How far a comparison is.
  package struct Progress: Sendable {
    /// Rounds that count so far.
    package var counted: Int
    /// The most that will count.
    package var most: Int
    /// Until the most rounds are run or the budget is spent; nil: not known yet.
    package var left: Nanoseconds?
    /// What the rounds so far say.
    package var contrasts: [Contrast]
    /// How many rounds there must be before any of so many metrics can be called better or worse; 0: not known yet.
    package var needed = 0
  }

  /// What the rounds came to.
  package struct Outcome: Sendable {
    package var comparison: Comparison
    package var contrasts: [Contrast]
    /// Why they ended.
    package var ending: String
    package var forced: [String]
    /// Of the first counted round, by candidate; empty: none counts.
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
  ///   - candidates: the baseline first; at least two.
  ///   - metrics: expressions to compare by; empty: the usual ones.
  ///   - seed: of the first round; each round has one more.
  ///   - budget: no round begins that would probably end after it; nil: none.
  ///   - isForced: whether to go on where the candidates' machines, toolchains or tapes differ.
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
  /// A run that fails ends the rounds, and those before it are kept.
  ///
  /// - Throws: ``ChildRun/Problem`` or ``UnlikeCandidates`` where the comparison is refused before any round counts.
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
        } catch let problem as ChildRun.Problem where problem.leavesRounds(comparison.counted) {
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
        return outcome(shown, "every verdict was reached then")
      }
      if comparison.counted >= most {
        return outcome(comparison.contrasts(isLast: true), "no more were planned")
      }
      // Spells in which the host takes the processors pass: they get as many rounds as a first look takes.
      if number - comparison.counted > max(rules.looks.looks[0], comparison.counted) {
        return outcome(
          comparison.contrasts(isLast: true),
          "the machine spoiled \(number - comparison.counted) others, so no more were tried")
      }
      if let budget, MonotonicClock.now() - start + longest > budget {
        return outcome(comparison.contrasts(isLast: true), "the budget of \(budget.words) was spent")
      }
    }
  }

  /// Scenario files that are compared with each other may have different names: what is one scenario is called after
  /// the baseline's.
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
  /// Ends the rounds at one that is not like those before.
  ///
  /// - Throws: ``UnlikeCandidates`` where there is none before.
  mutating func end(at round: Int, unlike lines: [String]) throws(UnlikeCandidates) {
    guard counted > 0 else { throw UnlikeCandidates(lines: lines) }
    distrust(lines.map { "round \(round) is not like those before: \($0)" })
  }
}

/// Results that say nothing about each other: other jobs, machines or toolchains.
package struct UnlikeCandidates: Error, CustomStringConvertible {
  /// One line each.
  package var lines: [String]
  package var description: String { lines.joined(separator: "\n") }
}
