/// Stored results to compare later ones with: one per tape, as measured.
package struct Baseline: Sendable, Hashable, Codable, ResultDocument {
  package static let currentFormat = 2
  package var format = Baseline.currentFormat
  package var name: String
  /// The wall-clock time when it was stored, in ISO 8601.
  package var saved: String
  package var version: String
  package var command: String
  /// The scenarios as named on the command line, and the flags of `run` that changed them.
  package var scenarios: [String]
  package var arguments: [String]
  package var environment: [Setting]
  /// One result per round, each with its own seed; without time series, which comparisons do not need.
  package var rounds: [SuiteResult]

  package init(
    name: String, saved: String, version: String, command: String, scenarios: [String], arguments: [String],
    rounds: [SuiteResult]
  ) {
    self.name = name
    self.saved = saved
    self.version = version
    self.command = command
    self.scenarios = scenarios
    self.arguments = arguments
    environment = rounds.first?.environment ?? []
    self.rounds = rounds.map(\.withoutSeries)
  }

  package static let nameRule = "letters, digits, '-', '_' and '.', not beginning with '.'"
  /// Whether a name is valid as a file name.
  package static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.first != "." && name.count <= 100
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
  }
}

extension SuiteResult {
  fileprivate var withoutSeries: SuiteResult {
    var slim = self
    for scenario in slim.scenarios.indices {
      for run in slim.scenarios[scenario].runs.indices {
        slim.scenarios[scenario].runs[run].measurement.dropSeries()
      }
    }
    return slim
  }
}

/// The noise floor of a machine: how large a change of each metric must be to be detectable, from comparing equals.
package struct NoiseFloor: Sendable, Hashable, Codable, ResultDocument {
  /// One metric's floor.
  package struct Entry: Sendable, Hashable, Codable {
    package var scenario: String
    package var metric: String
    /// The smallest relative change that this many rounds detect in four of five comparisons; nil: none.
    package var floor: Double?
  }
  package static let currentFormat = 2
  package var format = NoiseFloor.currentFormat
  package var measured: String
  package var environment: [Setting]
  package var rounds: Int
  package var entries: [Entry]

  package init(_ findings: ComparisonFindings) {
    measured = findings.started
    environment = findings.environment
    rounds = findings.counted
    entries = findings.contrasts.map { contrast in
      let (_, error) = Student.moments(contrast.logRatios)
      let effect = Student.detectableEffect(error: error, count: contrast.logRatios.count, alpha: 0.05)
      return Entry(
        scenario: contrast.scenario, metric: contrast.metric,
        floor: contrast.logRatios.count > 1 ? Contrast.change(effect) : nil)
    }
  }

  /// The floor of a metric for another number of rounds: it shrinks with their square root; nil: not measured.
  package func floor(of metric: String, in scenario: String, rounds other: Int) -> Double? {
    guard let floor = entries.first(where: { $0.scenario == scenario && $0.metric == metric })?.floor else {
      return nil
    }
    return floor * (Double(rounds) / Double(max(1, other))).squareRoot()
  }
}

extension Baseline {
  /// How many metrics a gate compares by default.
  package var usualMetrics: Int {
    rounds.first?.scenarios.reduce(0) { sum, scenario in
      sum + (scenario.primary.map { Metric.compared(in: $0).count } ?? 0)
    } ?? 0
  }

  /// How many rounds a gate needs before it can call any of these metrics worse; nil: there are enough.
  package var roundsNeeded: Int? {
    let rules = ComparisonRules(looks: LookPlan(least: rounds.count, most: rounds.count))
    let needed = rules.roundsNeeded(metrics: usualMetrics)
    return needed > rounds.count ? needed : nil
  }
}
