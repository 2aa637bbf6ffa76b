import TailraceCore

/// The description of a load test: the jobs, their arrivals, the scheduler's settings and the targets.
///
/// A plain value: ``ScenarioParser`` creates it from a file, and ``Tape`` generates jobs from it. If a time scale is
/// set, durations are already scaled.
package struct Scenario: Sendable, Hashable {
  /// Lowercase letters, digits and hyphens.
  package var name: String
  package var summary: String
  /// The publication that documents the mix; empty: none.
  package var source: String
  /// Notes for the report, mainly assumptions.
  package var notes: [String]
  /// In order of declaration; a job's type is an index into this array.
  package var jobs: [JobSpec]
  package var streams: [LoadStream]
  package var scheduler: SchedulerSettings
  /// Injected faults.
  package var faults: [Fault] = []
  /// The number of concurrent attempts that the backend serves at full speed. Beyond it, attempts slow down in
  /// proportion. nil: no limit.
  package var backendCapacity: Int? = nil
  /// How long arrivals last; nil: until every stream is exhausted (batches).
  package var duration: Nanoseconds?
  /// The wall-clock time at the tape's zero, used by recurring arrivals.
  package var startsAt = Scenario.usualStart
  /// Jobs intended before this instant are replayed but not measured.
  package var warmup: Nanoseconds
  /// How long to wait for jobs to settle after the last arrival before the run is cut off.
  package var drain: Nanoseconds
  /// Target expressions as written (`submission.p99 < 500ms`). The measurement module parses them.
  package var targets: [String]
  /// Published figures by metric expression (`service.mean`), as written (`0.231s`), in order of declaration.
  package var published: [PublishedFigure]
  /// Names in the file that have changed since it was written, each with its place and the new name.
  package var formerNames: [String] = []
  /// Metrics that a suite's report lists next to those of its other scenarios.
  package var figures: [String] = []
  /// Further systems on which the suite replays this scenario, besides `live` (`sequential`, …).
  package var compare: [String]
  /// Whether any job declares its service time, rather than doing real work. Only then does a time scale apply.
  package var hasDeclaredTime: Bool { jobs.contains { $0.service != nil } }
}

extension Scenario {
  /// 2026-01-05T00:00:00Z, a Monday.
  package static let usualStart = UnixTime(nanoseconds: 1_767_571_200_000_000_000)
}

/// A figure published by the authors of a documented system.
package struct PublishedFigure: Sendable, Hashable {
  /// A metric expression, e.g. `service{type=data_export}.mean`.
  package var metric: String
  /// As written, with its unit.
  package var value: String
  package init(metric: String, value: String) {
    self.metric = metric
    self.value = value
  }
}

/// A job type of a scenario.
package struct JobSpec: Sendable, Hashable {
  package var name: String
  package var priority: Priority
  /// The service time of an attempt; nil: the work is a real operation.
  package var service: ServiceTime?
  /// The service time of a real operation in virtual time; nil: not set.
  package var simulatedService: ServiceTime? = nil
  package var work: Work
  /// The pool; nil: the default of the kind of work (threads for blocking kinds).
  package var pool: PoolID?
  /// The time limit of an attempt; nil: the scheduler's, unless `isUntimed`.
  package var timeout: Nanoseconds?
  /// Whether attempts have no time limit, whatever the scheduler's settings (`timeout: none`).
  package var isUntimed = false
  package var retry: RetryPolicy?
  package var concurrency: Int?
  package var rate: RateLimit?
  /// Memory reserved from the scheduler's budget while it runs, in bytes.
  package var memory: Int
  /// The time from intended arrival within which a job should settle; nil: none.
  package var deadline: Nanoseconds? = nil
  /// The expected service time that the scheduler receives.
  package var expectedService = ExpectedService.learnt
  /// Jobs draw their unique key from a pool of this size; nil: no keys.
  package var uniqueKeys: Int? = nil
  /// The tenants of its jobs; nil: none.
  package var tenants: TenantMix? = nil
  /// Share under the policy `fair`.
  package var weight = 1.0
  /// The delay between admission and eligibility.
  package var delay: ServiceTime?
  package var failures: Failures
  /// Cancels a share of the jobs some time after their intended arrival.
  package var cancel: Cancellation?
  /// Lengthens one attempt: the first of this type intended at or after `at`.
  package var stall: Stall?
}

/// The expected service time that the scheduler receives, for the policy `shortest`.
package enum ExpectedService: Sendable, Hashable {
  /// None: the scheduler learns from successful attempts.
  case learnt
  /// The same value for every job.
  case told(Nanoseconds)
  /// The actual duration of the first attempt, as if perfectly known.
  case exact
}

/// Tenants with their frequencies.
package struct TenantMix: Sendable, Hashable {
  /// In order of declaration.
  package var names: [String]
  /// Cumulative shares; the last is 1.
  package var shares: [Double]

  /// Creates a mix of names with relative weights.
  package init(_ weights: [(name: String, weight: Double)]) {
    let total = weights.reduce(0) { $0 + $1.weight }
    names = weights.map(\.name)
    var sum = 0.0
    shares = weights.map { entry in
      sum += entry.weight
      return sum / total
    }
  }

  /// Creates a mix of `k0`, `k1`, …, with equal weights.
  package init(count: Int) { self.init((0..<count).map { ("k\($0)", 1) }) }

  /// The key for a uniform number in 0..<1.
  func name(at draw: Double) -> String {
    var (low, high) = (0, names.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if draw < shares[middle] { high = middle } else { low = middle + 1 }
    }
    return names[low]
  }
}

/// The kind of work of an attempt.
package enum Work: Sendable, Hashable {
  /// Waits for its service time without using a CPU.
  case sleep
  /// Computes for its service time in a calibrated loop.
  case spin
  /// Allocates this many bytes, touches each page, and frees them after its service time.
  case memory(bytes: Int)
  /// Runs one transaction on a SQLite database through a connection pool (WAL).
  case sqlite(SQLiteOperation)
  /// Runs a child process until it exits: program, then arguments.
  case subprocess([String])
  /// Publishes this many events on an in-process bus and waits until each subscriber has handled them.
  case events(count: Int)
  /// Works in up to `limit` cycles of `service` each, with `pause` in between, until done. The number of cycles needed
  /// is uniform in `needed`. A failed cycle does not count and does not stop it. If unfinished after `limit` cycles,
  /// the attempt times out.
  case cycles(limit: Int, needed: ClosedRange<Int>, pause: Nanoseconds, failedShare: Double)

  /// The kind's name in scenario files.
  package var kind: String {
    switch self {
    case .sleep: "sleep"
    case .spin: "spin"
    case .memory: "memory"
    case .sqlite: "sqlite"
    case .subprocess: "subprocess"
    case .events: "events"
    case .cycles: "cycles"
    }
  }
}

/// The operation of a `sqlite` job.
package enum SQLiteOperation: String, Sendable, Hashable, CaseIterable {
  case read, write
  /// Reads one row and writes one row in a transaction.
  case mixed
}

/// Random failures.
package struct Failures: Sendable, Hashable {
  /// Share of attempts that fail, 0…1.
  package var attempts: Double
  /// Share of attempts that hang until their timeout, 0…1.
  package var hangs: Double
  /// Share of jobs whose every attempt fails, 0…1.
  package var always: Double
  /// Share of attempts with a failure that retrying cannot fix, 0…1.
  package var permanent: Double
  package static let none = Failures(attempts: 0, hangs: 0, always: 0, permanent: 0)
  package init(attempts: Double, hangs: Double, always: Double, permanent: Double) {
    self.attempts = attempts
    self.hangs = hangs
    self.always = always
    self.permanent = permanent
  }
}

/// The cancellation of a share of a type's jobs by their submitter.
package struct Cancellation: Sendable, Hashable {
  /// 0…1.
  package var share: Double
  /// The time from the intended arrival.
  package var after: ServiceTime
}

/// A single long attempt, to observe its effect on later jobs.
package struct Stall: Sendable, Hashable {
  package var at: Nanoseconds
  /// Added to the attempt's service time.
  package var length: Nanoseconds
}

/// A distribution of durations.
package enum ServiceTime: Sendable, Hashable {
  case constant(Nanoseconds)
  case exponential(mean: Nanoseconds)
  /// By median and 99th percentile.
  case lognormal(median: Nanoseconds, p99: Nanoseconds)
  case uniform(min: Nanoseconds, max: Nanoseconds)
  /// Pareto (type I) with scale `min` and shape `alpha`, truncated at `max` if set.
  case pareto(min: Nanoseconds, alpha: Double, max: Nanoseconds?)
  /// `slow` with probability `share`, otherwise `fast`.
  case bimodal(fast: Nanoseconds, slow: Nanoseconds, share: Double)
  /// Samples with replacement from values in a file.
  case empirical(file: String, values: [Nanoseconds])
}

/// A stream of arrivals.
package struct LoadStream: Sendable, Hashable {
  package var arrivals: Arrivals
  package var mix: Mix
  /// The earliest arrival.
  package var start: Nanoseconds
  /// How long the stream lasts; nil: the scenario's duration.
  package var duration: Nanoseconds?
  /// Maximum number of arrivals; nil: no limit.
  package var count: Int?
}

/// The arrival process of a stream.
package enum Arrivals: Sendable, Hashable {
  case constant(Rate)
  case poisson(Rate)
  /// Poisson at `rate` during exponentially distributed `on` times, with no arrivals during `off` times.
  case bursty(rate: Rate, on: Nanoseconds, off: Nanoseconds)
  /// Poisson with a rate that changes linearly through each stage, from the previous stage's end (initially 0).
  case stages([Stage])
  /// All jobs at the stream's start.
  case batch(failFast: Bool)
  /// The jobs of a recorded log.
  case trace(Trace)
  /// At the slots of a recurrence.
  case recurring(RecurringArrivals)
  /// `clients` clients: each submits, awaits the job's end, thinks, and submits again.
  case closed(clients: Int, think: ServiceTime)
}

/// Arrivals at the slots of a recurrence on the wall clock, as a scheduler's recurring jobs.
package struct RecurringArrivals: Sendable, Hashable {
  package var recurrence: Recurrence
  /// The wall-clock time at the tape's zero.
  package var zero: UnixTime
  /// Seconds of tape time per second of wall-clock time.
  package var scale = 1.0
}

/// A stage of a ramp: the rate changes linearly to `rate` within `duration`.
package struct Stage: Sendable, Hashable {
  package var rate: Rate
  package var duration: Nanoseconds
}

/// The jobs of an arrival.
package enum Mix: Sendable, Hashable {
  /// These job types in order, one per arrival (batches).
  case sequence([Int])
  /// One job per arrival, its type drawn by weight.
  case weighted([WeightedType])
  /// A whole graph of jobs per arrival.
  case graph(JobGraph)
}

/// A job type and its relative weight in a mix.
package struct WeightedType: Sendable, Hashable {
  package var type: Int
  package var weight: Double
}

/// Jobs that arrive together, with dependencies.
package struct JobGraph: Sendable, Hashable {
  package var name: String
  /// In topological order: every node comes after its dependencies.
  package var nodes: [GraphNode]
}

/// One job of a graph.
package struct GraphNode: Sendable, Hashable {
  package var type: Int
  /// Indices of earlier nodes of the same graph.
  package var after: [Int]
}

/// The scheduler's settings in a scenario.
package struct SchedulerSettings: Sendable, Hashable {
  /// Workers of the async pool and, if `threadWorkers` is nil, of the thread pool.
  package var workers: Int
  package var threadWorkers: Int?
  /// The policy with its parameters.
  package var policy: DispatchPolicy
  package var queueCapacity: Int
  package var whenFull: OverflowPolicy
  package var retry: RetryPolicy
  package var timeout: Nanoseconds?
  /// Maximum jobs running at once, per pool; nil: one per worker.
  package var concurrency: Int?
  /// Starts per second, per pool.
  package var rate: RateLimit?
  /// In bytes; nil: no budget.
  package var memoryBudget: Int?
  /// Limits and shares per tenant.
  package var tenants = TenantConfiguration()
  /// An adaptive concurrency limit, per pool; nil: none.
  package var adaptive: AdaptiveConcurrency? = nil
  /// Activates workers as jobs wait, per pool; nil: all are active.
  package var autoscaling: Autoscaling? = nil
  /// Shedding by waiting time, per pool; nil: none.
  package var codel: CoDelConfiguration? = nil
}
