import TailraceRuntime
import CPlatform
import Glibc
import Logging
import TailraceCore
import TailraceWorkload

/// A public operation, repeated on one scheduler that keeps its state: the time per operation must not grow with the
/// size of the state. For benchmarks only; the API may change at any time.
public enum Growth: String, CaseIterable, Sendable {
  case register = "register types"
  case park = "submit, each of an unknown type"
  case open = "register types whose jobs wait"
  case submit = "submit"
  case submitUnique = "submit, each with a unique key"
  case submitWithTenant = "submit, each with a tenant"
  case submitPolicies = "submit, each with a retry policy"
  case submitAfter = "submit, each after the one before"
  case shed = "submit into a full queue that sheds"
  case cancel = "cancel waiting jobs"
  case cancelChain = "cancel a chain of jobs, per job"
  case status = "status of waiting jobs"
  case result = "result of settled jobs"
  case history = "history of settled jobs"
  case onSettled = "onSettled, and take it back"
  case batch = "open, fill and settle batches"
  case failFast = "a batch that fails, per cancelled job"
  case listDeadLetters = "list the dead letters, per letter"
  case replay = "replay dead letters"
  case purge = "purge dead letters one by one"
  case addSchedules = "add schedules"
  case listSchedules = "list the schedules, per schedule"
  case removeSchedules = "remove schedules"
  case events = "events, taken as they come"
  case subscriptions = "subscribe to events, and end it"
  case callbacks = "onJobSettled, and take it back"
  case memory = "start and end jobs that wait for memory, each of its own type"
  case simulatedCancels = "cancellations in simulation"

  /// Maximum repetitions on one scheduler; nil: limited by memory only.
  public var limit: Int? {
    switch self {
    case .register, .memory: SchedulerCore.mostTypes
    case .park, .open: 1_000
    case .submitWithTenant: 60_000
    case .addSchedules, .listSchedules, .removeSchedules: SchedulerCore.mostSchedules
    case .submit, .submitUnique, .submitPolicies, .submitAfter, .shed, .cancel, .cancelChain, .status, .result,
      .history, .onSettled, .batch, .failFast, .listDeadLetters, .replay, .purge, .events, .subscriptions, .callbacks,
      .simulatedCancels:
      nil
    }
  }

  /// Repeats the operation on a new scheduler. Returns the CPU time of the calling thread per operation in nanoseconds,
  /// without preparation.
  public func nanosecondsEach(count: Int) async throws -> Double {
    let bench = try GrowthBench(self, count: count)
    return try await bench.measure(self, count: count)
  }
}

/// A scheduler that was not started, so that nothing else runs.
private struct GrowthBench {
  let scheduler: Scheduler

  init(_ operation: Growth, count: Int) throws {
    var configuration = SchedulerConfiguration()
    configuration.unknownTypes = .park
    configuration.queueCapacity = operation == .shed ? count : .max
    configuration.whenFull = .shed
    configuration.retainedCount = .max
    configuration.deadLetterCount = .max
    configuration.tenants.each.concurrency = operation == .submitWithTenant ? 1 : nil
    let logger = Logger(label: "growth") { _ in SwiftLogNoOpLogHandler() }
    scheduler = try Scheduler(
      configuration, observers: [], attemptsRemembered: operation == .history ? 3 : 0, logger: logger,
      time: VirtualTime())
    try scheduler.register("job") { _ in nil }
    try scheduler.register("invalid", validate: { _ in throw Invalid() }) { _ in nil }
  }

  private struct Invalid: Error {}

  func measure(_ operation: Growth, count: Int) async throws -> Double {
    switch operation {
    case .register:
      return try each(count) { try scheduler.register("type \($0)") { _ in nil } }
    case .park: return try each(count) { try scheduler.submitBlocking(JobRequest("type \($0)")) }
    case .open:
      for index in 0..<count { try scheduler.submitBlocking(JobRequest("type \(index)")) }
      return try each(count) { try scheduler.register("type \($0)") { _ in nil } }
    case .submit: return try each(count) { _ in try scheduler.submitBlocking(JobRequest("job")) }
    case .submitUnique: return try each(count) { try scheduler.submitBlocking(JobRequest("job", uniqueKey: "\($0)")) }
    case .submitWithTenant: return try each(count) { try scheduler.submitBlocking(JobRequest("job", tenant: "\($0)")) }
    case .submitPolicies:
      return try each(count) {
        let retry = RetryPolicy(limit: 3, backoff: .fixed(.nanoseconds($0)))
        return try scheduler.submitBlocking(JobRequest("job", retry: retry))
      }
    case .submitAfter:
      var last = try scheduler.submitBlocking(JobRequest("job"))
      return try each(count) { _ in last = try scheduler.submitBlocking(JobRequest("job", dependencies: [last])) }
    case .shed:
      let types = min(count, 4_000)
      for type in 0..<types {
        try scheduler.register(JobTypeConfiguration(name: "own \(type)", concurrency: 1)) { _ in nil }
      }
      for index in 0..<count { try scheduler.submitBlocking(JobRequest("own \(index % types)", priority: .batch)) }
      return try each(count) { try scheduler.submitBlocking(JobRequest("own \($0 % types)", priority: .critical)) }
    case .cancel:
      let jobs = try submit(count)
      return each(count) { _ = scheduler.cancel(jobs[$0]) }
    case .cancelChain:
      let first = try scheduler.submitBlocking(JobRequest("job"))
      var last = first
      for _ in 0..<count { last = try scheduler.submitBlocking(JobRequest("job", dependencies: [last])) }
      return once(per: count) { _ = scheduler.cancel(first) }
    case .status:
      let jobs = try submit(count)
      return each(count) { _ = scheduler.status(of: jobs[$0]) }
    case .result, .history, .onSettled, .batch, .failFast: return try await measureEnds(operation, count)
    case .listDeadLetters, .replay, .purge: return try measureDeadLetters(operation, count)
    case .addSchedules, .listSchedules, .removeSchedules: return try measureSchedules(operation, count)
    case .events, .subscriptions, .callbacks: return try await measureWatching(operation, count)
    case .memory: return try measureMemory(count)
    case .simulatedCancels:
      let replay = SimulatedReplay(
        scenario: """
          name: growth
          jobs: {job: {service: 1ms, cancel: {share: 100%, after: 1s}}}
          load: {constant: \(count)/s, of: job, count: \(count)}
          scheduler: {workers: 1, queue: {capacity: \(count + 1)}, retries: 0, timeout: none}
          """)
      return once(per: count) { _ = replay.run(seed: 1) }
    }
  }

  private func submit(_ count: Int) throws -> [JobID] {
    try (0..<count).map { _ in try scheduler.submitBlocking(JobRequest("job")) }
  }

  private func measureEnds(_ operation: Growth, _ count: Int) async throws -> Double {
    if operation == .batch {
      return try each(count) { _ in
        let batch = try scheduler.openBatch(failFast: false)
        let job = try scheduler.submitBlocking(JobRequest("job", batch: batch))
        scheduler.cancel(job)
        scheduler.sealBatch(batch)
      }
    }
    if operation == .failFast {
      let batch = try scheduler.openBatch(failFast: true)
      for _ in 0..<count { try scheduler.submitBlocking(JobRequest("job", batch: batch)) }
      return try once(per: count) { _ = try scheduler.submitBlocking(JobRequest("invalid", batch: batch)) }
    }
    let jobs = try submit(count)
    if operation == .onSettled { return try each(count) { try scheduler.onSettled(of: jobs[$0]) { _ in }.cancel() } }
    for job in jobs { scheduler.cancel(job) }
    if operation == .history { return each(count) { _ = scheduler.history(of: jobs[$0]) } }
    return try await eachAwaited(count) { _ = try await scheduler.result(of: jobs[$0]) }
  }

  private func measureDeadLetters(_ operation: Growth, _ count: Int) throws -> Double {
    let jobs = try (0..<count).map { _ in try scheduler.submitBlocking(JobRequest("invalid")) }
    switch operation {
    case .listDeadLetters: return once(per: count) { _ = scheduler.deadLetters() }
    // Each replay looks at the dead letter again, and leaves it where it is.
    case .replay: return each(count) { _ = try? scheduler.replay(jobs[$0]) }
    default: return each(count) { scheduler.purgeDeadLetter(jobs[$0]) }
    }
  }

  private func measureSchedules(_ operation: Growth, _ count: Int) throws -> Double {
    func add(_ index: Int) throws -> ScheduleID {
      try scheduler.schedule(RecurringJob("\(index)", .every(.seconds(60 + index)), job: JobRequest("job")))
    }
    if operation == .addSchedules { return try each(count) { _ = try add($0) } }
    let schedules = try (0..<count).map(add)
    if operation == .listSchedules { return once(per: count) { _ = scheduler.schedules() } }
    return each(count) { scheduler.removeSchedule(schedules[$0]) }
  }

  private func measureWatching(_ operation: Growth, _ count: Int) async throws -> Double {
    switch operation {
    case .events:
      let events = try scheduler.events(bufferingNewest: count + 1)
      _ = try submit(count)
      var iterator = events.makeAsyncIterator()
      return await eachAwaited(count) { _ in _ = await iterator.next() }
    case .subscriptions:
      var kept = try (0..<count).map { _ in Optional(try scheduler.events(bufferingNewest: 1)) }
      return each(count) { kept[$0] = nil }
    default:
      let kept = (0..<count).map { _ in scheduler.onJobSettled { _ in } }
      return each(count) { kept[$0].cancel() }
    }
  }

  // MARK: - The clock

  /// One job fits, and many workers have nothing to do: each end is a chance for all that wait.
  private func measureMemory(_ count: Int) throws -> Double {
    var configuration = SchedulerConfiguration()
    configuration.unknownTypes = .park
    configuration.asyncPool.workers = 64
    configuration.queueCapacity = .max
    configuration.memoryBudget = 1 << 10
    var core = try SchedulerCore(configuration)
    var outbox = Outbox()
    for index in 0..<count {
      let type = try core.register(JobTypeConfiguration(name: "\(index)", memory: 1 << 10))
      _ = core.jobSubmitted(JobSubmission(type: type, intended: .zero, submitted: .zero), at: .zero, into: &outbox)
    }
    outbox.clear()
    core.startJobs(at: .zero, into: &outbox)
    let start = threadTime()
    while let token = outbox.firstStart {
      outbox.clear()
      core.attemptEnded(token, started: .zero, finished: .zero, outcome: .succeeded, at: .zero, into: &outbox)
      core.startJobs(at: .zero, into: &outbox)
    }
    return Double(threadTime() - start) / Double(count)
  }

  private func each(_ count: Int, _ body: (Int) throws -> some Any) rethrows -> Double {
    let start = threadTime()
    for index in 0..<count { _ = try body(index) }
    return Double(threadTime() - start) / Double(count)
  }

  /// The same with awaits, in pieces: one at whose end the task is on another thread says nothing, since each thread
  /// has a clock of its own.
  private func eachAwaited(_ count: Int, _ body: (Int) async throws -> Void) async rethrows -> Double {
    var (time, counted, next) = (Int64(0), 0, 0)
    while next < count {
      let piece = next..<min(count, next + 100)
      let (thread, start) = (cplatform_thread_id(), threadTime())
      for index in piece { try await body(index) }
      let spent = threadTime() - start
      if cplatform_thread_id() == thread {
        time += spent
        counted += piece.count
      }
      next = piece.upperBound
    }
    return Double(time) / Double(max(1, counted))
  }

  private func once(per count: Int, _ body: () throws -> Void) rethrows -> Double {
    let start = threadTime()
    try body()
    return Double(threadTime() - start) / Double(count)
  }

  /// The CPU time of the calling thread, without that of other programs.
  private func threadTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension Outbox {
  /// The first attempt that is to start.
  fileprivate var firstStart: AttemptToken? {
    for place in orders.indices { if case .startAttempt(let token) = orders[place] { return token } }
    return nil
  }
}
