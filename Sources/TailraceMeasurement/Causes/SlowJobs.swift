import TailraceCore

/// What the jobs behind a missed target about time have in common: where their time went, when they came, and what was
/// saturated while they waited.
package struct SlowJobs: Sendable, Hashable, Codable {
  /// A share of their time.
  package struct Part: Sendable, Hashable, Codable {
    @ByName package var part: Quantity
    /// Mean per job, in nanoseconds.
    package var mean: Double
    /// 0…1, of their time from intended arrival to settlement.
    package var share: Double

    private enum CodingKeys: String, CodingKey {
      case part, share
      case mean = "meanNs"
    }

    /// The parts that take time, largest first.
    ///
    /// - Parameters:
    ///   - sums: over the jobs, in nanoseconds, in the order of ``Quantity/parts``.
    ///   - whole: the jobs' time from intended arrival to settlement, in nanoseconds.
    static func largestFirst(_ sums: [Double], jobs: Int, whole: Double) -> [Part] {
      zip(Quantity.parts, sums).filter { $0.1 > 0 }
        .map { Part(part: $0, mean: $1 / Double(jobs), share: $1 / whole) }.sorted { $0.mean > $1.mean }
    }
  }
  /// Jobs that are slow by themselves, or all jobs of the class where ``isWhole``.
  package var jobs: Int
  /// Jobs of the class.
  package var of: Int
  /// In nanoseconds: slow jobs took longer; nil: by a deadline of their own.
  package var limit: Double?
  /// Whether figures are of all jobs of the class, as the run had too many attempts to keep each.
  package var isWhole = false
  /// Largest first; parts that take no time are left out.
  package var parts: [Part] = []
  /// The share of their time after their first attempt had ended: what retrying took, 0…1.
  package var retrying = 0.0
  /// The job type of most of them; nil: the class has one type.
  package var type: String?
  /// The share of them that is of ``type``, 0…1.
  package var ofType = 0.0
  /// When they arrived: at most three stretches; empty: throughout the run.
  package var stretches: [Stretch] = []
  /// Whether all jobs of the run were due at one instant.
  package var cameAtOnce = false
  package var burst: Burst?
  /// What their waiting was for; nil: they hardly waited, or the run had too many attempts.
  package var wait: Wait?
  /// How their service compares with that of their type; nil: they hardly ran.
  package var service: Service?

  private enum CodingKeys: String, CodingKey {
    case jobs, of, isWhole, parts, retrying, type, ofType, stretches, cameAtOnce, burst, wait, service
    case limit = "limitNs"
  }
}

extension SlowJobs {
  /// A stretch of the run, from its start.
  package struct Stretch: Sendable, Hashable, Codable {
    package var from: Nanoseconds
    package var to: Nanoseconds
    /// Whether it reaches to the last arrival of the run.
    package var isLast = false

    private enum CodingKeys: String, CodingKey {
      case isLast
      case from = "fromNs"
      case to = "toNs"
    }
  }

  /// A stretch in which jobs came faster than at most other times.
  package struct Burst: Sendable, Hashable, Codable {
    package var from: Nanoseconds
    package var to: Nanoseconds
    /// The arrival rate as a multiple of the usual one; nil: usually none came.
    package var factor: Double?

    private enum CodingKeys: String, CodingKey {
      case factor
      case from = "fromNs"
      case to = "toNs"
    }
  }

  /// What an attempt may wait for.
  package enum Hold: String, Sendable, Hashable, Codable {
    /// Every worker of the pool was busy.
    case workers
    /// The job type's concurrency limit was reached while a worker was free.
    case typeConcurrency = "type_concurrency"
    /// The pool's concurrency limit was reached while a worker was free.
    case poolConcurrency = "pool_concurrency"
    /// Starts of the job type came at the pace of its rate limit.
    case typeRate = "type_rate"
    /// Starts of the pool came at the pace of its rate limit.
    case poolRate = "pool_rate"
    /// The memory budget lacked what the job needs.
    case memory
    /// The scheduler had lowered its own limit.
    case adaptive
    /// None of these.
    case unknown
  }

  /// A share of the time waited.
  package struct Held: Sendable, Hashable, Codable {
    package var by: Hold
    /// 0…1, of the time that slow jobs waited.
    package var share: Double
    /// The job type whose limit it is.
    package var type: String?
    /// The number of workers, of attempts at once, of starts per second, of bytes.
    package var limit: Double?
  }

  /// An attempt that took much longer than others of its type and kept a worker meanwhile.
  package struct Stuck: Sendable, Hashable, Codable {
    package var type: String
    /// Number of the worker within its pool; nil: the system does not number them.
    package var worker: Int?
    package var service: Nanoseconds
    /// The median service of the type, in nanoseconds.
    package var usual: Nanoseconds
    package var started: Nanoseconds
    /// How many attempts were as long and ran while slow jobs waited, this one included.
    package var attempts: Int

    private enum CodingKeys: String, CodingKey {
      case type, worker, attempts
      case service = "serviceNs"
      case usual = "usualNs"
      case started = "startedNs"
    }
  }

  /// What the slow jobs waited for, and what ran meanwhile in the pool in which most of them waited.
  package struct Wait: Sendable, Hashable, Codable {
    @ByName package var pool: PoolID
    /// Largest share first.
    package var held: [Held]
    /// The pool's workers; nil: not known.
    package var workers: Int?
    /// Attempts running while slow jobs waited: a mean over time.
    package var running: Double
    /// The most attempts that waited at once meanwhile.
    package var queued: Int
    /// The job type that had most of the workers' time meanwhile; nil: there is one type.
    package var type: String?
    /// The share of it, 0…1.
    package var ofType: Double
    /// The share of the workers' time that attempts after the first had meanwhile, 0…1.
    package var retries: Double
    /// Work that came per second of the run's arrivals, in seconds; nil: all came at once.
    package var load: Double?
    package var stuck: Stuck?

    private enum CodingKeys: String, CodingKey {
      case pool, held, workers, running, queued, type, ofType, retries, stuck
      case load = "loadErlangs"
    }
  }

  /// How long the slow jobs' attempts ran.
  package struct Service: Sendable, Hashable, Codable {
    /// Mean of the slow jobs' attempts, in nanoseconds.
    package var mean: Nanoseconds
    /// The median of all attempts of the same type.
    package var usual: Nanoseconds
    /// The one worker that ran nearly all of them, of several; nil: there is none.
    package var worker: String?

    private enum CodingKeys: String, CodingKey {
      case worker
      case mean = "meanNs"
      case usual = "usualNs"
    }
  }
}
