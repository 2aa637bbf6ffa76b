import Dispatch
import Foundation
import Logging
import Synchronization
import TailraceBenchmarkHooks
import TailraceCore
import TailraceJemalloc
import TailraceRuntime

/// A way to run jobs, each handed over by a call of its own.
public enum Submitting: String, CaseIterable, Sendable {
  /// Tailrace's scheduler through its public interface, with every job measured.
  case live
  /// A discarding task group, which starts as many as the machine has cores.
  case taskGroup = "task-group"
  /// Two serial Dispatch queues in turn.
  case dispatch
  /// Foundation's operation queue, two operations at once.
  case operationQueue = "operation-queue"

  /// Hands over this many jobs that do nothing, one by one, from a thread of its own, and waits for the last to end.
  ///
  /// The peers measure nothing and keep nothing about a job; they only count that it ran.
  ///
  /// - Returns: the time from the first submission to the last end.
  public func run(jobs count: Int) async -> Duration {
    let ran = Counter()
    let time =
      switch self {
      case .live: await Self.runLive(count, ran)
      case .taskGroup: await Self.runTaskGroup(count, ran)
      case .dispatch: await Self.onThread { Self.runDispatch(count, ran) }
      case .operationQueue: await Self.onThread { Self.runOperationQueue(count, ran) }
      }
    precondition(ran.value == count, "\(rawValue): \(ran.value) of \(count) jobs ran")
    return time
  }

  private static func runLive(_ count: Int, _ ran: Counter) async -> Duration {
    let scheduler = LiveScheduler.make(capacity: count) { ran.add() }
    let (start, last) = await onThread {
      let start = ContinuousClock.now
      var last: JobID?
      for _ in 0..<count { last = try! scheduler.submitBlocking(JobRequest("no_op")) }
      return (start, last!)
    }
    _ = try! await scheduler.result(of: last)
    // The other worker may still hold a few jobs that it claimed with others.
    while ran.value < count { await Task.yield() }
    let time = ContinuousClock.now - start
    await scheduler.shutdown()
    return time
  }

  private static func runTaskGroup(_ count: Int, _ ran: Counter) async -> Duration {
    let start = ContinuousClock.now
    await withDiscardingTaskGroup { group in
      for _ in 0..<count { group.addTask { ran.add() } }
    }
    return ContinuousClock.now - start
  }

  private static func runDispatch(_ count: Int, _ ran: Counter) -> Duration {
    let queues = (0..<2).map { DispatchQueue(label: "one-by-one.\($0)") }
    let start = ContinuousClock.now
    for index in 0..<count { queues[index & 1].async { ran.add() } }
    for queue in queues { queue.sync {} }
    return ContinuousClock.now - start
  }

  private static func runOperationQueue(_ count: Int, _ ran: Counter) -> Duration {
    let queue = OperationQueue()
    queue.maxConcurrentOperationCount = 2
    let start = ContinuousClock.now
    for _ in 0..<count { queue.addOperation { ran.add() } }
    queue.waitUntilAllOperationsAreFinished()
    return ContinuousClock.now - start
  }

  /// Runs a function on a new thread, since a function that blocks must not hold a thread of Swift's concurrency.
  private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: body()) }.start()
    }
  }
}

/// Counts jobs that ran.
public final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  /// Makes a counter that stands at zero.
  public init() {}
  /// Counts one more.
  public func add() { count.add(1, ordering: .relaxed) }
  /// How many were counted.
  public var value: Int { count.load(ordering: .relaxed) }
}

/// Tailrace's scheduler as an embedding program sets it up, with the measuring observer of a live run.
public enum LiveScheduler {
  /// Makes and starts one with two asynchronous workers and the job type `no_op`.
  ///
  /// - Parameters:
  ///   - capacity: waiting jobs at most.
  ///   - work: what a job does.
  public static func make(capacity: Int, work: @escaping @Sendable () -> Void = {}) -> Scheduler {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool = PoolConfiguration(workers: 2)
    configuration.threadPool = PoolConfiguration(workers: 0)
    configuration.queueCapacity = capacity
    configuration.whenFull = .block
    let scheduler = try! Scheduler(
      configuration, observer: SampleRecording.makeObserver(shards: 3),
      logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() })
    _ = try! scheduler.register("no_op") { _ in
      ThreadAllocationLedger.enrollCurrentThread()
      work()
      return nil
    }
    scheduler.start()
    return scheduler
  }
}

extension Scheduler {
  /// Submits this many jobs of ``LiveScheduler``, each after the one before has settled.
  public func submitAndAwait(jobs count: Int) async {
    for _ in 0..<count {
      ThreadAllocationLedger.enrollCurrentThread()
      let id = try! await submit(JobRequest("no_op"))
      _ = try! await result(of: id)
    }
  }
}
