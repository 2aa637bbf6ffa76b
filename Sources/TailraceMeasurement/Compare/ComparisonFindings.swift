/// A candidate of a comparison: a setting, a system, a file, a stored result, or a program.
package struct ComparedCandidate: Sendable, Hashable, Codable {
  /// The name in reports: `scheduler.policy=fifo`, `task-group`, `main`.
  package var label: String
  /// The origin of its runs: the command of one run, or the location of stored ones.
  package var source: String
  /// Differences of its environment from the baseline's, such as another commit.
  package var differences: [Setting]
  /// How its tapes differ from the baseline's in what the user varied, one line per scenario; nil: they are equal.
  package var tape: [String]?
  package init(label: String, source: String, differences: [Setting] = []) {
    self.label = label
    self.source = source
    self.differences = differences
  }
}

/// A round: every candidate replayed the same tapes.
package struct ComparisonRound: Sendable, Hashable, Codable {
  /// From 1, in run order.
  package var number: Int
  package var seed: UInt64
  /// Indices of the candidates in run order.
  package var order: [Int]
  /// Why the round is discarded, such as CPU steal; empty: it counts.
  package var discarded: [String]
  package init(number: Int, seed: UInt64, order: [Int], discarded: [String] = []) {
    self.number = number
    self.seed = seed
    self.order = order
    self.discarded = discarded
  }
}

/// The merged histograms of one candidate's counted rounds in one scenario.
package struct PooledRuns: Sendable, Hashable, Codable {
  package var scenario: String
  package var candidate: Int
  package var system: String
  package var classes: [ClassMeasurement]
  /// Mean over the rounds; nil: not measured.
  package var utilization: Double?
}

/// The findings of a comparison, with all data for its report.
package struct ComparisonFindings: Sendable, Hashable, Codable, ResultDocument {
  package static let currentFormat = 2
  package var format = ComparisonFindings.currentFormat
  package var version: String
  package var name: String
  package var started: String
  package var command: String
  package var environment: [Setting]
  package var rules: ComparisonRules
  /// The candidates, the baseline first.
  package var candidates: [ComparedCandidate]
  package var rounds: [ComparisonRound]
  /// Why the rounds ended.
  package var ending: String
  package var contrasts: [Contrast]
  package var explanations: [Explanation]
  package var pooled: [PooledRuns]
  /// Differences between candidates that would have caused an error without `--force`.
  package var forced: [String]
  /// Why the figures cannot be trusted; empty: they can.
  package var invalid: [String]
  /// Whether `--strict` was given; nil: no.
  package var isStrict: Bool?

  /// The number of counted rounds.
  package var counted: Int { rounds.count { $0.discarded.isEmpty } }

  /// The explanation of a candidate's change in a scenario; nil if nothing is better or worse there, because the parts
  /// would only explain noise.
  package func explanation(of candidate: Int, in scenario: String) -> Explanation? {
    let isCalled = contrasts.contains {
      $0.candidate == candidate && $0.scenario == scenario && ($0.verdict == .worse || $0.verdict == .better)
    }
    guard isCalled else { return nil }
    return explanations.first { $0.candidate == candidate && $0.scenario == scenario }
  }

  /// The exit status of the worst finding: 4 invalid; 3 a metric is worse; 5 something is unclear and that counts as a
  /// failure; otherwise 0.
  package var exitStatus: Int32 {
    if !invalid.isEmpty { return 4 }
    if contrasts.contains(where: { $0.verdict == .worse }) { return 3 }
    return isInconclusive(contrasts) ? GateFindings.inconclusiveStatus : 0
  }

  /// Whether nothing is worse, but something is unclear and that counts as a failure.
  package func isInconclusive(_ contrasts: [Contrast]) -> Bool {
    isStrict == true && !contrasts.contains { $0.verdict == .worse } && contrasts.contains { $0.verdict == .unclear }
  }
}

/// The runs of a comparison so far, and their results.
package struct Comparison: Sendable {
  package var rules: ComparisonRules
  /// Metric expressions to compare; empty: ``Metric/compared(in:types:)``.
  package var metrics: [String]
  package private(set) var rounds: [ComparisonRound] = []
  /// By counted round, then by candidate.
  package private(set) var results: [[SuiteResult]] = []
  /// Problems of the runs that further rounds cannot fix.
  private var broken: [String] = []
  /// Checks that failed in discarded rounds although the machine looked quiet. Occasionally the machine is to blame.
  private var doubts: [String] = []

  package init(rules: ComparisonRules, metrics: [String] = []) {
    self.rules = rules
    self.metrics = metrics
  }

  /// The number of counted rounds so far.
  package var counted: Int { results.count }

  /// Why the figures cannot be trusted, whatever further rounds show; empty: they can.
  package var invalid: [String] {
    // One round in eight, and at least two, may fail a check for no visible reason.
    guard doubts.count > max(2, rounds.count / 8) else { return broken }
    return broken + ["too often to blame the machine (\(doubts.count) of \(rounds.count) rounds): \(doubts[0])"]
  }

  /// Adds a reason why the figures cannot be trusted.
  package mutating func distrust(_ reasons: [String]) { broken += reasons }

  /// Adds a round. A round that the machine disturbed is discarded for all candidates. A failure of a system (lost
  /// jobs, a queue that did not drain) makes the comparison invalid.
  package mutating func add(_ round: ComparisonRound, _ suites: [SuiteResult], labels: [String]) {
    var round = round
    for (suite, label) in zip(suites, labels) {
      if suite.isInterrupted { round.discarded.append("\(label) was interrupted") }
      for scenario in suite.scenarios {
        for run in scenario.runs {
          for check in run.validity where check.verdict == .failed {
            let words = "\(scenario.name) on \(label): \(check.name), \(check.words)"
            switch check.suspect {
            case .machine: round.discarded.append(words)
            case .machineOrSystem:
              round.discarded.append(words)
              if !run.isDisturbed { doubts.append(words + " (round \(round.number))") }
            case .system:
              guard !broken.contains(where: { $0.hasPrefix("\(scenario.name) on \(label): \(check.name)") }) else {
                continue
              }
              broken.append(words + " (round \(round.number))")
            }
          }
        }
      }
    }
    rounds.append(round)
    if round.discarded.isEmpty { results.append(suites) }
  }

  /// The contrasts of the rounds so far.
  ///
  /// - Parameter isLast: whether no further round follows, so that the remaining error may be spent.
  package func contrasts(isLast: Bool) -> [Contrast] {
    guard counted > 0 else { return [] }
    let planned = rules.looks.share(after: counted, isLast: isLast)
    // Between looks, intervals are shown as at a look but decide nothing.
    let share = planned > 0 ? planned : rules.looks.share(after: counted, isLast: true)
    return Contrast.contrasts(of: pairedValues, rules: rules, share: share, decides: planned > 0, seed: 1)
  }

  /// Whether a look is planned after the rounds so far.
  package var isAtLook: Bool { rules.looks.looks.contains(counted) }

  private var pairedValues: [PairedValues] {
    guard let first = results.first, let baseline = first.first else { return [] }
    var all: [PairedValues] = []
    // Metrics of a job type that no run measured have no value; report them.
    let runs = first.flatMap(\.scenarios).compactMap(\.primary)
    let measured = Set(runs.flatMap { $0.measurement.classes.compactMap(\.key.type) })
    let absent = metrics.filter { text in
      (try? Metric(parsing: text, types: nil))?.key.type.map { !measured.contains($0) } ?? false
    }
    for candidate in first.indices.dropFirst() {
      for (place, scenario) in baseline.scenarios.enumerated() {
        guard let run = scenario.primary else { continue }
        let types = run.measurement.classes.compactMap(\.key.type)
        let wanted =
          metrics.isEmpty
          ? Metric.compared(in: run)
          : metrics.compactMap { try? Metric(parsing: $0, types: absent.contains($0) ? nil : types) }
        for metric in wanted {
          let answers = results.map { round in
            (
              metric.answer(from: round[0].scenarios[place].runs),
              metric.answer(from: round[candidate].scenarios[place].runs)
            )
          }
          all.append(
            PairedValues(
              metric: metric, scenario: scenario.name, candidate: candidate,
              pairs: answers.map { ($0.0.value, $0.1.value) },
              reason: answers.lazy.flatMap { [$0.0, $0.1] }.first { $0.value == nil }?.note ?? ""))
        }
      }
    }
    return all
  }

  /// The merged runs of every candidate and scenario.
  package var pooled: [PooledRuns] {
    guard let first = results.first else { return [] }
    return first.indices.flatMap { candidate in
      first[candidate].scenarios.indices.map { place in
        let scenarios = results.map { $0[candidate].scenarios[place] }
        return PooledRuns(scenarios, candidate: candidate)
      }
    }
  }

  /// Explanations of the change of response time, for every candidate and scenario.
  package var explanations: [Explanation] {
    guard let first = results.first else { return [] }
    return first.indices.dropFirst().flatMap { candidate in
      first[0].scenarios.indices.compactMap { place in
        Explanation(
          results.map { ($0[0].scenarios[place], $0[candidate].scenarios[place]) }, candidate: candidate, rules: rules)
      }
    }
  }
}

extension ValidityCheck {
  /// The possible causes of a failed check.
  package enum Suspect: Sendable {
    /// The machine; a repetition may pass.
    case machine
    /// Either: a pause of the machine can separate the scheduler's count from the timelines, or the offered from the
    /// achieved rate. A fault of the system does so in every run.
    case machineOrSystem
    /// The system: no machine loses a job.
    case system
  }
  package var suspect: Suspect {
    switch name {
    case "host_steal", "generator_lateness", "driver_hand_over", "other_programs", ValidityCheck.standstillName:
      .machine
    case "littles_law", "offered_vs_achieved": .machineOrSystem
    default: .system
    }
  }
}

extension RunResult {
  /// Whether a check of the machine failed or warned.
  package var isDisturbed: Bool {
    validity.contains { $0.suspect == .machine && ($0.verdict == .warning || $0.verdict == .failed) }
  }
}

extension PooledRuns {
  init(_ scenarios: [ScenarioResult], candidate: Int) {
    let runs = scenarios.compactMap(\.primary)
    self.init(
      scenario: scenarios[0].name, candidate: candidate, system: runs.first?.system ?? "",
      classes: ClassMeasurement.merged(runs.map(\.measurement.classes)), utilization: runs.meanUtilization)
  }
}

extension [RunResult] {
  var meanUtilization: Double? {
    let values = compactMap { $0.reading(of: .utilization)?.value }
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

extension ClassMeasurement {
  /// The classes of several runs, merged; in the order of the first run.
  package static func merged(_ runs: [[ClassMeasurement]]) -> [ClassMeasurement] {
    var merged: [ClassMeasurement] = []
    for classes in runs {
      for own in classes {
        if let place = merged.firstIndex(where: { $0.key == own.key }) {
          merged[place].merge(own)
        } else {
          merged.append(own)
        }
      }
    }
    return merged
  }

  private mutating func merge(_ other: ClassMeasurement) {
    causes.merge(other.causes)
    attempts += other.attempts
    retries += other.retries
    late += other.late
    parts.merge(other.parts)
    for index in distributions.indices {
      guard let theirs = other.distributions[index] else { continue }
      if distributions[index] == nil { distributions[index] = theirs } else { distributions[index]!.merge(theirs) }
    }
  }
}

extension ComparisonFindings {
  /// Summarizes a comparison.
  ///
  /// - Parameters:
  ///   - first: the results of one round by candidate, for the descriptions of machine and program.
  ///   - contrasts: those of the last look.
  ///   - isInterrupted: whether planned rounds were not run because of a signal. Unclear metrics then count as a
  ///     failure.
  package init(
    name: String, command: String, version: String, started: String, candidates: [ComparedCandidate],
    comparison: Comparison, contrasts: [Contrast], ending: String, forced: [String], first: [SuiteResult],
    isInterrupted: Bool = false
  ) {
    var candidates = candidates
    for (index, suite) in first.enumerated() where index > 0 && index < candidates.count {
      candidates[index].differences = first[0].notableDifferences(suite)
      let tape = first[0].tapeDifferences(suite)
      candidates[index].tape = tape.isEmpty ? nil : tape
    }
    var invalid = comparison.invalid
    if isInterrupted {
      invalid.append("not finished: it was interrupted; rounds that count by then: \(comparison.counted)")
    }
    if comparison.counted == 0 { invalid.append("no round counts") }
    self.init(
      version: version, name: name, started: started, command: command, environment: first.first?.environment ?? [],
      rules: comparison.rules, candidates: candidates, rounds: comparison.rounds, ending: ending,
      contrasts: contrasts, explanations: comparison.explanations, pooled: comparison.pooled, forced: forced,
      invalid: invalid)
  }
}
