import TailraceCore

/// A description of one load test: which jobs arrive when, what they do, which scheduler runs them, what must hold.
///
/// A value without behaviour: ``ScenarioParser`` makes it from a file, ``Tape`` unrolls it. Every duration in it is
/// already scaled if a time scale was asked for.
package struct Scenario: Sendable, Hashable {
  /// Lower-case letters, digits and hyphens.
  package var name: String
  package var summary: String
  /// Where the mix was documented; empty for one of the user's own.
  package var source: String
  /// Things worth saying in the report, assumptions above all.
  package var notes: [String]
  /// In order of declaration; a job's type is an index into it.
  package var jobs: [JobSpec]
  package var streams: [LoadStream]
  package var scheduler: SchedulerSettings
  /// What goes wrong around the jobs.
  package var faults: [Fault] = []
  /// How many attempts at once what the jobs work against can serve at full speed; beyond it each takes so much longer.
  /// nil: any number.
  package var backendCapacity: Int? = nil
  /// How long arrivals go on; nil: until every stream is exhausted (batches).
  package var duration: Nanoseconds?
  /// What the wall clock shows at the tape's zero; only recurring arrivals look at it.
  package var startsAt = Scenario.usualStart
  /// Jobs intended before this instant are replayed but not measured.
  package var warmup: Nanoseconds
  /// After the last arrival, how long to wait for jobs to settle before the run is cut off.
  package var drain: Nanoseconds
  /// Target expressions as written (`submission.p99 < 500ms`); their grammar belongs to the measurement module.
  package var targets: [String]
  /// Published figures by metric expression (`service.mean`), as written (`0.231s`), in order of declaration.
  package var published: [PublishedFigure]
  /// Metrics that the report of a suite tabulates beside those of its other scenarios.
  package var figures: [String] = []
  /// Systems that the suite replays this scenario on beside `live` (`sequential`, …).
  package var compare: [String]
  /// Whether any job's service time is declared rather than the time of a real operation; only then does a time scale
  /// apply to this scenario.
  package var hasDeclaredTime: Bool { jobs.contains { $0.service != nil } }
}

extension Scenario {
  /// 2026-01-05T00:00:00Z, a Monday.
  package static let usualStart = UnixTime(nanoseconds: 1_767_571_200_000_000_000)
}

/// A figure that the documented system's authors published.
package struct PublishedFigure: Sendable, Hashable {
  /// What it is a figure of: a metric expression, e.g. `service{type=data_export}.mean`.
  package var metric: String
  /// As written, with its unit.
  package var value: String
  package init(metric: String, value: String) {
    self.metric = metric
    self.value = value
  }
}

/// One type of job.
package struct JobSpec: Sendable, Hashable {
  package var name: String
  package var priority: Priority
  /// How long an attempt's work takes; nil where the work is a real operation that takes what it takes.
  package var service: ServiceTime?
  /// How long such an operation takes in virtual time, where nothing real is done; nil: not said.
  package var simulatedService: ServiceTime? = nil
  package var work: Work
  /// Which pool; nil: the work kind's own (blocking kinds go to threads).
  package var pool: PoolID?
  /// What an attempt may take; nil: what the scheduler's settings say, unless it is untimed.
  package var timeout: Nanoseconds?
  /// Whether an attempt may take for ever, whatever the scheduler's settings say (`timeout: none`).
  package var isUntimed = false
  package var retry: RetryPolicy?
  package var concurrency: Int?
  package var rate: RateLimit?
  /// Memory reserved from the scheduler's budget while it runs, in bytes.
  package var memory: Int
  /// How long after its intended arrival a job should have settled.
  package var deadline: Nanoseconds? = nil
  /// What the scheduler is told of how long its attempts take.
  package var expectedService = ExpectedService.learnt
  /// Each job has one of so many unique keys of its type; nil: none has one.
  package var uniqueKeys: Int? = nil
  /// Whose jobs they are; nil: nobody's.
  package var tag: TagMix? = nil
  /// Share under the policy `fair`.
  package var weight = 1.0
  /// Between admission and eligibility.
  package var delay: ServiceTime?
  package var failures: Failures
  /// A share of the jobs is cancelled some time after their intended arrival.
  package var cancel: Cancellation?
  /// One attempt takes longer: the first of this type intended at or after `at`.
  package var stall: Stall?
}

/// What the scheduler is told of how long a job's attempts take, for the policy `shortest`.
package enum ExpectedService: Sendable, Hashable {
  /// Nothing: it learns from those that succeed.
  case learnt
  /// The same of every job.
  case told(Nanoseconds)
  /// How long its first attempt will take: as if users knew.
  case exact
}

/// Whose jobs those of a type are: tag keys, and how often each occurs.
package struct TagMix: Sendable, Hashable {
  /// In order of declaration.
  package var names: [String]
  /// For each the share of the jobs that have it or one before it; the last is 1.
  package var shares: [Double]

  /// Makes a mix of names with relative weights.
  package init(_ weights: [(name: String, weight: Double)]) {
    let total = weights.reduce(0) { $0 + $1.weight }
    names = weights.map(\.name)
    var sum = 0.0
    shares = weights.map { entry in
      sum += entry.weight
      return sum / total
    }
  }

  /// Makes a mix of `k0`, `k1`, …, each as often as the others.
  package init(count: Int) { self.init((0..<count).map { ("k\($0)", 1) }) }

  /// The key that belongs to a uniform number in 0..<1.
  func name(at draw: Double) -> String {
    var (low, high) = (0, names.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if draw < shares[middle] { high = middle } else { low = middle + 1 }
    }
    return names[low]
  }
}

/// What an attempt does.
package enum Work: Sendable, Hashable {
  /// Waits for its service time without using a processor.
  case sleep
  /// Computes for its service time, on a calibrated loop.
  case spin
  /// Allocates this many bytes, touches each page, and frees them after its service time.
  case memory(bytes: Int)
  /// One transaction on a real SQLite database through a pool of connections (WAL).
  case sqlite(SQLiteOperation)
  /// Runs a child process to its end: program, then arguments.
  case subprocess([String])
  /// Publishes this many events on the in-process bus and waits until each subscriber has handled them.
  case events(count: Int)
  /// Works in up to `limit` cycles, `service` each, `pause` between them, until done; draws how many it needs
  /// uniformly from `needed`. A failed cycle does not stop it; unfinished after `limit` cycles it fails as timed out.
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

/// What a `sqlite` job does.
package enum SQLiteOperation: String, Sendable, Hashable, CaseIterable {
  case read, write
  /// A read of one row and a write of one row in a transaction.
  case mixed
}

/// What goes wrong, by chance.
package struct Failures: Sendable, Hashable {
  /// Share of attempts that fail, 0…1.
  package var attempts: Double
  /// Share of attempts that hang until their timeout, 0…1.
  package var hangs: Double
  /// Share of jobs whose every attempt fails, 0…1.
  package var always: Double
  /// Share of attempts that fail in a way that no retry can mend (a critical error), 0…1.
  package var permanent: Double
  package static let none = Failures(attempts: 0, hangs: 0, always: 0, permanent: 0)
  package init(attempts: Double, hangs: Double, always: Double, permanent: Double) {
    self.attempts = attempts
    self.hangs = hangs
    self.always = always
    self.permanent = permanent
  }
}

/// Cancellation of a share of a type's jobs, by their submitter.
package struct Cancellation: Sendable, Hashable {
  /// 0…1.
  package var share: Double
  /// From the intended arrival.
  package var after: ServiceTime
}

/// One long attempt, to see what a stall does to the jobs behind it.
package struct Stall: Sendable, Hashable {
  package var at: Nanoseconds
  /// Added to the attempt's service time.
  package var length: Nanoseconds
}

/// A distribution of lengths of time.
package enum ServiceTime: Sendable, Hashable {
  case constant(Nanoseconds)
  case exponential(mean: Nanoseconds)
  /// By median and 99th percentile.
  case lognormal(median: Nanoseconds, p99: Nanoseconds)
  case uniform(min: Nanoseconds, max: Nanoseconds)
  /// Pareto (type I) with scale `min` and shape `alpha`, cut off at `max` where given.
  case pareto(min: Nanoseconds, alpha: Double, max: Nanoseconds?)
  /// `slow` with probability `share`, else `fast`.
  case bimodal(fast: Nanoseconds, slow: Nanoseconds, share: Double)
  /// Samples with replacement from values read from a file.
  case empirical(file: String, values: [Nanoseconds])
}

/// One source of arrivals.
package struct LoadStream: Sendable, Hashable {
  package var arrivals: Arrivals
  package var mix: Mix
  /// First arrival not before this instant.
  package var start: Nanoseconds
  /// nil: as long as the scenario's duration.
  package var duration: Nanoseconds?
  /// At most this many arrivals; nil: no limit.
  package var count: Int?
}

/// When jobs arrive.
package enum Arrivals: Sendable, Hashable {
  case constant(Rate)
  case poisson(Rate)
  /// Poisson at `rate` during exponentially distributed `on` times, nothing during `off` times.
  case bursty(rate: Rate, on: Nanoseconds, off: Nanoseconds)
  /// Poisson whose rate changes linearly through each stage, from the end of the one before (first: from 0).
  case stages([Stage])
  /// Everything at the stream's start.
  case batch(failFast: Bool)
  /// The jobs of a real log.
  case trace(Trace)
  /// At the slots of a recurrence.
  case recurring(RecurringArrivals)
  /// N clients: each submits, awaits the job's end, thinks, and submits again.
  case closed(clients: Int, think: ServiceTime)
}

/// Arrivals at the slots of a recurrence: by the wall clock, as a scheduler's own schedules would submit them.
package struct RecurringArrivals: Sendable, Hashable {
  package var recurrence: Recurrence
  /// What the wall clock shows at the tape's zero.
  package var zero: UnixTime
  /// How long a second of the wall clock takes on the tape, in seconds.
  package var scale = 1.0
}

/// A stretch of a ramp: the rate moves linearly to `rate` within `duration`.
package struct Stage: Sendable, Hashable {
  package var rate: Rate
  package var duration: Nanoseconds
}

/// What arrives.
package enum Mix: Sendable, Hashable {
  /// These job types, in this order, one arrival each (batches).
  case sequence([Int])
  /// One job at an arrival, its type drawn by weight.
  case weighted([WeightedType])
  /// A whole graph of jobs at an arrival.
  case graph(JobGraph)
}

/// A job type and its relative weight in a mix.
package struct WeightedType: Sendable, Hashable {
  package var type: Int
  package var weight: Double
}

/// Jobs that arrive together and depend on each other.
package struct JobGraph: Sendable, Hashable {
  package var name: String
  /// In an order in which every node comes after those it depends on.
  package var nodes: [GraphNode]
}

/// One job of a graph.
package struct GraphNode: Sendable, Hashable {
  package var type: Int
  /// Indices of earlier nodes of the same graph.
  package var after: [Int]
}

/// The scheduler's settings in a scenario, in its own words.
package struct SchedulerSettings: Sendable, Hashable {
  /// Workers of the async pool and, where `threadWorkers` is nil, of the thread pool too.
  package var workers: Int
  package var threadWorkers: Int?
  /// With its parameters.
  package var policy: DispatchPolicy
  package var queueCapacity: Int
  package var whenFull: OverflowPolicy
  package var retry: RetryPolicy
  package var timeout: Nanoseconds?
  /// Jobs at once, per pool.
  package var concurrency: Int?
  /// Starts per second, per pool.
  package var rate: RateLimit?
  /// Bytes.
  package var memoryBudget: Int?
  /// Limits and shares of tag keys.
  package var tags = TagKeyConfiguration()
  /// A limit on jobs at once that finds itself, in each pool.
  package var adaptive: AdaptiveConcurrency? = nil
  /// Workers put to use as jobs wait, in each pool.
  package var autoscaling: Autoscaling? = nil
  /// Shedding by waiting time, in each pool.
  package var controlledDelay: ControlledDelay? = nil
}
