// Goal: jobs that a worker claimed ahead never wait behind a long job while another worker has nothing to do.
import TailraceRuntime
import Testing
@testable import TailracePlatform

@Suite struct ClaimAheadTests {
  /// Many short jobs teach both workers to claim several at once; then a job waits for one behind it.
  @Test(.timeLimit(.minutes(1))) func jobBehindALongOneRunsOnTheOtherWorker() async throws {
    var configuration = SchedulerConfiguration()
    configuration.asyncPool.workers = 2
    configuration.policy = .fifo
    configuration.timeout = nil
    let scheduler = try Scheduler(configuration)
    try scheduler.register("short") { _ in nil }
    let behind = Barrier()
    try scheduler.register("long") { _ in
      await behind.wait()
      return nil
    }
    try scheduler.register("opener") { _ in
      behind.open()
      return nil
    }
    for round in 0..<20 {
      behind.close()
      var last: JobID?
      for _ in 0..<2_000 { try await scheduler.submit(JobRequest("short")) }
      let long = try await scheduler.submit(JobRequest("long"))
      for _ in 0..<10 { last = try await scheduler.submit(JobRequest("opener")) }
      if round == 0 { scheduler.start() }
      _ = try await scheduler.result(of: last!)
      _ = try await scheduler.result(of: long)
    }
    let report = await scheduler.shutdown()
    #expect(report.drained)
  }
}

/// Lets waiters through while it is open.
private final class Barrier: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Locked(State())

  func close() { state.withLock { $0.isOpen = false } }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}
