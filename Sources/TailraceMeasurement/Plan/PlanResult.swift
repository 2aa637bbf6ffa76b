/// What a search for the cheapest configuration left: everything that its report and its page are made from.
///
/// Lengths of time are nanoseconds.
package struct PlanResult: Sendable, Hashable, Codable {
  /// The format that this version writes and reads.
  package static let currentFormat = 1
  /// The version of the format.
  package var format = PlanResult.currentFormat
  /// The version of the program that made it.
  package var version: String
  /// Wall clock time at the start, in ISO 8601.
  package var started: String
  /// The machine, the toolchain, the settings of the process.
  package var environment: [Setting]
  /// The command that repeats the search.
  package var command: String
  package var seed: UInt64
  /// The scenario's name and summary.
  package var scenario: String
  package var summary: String
  /// Its settings and load as they are where nothing varies.
  package var settings: [Setting]
  /// What a reader must know; empty: nothing.
  package var notes: [String]
  /// As written; all must be met.
  package var targets: [String]
  /// The settings that vary.
  package var varied: [String]
  /// How many configurations `varied` spans.
  package var count: Int
  /// Independent seeds for each configuration at first.
  package var replications: Int
  /// Jobs that might be simulated for what was undecided, beyond the first replications.
  package var budget: Int
  /// How long arrivals go on in a run as the scenario says; nil: it says nothing.
  package var length: Double?
  /// Those that were tried, cheapest first.
  package var candidates: [PlanCandidate]
  /// What stands between the answer, or where there is none the dearest configuration, and more to spare.
  package var binding: PlanBinding?
  /// Whether it was cut short: what is missing was never run.
  package var isInterrupted: Bool
  /// Configurations that could not be tried, and why, a line each; nil: there are none.
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

  /// The place of the answer among the candidates; nil: none is known to meet every target, or the search is not whole,
  /// so that cheaper ones may never have been tried.
  package var best: Int? { isWhole ? candidates.firstIndex { $0.verdict == .met } : nil }
  /// Whether nothing is missing: it was not interrupted, and every configuration could be tried.
  package var isWhole: Bool { !isInterrupted && (failures ?? []).isEmpty }
  /// The places of candidates that are cheaper than the answer, or where there is none all, and are not decided.
  package var undecided: [Int] {
    candidates[..<(best ?? candidates.count)].indices.filter { candidates[$0].verdict == .unclear }
  }
}

/// A configuration that was tried.
package struct PlanCandidate: Sendable, Hashable, Codable {
  package typealias Verdict = CapacityTargetPoint.Verdict
  /// One for each setting that varies.
  package var values: [String]
  package var verdict: Verdict
  /// Whether its queue grows.
  package var isOverloaded: Bool
  /// Whether it is not known that its queue has settled.
  package var isUnsettled: Bool
  /// What is wrong whatever the targets say, in words; empty: nothing.
  package var trouble: String
  /// In the order of ``PlanResult/targets``; each interval is the one that the verdict rests on.
  package var targets: [CapacityTargetPoint]
  package var replications: Int
  /// How long arrivals go on in its runs; nil: nothing says.
  package var length: Double?
  /// Jobs that were simulated for it.
  package var jobs: Int
  /// Whether it was looked at as often as may be, and is still unclear.
  package var isOutOfLooks: Bool
  package var pools: [CapacityPoolUse]
  /// Share of the jobs that succeeded, of those that could have; nil: none could, or a result of a version that did not
  /// tell.
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

/// What binds a configuration.
package struct PlanBinding: Sendable, Hashable, Codable {
  /// Why a target is the one that binds.
  package enum Ground: String, Sendable, Codable {
    /// The next cheaper configuration misses it.
    case cheaperMissesIt
    /// The configuration itself misses it, by the most steps.
    case isMissed
    /// Of the targets that a wider constraint moves, it has the fewest steps to spare.
    case hasLeastToSpare
    /// No target is moved by any constraint.
    case nothingMoves
  }
  /// A target, and what it has to spare.
  package struct Spare: Sendable, Hashable, Codable {
    package var target: String
    package var unit: FigureUnit
    /// How far the figure is on the right side of the limit, in ``unit``; nil: nothing was measured.
    package var margin: Double?
    /// The constraint that, a little wider, helps it most; nil: none does.
    package var movedBy: String?
    package init(target: String, unit: FigureUnit, margin: Double?, movedBy: String?) {
      self.target = target
      self.unit = unit
      self.margin = margin
      self.movedBy = movedBy
    }
  }
  /// The place of the configuration among the candidates.
  package var subject: Int
  package var ground: Ground
  /// As written; nil: none binds.
  package var target: String?
  /// What each constraint, a little wider, does to ``target``; the most helpful first.
  package var reliefs: [CapacityRelief]
  /// Of every target.
  package var spares: [Spare]

  package init(subject: Int, ground: Ground, target: String?, reliefs: [CapacityRelief], spares: [Spare]) {
    self.subject = subject
    self.ground = ground
    self.target = target
    self.reliefs = reliefs
    self.spares = spares
  }

  /// The constraint that binds; nil: none is known to.
  package var constraint: String? {
    reliefs.first.flatMap { $0.helps ? String($0.constraint.prefix { $0 != ":" }) : nil }
  }
}
