/// What a search for the highest arrival rate left: everything that its report and its page are made from.
///
/// Rates are jobs per second of all scaled streams together; lengths of time are nanoseconds.
package struct CapacityResult: Sendable, Hashable, Codable {
  /// The format that this version writes and reads.
  package static let currentFormat = 1
  /// The version of the format.
  package var format = CapacityResult.currentFormat
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
  /// What a reader must know of how rates were scaled; empty: nothing.
  package var notes: [String]
  /// The system whose limit was sought: `live` or `simulated`.
  package var system: String
  /// As written; all must be met.
  package var targets: [String]
  /// Half of the interval's width, as a share of the limit, at which the search was content.
  package var precision: Double
  /// The rates between which the limit was sought; nil: not bounded by the user.
  package var lowestRate: Double?
  package var highestRate: Double?
  /// Measured part of each run, in nanoseconds, without warm-up.
  package var window: Double
  /// In the order in which `--vary` spans them; one where nothing varies.
  package var configurations: [CapacityConfiguration]
  /// Whether it was cut short: what is missing was never run.
  package var isInterrupted: Bool
  /// Whether it was asked that what is unclear is no success; nil: it was not.
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

/// One configuration of the scheduler and what limits it.
package struct CapacityConfiguration: Sendable, Hashable, Codable {
  /// What varies: `scheduler.workers` and `8`; empty where nothing does.
  package var varied: [Setting]
  /// What theory allows.
  package var theory: CapacityTheory
  /// What was found on the system that was asked for.
  package var search: CapacitySearch
  /// The same search in virtual time, where ``search`` was live; nil: it was simulated itself, or could not be.
  package var simulation: CapacitySearch?
  /// Which constraint, widened a little, would raise the limit; the most helpful first. Found in simulation.
  package var reliefs: [CapacityRelief]
  /// What gives out first, in words: `workers of the pool async`, or why nothing can be named.
  package var firstToGiveOut: String

  package init(
    varied: [Setting], theory: CapacityTheory, search: CapacitySearch, simulation: CapacitySearch? = nil,
    reliefs: [CapacityRelief] = [], firstToGiveOut: String
  ) {
    self.varied = varied
    self.theory = theory
    self.search = search
    self.simulation = simulation
    self.reliefs = reliefs
    self.firstToGiveOut = firstToGiveOut
  }

  /// `scheduler.workers=8`, or `as written` where nothing varies.
  package var name: String {
    varied.isEmpty ? "as written" : varied.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
  }
}

/// A search on one system.
package struct CapacitySearch: Sendable, Hashable, Codable {
  package enum Outcome: String, Sendable, Codable, CaseIterable {
    /// ``CapacitySearch/limit`` is the answer.
    case found
    /// Not even the lowest rate that was tried is sustained.
    case none
    /// The highest rate that was allowed is sustained: the limit lies above it.
    case beyond
    /// The runs could not tell: the limit, if there is one, comes from rates whose verdicts are unclear.
    case inconclusive
  }
  /// `live` or `simulated`.
  package var system: String
  package var outcome: Outcome
  /// The highest sustained rate; nil unless ``outcome`` is `found`, or `inconclusive` with something to show.
  package var limit: CapacityLimit?
  /// Targets that are missed at every rate, and why; nil: none is, or a result of a version that did not tell.
  package var unmeetable: [CapacityUnmeetable]?
  /// Every rate that was tried, in ascending order.
  package var points: [CapacityPoint]
  /// Runs in all, and those among them that were invalid and left out.
  package var runs: Int
  package var invalidRuns: Int
  /// What made runs invalid, in words, once each.
  package var invalidity: [String]
  /// Whether the answer rests on too few valid runs to be trusted.
  package var isInvalid: Bool
  /// Whether time ran out, or the user interrupted, before the precision was reached.
  package var isCutShort: Bool
  /// Why a run came to nothing, which ended the search; nil: none did.
  package var failure: String?
  /// What it took, in nanoseconds of wall clock time.
  package var elapsed: Double
  /// Mean service time of an attempt in the runs that the answer rests on, in nanoseconds; nil: none was measured.
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
  /// As written.
  package var target: String
  /// In words: `the service time alone is above the limit: its p99 is 46 ms`.
  package var reason: String
  package init(target: String, reason: String) {
    self.target = target
    self.reason = reason
  }
}

/// The highest rate that is sustained.
package struct CapacityLimit: Sendable, Hashable, Codable {
  package enum Method: String, Sendable, Codable {
    /// Where the fitted curve of a target crosses its limit, with a 95 % confidence interval from the rounds.
    case crossing
    /// Between the highest rate that is sustained and the lowest above it that is not: no curve crosses there.
    case bracket
  }
  /// Jobs per second, with the interval's ends.
  package var rate: CapacityEstimate
  package var method: Method
  /// What ends it: the target as written, or `growing queue`, or `full queue`.
  package var reason: String
  /// Independent rounds behind it.
  package var rounds: Int

  package init(rate: CapacityEstimate, method: Method, reason: String, rounds: Int) {
    self.rate = rate
    self.method = method
    self.reason = reason
    self.rounds = rounds
  }
}

/// A figure and the ends of its 95 % confidence interval.
package struct CapacityEstimate: Sendable, Hashable, Codable {
  package var value: Double
  /// nil: one run alone says nothing of chance.
  package var low: Double?
  package var high: Double?

  package init(_ value: Double, low: Double? = nil, high: Double? = nil) {
    self.value = value
    self.low = low
    self.high = high
  }
}

/// What was seen at one rate.
package struct CapacityPoint: Sendable, Hashable, Codable {
  package enum Verdict: String, Sendable, Codable, CaseIterable {
    /// Every target is met with 95 % confidence, and the queue does not grow.
    case sustained
    /// A target is missed with 95 % confidence, or jobs were turned away.
    case missed
    /// The queue grows: more arrives than is done.
    case growing
    /// The runs could not tell.
    case unclear
  }
  /// Asked for, in jobs per second.
  package var rate: Double
  /// Valid runs behind it.
  package var runs: Int
  package var verdict: Verdict
  /// Why it is not `sustained`, in words; empty: it is.
  package var reason: String
  /// In the order of ``CapacityResult/targets``.
  package var targets: [CapacityTargetPoint]
  /// Over all runs together, in nanoseconds; nil: too few samples.
  package var responseP50: CapacityEstimate?
  package var responseP99: CapacityEstimate?
  /// Jobs done per second.
  package var throughput: CapacityEstimate
  /// By how many jobs a second the number in the system grows within a run.
  package var growth: CapacityEstimate
  /// Jobs refused, shed or dropped, as a share of those intended.
  package var turnedAway: Double
  /// Share of the jobs that succeeded, of those that could have; nil: none could, or a result of a version that did not
  /// tell.
  package var success: Double?
  /// Jobs cut off at the end, over all runs.
  package var cutOff: Int
  /// Busy share of each pool's workers.
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

/// A target at one rate.
package struct CapacityTargetPoint: Sendable, Hashable, Codable {
  package enum Verdict: String, Sendable, Codable { case met, missed, unclear }
  /// As written.
  package var target: String
  package var unit: FigureUnit
  /// In ``unit``.
  package var limit: Double
  /// Of all runs together, in ``unit``; nil: nothing was measured.
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

/// How busy a pool was.
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

/// What theory says of a configuration.
package struct CapacityTheory: Sendable, Hashable, Codable {
  /// One resource and the rate beyond which it cannot keep up.
  package struct Bound: Sendable, Hashable, Codable {
    /// `workers of the pool async`, `rate of report`, ….
    package var resource: String
    /// Jobs per second of the whole load.
    package var rate: Double
    /// How it comes about: `4 workers ÷ 10 ms`.
    package var formula: String
    package init(resource: String, rate: Double, formula: String) {
      self.resource = resource
      self.rate = rate
      self.formula = formula
    }
  }
  /// The exact rate at which a target's limit is reached.
  package struct Exact: Sendable, Hashable, Codable {
    /// As written.
    package var target: String
    /// Jobs per second.
    package var rate: Double
    /// `M/M/4, root of the waiting time's quantile`.
    package var formula: String
    package init(target: String, rate: Double, formula: String) {
      self.target = target
      self.rate = rate
      self.formula = formula
    }
  }
  /// The tightest first.
  package var bounds: [Bound]
  /// The tightest first; empty where no formula holds for the scenario.
  package var exact: [Exact]
  /// The same at the mean service time that a live search measured: a real worker is busy for longer than its job's
  /// service time, since waking, starting and ending cost something. nil: nothing was measured live.
  package var exactAsMeasured: [Exact]?
  /// Why there is no bound or no exact rate, in words; empty: nothing to add.
  package var notes: [String]

  package init(bounds: [Bound], exact: [Exact] = [], exactAsMeasured: [Exact]? = nil, notes: [String] = []) {
    self.bounds = bounds
    self.exact = exact
    self.exactAsMeasured = exactAsMeasured
    self.notes = notes
  }
}

/// What would change if one constraint were a little wider.
package struct CapacityRelief: Sendable, Hashable, Codable {
  /// `workers of the pool async: 3 → 4`.
  package var constraint: String
  /// Change of the figure of the target that ends the limit, at the limit, in ``unit``; with its interval.
  package var change: CapacityEstimate
  package var unit: FigureUnit
  /// Whether it helps, beyond chance.
  package var helps: Bool

  package init(constraint: String, change: CapacityEstimate, unit: FigureUnit, helps: Bool) {
    self.constraint = constraint
    self.change = change
    self.unit = unit
    self.helps = helps
  }
}
