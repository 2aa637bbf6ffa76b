import Glibc
import Logging
import Synchronization
import TailraceCore
import TailracePlatform

/// How a shutdown went.
public struct ShutdownReport: Sendable, Hashable {
  /// Whether every job settled by itself within the grace period.
  public var drained: Bool
  /// Jobs that were cancelled since the grace period was over.
  public var cancelled: Int
  /// Handlers that had not returned when the shutdown ended: they ignore their cancellation.
  public var leftRunning: Int
  /// Submissions that were refused since the shutdown had begun: those that waited for room then, and all later ones
  /// that did not come from running handlers.
  public var refused = 0
}

extension Scheduler {
  /// Shuts down gracefully: takes no more jobs, lets those known go on for the grace period, then cancels the rest.
  ///
  /// During the grace period running handlers may still submit jobs, which drain with the others; see
  /// ``isShuttingDown`` for a handler that always submits another. A handler submits if it calls from its own task,
  /// from child tasks or `Task { }`, or on its thread. Every other submission, from detached tasks and other threads
  /// too, is refused.
  ///
  /// A scheduler that was never started runs nothing, so its jobs are cancelled at once. A second call while the first
  /// waits goes by its own, perhaps shorter, periods; one that comes later only reports what is left. When it returns
  /// and nothing is left running, every worker has ended and the observer has got every record of a worker. Event
  /// sequences end with it, and evidence logs are on disk.
  ///
  /// The scheduler then lets go of everything of the user's that it would call: handlers, recoveries, validations,
  /// middleware, callbacks, observers, the requests of schedules. Where handlers are left running it does so when the
  /// last of them has returned. What became of jobs is still told; nothing can be registered any more.
  ///
  /// - Parameters:
  ///   - grace: how long jobs may go on; under ``VirtualTime`` that is virtual too, and passes only as a test says so.
  ///     What is left of a deadline will do: less than 0 is as 0.
  ///   - stopping: how long handlers may take to return after their cancellation; less than 0 is as 0.
  @discardableResult
  public func shutdown(grace: Duration = .seconds(30), stopping: Duration = .seconds(5)) async -> ShutdownReport {
    let isRunning = report { state, now, outbox in
      state.isShuttingDown = true
      state.requestDraining(at: now, into: &outbox)
      return state.startInstant != nil
    }
    logger.debug("scheduler stopping", metadata: ["grace": "\(grace)"])
    if isRunning { await drained(within: grace, isStopping: false) }
    if !withState({ state in state.core.isDrained }) {
      report { state, now, outbox in state.requestStop(at: now, into: &outbox) }
      await drained(within: stopping, isStopping: true)
    }
    let (isDrained, leftRunning, cancelled, refused) = withState { state in
      let gauges = state.core.gauges
      return (
        state.core.isDrained, gauges.abandoned + gauges.running, state.stoppedJobs,
        state.refusedSubmissions
      )
    }
    endIdleWorkers()
    withState { state in state.dropAllResults() }
    if leftRunning == 0 {
      await allWorkersEnded()
      if virtualTime == nil { timer.stop() }
    }
    await delivered(within: max(stopping, .seconds(1)))
    await recordsDelivered()
    endEvents()
    for log in withState({ state in state.evidence }) { await log.closed() }
    withState { state in state.letGoOnceIdle() }
    if leftRunning == 0 {
      deliveries.finish()
      cancellations.finish()
    }
    // Handlers that ignore their cancellation are a fault of the program around.
    logger.log(
      level: leftRunning == 0 ? .info : .warning, "scheduler stopped",
      metadata: ["cancelled": "\(cancelled)", "left-running": "\(leftRunning)", "refused": "\(refused)"])
    return ShutdownReport(
      drained: isDrained && cancelled == 0, cancelled: cancelled, leftRunning: leftRunning, refused: refused)
  }

  /// Starts the scheduler and returns after it was shut down by one of the signals.
  ///
  /// The usual action of the signals is off only until the first comes: a second one, during the grace period, ends the
  /// process as usual.
  ///
  /// - Parameters:
  ///   - signals: by default SIGTERM and SIGINT.
  ///   - grace: as in ``shutdown(grace:stopping:)``, but 0 s or longer.
  /// - Throws: the scheduler is not started then: ``/TailraceCore/InvalidValues`` with the signals that cannot be
  ///   caught, and with a grace period out of range.
  @discardableResult
  public func run(
    until signals: [Int32] = [SIGTERM, SIGINT], grace: Duration = .seconds(30)
  ) async throws -> ShutdownReport {
    var check = ValueCheck()
    check.require(grace >= .zero, "grace", "\(grace)", "0 s or longer")
    try check.throwFound()
    let wait = try SignalWait(signals)
    start()
    await wait.wait()
    return await shutdown(grace: grace)
  }

  /// Returns when the core has come to rest, or when the time is over.
  private func drained(within time: Duration, isStopping: Bool) async {
    // In virtual time nobody moves on to an instant that is there already.
    guard time > .zero else { return }
    let deadline = timer.now + Nanoseconds(time)
    let once = Once()
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let number = timer.schedule(at: deadline) { _ in if once.claim() { continuation.resume() } }
      let isDrained = withState { state in
        if state.core.isDrained { return true }
        state.onDrained.append { [timer] in
          _ = timer.withdraw(number)
          if once.claim() { continuation.resume() }
        }
        return false
      }
      if isDrained {
        _ = timer.withdraw(number)
        if once.claim() { continuation.resume() }
        return
      }
      let what =
        isStopping
        ? "a shutdown waits for handlers to return"
        : "a shutdown waits for jobs within its grace period"
      whenTimeStandsStill(what, alsoWhileBusy: isStopping, isOver: { once.isClaimed }) {
        [timer, logger] reason in
        logger.critical(
          "virtual time stands still: the shutdown goes on", metadata: ["reason": "\(reason)"])
        _ = timer.withdraw(number)
        if once.claim() { continuation.resume() }
      }
    }
  }

  /// Lets every worker end that has nothing to do, and the others when they have done what they do.
  private func endIdleWorkers() {
    var effects = Effects()
    withState { state in
      state.isStopping = true
      for worker in state.workers.joined() where worker.isParked {
        if let parked = worker.parkedTask {
          worker.isParked = false
          worker.parkedTask = nil
          effects.wakeTasks.append(parked)
        }
        if worker.pool == .thread { effects.wakeThreads.append(worker) }
      }
    }
    perform(&effects)
  }

  private func allWorkersEnded() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let haveEnded = withState { state in
        if state.liveWorkers == 0 { return true }
        state.onNoWorkers.append { continuation.resume() }
        return false
      }
      if haveEnded { continuation.resume() }
    }
  }
}

extension DriverState {
  /// Lets go when no worker is left to run a handler, now or later.
  mutating func letGoOnceIdle() {
    if liveWorkers == 0 { letGo() } else { letsGoWithWorkers = true }
  }

  /// Parts with everything of the user's that a scheduler without workers never calls again: it may hold the scheduler.
  mutating func letGo() {
    guard !hasLetGo else { return }
    hasLetGo = true
    departures.add(object: handlers)
    handlers = HandlerTable(unregistered: handlers.count)
    let rest = (validators, submissionMiddleware, schedules, observer, evidence, observation.removeAllCallbacks())
    departures.add(object: Held(rest))
    (validators, submissionMiddleware, observer, evidence, pendingRecords) = ([:], [], nil, [], [])
    for place in schedules.indices {
      guard let name = schedules[place]?.request.type else { continue }
      schedules[place]!.request = JobRequest(name)
    }
  }

  mutating func requestDraining(at now: Instant, into outbox: inout Outbox) {
    core.drainRequested(at: now, into: &outbox)
    countStopped(outbox)
  }

  mutating func requestStop(at now: Instant, into outbox: inout Outbox) {
    core.stopRequested(at: now, into: &outbox)
    countStopped(outbox)
  }

  /// Jobs that were admitted, that is: submitters that waited for room are refused.
  private mutating func countStopped(_ outbox: borrowing Outbox) {
    outbox.records.withUnsafeBufferPointer { records in
      for record in records where record.settles && record.cause == .stopped {
        if record.accepted == TimelineRecord.never { refusedSubmissions += 1 } else { stoppedJobs += 1 }
      }
    }
  }
}

/// Lets the first of several callers through.
final class Once: Sendable {
  private let taken = Atomic<Bool>(false)
  var isClaimed: Bool { taken.load(ordering: .acquiring) }
  func claim() -> Bool { !taken.exchange(true, ordering: .acquiringAndReleasing) }
}
