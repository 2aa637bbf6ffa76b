import CPlatform
import Synchronization
import TailraceCore
import TailracePlatform

/// A wait of a running handler, which occupies its worker meanwhile, for something of the scheduler.
struct HandlerWait {
  enum Target {
    /// The settlement of a job.
    case job(JobID)
    /// Room in the queue for a job that the handler submitted.
    case room(JobID)
    /// The settlement of a batch.
    case batch(BatchID)
  }

  /// The job whose handler waits.
  var waiter: JobID
  var target: Target
  /// On the monotonic clock, even under virtual time.
  var since: Instant
}

/// Ends a wait.
struct HandlerWaitTicket {
  let worker: Worker
  let number: UInt64

  /// Call under the scheduler's lock.
  func end() { worker.waits[number] = nil }
}

extension Worker {
  /// The worker whose handler is running in this task. Bound once per worker loop, so attempts have no extra cost.
  ///
  /// Child tasks and `Task { }` inherit it; detached tasks, dispatch queues and the handler's own threads do not.
  @TaskLocal static var running: Worker?

  /// The job that the worker runs, unless that attempt was cancelled or timed out.
  var liveJob: JobID? {
    let job = current.load(ordering: .acquiring)
    return job == Self.idle || job & Self.cancelling != 0 ? nil : JobID(rawValue: job)
  }
}

extension Scheduler {
  /// The worker of this scheduler whose handler calls this, if its attempt is not over.
  var handlerAround: Worker? {
    guard let worker = Worker.running, worker.home.scheduler === self, worker.liveJob != nil else { return nil }
    return worker
  }

  func endWait(_ ticket: HandlerWaitTicket?) {
    if let ticket { withState { _ in ticket.end() } }
  }
}

/// A deadlock: handlers that wait for each other and hold what the others need.
struct HandlerStandstill {
  /// The worker of each handler.
  var workers: [Worker]
  /// When the last of them began to wait, on the monotonic clock.
  var since: Instant
  /// Whether one of them waits for room in the queue.
  var isForRoom: Bool
}

extension DriverState {
  /// Starts a wait of a handler. Returns nil if the caller is not a handler; otherwise the caller must end the wait.
  mutating func beginWait(of scheduler: Scheduler, for target: HandlerWait.Target) -> HandlerWaitTicket? {
    guard let worker = scheduler.handlerAround, let waiter = worker.liveJob else { return nil }
    waitNumber += 1
    worker.waits[waitNumber] = HandlerWait(waiter: waiter, target: target, since: MonotonicClock.now())
    return HandlerWaitTicket(worker: worker, number: waitNumber)
  }

  /// Finds handlers that can continue only when another of them does, because they hold all workers of a pool, all
  /// slots of a job type or tenant, the memory, or the room in the queue; nil: there are none. Call under the lock.
  ///
  /// Starts with all waiting handlers and repeatedly removes those that something else can unblock.
  mutating func standstill() -> HandlerStandstill? {
    var stuck: [ObjectIdentifier: Worker] = [:]
    var running: [(worker: Worker, needs: JobNeeds?)] = []
    for worker in workers.joined() {
      let job = worker.liveJob
      guard job != nil || worker.isStopping || !worker.inbox.isEmpty || worker.hasNext else { continue }
      running.append((worker, job.flatMap { core.needs(of: $0) }))
      if let job, !waits(of: worker, for: job).isEmpty { stuck[ObjectIdentifier(worker)] = worker }
    }
    guard !stuck.isEmpty else { return nil }
    var hasChanged = true
    while hasChanged {
      let others = OtherHandlers(running.filter { stuck[ObjectIdentifier($0.worker)] == nil })
      let helped = stuck.filter { _, worker in
        guard let job = worker.liveJob else { return true }
        let targets = waits(of: worker, for: job)
        return targets.isEmpty || targets.contains { !isHopeless($0.target, others, stuck) }
      }
      for key in helped.keys { stuck[key] = nil }
      hasChanged = !helped.isEmpty
    }
    guard !stuck.isEmpty else { return nil }
    let all = stuck.values.flatMap { worker in worker.liveJob.map { waits(of: worker, for: $0) } ?? [] }
    return HandlerStandstill(
      workers: stuck.values.sorted { ($0.pool.rawValue, $0.index) < ($1.pool.rawValue, $1.index) },
      since: all.map(\.since).max() ?? .distantFuture,
      isForRoom: all.contains { if case .room = $0.target { true } else { false } })
  }

  /// The waits of a worker's handler. Waits of an earlier handler's surviving tasks are ignored.
  private func waits(of worker: Worker, for job: JobID) -> [HandlerWait] {
    worker.waits.values.filter { $0.waiter == job }
  }

  /// Whether only the handlers in `stuck` can bring about the awaited event.
  private mutating func isHopeless(
    _ target: HandlerWait.Target, _ others: OtherHandlers, _ stuck: [ObjectIdentifier: Worker]
  ) -> Bool {
    switch target {
    case .batch(let batch): return core.isOpen(batch) && others.count == 0
    case .room(let job): return core.state(of: job) == .waitingForRoom && others.count == 0
    case .job(let job):
      switch core.state(of: job) {
      case nil, .completed, .cancelled, .deadLettered: return false
      case .waitingForRoom: return others.count == 0
      case .running:
        guard let (pool, worker, _) = core.holder(of: job) else { return false }
        return stuck[ObjectIdentifier(workers[Int(pool.rawValue)][Int(worker)])] != nil
      case .blocked, .scheduled, .available:
        guard let needs = core.needs(of: job) else { return false }
        return needs.poolIsTaken && others.pools[needs.pool] == nil
          || needs.typeIsTaken && others.types[needs.type] == nil
          || needs.tenantIsTaken && others.tenants[needs.tenant] == nil
          || needs.memoryIsTaken && others.withMemory == 0
      }
    }
  }
}

/// Handlers that may continue, and the resources they hold.
private struct OtherHandlers {
  var count = 0
  var pools: [PoolID: Int] = [:]
  var types: [JobTypeID: Int] = [:]
  var tenants: [UInt16: Int] = [:]
  var withMemory = 0

  init(_ running: [(worker: Worker, needs: JobNeeds?)]) {
    count = running.count
    for (worker, needs) in running {
      pools[worker.pool, default: 0] += 1
      guard let needs else { continue }
      types[needs.type, default: 0] += 1
      tenants[needs.tenant, default: 0] += 1
      if needs.usesMemory { withMemory += 1 }
    }
  }
}
