/// In which order eligible jobs start.
public enum DispatchPolicy: Hashable, Sendable, Codable {
  /// First eligible, first started. Cannot starve.
  case fifo
  /// Strictly by priority, then first eligible. Less urgent jobs starve while more urgent ones fill the workers.
  case priority
  /// By the instant a job became eligible minus a boost per priority, fixed when it becomes eligible: a job overtakes
  /// another of the next lower priority that became eligible up to `boost` earlier. Nothing waits behind more than
  /// `4 × boost` of later arrivals, so nothing starves; nothing is ever rescanned.
  case aging(boost: Nanoseconds)
  /// By waiting time × the slope of the priority (Kleinrock), at the instant at which a worker is free. Cannot starve
  /// while every slope is above 0.
  case slopeAging(PrioritySlopes)
  /// Earliest deadline first; jobs without a deadline last, where they may starve.
  case deadline
  /// Shortest expected service time first. Long jobs starve while short ones fill the workers.
  case shortest
  /// Weighted shares by job type or by tag key. Cannot starve.
  case fair(by: ShareOwner)
}

/// Who has a share under the policy `fair`.
public enum ShareOwner: String, Hashable, Sendable, Codable, CaseIterable {
  /// Job types, by ``JobTypeConfiguration/weight``.
  case jobType = "type"
  /// Tag keys, by ``TagKeySettings/weight``; jobs without a key share one account of weight 1.
  case tagKey = "tag"
}

/// What happens to a submission that finds the queue full.
public enum OverflowPolicy: String, Hashable, Sendable, Codable, CaseIterable {
  /// It is refused.
  case reject
  /// Its submitter waits until there is room.
  case block
  /// The least urgent eligible job, the youngest of its priority, makes room, if it is less urgent than the new one;
  /// otherwise the new one is refused. Jobs that wait for their delay, their retry or their dependencies are never
  /// shed.
  case shed
}

/// A rate with a burst, enforced by the generic cell rate algorithm (ITU-T I.371, virtual scheduling).
public struct RateLimit: Hashable, Sendable, Codable {
  /// Starts per second in the long run; above 0.
  public var rate: Rate
  /// How many starts may come at once after an idle time; at least 1. In any window of length `w` seconds at most
  /// `burst + w × rate` jobs start.
  public var burst: Int
  /// Makes a limit of `rate`, of which `burst` may come at once; at least 1.
  public init(rate: Rate, burst: Int = 1) {
    self.rate = rate
    self.burst = burst
  }
}

/// How long a job waits between a failed attempt and the next one.
public enum Backoff: Hashable, Sendable, Codable {
  /// Not at all.
  case none
  /// The same time before each retry.
  case fixed(Nanoseconds)
  /// `base × n` before retry `n` (first: 1).
  case linear(base: Nanoseconds)
  /// `base × factor^(n−1)` before retry `n`.
  case exponential(base: Nanoseconds, factor: Double)
  /// `base × n^power` before retry `n`; a power of 1 is `linear`. At most 20.
  case polynomial(base: Nanoseconds, power: Int)
}

/// How chance spreads retries out. `d` is the time that the backoff gives.
/// Source: M. Brooker, *Exponential Backoff and Jitter*, AWS Architecture Blog, 2015.
public enum Jitter: String, Hashable, Sendable, Codable, CaseIterable {
  /// Exactly `d`.
  case none
  /// Uniform in 0…d.
  case full
  /// Uniform in d/2…d.
  case equal
  /// Uniform between the first retry's `d` and three times what was waited before the retry before (at first: `d`); the
  /// backoff's own growth counts for nothing. Never above the cap.
  case decorrelated
}

/// When a failed or timed-out attempt is followed by another.
public struct RetryPolicy: Hashable, Sendable, Codable {
  /// Retries after the first attempt; 0 means a single attempt. At most 65,534.
  public var limit: Int
  /// How long to wait before each retry.
  public var backoff: Backoff
  /// How much of that wait is left to chance.
  public var jitter: Jitter
  /// The longest time between two attempts, before jitter; below the backoff's first wait it shortens them all.
  public var cap: Nanoseconds
  /// A job so many of whose attempts crashed their worker is poison: it goes to the dead letters with the cause
  /// `crashed`, however many retries are left. 1 to 254; nil: crashes count like failures.
  public var crashLimit: Int?
  /// Makes a policy of at most `limit` retries. Without a `cap` it is 60 s, or the backoff's first wait where that is
  /// longer.
  public init(
    limit: Int, backoff: Backoff = .exponential(base: .milliseconds(100), factor: 2), jitter: Jitter = .full,
    cap: Nanoseconds? = nil, crashLimit: Int? = nil
  ) {
    self.limit = limit
    self.backoff = backoff
    self.jitter = jitter
    self.cap = cap ?? max(.seconds(60), backoff.wait(beforeRetry: 1))
    self.crashLimit = crashLimit
  }
  /// A single attempt.
  public static let never = RetryPolicy(limit: 0, backoff: .none, jitter: .none)
}

/// One set of workers and its limits.
public struct PoolConfiguration: Hashable, Sendable, Codable {
  /// Workers: jobs that this pool runs at once at most; 0 closes the pool, at most 65,534.
  public var workers: Int
  /// A lower bound on jobs at once than the workers give; nil: as many as workers.
  public var concurrency: Int?
  /// How often attempts may start; nil: as often as there is room.
  public var rate: RateLimit?
  /// A limit on jobs at once that finds itself; nil: none.
  public var adaptive: AdaptiveConcurrency?
  /// Puts workers to use as jobs wait; nil: all are in use.
  public var autoscaling: Autoscaling?
  /// Sheds jobs when they have waited too long for too long; nil: never.
  public var controlledDelay: ControlledDelay?
  /// Makes the settings of one pool.
  public init(
    workers: Int, concurrency: Int? = nil, rate: RateLimit? = nil, adaptive: AdaptiveConcurrency? = nil,
    autoscaling: Autoscaling? = nil, controlledDelay: ControlledDelay? = nil
  ) {
    self.workers = workers
    self.concurrency = concurrency
    self.rate = rate
    self.adaptive = adaptive
    self.autoscaling = autoscaling
    self.controlledDelay = controlledDelay
  }
}

/// What the scheduler knows of a type of job; a submission may override priority, pool, timeout, retries and memory.
public struct JobTypeConfiguration: Hashable, Sendable, Codable {
  /// By which handlers are registered and reports speak of it.
  public var name: String
  /// Of its jobs, where a submission names none.
  public var priority: Priority
  /// Which workers run its jobs.
  public var pool: PoolID
  /// Time that an attempt may take; nil: the scheduler's default. The longest ``Nanoseconds`` there are: for ever.
  public var timeout: Nanoseconds?
  /// nil: the scheduler's default.
  public var retry: RetryPolicy?
  /// Jobs of this type running at once at most; nil: no limit of its own.
  public var concurrency: Int?
  /// How often attempts may start; nil: as often as there is room.
  public var rate: RateLimit?
  /// Memory that a job of this type reserves from ``SchedulerConfiguration/memoryBudget`` while it runs, in bytes.
  public var memory: Int
  /// How long after its intended arrival a job should have settled; nil: at no time. The policy `deadline` orders by
  /// it.
  public var deadline: Nanoseconds?
  /// How long an attempt is expected to take; nil: learnt from attempts that succeeded. The policy `shortest` orders by
  /// it.
  public var expectedService: Nanoseconds?
  /// Share under the policy `fair`, relative to the other types with jobs waiting; 0.001 to 1,000.
  public var weight: Double
  /// Makes a job type; what is nil follows the settings of the scheduler.
  public init(
    name: String, priority: Priority = .normal, pool: PoolID = .async, timeout: Nanoseconds? = nil,
    retry: RetryPolicy? = nil, concurrency: Int? = nil, rate: RateLimit? = nil, memory: Int = 0,
    deadline: Nanoseconds? = nil, expectedService: Nanoseconds? = nil, weight: Double = 1
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

/// What happens to jobs of a type that nothing is registered for.
public enum UnknownTypePolicy: String, Hashable, Sendable, Codable, CaseIterable {
  /// They are admitted and wait until their type is registered; 1,000 such types at most.
  case park
  /// Their submission fails.
  case refuse
}

/// Everything that the scheduler's decisions depend on, beside the jobs.
public struct SchedulerConfiguration: Hashable, Sendable, Codable {
  /// Which of the eligible jobs starts first.
  public var policy: DispatchPolicy = .priority
  /// Swift-concurrency workers.
  public var asyncPool = PoolConfiguration(workers: 4)
  /// Thread workers.
  public var threadPool = PoolConfiguration(workers: 2)
  /// Jobs that may wait (eligible, delayed or blocked; not running) at once; 0: a job is admitted only where a worker
  /// is idle to take it.
  public var queueCapacity = 10_000
  /// Under the overflow policy `block`: how many jobs beyond ``queueCapacity`` may wait where running handlers submit
  /// them, so that a handler does not occupy its worker until a worker makes room. 0 or more; the live scheduler alone
  /// knows which submissions are such.
  public var handlerReserve = 100
  /// What happens to a job for which the queue has no room.
  public var whenFull: OverflowPolicy = .reject
  /// For job types that have none of their own.
  public var retry = RetryPolicy(limit: 3)
  /// For job types that have none of their own; nil: an attempt may take for ever.
  public var timeout: Nanoseconds? = .seconds(300)
  /// What running jobs may reserve together, in bytes; nil: no budget.
  public var memoryBudget: Int?
  /// Limits and shares of tag keys.
  public var tagKeys = TagKeyConfiguration()
  /// Settled jobs remembered for status, results and late dependencies: at most this many…
  public var retainedCount = 10_000
  /// … and none longer than this.
  public var retainedAge: Nanoseconds = .seconds(3_600)
  /// Dead letters remembered, apart from other settled jobs: at most this many…
  public var deadLetterCount = 1_000
  /// … and none longer than this. Default: seven days.
  public var deadLetterAge: Nanoseconds = .seconds(604_800)
  /// What happens to jobs of a type that nothing is registered for. The live scheduler alone looks at it.
  public var unknownTypes = UnknownTypePolicy.park
  /// How long a handler may go on after its time-out or cancellation before its worker counts as stuck: it is then
  /// logged, replaced if ``replacementLimit`` allows it, and shown as stuck in the health report. The live scheduler
  /// alone looks at it.
  public var stuckAfter: Nanoseconds = .seconds(10)
  /// How many stuck workers of each pool are replaced by others at once; 0: none. More handlers than the pool has
  /// workers are then inside at once, of which only as many as it has workers count as running.
  public var replacementLimit = 0
  /// For the jitter of retries: the scheduler's only chance.
  public var seed: UInt64 = 0
  /// Makes the default settings.
  public init() {}

  /// The configuration of a pool.
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
