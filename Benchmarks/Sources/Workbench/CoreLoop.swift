import TailraceCore

/// A scheduler core without a driver: jobs go through it on one thread, in a time that is counted, not read.
///
/// Five priorities in turn, two workers, a timeout of 300 s on every job, and nothing kept of settled ones.
public struct CoreLoop: ~Copyable {
  private var core: SchedulerCore
  private var outbox = Outbox()
  /// Attempts that the core started and whose ends were not reported.
  private var started: [AttemptToken] = []
  private let type: JobTypeID
  private var instant = Instant.zero
  private var number: UInt64 = 0

  /// Makes a core that has room for this many waiting jobs.
  public init(capacity: Int) {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool = PoolConfiguration(workers: 2)
    configuration.threadPool = PoolConfiguration(workers: 0)
    configuration.queueCapacity = capacity
    configuration.timeout = .seconds(300)
    configuration.retainedCount = 0
    configuration.deadLetterCount = 0
    core = try! SchedulerCore(configuration)
    type = try! core.register(JobTypeConfiguration(name: "no_op"))
  }

  /// Submits, starts and ends this many jobs, each before the next is submitted.
  public mutating func run(jobs count: Int) {
    for _ in 0..<count {
      submit()
      takeStarted()
      endStarted()
      outbox.clear()
    }
  }

  /// Submits this many jobs; the first two are started, the rest wait.
  public mutating func queue(jobs count: Int) {
    for _ in 0..<count {
      submit()
      takeStarted()
    }
  }

  /// Ends every job that was queued, in their order of priority.
  ///
  /// - Returns: how many there were.
  public mutating func drain() -> Int {
    var count = 0
    while !started.isEmpty {
      count += started.count
      endStarted()
      takeStarted()
    }
    return count
  }

  private mutating func submit() {
    instant = instant + Nanoseconds(100)
    let submission = JobSubmission(
      type: type, number: number, intended: instant, submitted: instant, priority: Self.priorities[Int(number % 5)])
    number += 1
    let admission = core.jobSubmitted(submission, at: instant, into: &outbox)
    guard case .accepted = admission else { preconditionFailure("the core answered \(admission)") }
  }

  /// Lets the core start what it can, and notes whose ends are to be reported.
  private mutating func takeStarted() {
    core.startJobs(at: instant, into: &outbox)
    for index in outbox.orders.indices {
      if case .startAttempt(let token) = outbox.orders[index] { started.append(token) }
    }
    outbox.clear()
  }

  private mutating func endStarted() {
    instant = instant + Nanoseconds(100)
    for token in started {
      core.attemptEnded(token, started: instant, finished: instant, outcome: .succeeded, at: instant, into: &outbox)
    }
    started.removeAll(keepingCapacity: true)
  }

  private static let priorities = Priority.allCases
}
