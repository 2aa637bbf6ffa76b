import Foundation
import Logging
import Synchronization
import Testing
@testable import TailracePlatform

@testable import TailraceRuntime

/// What a round notes, to compare in the end.
final class SoakLedger: Sendable {
  private struct State {
    var settled: [JobID: Int] = [:]
    var submitted: Set<JobID> = []
    var callbacks: [Int: (calls: Int, isCancelled: Bool)] = [:]
    var operations: [String: Int] = [:]
  }
  private let state = Locked(State())
  private let awaits = Atomic<Int>(0)
  private let answers = Atomic<Int>(0)
  private let over = Atomic<Bool>(false)

  /// Whether the shutdown is done, and everybody is to stop.
  var isOver: Bool { over.load(ordering: .acquiring) }
  func end() { over.store(true, ordering: .releasing) }

  var settledJobs: Int { state.withLock { $0.settled.count } }
  var awaitsAnswered: Int { answers.load(ordering: .relaxed) }
  var callbackCount: Int { state.withLock { $0.callbacks.count } }

  func submitted(_ id: JobID) { state.withLock { _ = $0.submitted.insert(id) } }
  func settled(_ id: JobID) { state.withLock { $0.settled[id, default: 0] += 1 } }

  /// Whatever becomes of it, it is one answer.
  func awaiting<Value>(_ body: () async throws -> Value) async -> Value? {
    awaits.wrappingAdd(1, ordering: .relaxed)
    defer { answers.wrappingAdd(1, ordering: .relaxed) }
    return try? await body()
  }

  func newCallback() -> Int {
    state.withLock { state in
      state.callbacks[state.callbacks.count] = (0, false)
      return state.callbacks.count - 1
    }
  }
  func called(_ callback: Int) { state.withLock { $0.callbacks[callback]!.calls += 1 } }
  func cancelled(_ callback: Int) { state.withLock { $0.callbacks[callback]!.isCancelled = true } }

  /// Notes what is under way, for whoever looks at a hang.
  func during<Value>(_ name: String, _ body: () async throws -> Value) async rethrows -> Value {
    state.withLock { $0.operations[name, default: 0] += 1 }
    defer { state.withLock { $0.operations[name, default: 0] -= 1 } }
    return try await body()
  }
  func duringBlocking<Value>(_ name: String, _ body: () throws -> Value) rethrows -> Value {
    state.withLock { $0.operations[name, default: 0] += 1 }
    defer { state.withLock { $0.operations[name, default: 0] -= 1 } }
    return try body()
  }

  var underWay: String {
    let operations = state.withLock { $0.operations.filter { $0.value > 0 } }
    return operations.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
  }

  /// What is not answered yet, or too often; empty once all is well.
  var problems: [String] {
    state.withLock { state in
      var found: [String] = []
      let (asked, answered) = (awaits.load(ordering: .relaxed), answers.load(ordering: .relaxed))
      if asked != answered { found.append("\(asked) awaits and \(answered) answers") }
      let twice = state.settled.filter { $0.value != 1 }
      if !twice.isEmpty { found.append("\(twice.count) jobs settled more than once, first \(twice.first!)") }
      let lost = state.submitted.subtracting(state.settled.keys)
      if !lost.isEmpty { found.append("\(lost.count) jobs never settled, first \(lost.first!)") }
      let wrong = state.callbacks.filter { $0.value.calls != 1 && !($0.value.isCancelled && $0.value.calls == 0) }
      if !wrong.isEmpty { found.append("\(wrong.count) callbacks not called once, first \(wrong.first!.value)") }
      return found
    }
  }
}

/// The life of one scheduler, from its settings to its end, drawn from a seed.
final class SoakRound: Sendable {
  let seed: UInt64
  let ledger = SoakLedger()
  private let length: Duration
  private let reach = SoakReach()
  private let phase = Locked("setting up")
  private let violated = Locked<[String]>([])

  init(seed: UInt64, length: Duration) { (self.seed, self.length) = (seed, length) }

  var whatIsMissing: String {
    let scheduler = reach.scheduler
    let gauges = scheduler.map { "\($0.metrics().gauges)" } ?? "the scheduler is gone"
    return """
      \(phase.withLock { $0 }); under way: \(ledger.underWay); \(ledger.problems.joined(separator: "; ")); \(gauges); \
      \(scheduler.map { "\($0.health())" } ?? ""); hostile objects alive: \(reach.alive.load(ordering: .relaxed))
      """
  }

  /// Plays it; returns what was wrong.
  func play() async -> [String] {
    weak var gone: Scheduler?
    var problems: [String] = []
    do {
      let scheduler = try makeScheduler()
      gone = scheduler
      reach.aim(at: scheduler)
      problems += await run(scheduler)
    } catch {
      problems.append("the scheduler could not be made: \(error)")
    }
    enter("waiting for what is left")
    // What was called last may still be on its way out.
    for _ in 0..<2_000 where gone != nil || reach.alive.load(ordering: .relaxed) > 0 || !ledger.problems.isEmpty {
      try? await Task.sleep(for: .milliseconds(5))
    }
    problems += ledger.problems
    if gone != nil { problems.append("the scheduler was never freed") }
    let alive = reach.alive.load(ordering: .relaxed)
    if alive > 0 { problems.append("\(alive) payloads, values or errors were never freed") }
    return problems
  }

  private func run(_ scheduler: Scheduler) async -> [String] {
    var random = Random(state: seed &* 41)
    scheduler.start()
    let everyone = scheduler.onJobSettled { [ledger] in ledger.settled($0.result.id) }
    enter("playing")
    let report = await withTaskGroup(of: ShutdownReport?.self) { group in
      for number in 0..<16 {
        let actor = SoakActor(
          number: number, scheduler: scheduler, ledger: ledger, reach: reach,
          random: Random(state: seed &* 1_000 &+ UInt64(number)))
        if number < 8 {
          group.addTask { [ledger] in
            while !ledger.isOver { await actor.act() }
            await actor.finish()
            return nil
          }
        } else {
          group.addTask { [ledger] in
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
              Thread.detachNewThread {
                while !ledger.isOver { actor.actBlocking() }
                continuation.resume()
              }
            }
            await actor.finish()
            return nil
          }
        }
      }
      let grace = Duration.milliseconds(Int.random(in: 0...200, using: &random))
      group.addTask { [length] in
        try? await Task.sleep(for: length)
        self.enter("shutting down")
        let report = await scheduler.shutdown(grace: grace, stopping: .seconds(3_600))
        self.enter("after the shutdown")
        self.ledger.end()
        return report
      }
      return await group.reduce(nil) { $0 ?? $1 }
    }
    _ = everyone
    var problems = scheduler.violatedInvariants
    if report?.leftRunning != 0 { problems.append("the shutdown reports \(report.map { "\($0)" } ?? "nothing")") }
    let gauges = scheduler.metrics().gauges
    if gauges.running + gauges.waiting + gauges.waitingForRoom + gauges.abandoned > 0 {
      problems.append("not at rest after the shutdown: \(gauges)")
    }
    return problems
  }

  private func enter(_ name: String) { phase.withLock { $0 = name } }

  private func makeScheduler() throws -> Scheduler {
    var random = Random(state: seed)
    func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random)! }
    var configuration = SchedulerConfiguration()
    configuration.policy = pick([
      .fifo, .priority, .aging(boost: .milliseconds(5)), .deadline, .shortest, .fair(by: .jobType), .fair(by: .tenant),
    ])
    configuration.asyncPool.workers = pick([1, 2, 4, 8])
    configuration.threadPool.workers = pick([1, 2, 4])
    configuration.queueCapacity = pick([1, 5, 50, 500])
    configuration.whenFull = pick(OverflowPolicy.allCases)
    configuration.retry = RetryPolicy(
      limit: pick([0, 1, 3]), backoff: .fixed(.milliseconds(1)), crashLimit: pick([nil, 2]))
    configuration.timeout = .milliseconds(200)
    configuration.retainedCount = pick([0, 10, 1_000])
    configuration.deadLetterCount = pick([0, 10, 200])
    configuration.stuckAfter = .milliseconds(20)
    configuration.replacementLimit = pick([0, 2])
    configuration.memoryBudget = pick([nil, 4 << 20])
    configuration.tenants = TenantConfiguration(each: TenantSettings(concurrency: pick([nil, 2])))
    let scheduler = try Scheduler(
      configuration, observers: [], attemptsRemembered: pick([0, 2]),
      logger: Logger(label: "soak") { _ in DescribingLog() })
    if pick([true, false]) {
      try scheduler.onSubmission { request in if request.labels.contains("refused") { throw SoakInvalid() } }
    }
    try SoakHandlers.register(on: scheduler, reach)
    return scheduler
  }
}

/// Describes all that it is given, as a real log does.
struct DescribingLog: LogHandler {
  var logLevel = Logger.Level.warning
  var metadata = Logger.Metadata()
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
  func log(event: LogEvent) { _ = "\(event.message) \(event.metadata ?? [:])".utf8.count }
}
