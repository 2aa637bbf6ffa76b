import Glibc
import Logging
import Synchronization
import TailraceCore
import TailracePlatform

/// The result of a shutdown.
public struct ShutdownReport: Sendable, Hashable {
  /// Whether every job settled within the grace period.
  public var drained: Bool
  /// Jobs cancelled at the end of the grace period.
  public var cancelled: Int
  /// Handlers that had not returned when the shutdown ended, because they ignored their cancellation.
  public var leftRunning: Int
  /// Submissions rejected since the shutdown began: those that were waiting for room, and later ones that did not come
  /// from running handlers.
  public var refused = 0
}

extension Scheduler {
  /// Shuts down gracefully: rejects new jobs, lets known ones continue for the grace period, then cancels the rest.
  ///
  /// During the grace period running handlers may still submit jobs, which are drained too; a handler that always
  /// submits a successor should check ``isShuttingDown``. A submission comes from a handler if it is made in the
  /// handler's task, a child task, a `Task { }` or its thread. All other submissions, including those from detached
  /// tasks and other threads, are rejected.
  ///
  /// A scheduler that was never started cancels its jobs immediately. A second call during the first applies its own,
  /// possibly shorter, periods; a later call only reports what is left. When this call returns and no handler is left
  /// running, every worker has ended and the observer has received every record of a worker. Event sequences have
  /// ended, and evidence logs are on disk.
  ///
  /// The scheduler then releases all user objects: handlers, recoveries, validations, middleware, callbacks, observers
  /// and the requests of schedules. If handlers are left running, it does so when the last of them returns. Jobs can
  /// still be queried, but nothing can be registered.
  ///
  /// - Parameters:
  ///   - grace: how long jobs may continue; negative values count as 0, so the rest of a deadline can be passed. Under
  ///     ``VirtualTime`` it is virtual and passes only as the test advances time.
  ///   - stopping: how long to wait for handlers after their cancellation; negative values count as 0.
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
    withState { state in state.releaseUserCodeOnceIdle() }
    if leftRunning == 0 {
      deliveries.finish()
      cancellations.finish()
    }
    // Handlers that ignore their cancellation indicate a bug in the program.
    logger.log(
      level: leftRunning == 0 ? .info : .warning, "scheduler stopped",
      metadata: ["cancelled": "\(cancelled)", "left-running": "\(leftRunning)", "refused": "\(refused)"])
    return ShutdownReport(
      drained: isDrained && cancelled == 0, cancelled: cancelled, leftRunning: leftRunning, refused: refused)
  }

  /// Starts the scheduler and shuts it down when the process receives one of the signals.
  ///
  /// The default action of the signals is disabled only until the first one: a second signal during the grace period
  /// ends the process.
  ///
  /// - Parameters:
  ///   - signals: by default SIGTERM and SIGINT.
  ///   - grace: as in ``shutdown(grace:stopping:)``, but 0 s or longer.
  /// - Throws: ``/TailraceCore/InvalidValues`` for signals that cannot be caught or a grace period that is out of
  ///   range; the scheduler is not started then.
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

  /// Returns when the core is at rest, or after `time`.
  private func drained(within time: Duration, isStopping: Bool) async {
    // Without this check, a wait of 0 would never end under virtual time.
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

  /// Ends every idle worker; the others end after their current work.
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
  /// Releases user objects when no worker is left to run a handler.
  mutating func releaseUserCodeOnceIdle() {
    if liveWorkers == 0 { releaseUserCode() } else { releasesWithWorkers = true }
  }

  /// Releases all user objects that a scheduler without workers no longer calls; they may hold the scheduler.
  mutating func releaseUserCode() {
    guard !hasReleasedUserCode else { return }
    hasReleasedUserCode = true
    let rest = (
      types.removeUserCode(), submissionMiddleware, schedules, observer, evidence, observation.removeAllCallbacks()
    )
    departures.add(object: Held(rest))
    (submissionMiddleware, observer, evidence, pendingRecords) = ([], nil, [], [])
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

  /// Counts admitted jobs that were cancelled. Submitters that waited for room count as rejected.
  private mutating func countStopped(_ outbox: borrowing Outbox) {
    outbox.records.withUnsafeBufferPointer { records in
      for record in records where record.settles && record.cause == .stopped {
        if record.accepted == TimelineRecord.never { refusedSubmissions += 1 } else { stoppedJobs += 1 }
      }
    }
  }
}

/// Returns true to the first caller only.
final class Once: Sendable {
  private let taken = Atomic<Bool>(false)
  var isClaimed: Bool { taken.load(ordering: .acquiring) }
  func claim() -> Bool { !taken.exchange(true, ordering: .acquiringAndReleasing) }
}
