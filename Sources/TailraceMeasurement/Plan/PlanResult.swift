/// The result of a search for the cheapest configuration, with all data for its report and its page.
///
/// Durations are nanoseconds.
package struct PlanResult: Sendable, Hashable, Codable, ResultDocument {
  /// The format that this version writes and reads.
  package static let currentFormat = 2
  /// The version of the format.
  package var format = PlanResult.currentFormat
  /// The version of the program that created it.
  package var version: String
  /// The wall-clock time of the start, in ISO 8601.
  package var started: String
  /// The machine, the toolchain and the settings of the process.
  package var environment: [Setting]
  /// The command that repeats the search.
  package var command: String
  package var seed: UInt64
  /// The scenario's name and summary.
  package var scenario: String
  package var summary: String
  /// The settings and load of the unchanged scenario.
  package var settings: [Setting]
  /// Notes for the reader; empty: none.
  package var notes: [String]
  /// The targets as written; all must be met.
  package var targets: [String]
  /// The settings that vary.
  package var varied: [String]
  /// The number of configurations that `varied` spans.
  package var count: Int
  /// Independent seeds per configuration in the first pass.
  package var replications: Int
  /// Maximum jobs to simulate for undecided configurations after the first pass.
  package var budget: Int
  /// How long arrivals last in a run of the scenario; nil: not set.
  package var length: Double?
  /// The configurations tried, cheapest first.
  package var candidates: [PlanCandidate]
  /// What limits the result, or the most expensive configuration if there is no result.
  package var binding: PlanBinding?
  /// Whether the search was interrupted; what is missing was never run.
  package var isInterrupted: Bool
  /// Configurations that could not be tried, and why, one line each; nil: none.
  package var failures: [String]?

  package init(
    version: String, started: String, environment: [Setting], command: String, seed: UInt64, scenario: String,
    summary: String, settings: [Setting], notes: [String], targets: [String], varied: [String], count: Int,
    replications: Int, budget: Int, length: Double?, candidates: [PlanCandidate], binding: PlanBinding?,
    isInterrupted: Bool
  ) {
    self.version = version
    self.started = started
    self.environment = environment
    self.command = command
    self.seed = seed
    self.scenario = scenario
    self.summary = summary
    self.settings = settings
    self.notes = notes
    self.targets = targets
    self.varied = varied
    self.count = count
    self.replications = replications
    self.budget = budget
    self.length = length
    self.candidates = candidates
    self.binding = binding
    self.isInterrupted = isInterrupted
  }

  /// The index of the result among the candidates; nil: no configuration is known to meet every target, or the search
  /// is incomplete, so that cheaper ones may not have been tried.
  package var best: Int? { isWhole ? candidates.firstIndex { $0.verdict == .met } : nil }
  /// Whether the search is complete: not interrupted, and every configuration could be tried.
  package var isWhole: Bool { !isInterrupted && (failures ?? []).isEmpty }
  /// Indices of undecided candidates that are cheaper than the result, or of all undecided ones if there is no result.
  package var undecided: [Int] {
    candidates[..<(best ?? candidates.count)].indices.filter { candidates[$0].verdict == .unclear }
  }
}

/// A configuration that was tried.
package struct PlanCandidate: Sendable, Hashable, Codable {
  package typealias Verdict = CapacityTargetPoint.Verdict
  /// One value per varied setting.
  package var values: [String]
  package var verdict: Verdict
  /// Whether its queue grows.
  package var isOverloaded: Bool
  /// Whether its queue is not known to be stable.
  package var isUnsettled: Bool
  /// A problem independent of the targets; empty: none.
  package var trouble: String
  /// In the order of ``PlanResult/targets``; each interval is the one behind the verdict.
  package var targets: [CapacityTargetPoint]
  package var replications: Int
  /// How long arrivals last in its runs; nil: not set.
  package var length: Double?
  /// The number of jobs simulated for it.
  package var jobs: Int
  /// Whether the maximum number of looks was reached and it is still unclear.
  package var isOutOfLooks: Bool
  package var pools: [CapacityPoolUse]
  /// Successful jobs as a share of those that could succeed; nil: there were none, or a result of an earlier version.
  package var success: Double?

  package init(
    values: [String], verdict: Verdict, isOverloaded: Bool, isUnsettled: Bool, trouble: String,
    targets: [CapacityTargetPoint], replications: Int, length: Double?, jobs: Int, isOutOfLooks: Bool,
    pools: [CapacityPoolUse]
  ) {
    self.values = values
    self.verdict = verdict
    self.isOverloaded = isOverloaded
    self.isUnsettled = isUnsettled
    self.trouble = trouble
    self.targets = targets
    self.replications = replications
    self.length = length
    self.jobs = jobs
    self.isOutOfLooks = isOutOfLooks
    self.pools = pools
  }
}

/// What limits a configuration.
package struct PlanBinding: Sendable, Hashable, Codable {
  /// Why a target is the limiting one.
  package enum Ground: String, Sendable, Codable {
    /// The next cheaper configuration misses it.
    case cheaperMissesIt
    /// The configuration itself misses it, by the most steps.
    case isMissed
    /// Of the targets that relaxing a constraint affects, it has the smallest margin in steps.
    case hasLeastToSpare
    /// Relaxing a constraint affects no target.
    case nothingMoves
  }
  /// A target and its margin.
  package struct Spare: Sendable, Hashable, Codable {
    package var target: String
    package var unit: FigureUnit
    /// The distance of the figure from the limit on the good side, in ``unit``; nil: not measured.
    package var margin: Double?
    /// The constraint whose relaxation helps it most; nil: none.
    package var movedBy: String?
    package init(target: String, unit: FigureUnit, margin: Double?, movedBy: String?) {
      self.target = target
      self.unit = unit
      self.margin = margin
      self.movedBy = movedBy
    }
  }
  /// The index of the configuration among the candidates.
  package var subject: Int
  package var ground: Ground
  /// The target as written; nil: none.
  package var target: String?
  /// The effect of relaxing each constraint on ``target``, most effective first.
  package var sensitivities: [ConstraintSensitivity]
  /// The margins of all targets.
  package var spares: [Spare]

  package init(subject: Int, ground: Ground, target: String?, sensitivities: [ConstraintSensitivity], spares: [Spare]) {
    self.subject = subject
    self.ground = ground
    self.target = target
    self.sensitivities = sensitivities
    self.spares = spares
  }

  /// The limiting constraint; nil: unknown.
  package var constraint: String? {
    sensitivities.first.flatMap { $0.helps ? String($0.constraint.prefix { $0 != ":" }) : nil }
  }
}
