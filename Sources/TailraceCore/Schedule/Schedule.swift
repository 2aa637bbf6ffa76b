/// Identifies a schedule of a scheduler. Identifiers are never reused.
public struct ScheduleID: RawRepresentable, Hashable, Sendable, Codable {
  /// The generation of the slot in the high 32 bits, the slot in the low 32 bits.
  public var rawValue: UInt64
  /// Creates an identifier from a stored ``rawValue``.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
  init(slot: Int, generation: UInt32) { rawValue = UInt64(generation) << 32 | UInt64(slot) }
  /// The slot in the scheduler's table: a dense index for data that a driver stores per schedule.
  @inlinable public var slot: Int { Int(rawValue & 0xffff_ffff) }
  var generation: UInt32 { UInt32(rawValue >> 32) }
}

extension ScheduleID: CustomStringConvertible {
  /// ``rawValue``.
  public var description: String { "\(rawValue)" }
}

/// What to do with slots that did not fire on time, because the process was not running or the clock jumped.
public enum MissedSlots: Hashable, Sendable {
  /// Fires only the latest due slot, and only if it is at most this late. The default, with a grace of one minute.
  case skip(grace: Duration)
  /// Fires once for all due slots: the latest, however late.
  case once
  /// Fires each due slot, earliest first. If more than `limit` (1 to 1,000) are due, fires the latest `limit`.
  case all(limit: Int)

  /// Fires only the latest slot, if it is at most a minute late.
  public static let skip = MissedSlots.skip(grace: .seconds(60))
  /// Fires each slot, up to 100 at once.
  public static let all = MissedSlots.all(limit: 100)
}

/// The description of a schedule to add.
public struct ScheduleDescription: Hashable, Sendable {
  /// Its slots.
  public var recurrence: Recurrence
  /// What to do with slots that did not fire on time.
  public var missed: MissedSlots
  /// The latest slot that is already handled, such as the last one of an earlier process. Later slots in the past are
  /// treated as missed. nil: now.
  public var after: UnixTime?

  /// Describes a schedule; by default it begins now.
  public init(_ recurrence: Recurrence, missed: MissedSlots = .skip, after: UnixTime? = nil) {
    self.recurrence = recurrence
    self.missed = missed
    self.after = after
  }
}

/// The state of a schedule.
public struct ScheduleState: Hashable, Sendable {
  /// The next slot; nil: the schedule is paused, no slot is left, or the wall clock is not known yet.
  public var next: UnixTime?
  /// The last slot that fired.
  public var last: UnixTime?
  /// The number of slots that fired.
  public var fired = 0
  /// Slots that were due and did not fire. For a cron expression, each decision counts at most ``mostCounted``.
  public var missed = 0
  /// Whether the schedule is paused.
  public var isPaused = false

  /// The maximum number of missed slots of a cron expression counted per decision.
  public static let mostCounted = 10_000
}

/// The scheduler's data about a schedule.
struct Schedule {
  let recurrence: Recurrence
  let missed: MissedSlots
  /// No slot up to this time ever fires.
  let floor: UnixTime?
  var state = ScheduleState()
  /// Every slot up to this time is decided. Moves back with the clock. nil: the wall clock is not known yet.
  private(set) var decided: UnixTime?
  /// Fired slots, as ordered ranges in which every slot fired. None of them fires again after the clock moves back.
  private(set) var fired: [ClosedRange<UnixTime>] = []

  /// The maximum number of ranges. When exceeded, the two closest ranges are merged.
  private static var mostStretches: Int { 8 }

  init(_ description: ScheduleDescription) {
    recurrence = description.recurrence
    missed = description.missed
    floor = description.after
    decided = description.after
  }

  /// Handles a clock change: slots that lie in the future again become undecided.
  mutating func clockChanged(to wall: UnixTime) { begin(at: min(decided ?? wall, wall)) }

  /// Marks slots up to this time as decided, later ones as undecided.
  mutating func begin(at time: UnixTime) { decided = floor.map { max($0, time) } ?? time }

  /// The first undecided slot that has not fired.
  func nextSlot() -> UnixTime? {
    guard let decided, !state.isPaused, var slot = recurrence.next(after: decided) else { return nil }
    while let stretch = fired.first(where: { $0.contains(slot) }) {
      guard let later = recurrence.next(after: stretch.upperBound) else { return nil }
      slot = later
    }
    return slot
  }

  /// Decides all slots up to now. Returns those that fire, in order, and counts the others as missed.
  mutating func decide(until now: UnixTime) -> [UnixTime] {
    guard let first = nextSlot(), first <= now else { return [] }
    decided = now
    var chosen: [UnixTime] = []
    let before = first - Nanoseconds(1)
    if recurrence.next(after: first).map({ $0 > now }) ?? true {
      if case .skip(let grace) = missed, now - first > Nanoseconds(grace) {} else { chosen = [first] }
      state.missed += 1 - chosen.count
    } else {
      let latest = latest(after: before, through: now) ?? first
      switch missed {
      case .skip(let grace): if now - latest <= Nanoseconds(grace) { chosen = [latest] }
      case .once: chosen = [latest]
      case .all(let limit):
        // From the latest backward; slots beyond the limit are missed.
        chosen = [latest]
        while chosen.count < limit, let earlier = self.latest(after: before, through: chosen.last! - Nanoseconds(1)) {
          chosen.append(earlier)
        }
        chosen.reverse()
      }
      state.missed += max(0, due(after: before, through: now) - chosen.count)
    }
    for slot in chosen { fire(slot) }
    return chosen
  }

  /// The last slot in a range that has not fired.
  private func latest(after low: UnixTime, through high: UnixTime) -> UnixTime? {
    var slot = recurrence.last(after: low, through: high)
    while let found = slot, let stretch = fired.first(where: { $0.contains(found) }) {
      slot = recurrence.last(after: low, through: stretch.lowerBound - Nanoseconds(1))
    }
    return slot
  }

  /// The number of slots in a range that have not fired.
  private func due(after low: UnixTime, through high: UnixTime) -> Int {
    func count(_ low: UnixTime, _ high: UnixTime) -> Int {
      low < high ? recurrence.count(after: low, through: high, limit: ScheduleState.mostCounted) : 0
    }
    return fired.reduce(count(low, high)) { due, stretch in
      due - count(max(low, stretch.lowerBound - Nanoseconds(1)), min(high, stretch.upperBound))
    }
  }

  private mutating func fire(_ slot: UnixTime) {
    state.fired += 1
    state.last = slot
    // A previously recorded range may already contain the slot.
    guard !fired.contains(where: { $0.contains(slot) }) else { return }
    let place = fired.firstIndex { slot < $0.lowerBound } ?? fired.count
    if place > 0, recurrence.next(after: fired[place - 1].upperBound) == slot {
      fired[place - 1] = fired[place - 1].lowerBound...slot
      return
    }
    fired.insert(slot...slot, at: place)
    guard fired.count > Self.mostStretches else { return }
    let closest = (0..<(fired.count - 1)).min {
      fired[$0 + 1].lowerBound - fired[$0].upperBound < fired[$1 + 1].lowerBound - fired[$1].upperBound
    }!
    let upper = fired.remove(at: closest + 1).upperBound
    fired[closest] = fired[closest].lowerBound...upper
  }
}

/// Schedules in reusable slots.
struct ScheduleTable {
  private(set) var places: ContiguousArray<Schedule?> = []
  private var generations: ContiguousArray<UInt32> = []
  private var free: ContiguousArray<Int> = []
  /// The first generation of a slot that was never used.
  var firstGeneration: UInt32 = 0
  /// Wall-clock nanoseconds minus the driver's instant; nil: not known yet.
  var wallOffset: Int64?

  /// The number of schedules.
  var count: Int { places.count - free.count }

  subscript(slot: Int) -> Schedule? {
    _read { yield places[slot] }
    _modify { yield &places[slot] }
  }

  func id(of slot: Int) -> ScheduleID { ScheduleID(slot: slot, generation: generations[slot]) }

  func find(_ id: ScheduleID) -> Int? {
    id.slot < places.count && generations[id.slot] == id.generation && places[id.slot] != nil ? id.slot : nil
  }

  mutating func add(_ schedule: Schedule) -> Int {
    if let slot = free.popLast() {
      places[slot] = schedule
      return slot
    }
    places.append(schedule)
    generations.append(firstGeneration)
    return places.count - 1
  }

  mutating func remove(_ slot: Int) {
    places[slot] = nil
    generations[slot] &+= 1
    free.append(slot)
  }

  /// The wall-clock time at an instant; nil: not known.
  func wall(at instant: Instant) -> UnixTime? {
    wallOffset.map { UnixTime(nanoseconds: instant.nanoseconds) + Nanoseconds($0) }
  }

  /// The instant of a wall-clock time, according to the last reading.
  func instant(of time: UnixTime) -> Instant? {
    wallOffset.map { Instant(nanoseconds: (time - Nanoseconds($0)).nanoseconds) }
  }
}
