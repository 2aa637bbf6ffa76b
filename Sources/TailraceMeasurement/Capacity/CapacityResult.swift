/// The result of a capacity search, with all data for its report and its page.
///
/// Rates are jobs per second of all scaled streams together. Durations are nanoseconds.
package struct CapacityResult: Sendable, Hashable, Codable, ResultDocument {
  /// The format that this version writes and reads.
  package static let currentFormat = 2
  /// The version of the format.
  package var format = CapacityResult.currentFormat
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
  /// Notes about how rates were scaled; empty: none.
  package var notes: [String]
  /// The system under test: `live` or `simulated`.
  package var system: String
  /// The targets as written; all must be met.
  package var targets: [String]
  /// The requested precision: half the width of the interval, as a share of the limit.
  package var precision: Double
  /// The range of rates that the user set; nil: not set.
  package var lowestRate: Double?
  package var highestRate: Double?
  /// The measured part of each run in nanoseconds, without warm-up.
  package var window: Double
  /// The configurations in the order of `--vary`; one if nothing varies.
  package var configurations: [CapacityConfiguration]
  /// Whether the search was interrupted; what is missing was never run.
  package var isInterrupted: Bool
  /// Whether `--strict` was given; nil: no.
  package var isStrict: Bool?

  package init(
    version: String, started: String, environment: [Setting], command: String, seed: UInt64, scenario: String,
    summary: String, settings: [Setting], notes: [String], system: String, targets: [String], precision: Double,
    lowestRate: Double?, highestRate: Double?, window: Double, configurations: [CapacityConfiguration],
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
    self.system = system
    self.targets = targets
    self.precision = precision
    self.lowestRate = lowestRate
    self.highestRate = highestRate
    self.window = window
    self.configurations = configurations
    self.isInterrupted = isInterrupted
  }
}

/// A configuration of the scheduler and its limit.
package struct CapacityConfiguration: Sendable, Hashable, Codable {
  /// The varied settings, such as `scheduler.workers` and `8`; empty: none.
  package var varied: [Setting]
  /// Theoretical bounds.
  package var theory: CapacityTheory
  /// The search on the requested system.
  package var search: CapacitySearch
  /// The same search in simulation, if ``search`` was live; nil: not live, or not simulated.
  package var simulation: CapacitySearch?
  /// Constraints that would raise the limit if relaxed slightly, most effective first. Determined in simulation.
  package var sensitivities: [ConstraintSensitivity]
  /// The resource that is exhausted first, in words: `workers of the pool async`, or why it is unknown.
  package var firstToGiveOut: String

  package init(
    varied: [Setting], theory: CapacityTheory, search: CapacitySearch, simulation: CapacitySearch? = nil,
    sensitivities: [ConstraintSensitivity] = [], firstToGiveOut: String
  ) {
    self.varied = varied
    self.theory = theory
    self.search = search
    self.simulation = simulation
    self.sensitivities = sensitivities
    self.firstToGiveOut = firstToGiveOut
  }

  /// `scheduler.workers=8`, or `as written` if nothing varies.
  package var name: String {
    varied.isEmpty ? "as written" : varied.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
  }
}

/// A search on one system.
package struct CapacitySearch: Sendable, Hashable, Codable {
  package enum Outcome: String, Sendable, Codable, CaseIterable {
    /// ``CapacitySearch/limit`` is the result.
    case found
    /// Not even the lowest rate tried is sustained.
    case none
    /// The highest allowed rate is sustained: the limit is above it.
    case beyond
    /// The runs were inconclusive: the limit, if any, is based on rates with unclear verdicts.
    case inconclusive
  }
  /// `live` or `simulated`.
  package var system: String
  package var outcome: Outcome
  /// The highest sustained rate; nil unless ``outcome`` is `found`, or `inconclusive` with an estimate.
  package var limit: CapacityLimit?
  /// Targets that are missed at every rate, and why; nil: none, or a result of an earlier version.
  package var unmeetable: [CapacityUnmeetable]?
  /// All rates tried, ascending.
  package var points: [CapacityPoint]
  /// The total number of runs, and the number of invalid ones, which were excluded.
  package var runs: Int
  package var invalidRuns: Int
  /// The reasons of invalid runs, without duplicates.
  package var invalidity: [String]
  /// Whether there were too few valid runs to trust the result.
  package var isInvalid: Bool
  /// Whether the search ended before the requested precision, by timeout or interruption.
  package var isCutShort: Bool
  /// The failure of a run that ended the search; nil: none.
  package var failure: String?
  /// The duration of the search in nanoseconds of wall-clock time.
  package var elapsed: Double
  /// Mean service time of an attempt in the runs behind the result, in nanoseconds; nil: not measured.
  package var meanService: Double?

  package init(
    system: String, outcome: Outcome, limit: CapacityLimit?, points: [CapacityPoint], runs: Int, invalidRuns: Int = 0,
    invalidity: [String] = [], isInvalid: Bool = false, isCutShort: Bool = false, elapsed: Double = 0,
    meanService: Double? = nil
  ) {
    self.system = system
    self.outcome = outcome
    self.limit = limit
    self.points = points
    self.runs = runs
    self.invalidRuns = invalidRuns
    self.invalidity = invalidity
    self.isInvalid = isInvalid
    self.isCutShort = isCutShort
    self.elapsed = elapsed
    self.meanService = meanService
  }
}

/// A target that no rate meets.
package struct CapacityUnmeetable: Sendable, Hashable, Codable {
  /// The target as written.
  package var target: String
  /// Why, in words: `the service time alone is above the limit: its p99 is 46 ms`.
  package var reason: String
  package init(target: String, reason: String) {
    self.target = target
    self.reason = reason
  }
}

/// The highest rate that is sustained.
package struct CapacityLimit: Sendable, Hashable, Codable {
  package enum Method: String, Sendable, Codable {
    /// A fitted curve of a target crosses its limit; the 95 % confidence interval comes from the rounds.
    case crossing
    /// Between the highest sustained rate and the lowest one above it that is not, because no curve crosses the limit.
    case bracket
  }
  /// Jobs per second, with its interval.
  package var rate: CapacityEstimate
  package var method: Method
  /// What limits the rate: the target as written, `growing queue`, or `full queue`.
  package var reason: String
  /// The number of independent rounds.
  package var rounds: Int

  package init(rate: CapacityEstimate, method: Method, reason: String, rounds: Int) {
    self.rate = rate
    self.method = method
    self.reason = reason
    self.rounds = rounds
  }
}

/// A value and its 95 % confidence interval.
package struct CapacityEstimate: Sendable, Hashable, Codable {
  package var value: Double
  /// nil: unknown, because there was only one run.
  package var low: Double?
  package var high: Double?

  package init(_ value: Double, low: Double? = nil, high: Double? = nil) {
    self.value = value
    self.low = low
    self.high = high
  }
}

/// The measurements at one rate.
package struct CapacityPoint: Sendable, Hashable, Codable {
  package enum Verdict: String, Sendable, Codable, CaseIterable {
    /// Every target is met with 95 % confidence, and the queue does not grow.
    case sustained
    /// A target is missed with 95 % confidence, or jobs were rejected.
    case missed
    /// The queue grows: arrivals exceed throughput.
    case growing
    /// The runs were inconclusive.
    case unclear
  }
  /// The requested rate in jobs per second.
  package var rate: Double
  /// The number of valid runs.
  package var runs: Int
  package var verdict: Verdict
  /// Why the verdict is not `sustained`; empty: it is.
  package var reason: String
  /// In the order of ``CapacityResult/targets``.
  package var targets: [CapacityTargetPoint]
  /// Over all runs together, in nanoseconds; nil: too few samples.
  package var responseP50: CapacityEstimate?
  package var responseP99: CapacityEstimate?
  /// Finished jobs per second.
  package var throughput: CapacityEstimate
  /// Growth of the number of jobs in the system during a run, in jobs per second.
  package var growth: CapacityEstimate
  /// Rejected, shed and dropped jobs as a share of intended ones.
  package var turnedAway: Double
  /// Successful jobs as a share of those that could succeed; nil: there were none, or a result of an earlier version.
  package var success: Double?
  /// Jobs cut off at the end of the runs, in total.
  package var cutOff: Int
  /// The utilization of each pool.
  package var pools: [CapacityPoolUse]

  package init(
    rate: Double, runs: Int, verdict: Verdict, reason: String, targets: [CapacityTargetPoint],
    responseP50: CapacityEstimate?, responseP99: CapacityEstimate?, throughput: CapacityEstimate,
    growth: CapacityEstimate, turnedAway: Double, cutOff: Int, pools: [CapacityPoolUse]
  ) {
    self.rate = rate
    self.runs = runs
    self.verdict = verdict
    self.reason = reason
    self.targets = targets
    self.responseP50 = responseP50
    self.responseP99 = responseP99
    self.throughput = throughput
    self.growth = growth
    self.turnedAway = turnedAway
    self.cutOff = cutOff
    self.pools = pools
  }
}

/// The outcome of a target at one rate.
package struct CapacityTargetPoint: Sendable, Hashable, Codable {
  package enum Verdict: String, Sendable, Codable { case met, missed, unclear }
  /// The target as written.
  package var target: String
  package var unit: FigureUnit
  /// In ``unit``.
  package var limit: Double
  /// Over all runs together, in ``unit``; nil: not measured.
  package var observed: CapacityEstimate?
  package var verdict: Verdict

  package init(target: String, unit: FigureUnit, limit: Double, observed: CapacityEstimate?, verdict: Verdict) {
    self.target = target
    self.unit = unit
    self.limit = limit
    self.observed = observed
    self.verdict = verdict
  }
}

/// The utilization of a pool.
package struct CapacityPoolUse: Sendable, Hashable, Codable {
  /// `async` or `thread`.
  package var pool: String
  /// Mean over runs and workers of the busy share, 0 to 1.
  package var utilization: Double
  package init(pool: String, utilization: Double) {
    self.pool = pool
    self.utilization = utilization
  }
}

/// Theoretical limits of a configuration.
package struct CapacityTheory: Sendable, Hashable, Codable {
  /// A resource and the rate above which it is overloaded.
  package struct Bound: Sendable, Hashable, Codable {
    /// `workers of the pool async`, `rate of report`, ….
    package var resource: String
    /// Jobs per second of the whole load.
    package var rate: Double
    /// The calculation: `4 workers ÷ 10 ms`.
    package var formula: String
    package init(resource: String, rate: Double, formula: String) {
      self.resource = resource
      self.rate = rate
      self.formula = formula
    }
  }
  /// The exact rate at which a target's limit is reached.
  package struct Exact: Sendable, Hashable, Codable {
    /// The target as written.
    package var target: String
    /// Jobs per second.
    package var rate: Double
    /// The formula: `M/M/4, root of the waiting time's quantile`.
    package var formula: String
    package init(target: String, rate: Double, formula: String) {
      self.target = target
      self.rate = rate
      self.formula = formula
    }
  }
  /// The tightest first.
  package var bounds: [Bound]
  /// The tightest first; empty if no formula applies to the scenario.
  package var exact: [Exact]
  /// ``exact`` computed with the mean service time measured live, which exceeds the declared one because waking,
  /// starting and ending an attempt take time. nil: not measured live.
  package var exactAsMeasured: [Exact]?
  /// Why there is no bound or no exact rate; empty: there is.
  package var notes: [String]

  package init(bounds: [Bound], exact: [Exact] = [], exactAsMeasured: [Exact]? = nil, notes: [String] = []) {
    self.bounds = bounds
    self.exact = exact
    self.exactAsMeasured = exactAsMeasured
    self.notes = notes
  }
}

/// The effect of relaxing one constraint.
package struct ConstraintSensitivity: Sendable, Hashable, Codable {
  /// `workers of the pool async: 3 → 4`.
  package var constraint: String
  /// The change of the limiting target's figure, in ``unit``, with its interval.
  package var change: CapacityEstimate
  package var unit: FigureUnit
  /// Whether the effect is statistically significant.
  package var helps: Bool

  package init(constraint: String, change: CapacityEstimate, unit: FigureUnit, helps: Bool) {
    self.constraint = constraint
    self.change = change
    self.unit = unit
    self.helps = helps
  }
}
