/// Recurring schedules. Slots are wall-clock times, and the driver supplies the wall clock. At each due slot the
/// scheduler orders the driver to submit a job.
extension SchedulerCore {
  /// The maximum number of schedules.
  public static let mostSchedules = 1_000_000

  /// The number of schedules. While there are any, the driver reports the wall clock at least once a minute.
  public var scheduleCount: Int { schedules.count }

  /// Reports that the wall clock shows `time` at `instant`. Schedules begin with the first report. A driver MUST report
  /// again whenever the clock may have been set.
  ///
  /// After a step forward, the slots in between are missed. After a step back, fired slots do not fire again, and
  /// skipped slots fire when their time comes again.
  public mutating func wallClockRead(_ time: UnixTime, at instant: Instant) {
    advance(to: instant)
    // The scheduler's present may be slightly later than the reading.
    let offset = (time - UnixTime(nanoseconds: instant.nanoseconds)).rawValue
    guard offset != schedules.wallOffset else { return }
    schedules.wallOffset = offset
    for slot in schedules.places.indices where schedules[slot] != nil { scheduleClockChanged(slot) }
  }

  /// Adds a schedule. Its first slot is the first one after now, or after ``ScheduleDescription/after``.
  ///
  /// - Throws: ``Refusal/stopping`` if the scheduler drains or has stopped; ``InvalidValues``; ``LimitReached``.
  public mutating func scheduleAdded(_ description: ScheduleDescription, at instant: Instant) throws -> ScheduleID {
    try description.validate()
    advance(to: instant)
    guard phase == .accepting else { throw Refusal.stopping }
    guard schedules.count < Self.mostSchedules else {
      throw LimitReached(
        "schedules", count: schedules.count, limit: Self.mostSchedules,
        remedy: "remove some, or use one schedule that submits several jobs")
    }
    let slot = schedules.add(Schedule(description))
    scheduleClockChanged(slot)
    return schedules.id(of: slot)
  }

  /// Removes a schedule. Its jobs continue. Returns whether it was known.
  @discardableResult
  public mutating func scheduleRemoved(_ id: ScheduleID, at instant: Instant) -> Bool {
    advance(to: instant)
    guard let slot = schedules.find(id) else { return false }
    removeTimer(ofSchedule: slot)
    schedules.remove(slot)
    return true
  }

  /// Pauses a schedule. Returns whether it was known.
  @discardableResult
  public mutating func schedulePaused(_ id: ScheduleID, at instant: Instant) -> Bool {
    advance(to: instant)
    guard let slot = schedules.find(id) else { return false }
    schedules[slot]!.state.isPaused = true
    setTimer(ofSchedule: slot)
    return true
  }

  /// Resumes a schedule. Slots during the pause neither fire nor count as missed. Returns whether it was known.
  @discardableResult
  public mutating func scheduleResumed(_ id: ScheduleID, at instant: Instant) -> Bool {
    advance(to: instant)
    guard let slot = schedules.find(id) else { return false }
    if schedules[slot]!.state.isPaused {
      schedules[slot]!.state.isPaused = false
      if let wall = schedules.wall(at: now) { schedules[slot]!.begin(at: wall) }
      setTimer(ofSchedule: slot)
    }
    return true
  }

  /// The state of a schedule; nil: it is not known.
  public func state(of id: ScheduleID) -> ScheduleState? { schedules.find(id).map { schedules[$0]!.state } }

  // MARK: - Timers

  /// Fires a slot, unless the clock has changed since.
  mutating func scheduleTimerFired(_ slot: Int, into outbox: inout Outbox) {
    guard let wall = schedules.wall(at: now) else { return }
    let id = schedules.id(of: slot)
    for time in schedules[slot]!.decide(until: wall) {
      outbox.orders.append(.fireSchedule(id, slot: time, intended: schedules.instant(of: time) ?? now))
    }
    setTimer(ofSchedule: slot)
  }

  /// Removes all timers of schedules.
  mutating func endSchedules() {
    for slot in schedules.places.indices where schedules[slot] != nil {
      removeTimer(ofSchedule: slot)
      schedules[slot]!.state.next = nil
    }
  }

  private mutating func scheduleClockChanged(_ slot: Int) {
    guard phase == .accepting, let wall = schedules.wall(at: now) else { return }
    schedules[slot]!.clockChanged(to: wall)
    setTimer(ofSchedule: slot)
  }

  private mutating func setTimer(ofSchedule slot: Int) {
    removeTimer(ofSchedule: slot)
    // A schedule that is paused and resumed during a shutdown does not restart.
    let next = schedules.wallOffset == nil || phase != .accepting ? nil : schedules[slot]!.nextSlot()
    schedules[slot]!.state.next = next
    guard let next, let instant = schedules.instant(of: next) else { return }
    timers.insert(.schedule(slot), at: instant, jobs: jobs, gates: &gates)
  }

  private mutating func removeTimer(ofSchedule slot: Int) {
    let position = timers.position(ofSchedule: slot)
    if position >= 0 { timers.remove(at: Int(position), jobs: jobs, gates: &gates) }
  }

  // MARK: - Invariants

  mutating func checkSchedules(_ check: (Bool, @autoclosure () -> String) -> Void) {
    for slot in schedules.places.indices {
      let position = timers.position(ofSchedule: slot)
      guard let schedule = schedules[slot] else {
        check(position < 0, "a removed schedule has a timer")
        continue
      }
      let mayFire = phase == .accepting && !schedule.state.isPaused && schedules.wallOffset != nil
      check(mayFire || position < 0, "a schedule that must not fire has a timer")
      check((position >= 0) == (schedule.state.next != nil), "a schedule's next slot and its timer disagree")
      if position >= 0, let next = schedule.state.next {
        check(timers.entries[Int(position)].at == schedules.instant(of: next), "a schedule's timer is not at its slot")
        check(next == schedule.nextSlot(), "a schedule waits for another slot than its next")
        check(!schedule.fired.contains { $0.contains(next) }, "a schedule waits for a slot that has fired")
      }
    }
  }
}
