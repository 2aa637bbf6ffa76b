import Dispatch
import Foundation
import TailraceCore
import TailraceHost
import TailraceMeasurement
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// A task group with as many children as workers. When one ends, the next is added.
package struct TaskGroupSystem: ReplaySystem {
  package let name = "task-group"
  package let summary = "A Swift task group, bounded to the same number of workers."
  package init() {}
  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] {
    plainLacks(scenario, interruption)
  }
  package func demand(of scenario: Scenario) -> RunDemand {
    plainDemand(scenario, threads: 0)
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let origin = MonotonicClock.now() + .milliseconds(20)
    let run = YardstickRun(replay, origin: origin)
    defer { run.engine.endChildren() }
    let (jobs, feed) = AsyncStream.makeStream(of: DueJob.self, bufferingPolicy: .unbounded)
    let workers = replay.scenario.scheduler.workers
    let group = Task {
      await runBounded(jobs, workers: workers) { await run.perform($0) }
    }
    let outcome: ReplayOutcome
    do {
      outcome = try await run.generate(into: StreamSink(run, feed), origin: origin)
    } catch {
      feed.finish()
      await group.value
      throw error
    }
    feed.finish()
    if run.unsettled > 0 { group.cancel() }
    await group.value
    await run.close()
    return outcome
  }

  private func runBounded(
    _ jobs: AsyncStream<DueJob>, workers: Int, _ body: @escaping @Sendable (DueJob) async -> Void
  ) async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await job in jobs {
        if running == workers {
          await group.next()
          running -= 1
        }
        group.addTask { await body(job) }
        running += 1
      }
    }
  }

  private final class StreamSink: JobSink {
    private let run: YardstickRun
    private let feed: AsyncStream<DueJob>.Continuation
    init(_ run: YardstickRun, _ feed: AsyncStream<DueJob>.Continuation) {
      self.run = run
      self.feed = feed
    }
    func submit(_ jobs: UnsafeBufferPointer<DueJob>) -> Nanoseconds {
      for job in jobs {
        run.noteSubmitted()
        feed.yield(job)
      }
      return .zero
    }
    func cancel(_ job: UInt64) {}
  }
}

/// Foundation's `OperationQueue` with as many concurrent operations as there are workers.
package struct OperationQueueSystem: ReplaySystem {
  package let name = "operation-queue"
  package let summary = "Foundation's OperationQueue, bounded to the same number of workers."
  package init() {}
  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] {
    plainLacks(scenario, interruption)
  }
  package func demand(of scenario: Scenario) -> RunDemand {
    plainDemand(scenario, threads: 16 * RunEnvironment.processorCount)
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let origin = MonotonicClock.now() + .milliseconds(20)
    let run = YardstickRun(replay, origin: origin)
    defer { run.engine.endChildren() }
    let queue = OperationQueue()
    queue.maxConcurrentOperationCount = replay.scenario.scheduler.workers
    let outcome = try await run.generate(into: Sink(run, queue), origin: origin)
    queue.cancelAllOperations()
    await run.close()
    return outcome
  }

  private final class Sink: JobSink {
    private let run: YardstickRun
    private let queue: OperationQueue
    init(_ run: YardstickRun, _ queue: OperationQueue) {
      self.run = run
      self.queue = queue
    }
    func submit(_ jobs: UnsafeBufferPointer<DueJob>) -> Nanoseconds {
      for job in jobs {
        run.noteSubmitted()
        queue.addOperation { [run] in run.performBlocking(job) }
      }
      return .zero
    }
    func cancel(_ job: UInt64) {}
  }
}

/// Dispatch with as many serial queues as workers, which take jobs in turn. This is Dispatch's way to bound concurrency
/// without blocking threads.
package struct DispatchSystem: ReplaySystem {
  package let name = "dispatch"
  package let summary = "As many serial dispatch queues as workers, taking jobs in turn."
  package init() {}
  package func lacks(_ scenario: Scenario, interruption: StopFlag) -> [String] {
    plainLacks(scenario, interruption)
  }
  package func demand(of scenario: Scenario) -> RunDemand {
    plainDemand(scenario, threads: RunNeeds.dispatchThreads)
  }

  package func replay(_ replay: Replay) async throws -> ReplayOutcome {
    let origin = MonotonicClock.now() + .milliseconds(20)
    let run = YardstickRun(replay, origin: origin)
    defer { run.engine.endChildren() }
    let queues = (0..<replay.scenario.scheduler.workers).map { DispatchQueue(label: "tailrace.yardstick.\($0)") }
    let outcome = try await run.generate(into: Sink(run, queues), origin: origin)
    await run.close()
    return outcome
  }

  private final class Sink: JobSink {
    private let run: YardstickRun
    private let queues: [DispatchQueue]
    private var next = 0
    init(_ run: YardstickRun, _ queues: [DispatchQueue]) {
      self.run = run
      self.queues = queues
    }
    func submit(_ jobs: UnsafeBufferPointer<DueJob>) -> Nanoseconds {
      for job in jobs {
        run.noteSubmitted()
        queues[next].async { [run] in run.performBlocking(job) }
        next = (next + 1) % queues.count
      }
      return .zero
    }
    func cancel(_ job: UInt64) {}
  }
}
