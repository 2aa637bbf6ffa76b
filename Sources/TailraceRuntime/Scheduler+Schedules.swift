import Logging
import TailraceCore
import TailracePlatform

extension Scheduler {
  /// Lets a job recur. Each slot submits it once, as by ``submit(_:)``, with the slot as its intended arrival.
  ///
  /// A submission that is refused (a full queue, a unique key of a live job) is counted and logged, and the next slot
  /// comes as if nothing had happened. Under the overflow policy `block` it waits for room, one submission of each
  /// schedule at most: slots that come while one waits are skipped and count as missed. Slots that pass before
  /// ``start()`` are missed ones. The schedule ends with ``removeSchedule(_:)`` or the shutdown.
  ///
  /// - Throws: ``/TailraceCore/CronError``, ``/TailraceTimeZones/TimeZoneError``,
  /// ``SchedulerError/unknownJobType(_:known:)``,
  ///   ``SchedulerError/duplicateSchedule(_:)``, ``/TailraceCore/InvalidValues`` with everything that is out of range
  ///   in the schedule and its job, ``/TailraceCore/LimitReached`` when there are a million schedules,
  ///   ``SchedulerError/refused(_:)`` when the scheduler is shutting down.
  @discardableResult
  public func schedule(_ recurring: RecurringJob) throws -> ScheduleID {
    try recurring.validate()
    let description = ScheduleDescription(
      try recurring.timing.recurrence(), missed: recurring.missed, after: recurring.after)
    let (id, isFirst) = try report { state, now, _ throws -> (ScheduleID, Bool) in
      guard state.typeIDs[recurring.job.type] != nil else {
        throw SchedulerError.unknownJobType(recurring.job.type, known: state.typeNames)
      }
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

  /// Ends a schedule; its jobs go on. Returns whether it was known.
  @discardableResult
  public func removeSchedule(_ id: ScheduleID) -> Bool {
    let removed = report { state, now, _ -> ScheduleEntry? in
      guard state.core.scheduleRemoved(id, at: now) else { return nil }
      if let name = state.schedules[id.slot]?.name { state.scheduleIDs[name] = nil }
      return state.schedules[id.slot].take()
    }
    return removed != nil
  }

  /// Lets a schedule stand still. Returns whether it was known.
  @discardableResult
  public func pauseSchedule(_ id: ScheduleID) -> Bool {
    report { state, now, _ in state.core.schedulePaused(id, at: now) }
  }

  /// Lets a paused schedule go on: the slots of the pause are left out, and not counted. Returns whether it was known.
  @discardableResult
  public func resumeSchedule(_ id: ScheduleID) -> Bool {
    report { state, now, _ in
      state.readWallClock(at: now)
      return state.core.scheduleResumed(id, at: now)
    }
  }

  /// Where every schedule stands, by name. After a shutdown it still tells what they did.
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

  /// Reads the wall clock again while there are schedules, so that a clock that was set and a machine that slept are
  /// noticed.
  private func watchWallClock() {
    // Nobody sets the clock of virtual time.
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

  /// Submits the jobs of the schedules that have just fired, in their order; outside the lock, as any submission, and
  /// on the delivery thread, since middleware and validations of the user's look at them.
  func submitFired(_ fired: [FiredSlot]) {
    defer { withState { state in state.noteSubmitted(fired) } }
    for slot in fired {
      guard let request = withState({ state in state.requestToSubmit(for: slot.schedule) }) else { continue }
      var (job, refusal): (JobID?, String?) = (nil, nil)
      do {
        switch try offer(request, intended: slot.intended) {
        case .accepted(let id): job = id
        case .waiting(let id):
          job = id
          withState { state in state.noteWaiting(slot.schedule, job: id) }
        case .refused(let reason): refusal = SchedulerError.refused(reason).description
        }
      } catch {
        refusal = "\(error)"
      }
      let name = withState { state in state.noteFired(slot.schedule, job: job, refusal: refusal) }
      if let refusal, let name {
        logger.warning(
          "a recurring job was refused", metadata: ["tailrace-schedule": "\(name)", "error": "\(refusal)"])
      }
    }
  }
}

/// A slot whose job is to be submitted.
struct FiredSlot {
  let schedule: ScheduleID
  let intended: Instant

  /// Those that the core has ordered, from a place on.
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

/// What the driver keeps about a schedule beside what the core keeps.
struct ScheduleEntry {
  let id: ScheduleID
  let name: String
  var request: JobRequest
  var refused = 0
  var lastError: String?
  var lastJob: JobID?
  /// A job of the schedule that waits for room in the queue, or did when it was submitted.
  var waiting: JobID?
  /// Whether slots that have fired are on their way to be submitted.
  var isOnItsWay = false
  /// Slots that fired for the core, and whose job was not submitted since an earlier one waited for room.
  var skipped = 0
}

extension DriverState {
  /// Tells the core what the wall clock shows, if that is not what it would think anyway.
  mutating func readWallClock(at now: Instant) {
    let wall = wallClock(now)
    let offset = wall.nanoseconds &- now.nanoseconds
    // The two clocks drift apart: a little difference is none.
    if let wallOffset, (offset &- wallOffset).magnitude < UInt64(WallClock.tolerance.rawValue) { return }
    wallOffset = offset
    core.wallClockRead(wall, at: now)
  }

  /// nil: it was removed.
  func entry(of id: ScheduleID) -> ScheduleEntry? {
    guard id.slot < schedules.count, let entry = schedules[id.slot], entry.id == id else { return nil }
    return entry
  }

  /// What is to be submitted for a slot; nil: the schedule was removed, or a job of an earlier slot still waits for
  /// room, so that the slot is skipped.
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

  /// The slots to submit of those that have fired. Those of a schedule whose earlier ones are still on their way, held
  /// up by code of the user's, are skipped: nothing piles up.
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

  fileprivate mutating func noteSubmitted(_ fired: [FiredSlot]) {
    for slot in fired where entry(of: slot.schedule) != nil { schedules[slot.schedule.slot]!.isOnItsWay = false }
  }

  /// A slot's job waits for room.
  fileprivate mutating func noteWaiting(_ id: ScheduleID, job: JobID) {
    guard entry(of: id) != nil else { return }
    schedules[id.slot]?.waiting = job
  }

  /// Notes what became of a submission. Returns the schedule's name, if it is still there.
  mutating func noteFired(_ id: ScheduleID, job: JobID?, refusal: String?) -> String? {
    guard var entry = entry(of: id) else { return nil }
    if let job { entry.lastJob = job }
    if let refusal {
      entry.refused += 1
      entry.lastError = refusal
    }
    schedules[id.slot] = entry
    return entry.name
  }

  /// A request as the core takes it.
  func submission(
    of request: JobRequest, type: JobTypeID, number: UInt64, intended: Instant, at now: Instant
  ) -> JobSubmission {
    JobSubmission(
      type: type, tag: number, intended: intended, submitted: now, priority: request.priority,
      pool: request.hints.contains(.cpuIntensive) || request.hints.contains(.ioBound) ? .thread : nil,
      delay: Nanoseconds(request.delay), notBefore: request.startAt.map { now + ($0 - wallClock(now)) },
      timeout: request.timeout.map { Nanoseconds($0) }, retry: request.retry, memory: request.memory,
      deadline: request.deadline.map { Nanoseconds($0) },
      expectedService: request.expectedService.map { Nanoseconds($0) }, dependencies: request.dependencies,
      batch: request.batch, uniqueKey: request.uniqueKey, tagKey: request.tagKey)
  }
}
