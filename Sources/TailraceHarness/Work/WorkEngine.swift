import CPlatform
import Glibc
import TailraceCore
import TailraceHost
import TailracePlatform
import TailraceReplay
import TailraceWorkload

/// One attempt's work, as defined by the tape.
package struct WorkOrder: Sendable {
  /// The job's number on the tape; chooses database rows and correlates events.
  package var job: UInt64
  package var plan: AttemptPlan
  /// For `cycles`: whether the cycle with this number, the first being 1, fails.
  package var cycleFails: @Sendable (Int) -> Bool

  package init(job: UInt64, plan: AttemptPlan, cycleFails: @escaping @Sendable (Int) -> Bool = { _ in false }) {
    self.job = job
    self.plan = plan
    self.cycleFails = cycleFails
  }
}

/// Does the real work of jobs, with the resources of one run.
///
/// The same work can be done suspending (``perform(_:order:)``) and blocking (`performBlocking`), so that it fits both
/// pools and sequential runs. Declared service times hold for `sleep`, `spin`, `memory` and each cycle of `cycles`;
/// work without a declared time (`sqlite`, `subprocess`, `events`) is followed by a sleep of the plan's service time,
/// which is zero unless the plan has a stall.
package final class WorkEngine: Sendable {
  let sleeper: PunctualSleeper
  /// Of threads that sleep by themselves.
  let threadLead = WakeUpLead()
  let database: (any DatabaseWork)?
  let calibration: SpinCalibration
  /// The bus of `events` jobs.
  package let bus: EventBus
  /// Counts the workflows of `cycles` jobs.
  let workflows = WorkflowTally()
  /// The backend shared by all declared work; nil: none.
  let backend: Backend?
  /// Causes of unintended failures.
  let failures = FailureTally()
  /// Of `subprocess` jobs.
  let family = ProcessFamily()

  /// Makes an engine for one run.
  ///
  /// - Parameters:
  ///   - database: For `sqlite` jobs; the engine does not close it. Nil when the scenario has none.
  ///   - calibration: For `spin` jobs; measure it before the run, on a quiet machine.
  ///   - subscribers: Subscribers of the bus, each of which reads every event's payload; at least 1.
  ///   - backendCapacity: Beyond so many attempts at once each takes so much longer; nil: none is slowed down.
  package init(
    sleeper: any PreciseSleeper, database: (any DatabaseWork)?, calibration: SpinCalibration, subscribers: Int = 3,
    backendCapacity: Int? = nil
  ) {
    backend = backendCapacity.map { Backend(capacity: $0) }
    self.sleeper = PunctualSleeper(sleeper)
    self.database = database
    self.calibration = calibration
    bus = EventBus()
    for _ in 0..<max(1, subscribers) {
      bus.subscribe(to: .under("job")) { event in
        // Reads what it is sent, as a real subscriber would.
        let sum = event.payload.reduce(0) { $0 &+ UInt64($1) }
        guard sum == event.correlation.map(Self.payloadSum) ?? sum else { throw CorruptPayload() }
      }
    }
  }

  /// Ends pending work by draining the bus. The database's creator must close it.
  package func close() async { await bus.close() }

  /// Kills processes that jobs' children left running. This takes milliseconds, so call it after the measurement.
  package func endChildren() { family.end() }

  /// Does one attempt's work and ends as the plan says.
  ///
  /// - Throws: ``WorkError``, the database's error, or `CancellationError` as soon as the task is cancelled; whatever
  ///   the work took hold of (memory, child, connection) is released by then.
  package func perform(_ work: Work, order given: WorkOrder) async throws {
    let start = MonotonicClock.now()
    let order = backend?.enter(given) ?? given
    defer { backend?.leave() }
    if order.plan.ending == .hangs { try await hang() }
    do {
      switch work {
      case .sleep: try await sleeper.sleep(until: start + order.plan.service)
      case .spin: try spin(for: order.plan.service) { Task.isCancelled }
      case .memory(let bytes):
        let memory = try TouchedMemory(bytes: bytes)
        defer { memory.release() }
        try await sleeper.sleep(until: start + order.plan.service)
      case .sqlite(let operation):
        guard let database else { throw WorkError.noDatabase }
        try await database.perform(operation, key: order.job)
        try await linger(order.plan.service)
      case .subprocess(let command):
        try await ChildProcess.run(command, in: family)
        try await linger(order.plan.service)
      case .events(let count):
        try await publish(count, job: order.job)
        try await linger(order.plan.service)
      case .cycles(let limit, _, let pause, _):
        try await runCycles(limit: limit, pause: pause, order: order)
      }
    } catch {
      failures.note(error)
      throw error
    }
    try Self.end(order.plan.ending)
  }

  /// Publishes events and waits until each subscriber has handled each of them.
  func publish(_ count: Int, job: UInt64) async throws {
    let payload = Self.payload(of: job)
    let receipts = (0..<max(0, count)).map { _ in
      bus.publish(topic: "job.progress", payload: payload, correlation: job)
    }
    var failed = 0
    var dropped = 0
    for receipt in receipts {
      let summary = try await receipt.handled()
      failed += summary.failed
      dropped += summary.dropped
    }
    if failed + dropped > 0 { throw WorkError.eventsNotHandled(failed: failed, dropped: dropped) }
  }

  private func runCycles(limit: Int, pause: Nanoseconds, order: WorkOrder) async throws {
    var state = WorkflowState(needed: order.plan.cycles, limit: limit)
    workflows.begin()
    defer { workflows.end(state) }
    while state.status == .processing {
      try await sleeper.sleep(until: MonotonicClock.now() + order.plan.service)
      state.finishCycle(failed: order.cycleFails(state.cycles + 1))
      if state.status == .processing { try await sleeper.sleep(until: MonotonicClock.now() + pause) }
    }
    try Self.check(state)
  }

  private func linger(_ time: Nanoseconds) async throws {
    if time > .zero { try await sleeper.sleep(until: MonotonicClock.now() + time) }
  }

  private func hang() async throws -> Never {
    while true { try await sleeper.sleep(until: MonotonicClock.now() + .seconds(60)) }
  }

  func spin(for time: Nanoseconds, isCancelled: () -> Bool) throws {
    if !calibration.spin(for: time, isCancelled: isCancelled) { throw CancellationError() }
  }

  static func check(_ state: WorkflowState) throws {
    guard state.status == .completed else {
      throw WorkError.cyclesExhausted(limit: state.limit, needed: state.needed, succeeded: state.succeeded)
    }
  }

  static func end(_ ending: AttemptEnding) throws {
    switch ending {
    case .succeeds: return
    case .fails: throw WorkError.intendedFailure
    case .failsPermanently: throw WorkError.intendedPermanentFailure
    case .hangs: preconditionFailure("\(#function): a hanging attempt came to an end")
    }
  }

  private static let payloadBytes = 256

  private static func payload(of job: UInt64) -> [UInt8] {
    [UInt8](repeating: UInt8(truncatingIfNeeded: job), count: payloadBytes)
  }

  private static func payloadSum(of job: UInt64) -> UInt64 {
    UInt64(UInt8(truncatingIfNeeded: job)) * UInt64(payloadBytes)
  }

  private struct CorruptPayload: Error {}
}

/// Memory in which every page is resident.
struct TouchedMemory: Sendable {
  private nonisolated(unsafe) let start: UnsafeMutableRawPointer

  /// Allocates `bytes` and writes to each page.
  ///
  /// - Throws: ``WorkError/outOfMemory(bytes:)``.
  init(bytes: Int) throws {
    let count = max(1, bytes)
    guard let memory = malloc(count) else { throw WorkError.outOfMemory(bytes: bytes) }
    start = memory
    for offset in stride(from: 0, to: count, by: 4_096) {
      memory.storeBytes(of: UInt8(truncatingIfNeeded: offset >> 12 | 1), toByteOffset: offset, as: UInt8.self)
    }
  }

  /// Frees the memory. Call it once.
  func release() { free(start) }
}
