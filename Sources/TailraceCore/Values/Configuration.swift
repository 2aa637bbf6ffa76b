/// The order in which eligible jobs start.
public enum DispatchPolicy: Hashable, Sendable, Codable {
  /// First eligible, first started. Cannot starve.
  case fifo
  /// Strictly by priority, then first eligible. Less urgent jobs starve while more urgent ones fill the workers.
  case priority
  /// By the instant a job became eligible, plus `boost` for each priority level below the most urgent. The key is fixed
  /// when the job becomes eligible: a job overtakes another of the next lower priority that became eligible up to
  /// `boost` earlier. No job waits behind more than `4 × boost` of later arrivals, so nothing starves and nothing is
  /// rescanned.
  case aging(boost: Duration)
  /// By waiting time × the slope of the priority (Kleinrock), evaluated when a worker becomes free. Cannot starve while
  /// every slope is above 0.
  case slopeAging(PrioritySlopes)
  /// Earliest deadline first. Jobs without a deadline come last and may starve.
  case deadline
  /// Shortest expected service time first. Long jobs starve while short ones fill the workers.
  case shortest
  /// Weighted shares by job type or by tenant. Cannot starve.
  case fair(by: ShareOwner)
}

/// What receives a share under the policy `fair`.
public enum ShareOwner: String, Hashable, Sendable, Codable, CaseIterable {
  /// Job types, by ``JobTypeConfiguration/weight``.
  case jobType = "type"
  /// Tenants, by ``TenantSettings/weight``; jobs without a tenant share one account of weight 1.
  case tenant
}

/// What happens to a submission when the queue is full.
public enum OverflowPolicy: String, Hashable, Sendable, Codable, CaseIterable {
  /// The submission is rejected.
  case reject
  /// The submitter waits until there is room.
  case block
  /// The least urgent eligible job (the youngest of its priority) is shed if it is less urgent than the new one;
  /// otherwise the new one is rejected. Jobs waiting for a delay, a retry or dependencies are never shed.
  case shed
}

/// A rate with a burst, enforced by the generic cell rate algorithm (ITU-T I.371, virtual scheduling).
public struct RateLimit: Hashable, Sendable, Codable {
  /// Starts per second in the long run; above 0.
  public var rate: Rate
  /// The number of starts that may happen at once after an idle period; at least 1. In any window of `w` seconds at
  /// most
  /// `burst + w × rate` jobs start.
  public var burst: Int
  /// Creates a limit of `rate` with a burst of at least 1.
  public init(rate: Rate, burst: Int = 1) {
    self.rate = rate
    self.burst = burst
  }
}

/// The wait between a failed attempt and the next one.
public struct Backoff: Hashable, Sendable, Codable {
  /// How the wait grows. Kept in nanoseconds, because a submission may have its own policy.
  package enum Rule: Hashable, Sendable, Codable {
    case none
    case fixed(Nanoseconds)
    case linear(base: Nanoseconds)
    case exponential(base: Nanoseconds, factor: Double)
    case polynomial(base: Nanoseconds, power: Int)
  }

  package let rule: Rule

  package init(_ rule: Rule) { self.rule = rule }

  /// No wait.
  public static let none = Backoff(.none)
  /// The same wait before each retry.
  public static func fixed(_ wait: Duration) -> Backoff { Backoff(.fixed(Nanoseconds(wait))) }
  /// `base × n` before retry `n` (first: 1).
  public static func linear(base: Duration) -> Backoff { Backoff(.linear(base: Nanoseconds(base))) }
  /// `base × factor^(n−1)` before retry `n`.
  public static func exponential(base: Duration, factor: Double) -> Backoff {
    Backoff(.exponential(base: Nanoseconds(base), factor: factor))
  }
  /// `base × n^power` before retry `n`; a power of 1 is `linear`. At most 20.
  public static func polynomial(base: Duration, power: Int) -> Backoff {
    Backoff(.polynomial(base: Nanoseconds(base), power: power))
  }
}

/// Randomization of retry waits. `d` is the wait that the backoff computes.
/// Source: M. Brooker, *Exponential Backoff and Jitter*, AWS Architecture Blog, 2015.
public enum Jitter: String, Hashable, Sendable, Codable, CaseIterable {
  /// Exactly `d`.
  case none
  /// Uniform in 0…d.
  case full
  /// Uniform in d/2…d.
  case equal
  /// Uniform between the first retry's `d` and three times the previous wait (initially `d`). Ignores the growth of the
  /// backoff. Never exceeds the cap.
  case decorrelated
}

/// Whether and when a failed or timed-out attempt is retried.
public struct RetryPolicy: Hashable, Sendable, Codable {
  /// Retries after the first attempt; 0 means a single attempt. At most 65,534.
  public var limit: Int
  /// How long to wait before each retry.
  public var backoff: Backoff
  /// The randomization of that wait.
  public var jitter: Jitter
  /// The maximum wait between two attempts, before jitter. If it is below the backoff's first wait, it caps every wait.
  public var cap: Duration {
    get { longestWait.duration }
    set { longestWait = Nanoseconds(newValue) }
  }
  /// ``cap``.
  package var longestWait: Nanoseconds
  /// The number of crashed attempts after which a job is treated as poison: it is dead-lettered with the cause
  /// `crashed`, even if retries are left. 1 to 254; nil: crashes count as failures.
  public var crashLimit: Int?
  /// Creates a policy of at most `limit` retries. The default `cap` is 60 s, or the backoff's first wait if that is
  /// longer.
  public init(
    limit: Int, backoff: Backoff = .exponential(base: .milliseconds(100), factor: 2), jitter: Jitter = .full,
    cap: Duration? = nil, crashLimit: Int? = nil
  ) {
    self.limit = limit
    self.backoff = backoff
    self.jitter = jitter
    longestWait = cap.map { Nanoseconds($0) } ?? max(.seconds(60), backoff.wait(beforeRetry: 1))
    self.crashLimit = crashLimit
  }
  /// A single attempt.
  public static let never = RetryPolicy(limit: 0, backoff: .none, jitter: .none)
}

/// The workers of a pool and its limits.
public struct PoolConfiguration: Hashable, Sendable, Codable {
  /// Maximum jobs that this pool's workers run at once. 0 closes the pool; at most 65,534.
  public var workers: Int
  /// Maximum jobs running at once in this pool; nil: one per worker.
  public var concurrency: Int?
  /// Maximum rate at which attempts start; nil: unlimited.
  public var rate: RateLimit?
  /// An adaptive concurrency limit; nil: none.
  public var adaptive: AdaptiveConcurrency?
  /// Activates workers as jobs wait; nil: all workers are active.
  public var autoscaling: Autoscaling?
  /// Sheds jobs when waiting time stays too long; nil: never.
  public var codel: CoDelConfiguration?
  /// Creates the settings of one pool.
  public init(
    workers: Int, concurrency: Int? = nil, rate: RateLimit? = nil, adaptive: AdaptiveConcurrency? = nil,
    autoscaling: Autoscaling? = nil, codel: CoDelConfiguration? = nil
  ) {
    self.workers = workers
    self.concurrency = concurrency
    self.rate = rate
    self.adaptive = adaptive
    self.autoscaling = autoscaling
    self.codel = codel
  }
}

/// The settings of a job type. A submission may override priority, pool, timeout, retries and memory.
public struct JobTypeConfiguration: Hashable, Sendable, Codable {
  /// The name under which handlers are registered and that reports print. Empty for the settings of a typed job, which
  /// has its own name.
  public var name: String
  /// The priority of jobs whose submission sets none.
  public var priority: Priority
  /// The pool that runs its jobs.
  public var pool: PoolID
  /// The time limit of an attempt; nil: the scheduler's default. 292 years or more means no limit.
  public var timeout: Duration?
  /// The retry policy; nil: the scheduler's default.
  public var retry: RetryPolicy?
  /// Maximum jobs of this type running at once; nil: no limit per type.
  public var concurrency: Int?
  /// Maximum rate at which attempts start; nil: unlimited.
  public var rate: RateLimit?
  /// Memory that a job of this type reserves from ``SchedulerConfiguration/memoryBudget`` while it runs, in bytes.
  public var memory: Int
  /// The time from intended arrival within which a job should settle; nil: none. The policy `deadline` orders by it.
  public var deadline: Duration?
  /// The expected duration of an attempt; nil: estimated from successful attempts. The policy `shortest` orders by it.
  public var expectedService: Duration?
  /// Share under the policy `fair`, relative to the other types with jobs waiting; 0.001 to 1,000.
  public var weight: Double
  /// Creates a job type. Values that are nil use the scheduler's settings.
  public init(
    name: String = "", priority: Priority = .normal, pool: PoolID = .async, timeout: Duration? = nil,
    retry: RetryPolicy? = nil, concurrency: Int? = nil, rate: RateLimit? = nil, memory: Int = 0,
    deadline: Duration? = nil, expectedService: Duration? = nil, weight: Double = 1
  ) {
    self.name = name
    self.priority = priority
    self.pool = pool
    self.timeout = timeout
    self.retry = retry
    self.concurrency = concurrency
    self.rate = rate
    self.memory = memory
    self.deadline = deadline
    self.expectedService = expectedService
    self.weight = weight
  }
}

/// What happens to jobs of a type that has no handler.
public enum UnknownTypePolicy: String, Hashable, Sendable, Codable, CaseIterable {
  /// They are admitted and wait until a handler for the type is registered; at most 1,000 such types. For a queue that
  /// is restored or shared, so that a job may come before its handler.
  case park
  /// Their submission fails.
  case refuse
}

/// All settings that the scheduler's decisions depend on.
public struct SchedulerConfiguration: Hashable, Sendable, Codable {
  /// The order in which eligible jobs start.
  public var policy: DispatchPolicy = .priority
  /// The pool for async handlers.
  public var asyncPool = PoolConfiguration(workers: 4)
  /// The pool for blocking handlers, one thread per worker.
  public var threadPool = PoolConfiguration(workers: 2)
  /// Maximum jobs waiting at once (eligible, delayed or blocked, not running). 0: a job is admitted only if a worker is
  /// idle.
  public var queueCapacity = 10_000
  /// With the overflow policy `block`: how many jobs beyond ``queueCapacity`` running handlers may submit, so that a
  /// handler that submits never waits for a worker to make room while occupying one. 0 or more. Used by the live
  /// scheduler only.
  public var handlerReserve = 100
  /// What happens to a submission when the queue is full.
  public var whenFull: OverflowPolicy = .reject
  /// The retry policy of job types that set none.
  public var retry = RetryPolicy(limit: 3)
  /// The attempt timeout of job types that set none; nil: no limit.
  public var timeout: Duration? = .seconds(300)
  /// Maximum memory that running jobs may reserve together, in bytes; nil: no budget.
  public var memoryBudget: Int?
  /// Limits and shares per tenant.
  public var tenants = TenantConfiguration()
  /// Maximum number of settled jobs kept for status, results and late dependencies.
  public var retainedCount = 10_000
  /// Maximum time that settled jobs are kept.
  public var retainedAge: Duration = .seconds(3_600)
  /// Maximum number of dead letters kept, counted apart from other settled jobs.
  public var deadLetterCount = 1_000
  /// Maximum time that dead letters are kept. Default: seven days.
  public var deadLetterAge: Duration = .seconds(604_800)
  /// What happens to jobs of a type that has no handler. Used by the live scheduler only.
  public var unknownTypes = UnknownTypePolicy.refuse
  /// How long a handler may keep running after its timeout or cancellation before its worker counts as stuck. A stuck
  /// worker is logged, replaced if ``replacementLimit`` allows it, and listed in the health report. Used by the live
  /// scheduler only.
  public var stuckAfter: Duration = .seconds(10)
  /// Maximum stuck workers per pool that are replaced at the same time; 0: none. With replacements, more handlers than
  /// workers may be executing, but at most as many as the pool has workers count as running.
  public var replacementLimit = 0
  /// The seed of the retry jitter, the scheduler's only randomness.
  public var seed: UInt64 = 0
  /// Creates the default settings.
  public init() {}

  /// The settings of a pool.
  public subscript(pool: PoolID) -> PoolConfiguration {
    get {
      switch pool {
      case .async: asyncPool
      case .thread: threadPool
      }
    }
    set {
      switch pool {
      case .async: asyncPool = newValue
      case .thread: threadPool = newValue
      }
    }
  }
}
