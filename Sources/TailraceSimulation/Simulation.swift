import TailraceCore
import TailraceWorkload

/// Replays a tape through the scheduler's core in virtual time: the core's second driver.
///
/// # Overview
/// There is one clock, which jumps from event to event, and nothing else moves: no thread, no lock, no real work. An
/// attempt takes the time that the tape says. The same tape gives the same records on every machine, and memory grows
/// with the workers and with what waits, never with the number of jobs.
///
/// # Ties
/// What falls on one instant happens in this order: attempts end (in the order of their starts), timers fall due (in
/// the order in which they were set), jobs are submitted (open streams in the order of the tape, then clients by
/// number), submitters cancel, and then one pass starts jobs. An attempt that takes no time ends at the instant of its
/// start, in a further round of that instant; so does one that was stopped. Faults of the scenario's plan strike before
/// anything else.
///
/// # What is as live
/// One submitter hands in the open streams' jobs: where a full queue holds it up, those behind wait with it, and are
/// measured from their intended instants. A job later than the bound is dropped and recorded. Each client of a closed
/// stream submits for itself.
package struct Simulation: ~Copyable {
  /// A simulation's results besides records.
  package struct Summary: Sendable {
    /// The instant of the last event.
    package var ended = Instant.zero
    /// Jobs taken from the tape, dropped ones included.
    package var intended = 0
    /// Mean number of accepted, unsettled jobs, integrated by the scheduler from the run's start to ``ended``.
    package var meanJobsInSystem = 0.0
    /// How long a full queue held the submitter up, in all.
    package var heldBack = Nanoseconds.zero
    /// Jobs that had not settled by themselves when the time to drain was over.
    package var cutOff = 0
    /// Jobs that never settled: what they wait for never comes.
    package var unsettled = 0
    /// How often each kind of fault was injected.
    package var faults: [InjectedFault.Kind: Int] = [:]
    /// What each job depends on, by numbers on the tape; see ``TapeSubmitter/dependencies``.
    package var dependencies: [UInt64: [UInt64]] = [:]
  }

  private let tape: Tape
  private let dropAfter: Nanoseconds
  var core: SchedulerCore
  var calendar: AttemptCalendar
  /// Place of each pool's first worker in the calendar.
  private let firstWorker: [Int]
  var outbox = Outbox()
  /// Orders of the outbox that have been carried out; they are thrown away many at once.
  private var ordersDone = 0
  private var clients: VirtualClients
  private var cursor: Tape.Cursor
  /// The next job of the open streams.
  private var next = TapeJob.blank
  /// The job that is being submitted.
  var job = TapeJob.blank
  /// When it arrives; `distantFuture`: the open streams have ended.
  private var nextAt = Instant.distantFuture
  private var timer = Instant.distantFuture
  private var cancellations = Cancellations()
  /// When the next of them is due, kept here since every step asks.
  private var nextCancellation = Instant.distantFuture
  /// The submission that a full queue holds up.
  private var heldUp: (job: JobID, since: Instant)?
  private var submitter: TapeSubmitter
  var submission = JobSubmission(type: JobTypeID(rawValue: 0), intended: .zero, submitted: .zero)
  /// What the process's clock reads.
  var reading = Instant.zero
  /// The present as the process stamps it: the greatest reading so far. Only a clock that was set back reads less.
  var now = Instant.zero
  /// Carries out the scenario's plan of faults; nil: it has none.
  var faults: FaultInjector?
  /// The backend's capacity. Above it, an attempt is slowed down by the concurrency at its start.
  private let backend: Double?
  /// Whether the work of each job type uses a processor for as long as it takes.
  let computes: [Bool]
  private var summary = Summary()

  /// Records that are handed on together.
  private static let flushAt = 256
  /// Records of one instant that are handed on before it is over.
  private static let mostRecords = 16_384

  /// Makes a simulation of a whole tape; nothing has happened yet.
  ///
  /// - Parameter dropAfter: a job that would be submitted later than this after its intended arrival is dropped.
  package init(_ tape: Tape, dropAfter: Nanoseconds = .seconds(10)) {
    self.tape = tape
    self.dropAfter = dropAfter
    let configuration = SchedulerConfiguration(tape.scenario, seed: tape.seed)
    core = Self.core(configuration, tape.scenario.jobs)
    var workers = 0
    firstWorker = PoolID.allCases.map { pool in
      defer { workers += configuration[pool].workers }
      return workers
    }
    calendar = AttemptCalendar(workers: workers)
    clients = VirtualClients(tape)
    cursor = tape.makeCursor()
    submitter = TapeSubmitter(tape.scenario, watchesClients: false)
    faults = FaultPlan(tape).map { FaultInjector($0, configuration) }
    computes = tape.scenario.jobs.map { $0.work == .spin }
    backend = tape.scenario.backendCapacity.map { Double($0) }
    takeNext()
  }

  /// A scheduler with a scenario's job types. What a scenario may hold lies within the scheduler's ranges.
  private static func core(_ configuration: SchedulerConfiguration, _ jobs: [JobSpec]) -> SchedulerCore {
    do {
      var core = try SchedulerCore(configuration)
      for spec in jobs { _ = try core.register(JobTypeConfiguration(spec)) }
      return core
    } catch let invalid as InvalidValues {
      invariantViolated("a scenario holds what no scheduler takes: \(invalid)")
    } catch {
      invariantViolated("a scenario has more than \(SchedulerCore.mostTypes) job types")
    }
  }

  @inline(__always)
  private mutating func takeNext() {
    nextAt = cursor.next(into: &next) ? next.intended : .distantFuture
  }

  /// Runs to the end: until nothing is left to happen, until the scenario's time to drain is over, until the horizon of
  /// virtual time, or until it is interrupted.
  ///
  /// - Parameters:
  ///   - isInterrupted: asked every few hundred events.
  ///   - progress: told every few thousand events how many jobs were taken from the tape since the last time, the
  ///     instant, and what the scheduler counts.
  ///   - injected: takes what was done by the scenario's plan of faults, in its own order.
  ///   - record: takes the records, in the order in which things happened.
  package consuming func run(
    isInterrupted: () -> Bool = { false }, progress: (Int, Instant, SchedulerGauges) -> Void = { _, _, _ in },
    injected: (InjectedFault) -> Void = { _ in }, record: (UnsafeBufferPointer<TimelineRecord>) -> Void
  ) -> Summary {
    var deadline = Instant.horizon
    var isDraining = false
    var steps = 0
    var reported = 0
    while true {
      let instant = nextInstant()
      if instant > deadline { break }
      reading = instant
      now = max(now, instant)
      if faults != nil {
        strike(isInterrupted: isInterrupted)
        handOn(injected)
      }
      let isOver = step(isInterrupted: isInterrupted, record: record)
      carryOut()
      if outbox.records.count >= Self.flushAt || !clients.isEmpty { flush(record) }
      if nextAt == .distantFuture, hasSubmittedEverything {
        if !isDraining { deadline = sealBatchesAndDrain() }
        isDraining = true
        // A timeout that no longer matters would advance the clock.
        if core.gauges.inSystem == 0 { break }
      }
      if isOver { break }
      steps += 1
      if steps & 0xff == 0 {
        if isInterrupted() { break }
        guard steps & 0xfff == 0 else { continue }
        progress(summary.intended - reported, now, core.gauges)
        reported = summary.intended
      }
    }
    cutOff(at: min(deadline, max(now, Instant.zero)))
    flush(record)
    handOn(injected)
    progress(summary.intended - reported, now, core.gauges)
    return finish()
  }

  private var hasSubmittedEverything: Bool {
    heldUp == nil && cancellations.isEmpty && clients.isOver
  }

  @inline(__always)
  private func nextInstant() -> Instant {
    var instant = min(calendar.next, timer)
    if heldUp == nil, nextAt < instant { instant = nextAt }
    instant = min(instant, nextCancellation)
    if !clients.isEmpty { instant = min(instant, clients.next) }
    if faults != nil { instant = nextFault(before: instant) }
    // What became due while the submitter was held up is submitted at the instant of its release.
    return max(instant, reading)
  }

  /// Everything that falls on the present instant, then one pass that starts jobs. Returns whether it was interrupted
  /// meanwhile.
  @inline(__always)
  private mutating func step(
    isInterrupted: () -> Bool, record: (UnsafeBufferPointer<TimelineRecord>) -> Void
  ) -> Bool {
    while calendar.next <= reading {
      let attempt = calendar.takeFirst()
      core.attemptEnded(
        attempt.token, started: attempt.started, finished: now, outcome: attempt.outcome, at: now, into: &outbox)
    }
    if timer <= reading {
      timer = .distantFuture
      core.timerFired(at: now, into: &outbox)
    }
    while nextAt <= reading, heldUp == nil {
      summary.intended += 1
      if reading - next.intended > dropAfter {
        outbox.records.append(next.droppedRecord(intended: next.intended))
      } else {
        swap(&job, &next)
        takeOn(holdsUp: true)
      }
      takeNext()
      if summary.intended & 0xfff == 0, leaves(isInterrupted, record) { return true }
    }
    if !clients.isEmpty {
      while let ready = clients.takeReady(by: reading) {
        summary.intended += 1
        job = ready
        takeOn(holdsUp: false)
      }
    }
    if nextCancellation <= reading { cancelDue() }
    core.startJobs(at: now, into: &outbox)
    return false
  }

  @inline(never)
  private mutating func cancelDue() {
    while let due = cancellations.take(by: reading) {
      if let id = submitter.identifier(of: due) { core.cancelRequested(id, at: now, into: &outbox) }
    }
    nextCancellation = cancellations.next ?? .distantFuture
  }

  /// Amid the submissions of one instant, of which there may be a hundred million: hands on what they have left so far.
  ///
  /// - Returns: whether the run is over, being interrupted.
  @inline(never)
  private mutating func leaves(
    _ isInterrupted: () -> Bool, _ record: (UnsafeBufferPointer<TimelineRecord>) -> Void
  ) -> Bool {
    if outbox.records.count >= Self.mostRecords {
      carryOut()
      flush(record)
    }
    return isInterrupted()
  }

  // MARK: - Submission

  @inline(__always)
  private mutating func takeOn(holdsUp: Bool) {
    if faults == nil { submit(holdsUp: holdsUp) } else { submitThroughFaults(holdsUp: holdsUp) }
  }

  @inline(__always)
  mutating func submit(holdsUp: Bool) {
    if let batch = submitter.unopenedBatch(of: job) { open(batch) }
    submitter.write(
      job, type: JobTypeID(rawValue: UInt16(job.type)), intended: job.intended, submitted: now, to: &submission)
    let admission = core.jobSubmitted(submission, at: now, into: &outbox)
    if case .waiting(let id) = admission, holdsUp { heldUp = (id, now) }
    submitter.submitted(job, admission)
    if let after = job.cancelAfter {
      cancellations.note(job.number, at: job.intended + after)
      nextCancellation = cancellations.next ?? .distantFuture
    }
  }

  private mutating func open(_ batch: UInt32) {
    guard let id = try? core.batchOpened(failFast: true) else {
      invariantViolated("a scenario has more fail-fast batches than job types")
    }
    submitter.opened(batch, as: id)
  }

  // MARK: - Orders

  /// A worker's place in the calendar.
  @inline(__always)
  func place(_ pool: PoolID, _ worker: UInt16) -> Int {
    firstWorker[Int(pool.rawValue)] + Int(worker)
  }

  @inline(__always)
  private mutating func carryOut() {
    for index in ordersDone..<outbox.orders.count {
      switch outbox.orders[index] {
      case .startAttempt(let token):
        var plan = tape.virtualAttempt(job: token.number, type: Int(token.type.rawValue), attempt: Int(token.attempt))
        if faults != nil { afflict(&plan, token) }
        if let backend {
          let busy = Double(calendar.running + 1)
          plan.length = plan.length.map { $0.scaled(by: max(1, busy / backend)) }
        }
        calendar.start(
          AttemptCalendar.Attempt(token: token, started: now, outcome: plan.outcome),
          on: place(token.pool, token.worker),
          until: plan.length.map { reading + $0 } ?? .distantFuture)
      case .stopAttempt(let token): calendar.stop(token, on: place(token.pool, token.worker), at: reading)
      case .setTimer(let instant): timer = instant
      case .releaseSubmitter(let id): release(id)
      case .settleJob(let id, _): release(id)
      case .forgetJob, .settleBatch, .finishDraining: break
      case .fireSchedule(let id, _, _): preconditionFailure("\(id) fired; recurring arrivals are on the tape")
      }
    }
    ordersDone = outbox.orders.count
    guard ordersDone >= Self.flushAt else { return }
    outbox.orders.removeAll()
    ordersDone = 0
  }

  /// The job that held up the submitter has room, or was cancelled meanwhile.
  @inline(__always)
  private mutating func release(_ id: JobID) {
    guard let held = heldUp, held.job == id else { return }
    summary.heldBack += now - held.since
    heldUp = nil
  }

  private mutating func handOn(_ injected: (InjectedFault) -> Void) {
    guard let done = faults?.done, !done.isEmpty else { return }
    for fault in done { injected(fault) }
    faults!.forgetDone()
  }

  private mutating func flush(_ record: (UnsafeBufferPointer<TimelineRecord>) -> Void) {
    guard !outbox.records.isEmpty else { return }
    if !clients.isEmpty {
      for index in outbox.records.indices where outbox.records[index].settles {
        clients.jobSettled(
          outbox.records[index].number, at: outbox.records[index].finished,
          wasRefused: outbox.records[index].accepted == TimelineRecord.never)
      }
    }
    outbox.records.withUnsafeBufferPointer(record)
    outbox.records.removeAll()
  }

  // MARK: - The end

  private mutating func sealBatchesAndDrain() -> Instant {
    for batch in submitter.openBatches { core.batchSealed(batch, into: &outbox) }
    carryOut()
    return min(reading + tape.scenario.drain, .horizon)
  }

  /// Stops whatever is left.
  private mutating func cutOff(at instant: Instant) {
    let left = core.gauges.inSystem + core.gauges.waitingForRoom
    summary.cutOff = left
    guard left > 0 else { return }
    now = max(now, instant)
    core.stopRequested(at: now, into: &outbox)
    carryOut()
    // A stopped attempt ends at once.
    while let attempt = calendar.takeAny() {
      core.attemptEnded(
        attempt.token, started: attempt.started, finished: now, outcome: .cancelled, at: now, into: &outbox)
    }
    carryOut()
  }

  private mutating func finish() -> Summary {
    let gauges = core.gaugesNow(at: now)
    summary.ended = now
    summary.faults = faults?.counts ?? [:]
    summary.dependencies = submitter.dependencies
    let length = (summary.ended - .zero).seconds
    summary.meanJobsInSystem = length > 0 ? gauges.jobSeconds / length : 0
    summary.unsettled = gauges.inSystem + gauges.waitingForRoom
    return summary
  }
}
