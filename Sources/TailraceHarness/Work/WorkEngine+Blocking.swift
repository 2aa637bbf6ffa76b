import Dispatch
import TailraceCore
import TailracePlatform
import TailraceReplay
import TailraceWorkload

extension WorkEngine {
  /// Does one attempt's work on the calling thread, and blocks it; the counterpart of ``perform(_:order:)``.
  ///
  /// Never call it on a thread of Swift's cooperative pool: child processes and events are waited for on a task, which
  /// needs that pool.
  ///
  /// - Parameter isCancelled: Asked at least every 10 ms while the work waits or computes; true ends it.
  /// - Throws: As ``perform(_:order:)``.
  package func performBlocking(
    _ work: Work, order given: WorkOrder, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    let start = MonotonicClock.now()
    let order = backend?.enter(given) ?? given
    defer { backend?.leave() }
    func sleep(_ time: Nanoseconds) throws {
      try ThreadSleeper.sleep(until: MonotonicClock.now() + time, lead: threadLead, isCancelled: isCancelled)
    }
    if order.plan.ending == .hangs {
      while true { try sleep(.seconds(60)) }
    }
    do {
      switch work {
      case .sleep:
        try ThreadSleeper.sleep(until: start + order.plan.service, lead: threadLead, isCancelled: isCancelled)
      case .spin: try spin(for: order.plan.service, isCancelled: isCancelled)
      case .memory(let bytes):
        let memory = try TouchedMemory(bytes: bytes)
        defer { memory.release() }
        try ThreadSleeper.sleep(until: start + order.plan.service, lead: threadLead, isCancelled: isCancelled)
      case .sqlite(let operation):
        guard let database else { throw WorkError.noDatabase }
        try database.performBlocking(operation, key: order.job)
        try sleep(order.plan.service)
      case .subprocess(let command):
        try Self.wait(isCancelled: isCancelled) { try await ChildProcess.run(command, in: self.family) }
        try sleep(order.plan.service)
      case .events(let count):
        try Self.wait(isCancelled: isCancelled) { try await self.publish(count, job: order.job) }
        try sleep(order.plan.service)
      case .cycles(let limit, _, let pause, _):
        var state = WorkflowState(needed: order.plan.cycles, limit: limit)
        workflows.begin()
        defer { workflows.end(state) }
        while state.status == .processing {
          try sleep(order.plan.service)
          state.finishCycle(failed: order.cycleFails(state.cycles + 1))
          if state.status == .processing { try sleep(pause) }
        }
        try Self.check(state)
      }
    } catch {
      failures.note(error)
      throw error
    }
    try Self.end(order.plan.ending)
  }

  /// Runs `body` on a task and blocks until it ended; cancels it when asked to.
  private static func wait(
    isCancelled: () -> Bool, body: @escaping @Sendable () async throws -> Void
  ) throws {
    let ended = DispatchSemaphore(value: 0)
    let failure = Failure()
    let task = Task {
      do { try await body() } catch { failure.set(error) }
      ended.signal()
    }
    while ended.wait(timeout: .now() + .milliseconds(10)) == .timedOut {
      if isCancelled() { task.cancel() }
    }
    if let error = failure.error { throw error }
  }

  private final class Failure: Sendable {
    private let stored = Locked<(any Error)?>(nil)
    var error: (any Error)? { stored.withLock { $0 } }
    func set(_ error: any Error) { stored.withLock { $0 = error } }
  }
}
