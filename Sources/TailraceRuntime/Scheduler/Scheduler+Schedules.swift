import Logging
import TailraceCore
import TailracePlatform

extension Scheduler {
  /// Adds a recurring job. Each slot submits it once, as by ``submit(_:)``, with the slot as its intended arrival.
  ///
  /// A rejected submission (a full queue, a unique key in use) is counted and logged, and does not affect later slots.
  /// Under the overflow policy `block` a submission waits for room, at most one per schedule; slots that are due
  /// meanwhile are skipped and count as missed. Slots before ``start()`` count as missed. The schedule ends with
  /// ``removeSchedule(_:)`` or the shutdown.
  ///
  /// - Throws: ``/TailraceCore/CronError``, ``/TailraceTimeZones/TimeZoneError``,
  ///   ``SchedulerError/unknownJobType(_:close:)``, ``SchedulerError/duplicateSchedule(_:)``,
  ///   ``/TailraceCore/InvalidValues`` with every value of the schedule and its job that is out of range,
  ///   ``/TailraceCore/LimitReached`` if a million schedules exist, ``SchedulerError/refused(_:)`` during and after a
  ///   shutdown.
  @discardableResult
  public func schedule(_ recurring: RecurringJob) throws -> ScheduleID {
    try recurring.validate()
    let description = ScheduleDescription(
      try recurring.timing.recurrence(), missed: recurring.missed, after: recurring.after)
    let isKnown = withState { state in state.types.isAnnounced(recurring.job.type) }
    guard isKnown else { throw unknownType(recurring.job.type) }
    let (id, isFirst) = try report { state, now, _ throws -> (ScheduleID, Bool) in
      guard state.scheduleIDs[recurring.name] == nil else {
        throw SchedulerError.duplicateSchedule(recurring.name)
      }
      state.readWallClock(at: now)
      do {
        let id = try state.core.scheduleAdded(description, at: now)
        while state.schedules.count <= id.slot { state.schedules.append(nil) }
        state.schedules[id.slot] = ScheduleEntry(id: id, name: recurring.name, request: recurring.job)
        state.scheduleIDs[recurring.name] = id
        defer { state.isWatchingWallClock = true }
        return (id, !state.isWatchingWallClock)
      } catch let refusal as Refusal {
        throw SchedulerError.refused(refusal)
      }
    }
    if isFirst { watchWallClock() }
    return id
  }

  /// Removes a schedule; its jobs continue. Returns whether it was known.
  @discardableResult
  public func removeSchedule(_ id: ScheduleID) -> Bool {
    let removed = report { state, now, _ -> ScheduleEntry? in
      guard state.core.scheduleRemoved(id, at: now) else { return nil }
      if let name = state.schedules[id.slot]?.name { state.scheduleIDs[name] = nil }
      return state.schedules[id.slot].take()
    }
    return removed != nil
  }

  /// Pauses a schedule. Returns whether it was known.
  @discardableResult
  public func pauseSchedule(_ id: ScheduleID) -> Bool {
    report { state, now, _ in state.core.schedulePaused(id, at: now) }
  }

  /// Resumes a schedule. Slots during the pause neither fire nor count as missed. Returns whether it was known.
  @discardableResult
  public func resumeSchedule(_ id: ScheduleID) -> Bool {
    report { state, now, _ in
      state.readWallClock(at: now)
      return state.core.scheduleResumed(id, at: now)
    }
  }

  /// The status of every schedule, by name. Still available after a shutdown.
  public func schedules() -> [ScheduleStatus] {
    let found = withState { (state: inout DriverState) -> [ScheduleStatus] in
      state.schedules.compactMap { entry in
        guard let entry, let known = state.core.state(of: entry.id) else { return nil }
        return ScheduleStatus(
          id: entry.id, name: entry.name, next: known.next, last: known.last,
          fired: known.fired - entry.skipped, missed: known.missed + entry.skipped, refused: entry.refused,
          lastError: entry.lastError, lastJob: entry.lastJob, isPaused: known.isPaused)
      }
    }
    return found.sorted { $0.name < $1.name }
  }

  // MARK: - The wall clock

  /// Reads the wall clock periodically while there are schedules, to notice that the clock was set or the machine was
  /// suspended.
  private func watchWallClock() {
    // The clock of virtual time is never set.
    guard !timer.isVirtual else { return }
    timer.schedule(at: timer.now + WallClock.longestUnread) { [weak self] inTime in
      guard inTime, let self else { return }
      reportOnTimer { state, now, _ in
        state.readWallClock(at: now)
        state.isWatchingWallClock = state.core.scheduleCount > 0 && !state.isShuttingDown
        return state.isWatchingWallClock
      } after: { goesOn in
        if goesOn { watchWallClock() }
        return nil
      }
    }
  }

  /// Submits the jobs of the slots that fired, in order. Runs outside the lock, like any submission, and on the
  /// delivery thread, because user middleware and validations process them.
  func submitFired(_ fired: [FiredSlot]) {
    defer { withState { state in state.endSubmission(fired) } }
    for slot in fired {
      guard let request = withState({ state in state.requestToSubmit(for: slot.schedule) }) else { continue }
      var (job, refusal): (JobID?, String?) = (nil, nil)
      do {
        switch try offer(request, intended: slot.intended) {
        case .accepted(let id): job = id
        case .waiting(let id):
          job = id
          withState { state in state.setWaiting(slot.schedule, job: id) }
        case .refused(let reason): refusal = SchedulerError.refused(reason).description
        }
      } catch {
        refusal = "\(error)"
      }
      let name = withState { state in state.recordSubmission(slot.schedule, job: job, refusal: refusal) }
      if let refusal, let name {
        logger.warning(
          "recurring job rejected", metadata: ["tailrace-schedule": "\(name)", "error": "\(refusal)"])
      }
    }
  }
}

/// A fired slot whose job is to be submitted.
struct FiredSlot {
  let schedule: ScheduleID
  let intended: Instant

  /// The slots ordered by the core, from an index of the outbox on.
  static func all(in outbox: borrowing Outbox, from first: Int) -> [FiredSlot] {
    var fired: [FiredSlot] = []
    for index in first..<outbox.orders.count {
      if case .fireSchedule(let id, _, let intended) = outbox.orders[index] {
        fired.append(FiredSlot(schedule: id, intended: intended))
      }
    }
    return fired
  }
}

/// The driver's data about a schedule.
struct ScheduleEntry {
  let id: ScheduleID
  let name: String
  var request: JobRequest
  var refused = 0
  var lastError: String?
  var lastJob: JobID?
  /// The schedule's latest job that had to wait for room in the queue.
  var waiting: JobID?
  /// Whether fired slots are being submitted.
  var isOnItsWay = false
  /// Slots that fired in the core but were skipped because an earlier job waited for room.
  var skipped = 0
}

extension DriverState {
  /// Reports the wall clock to the core, if it differs from the core's expectation.
  mutating func readWallClock(at now: Instant) {
    let wall = wallClock(now)
    let offset = wall.nanoseconds &- now.nanoseconds
    // The two clocks drift apart slightly.
    if let wallOffset, (offset &- wallOffset).magnitude < UInt64(WallClock.tolerance.rawValue) { return }
    wallOffset = offset
    core.wallClockRead(wall, at: now)
  }

  /// nil: the schedule was removed.
  func entry(of id: ScheduleID) -> ScheduleEntry? {
    guard id.slot < schedules.count, let entry = schedules[id.slot], entry.id == id else { return nil }
    return entry
  }

  /// The job to submit for a slot; nil: the schedule was removed, or the slot is skipped because an earlier job still
  /// waits for room.
  fileprivate mutating func requestToSubmit(for id: ScheduleID) -> JobRequest? {
    guard var entry = entry(of: id) else { return nil }
    if let waiting = entry.waiting {
      guard core.state(of: waiting) != .waitingForRoom else {
        entry.skipped += 1
        schedules[id.slot] = entry
        return nil
      }
      entry.waiting = nil
      schedules[id.slot] = entry
    }
    return entry.request
  }

  /// The slots to submit. Slots of a schedule whose earlier submissions are still in progress, delayed by user code,
  /// are skipped, so that submissions do not pile up.
  mutating func admit(_ fired: [FiredSlot]) -> [FiredSlot] {
    var admitted: [FiredSlot] = []
    for slot in fired where entry(of: slot.schedule) != nil {
      if schedules[slot.schedule.slot]!.isOnItsWay {
        schedules[slot.schedule.slot]!.skipped += 1
      } else {
        admitted.append(slot)
      }
    }
    for slot in admitted { schedules[slot.schedule.slot]!.isOnItsWay = true }
    return admitted
  }

  fileprivate mutating func endSubmission(_ fired: [FiredSlot]) {
    for slot in fired where entry(of: slot.schedule) != nil { schedules[slot.schedule.slot]!.isOnItsWay = false }
  }

  /// Stores that a slot's job waits for room.
  fileprivate mutating func setWaiting(_ id: ScheduleID, job: JobID) {
    guard entry(of: id) != nil else { return }
    schedules[id.slot]?.waiting = job
  }

  /// Stores the result of a submission. Returns the schedule's name, if it still exists.
  mutating func recordSubmission(_ id: ScheduleID, job: JobID?, refusal: String?) -> String? {
    guard var entry = entry(of: id) else { return nil }
    if let job { entry.lastJob = job }
    if let refusal {
      entry.refused += 1
      entry.lastError = refusal
    }
    schedules[id.slot] = entry
    return entry.name
  }

  /// Converts a request to the core's form.
  func submission(
    of request: JobRequest, type: JobTypeID, number: UInt64, intended: Instant, at now: Instant
  ) -> JobSubmission {
    JobSubmission(
      type: type, number: number, intended: intended, submitted: now, priority: request.priority,
      pool: request.hints.contains(.cpuIntensive) || request.hints.contains(.ioBound) ? .thread : nil,
      delay: Nanoseconds(request.delay), notBefore: request.startAt.map { now + ($0 - wallClock(now)) },
      timeout: request.timeout.map { Nanoseconds($0) }, retry: request.retry, memory: request.memory,
      deadline: request.deadline.map { Nanoseconds($0) },
      expectedService: request.expectedService.map { Nanoseconds($0) }, dependencies: request.dependencies,
      batch: request.batch, uniqueKey: request.uniqueKey, tenant: request.tenant)
  }
}
