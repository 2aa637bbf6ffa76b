import TailraceCore
import TailracePlatform

/// The subscribers and callbacks of a scheduler, and the data kept for them. Protected by the scheduler's lock.
///
/// All of it is derived from the core's records and orders, in one place each.
struct Observation {
  /// Whether there is any observation. Checked first, once per pass of the scheduler.
  private(set) var isActive = false
  /// How many attempts to keep per job.
  let attemptsRemembered: Int
  private(set) var subscribers: [EventBuffer] = []
  private(set) var callbacks = SettledCallbacks()
  /// The number of subscribers that want all events, not just those of an evidence log.
  private(set) var listeners = 0
  /// For the health report; nil: no report was requested yet.
  var recent: RecentOutcomes? { didSet { refresh() } }
  /// Buffers with waiting subscribers, to be woken after unlocking.
  var wakes: [EventBuffer] = []
  private var offset: Int64 = 0
  /// The offset under virtual time; nil: computed from the clocks.
  var fixedOffset: Int64?
  private var offsetReadAt = Instant(nanoseconds: .min)

  init(attemptsRemembered: Int) {
    self.attemptsRemembered = attemptsRemembered
    refresh()
  }

  private mutating func refresh() {
    isActive = !subscribers.isEmpty || !callbacks.isEmpty || attemptsRemembered > 0 || recent != nil
  }

  mutating func add(_ buffer: EventBuffer) {
    buffer.place = subscribers.count
    subscribers.append(buffer)
    if !buffer.isEvidence { listeners += 1 }
    refresh()
  }

  /// Moves the last buffer into the freed position.
  mutating func remove(_ buffer: EventBuffer) {
    guard let place = buffer.place, place < subscribers.count, subscribers[place] === buffer else { return }
    subscribers.swapAt(place, subscribers.count - 1)
    subscribers[place].place = place
    subscribers.removeLast()
    buffer.place = nil
    if !buffer.isEvidence { listeners -= 1 }
    refresh()
  }

  mutating func removeAllSubscribers() -> [EventBuffer] {
    defer { refresh() }
    defer { (subscribers, listeners) = ([], 0) }
    for buffer in subscribers { buffer.place = nil }
    return subscribers
  }

  mutating func add(_ type: String?, _ action: @escaping @Sendable (SettledJob) -> Void) -> UInt64 {
    defer { refresh() }
    return callbacks.add(type, action)
  }

  /// Returns the callback, which the caller releases outside the lock.
  mutating func removeCallback(_ number: UInt64) -> SettledCallback? {
    defer { refresh() }
    return callbacks.remove(number)
  }

  mutating func removeAllCallbacks() -> SettledCallbacks {
    defer { refresh() }
    defer { callbacks = SettledCallbacks() }
    return callbacks
  }

  /// The offset from instants to Unix time. Updated every second, because the clocks drift apart.
  mutating func unixOffset(at now: Instant) -> Int64 {
    if let fixedOffset { return fixedOffset }
    if offsetReadAt.nanoseconds == .min || now - offsetReadAt > .seconds(1) {
      offset = WallClock.offset()
      offsetReadAt = now
    }
    return offset
  }

  mutating func post(_ event: JobEvent, isEvidence: Bool, parting departures: inout Departures) {
    for buffer in subscribers where isEvidence || !buffer.isEvidence {
      let (wakes, error) = buffer.append(event)
      if wakes { self.wakes.append(buffer) }
      departures.add(error: error)
    }
  }
}

/// A callback for every settled job, or for those of one type.
struct SettledCallback: Sendable {
  let number: UInt64
  let type: String?
  let action: @Sendable (SettledJob) -> Void
}

/// Work for observers to do after the scheduler's lock is unlocked.
enum WatchEffect {
  case wake(EventBuffer)
  case announce(SettledJob, [SettledCallback])
}

extension DriverState {
  /// Emits events for the results of a pass of the core. Called before its orders are carried out, so that jobs it
  /// forgets are still known here.
  @inline(never)
  mutating func observe(_ outbox: borrowing Outbox, from first: Int, effects: inout Effects) {
    let now = time.now
    if !observation.subscribers.isEmpty {
      for index in outbox.orders.indices {
        guard case .releaseSubmitter(let id) = outbox.orders[index] else { continue }
        observeAdmission(of: id, at: now)
      }
    }
    for index in first..<outbox.records.count { observe(outbox.records[index], at: now, effects: &effects) }
    for buffer in observation.wakes { effects.watched.append(.wake(buffer)) }
    observation.wakes.removeAll(keepingCapacity: true)
  }

  private mutating func observe(_ record: TimelineRecord, at now: Instant, effects: inout Effects) {
    // Rejections are emitted where they are made, with their reason.
    guard record.id != .refused else { return }
    let slot = record.id.slot
    let offset = observation.unixOffset(at: now)
    var step = JobEvent(
      kind: .admitted, job: record.id, number: record.number, type: types[record.type].name,
      priority: record.priority, pool: record.pool,
      labels: slot < entries.count ? entries[slot].watch?.labels ?? [] : [],
      instant: record.finished, unixNanoseconds: record.finished.nanoseconds &+ offset)
    let wasStarted = record.started != TimelineRecord.never
    if wasStarted {
      observeLastProgress(of: record, step, at: now)
      let attempt = attempt(of: record, offset)
      if observation.attemptsRemembered > 0, core.state(of: record.id) != nil {
        departures.add(error: watch(record.id).remember(attempt, atMost: observation.attemptsRemembered))
      }
      step.kind = .attemptEnded(attempt)
      observation.post(step, isEvidence: true, parting: &departures)
    }
    if record.settles {
      observation.recent?.add(record.cause)
      step.kind = .settled(record.cause.state, record.cause)
      observation.post(step, isEvidence: !wasStarted, parting: &departures)
      if !observation.callbacks.isEmpty { announce(record, step, effects: &effects) }
    } else {
      let due = core.dueInstant(of: record.id) ?? record.finished
      step.kind = .retrying(attempt: Int(record.attempt) + 1, backoff: record.finished.duration(to: due))
      observation.post(step, isEvidence: false, parting: &departures)
    }
  }

  private func attempt(of record: TimelineRecord, _ offset: Int64) -> JobAttempt {
    let slot = record.id.slot
    let watch = slot < entries.count ? entries[slot].watch : nil
    var attempt = JobAttempt(
      number: Int(record.attempt), pool: record.pool, worker: Int(record.worker), outcome: record.outcome,
      cause: record.settles ? record.cause : nil, error: nil, eligible: record.eligible, started: record.started,
      finished: record.finished, unixOffset: offset, residentDelta: nil)
    if let watch, watch.endedAttempt == record.attempt, case .error(let error) = watch.ending {
      attempt.error = error
    }
    if let (number, delta) = watch?.residentDelta, number == record.attempt { attempt.residentDelta = delta }
    return attempt
  }

  private mutating func announce(_ record: TimelineRecord, _ step: JobEvent, effects: inout Effects) {
    let callbacks = observation.callbacks.concerned(with: step.type)
    guard !callbacks.isEmpty else { return }
    let slot = record.id.slot
    let watch = slot < entries.count ? entries[slot].watch : nil
    var result = result(of: record.id, cause: record.cause, watch: watch)
    // The core may have forgotten the job already.
    result.attempts = Int(record.attempt) - (record.started == TimelineRecord.never ? 1 : 0)
    effects.watched.append(
      .announce(
        SettledJob(
          result: result, type: step.type, priority: step.priority, number: step.number, labels: step.labels), callbacks
      ))
  }

  // MARK: - Events without a record

  /// Emits the answer to a submission. Its record, if any, is the last in the outbox.
  @inline(never)
  mutating func observe(
    _ admission: Admission, of submission: JobSubmission, at now: Instant, in outbox: borrowing Outbox
  ) {
    guard !observation.subscribers.isEmpty else { return }
    var step = JobEvent(
      kind: .admitted, job: nil, number: submission.number, type: types[submission.type].name,
      priority: submission.priority ?? .normal, pool: submission.pool ?? .async, labels: [], instant: now,
      unixNanoseconds: now.nanoseconds &+ observation.unixOffset(at: now))
    if !outbox.records.isEmpty {
      let last = outbox.records[outbox.records.count - 1]
      (step.priority, step.pool) = (last.priority, last.pool)
    }
    switch admission {
    case .refused(let refusal): step.kind = .refused(refusal)
    case .accepted(let id), .waiting(let id):
      step.job = id
      if let (_, priority) = core.description(of: id), let pool = core.pool(of: id) {
        (step.priority, step.pool) = (priority, pool)
      }
      if id.slot < entries.count { step.labels = entries[id.slot].watch?.labels ?? [] }
      step.kind = .submitted(core.state(of: id) ?? .cancelled, due: core.dueInstant(of: id))
    }
    observation.post(step, isEvidence: step.job == nil, parting: &departures)
  }

  private mutating func observeAdmission(of id: JobID, at now: Instant) {
    guard let (type, priority) = core.description(of: id), let pool = core.pool(of: id),
      let number = core.number(of: id)
    else { return }
    observation.post(
      JobEvent(
        kind: .admitted, job: id, number: number, type: types[type].name, priority: priority, pool: pool,
        labels: id.slot < entries.count ? entries[id.slot].watch?.labels ?? [] : [], instant: now,
        unixNanoseconds: now.nanoseconds &+ observation.unixOffset(at: now)), isEvidence: false, parting: &departures)
  }

  /// Emits the attempt's last progress report, if it was not emitted yet.
  private mutating func observeLastProgress(of record: TimelineRecord, _ step: JobEvent, at now: Instant) {
    guard record.worker != TimelineRecord.noWorker else { return }
    let worker = workers[Int(record.pool.rawValue)][Int(record.worker)]
    let report = worker.progress.takeUnreported(job: record.id, attempt: record.attempt, at: now)
    guard let progress = report else { return }
    var step = step
    step.kind = .progress(progress)
    observation.post(step, isEvidence: false, parting: &departures)
  }

  /// Emits a progress report. Returns the buffers to wake.
  mutating func observeProgress(of token: AttemptToken, _ worker: Worker, at now: Instant) -> [EventBuffer] {
    guard !observation.subscribers.isEmpty, core.isLive(token),
      let progress = worker.progress.takeUnreported(job: token.job, attempt: token.attempt, at: now)
    else { return [] }
    return post(.progress(progress), about: token, at: now)
  }

  /// Emits an event about an attempt that has no record. Returns the buffers to wake.
  mutating func post(_ kind: JobEvent.Kind, about token: AttemptToken, at now: Instant) -> [EventBuffer] {
    let slot = token.job.slot
    let isKnown = core.state(of: token.job) != nil && slot < entries.count
    observation.post(
      JobEvent(
        kind: kind, job: token.job, number: token.number, type: types[token.type].name,
        priority: token.priority, pool: token.pool, labels: isKnown ? entries[slot].watch?.labels ?? [] : [],
        instant: now, unixNanoseconds: now.nanoseconds &+ observation.unixOffset(at: now)), isEvidence: false,
      parting: &departures)
    defer { observation.wakes.removeAll(keepingCapacity: true) }
    return observation.wakes
  }

  /// Emits the start of an attempt. Returns the buffers to wake.
  mutating func observeStart(of token: AttemptToken, at now: Instant) -> [EventBuffer] {
    // If the attempt was stopped meanwhile, its end was emitted already.
    guard !observation.subscribers.isEmpty, core.isLive(token) else { return [] }
    let slot = token.job.slot
    observation.post(
      JobEvent(
        kind: .started(attempt: Int(token.attempt), worker: Int(token.worker)), job: token.job, number: token.number,
        type: types[token.type].name, priority: token.priority, pool: token.pool,
        labels: slot < entries.count ? entries[slot].watch?.labels ?? [] : [], instant: now,
        unixNanoseconds: now.nanoseconds &+ observation.unixOffset(at: now)), isEvidence: false, parting: &departures)
    defer { observation.wakes.removeAll(keepingCapacity: true) }
    return observation.wakes
  }
}

extension JobWatch {
  /// Call under the scheduler's lock. Returns the error of the evicted attempt.
  fileprivate func remember(_ attempt: JobAttempt, atMost limit: Int) -> (any Error)? {
    defer { attempts.append(attempt) }
    guard attempts.count == limit else { return nil }
    forgottenAttempts += 1
    return attempts.removeFirst().error
  }
}
