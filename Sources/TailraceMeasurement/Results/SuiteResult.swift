import TailraceCore

/// A published figure and the measured value.
package struct PublishedOutcome: Sendable, Hashable, Codable {
  /// The metric expression, such as `service{type=data_export}.mean`.
  package var metric: String
  /// As published, with its unit.
  package var published: String
  /// The published value at the run's time scale, in the metric's own unit.
  package var value: Double
  /// In the metric's unit; nil if there is no sample.
  package var measured: Double?
  package var unit: FigureUnit
  package var samples: UInt64
  /// A note, such as why nothing was measured; empty: none.
  package var note: String
}

/// A metric that the suite's report lists next to those of its other scenarios.
package struct FigureOutcome: Sendable, Hashable, Codable {
  /// The metric expression, such as `waiting{priority=high}.max`.
  package var metric: String
  /// In the metric's unit; nil: unavailable.
  package var measured: Double?
  package var unit: FigureUnit
}

/// The result of a scenario with all its runs.
package struct ScenarioResult: Sendable, Hashable, Codable {
  package var name: String
  package var summary: String
  package var source: String
  package var notes: [String]
  package var settings: [Setting]
  /// The runs; targets and published figures refer to the first.
  package var runs: [RunResult]
  package var targets: [TargetOutcome]
  package var published: [PublishedOutcome]
  /// Metrics for the suite's report; nil in results of earlier versions.
  package var figures: [FigureOutcome]?
  /// Bounds on regressions from a baseline, as written; nil: none. A single run cannot check them.
  package var regressions: [String]?

  /// Systems on which the scenario could not be replayed; nil: none.
  package var failedRuns: [RunFailure]?

  /// How the replayed log was used; nil: none.
  package var trace: ReplayedTrace?

  /// Why targets were missed, in their order, one for each that has a value; nil: all targets were met, or an older
  /// version made the result.
  package var causes: [TargetCause]?

  /// Creates a scenario's result: evaluates its targets and pairs published figures with those of the first run.
  ///
  /// - Parameters:
  ///   - targets: expressions as written; each must have passed ``TargetExpression/problem(in:types:)``.
  ///   - published: metric expression and value, as written.
  ///   - figures: metric expressions to tabulate, as written.
  ///   - types: names of the scenario's job types.
  ///   - failures: systems on which it could not be replayed. If the targets refer to one of them, targets and
  ///     published figures are not evaluated.
  ///   - slow: the result of ``Recorder/slowJobs(behind:of:workers:)`` for the first run.
  /// - Throws: ``TargetProblem`` for the first expression that has a problem.
  package init(
    name: String, summary: String, source: String = "", notes: [String] = [], settings: [Setting] = [],
    runs: [RunResult], targets: [String] = [], published: [(metric: String, value: String)] = [],
    figures: [String] = [], types: [String], trace: ReplayedTrace? = nil, failures: [RunFailure] = [],
    slow: [String: SlowJobs] = [:]
  ) throws(TargetProblem) {
    self.name = name
    self.summary = summary
    self.source = source
    self.notes = notes
    self.settings = settings
    self.runs = runs
    self.trace = trace
    self.targets = []
    self.published = []
    if !failures.isEmpty { self.failedRuns = failures }
    let scale = runs.first?.timeScale ?? 1
    let runs = judgedRuns
    let bounds = targets.filter(RegressionTarget.isMeant)
    if !bounds.isEmpty { regressions = bounds }
    // A target that occurs both in the file and as a flag counts once.
    var seen: Set<String> = []
    for target in targets where !RegressionTarget.isMeant(target) && seen.insert(target).inserted {
      let expression = try TargetExpression(parsing: target, types: types)
      self.targets.append(TargetOutcome(expression, as: target, runs: runs, scale: scale))
    }
    addCauses(slow, types: types)
    for figure in published {
      let metric = try Metric(parsing: figure.metric, types: types)
      let value = try metric.parseValue(figure.value).scaled(by: scale, metric: metric)
      self.published.append(PublishedOutcome(figure, metric: metric, value: value, runs: runs))
    }
    guard !figures.isEmpty else { return }
    self.figures = []
    for figure in figures {
      let metric = try Metric(parsing: figure, types: types)
      let value = metric.answer(from: runs).value
      self.figures!.append(FigureOutcome(metric: figure, measured: value, unit: metric.unit))
    }
  }

  private mutating func addCauses(_ slow: [String: SlowJobs], types: [String]) {
    guard let run = judgedRuns.first else { return }
    let causes = targets.filter { $0.verdict == .missed }.map {
      TargetCause($0, run: run, slow: slow[$0.expression], types: types)
    }
    if !causes.isEmpty { self.causes = causes }
  }

  /// Evaluates one more target.
  ///
  /// - Throws: ``TargetProblem``, also for a job type that was not measured.
  package mutating func judge(by target: String) throws(TargetProblem) {
    let types = primary?.measurement.classes.compactMap(\.key.type) ?? []
    let expression = try TargetExpression(parsing: target, types: types)
    targets.append(TargetOutcome(expression, as: target, runs: judgedRuns, scale: primary?.timeScale ?? 1))
  }

  /// The run that targets refer to and those it is compared with; empty if that run failed.
  private var judgedRuns: [RunResult] { failedRuns?.contains(where: \.isPrimary) == true ? [] : runs }

  /// The run that targets refer to.
  package var primary: RunResult? { runs.first }
  /// The sequential run of the same tape.
  package var sequential: RunResult? { runs.first(where: \.isSequential) }

  /// The verdict of the scenario. Every run must be valid.
  package var verdict: Verdict {
    if failedRuns?.isEmpty == false { return .invalid }
    if runs.isEmpty || runs.contains(where: { !$0.isValid }) { return .invalid }
    if targets.isEmpty { return .noTargets }
    return targets.allSatisfy { $0.verdict == .met } ? .passed : .missed
  }
}

/// The result of a command, with all data for its report.
package struct SuiteResult: Sendable, Hashable, Codable, ResultDocument {
  /// The format that this version writes and reads.
  package static let currentFormat = 2
  /// The version of the format.
  package var format: Int
  /// The version of the program that created it.
  package var version: String
  package var suite: String
  /// The wall-clock time of the start, in ISO 8601.
  package var started: String
  /// The machine, the toolchain and the settings of the process.
  package var environment: [Setting]
  /// The command that repeats the run.
  package var command: String
  package var seed: UInt64
  package var timeScale: Double
  package var scenarios: [ScenarioResult]
  /// Whether the suite was interrupted; scenarios that never ran are missing.
  package var isInterrupted: Bool

  package init(
    version: String, suite: String, started: String, environment: [Setting], command: String, seed: UInt64,
    timeScale: Double, scenarios: [ScenarioResult], isInterrupted: Bool = false
  ) {
    format = Self.currentFormat
    self.version = version
    self.suite = suite
    self.started = started
    self.environment = environment
    self.command = command
    self.seed = seed
    self.timeScale = timeScale
    self.scenarios = scenarios
    self.isInterrupted = isInterrupted
  }

  /// The failures with their scenarios; they may have several lines.
  package var failureWords: [String] {
    scenarios.flatMap { scenario in (scenario.failedRuns ?? []).map { $0.words(in: scenario.name) } }
  }
  /// The failures with their scenarios, each on one line.
  package var failureLines: [String] {
    scenarios.flatMap { scenario in (scenario.failedRuns ?? []).map { $0.line(in: scenario.name) } }
  }

  /// The worst verdict of its scenarios. An interrupted suite is invalid, and a suite without checks has not passed.
  package var verdict: Verdict {
    isInterrupted || scenarios.isEmpty ? .invalid : scenarios.map(\.verdict).max() ?? .invalid
  }
  /// The exit status of the command.
  package var exitStatus: Int32 { verdict.exitStatus }
}

/// The verdict of a run, in ascending order of severity.
package enum Verdict: Int, Comparable, Sendable, Codable {
  /// Valid, but nothing was checked.
  case noTargets
  /// Valid, and every target met.
  case passed
  /// Valid, but a target was missed or had no samples.
  case missed
  /// The figures cannot be trusted, so no target passes.
  case invalid

  package static func < (a: Verdict, b: Verdict) -> Bool { a.rawValue < b.rawValue }
  /// 0 passed or nothing to check, 2 a target was missed, 4 invalid.
  package var exitStatus: Int32 {
    switch self {
    case .noTargets, .passed: 0
    case .missed: 2
    case .invalid: 4
    }
  }
  /// The verdict in one word, for the head of a report.
  package var word: String {
    switch self {
    case .noTargets: "NO TARGETS"
    case .passed: "PASSED"
    case .missed: "MISSED"
    case .invalid: "INVALID"
    }
  }
}
