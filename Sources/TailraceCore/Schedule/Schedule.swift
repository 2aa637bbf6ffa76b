/// Names one schedule of one scheduler; never given to another one later.
public struct ScheduleID: RawRepresentable, Hashable, Sendable, Codable {
  /// The number of schedules that had its place before in the high, the place in the low 32 bits.
  public var rawValue: UInt64
  /// Makes an identifier from what ``rawValue`` once read.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
  init(slot: Int, generation: UInt32) { rawValue = UInt64(generation) << 32 | UInt64(slot) }
  /// The place in the scheduler's table: a dense index by which a driver may keep its own data about the schedule.
  @inlinable public var slot: Int { Int(rawValue & 0xffff_ffff) }
  var generation: UInt32 { UInt32(rawValue >> 32) }
}

/// What becomes of slots that could not fire in time: the process was away or stood still, or the clock jumped.
public enum MissedSlots: Hashable, Sendable {
  /// Only the latest slot that is due fires, and only if it is at most this late; the others are left out. The default,
  /// with a minute.
  case skip(grace: Nanoseconds)
  /// One firing for all that are due: that of the latest, however late.
  case once
  /// Each slot that is due fires, the earliest first; of more than this many (1 to 1,000) the latest.
  case all(limit: Int)

  /// Only the latest, if it is at most a minute late.
  public static let skip = MissedSlots.skip(grace: .seconds(60))
  /// Each, up to 100 at once.
  public static let all = MissedSlots.all(limit: 100)
}

/// A schedule as it is added.
public struct ScheduleDescription: Hashable, Sendable {
  /// Its slots.
  public var recurrence: Recurrence
  /// What becomes of slots that could not fire in time.
  public var missed: MissedSlots
  /// The latest slot that needs no firing any more, such as the last one of an earlier process; those after it that
  /// are past are missed ones. nil: that is now.
  public var after: UnixTime?

  /// Describes a schedule that begins now.
  public init(_ recurrence: Recurrence, missed: MissedSlots = .skip, after: UnixTime? = nil) {
    self.recurrence = recurrence
    self.missed = missed
    self.after = after
  }
}

/// What a schedule has done so far.
public struct ScheduleState: Hashable, Sendable {
  /// The slot that fires next; nil: paused, none is left, or the wall clock is not known yet.
  public var next: UnixTime?
  /// The slot that fired last.
  public var last: UnixTime?
  /// Slots that fired.
  public var fired = 0
  /// Slots that were due and did not fire; of a cron expression at most ``mostCounted`` are counted at one time.
  public var missed = 0
  /// Whether it stands still.
  public var isPaused = false

  /// Slots of a cron expression that are counted at one time.
  public static let mostCounted = 10_000
}

/// What the scheduler keeps about a schedule.
struct Schedule {
  let recurrence: Recurrence
  let missed: MissedSlots
  /// No slot up to here ever fires.
  let floor: UnixTime?
  var state = ScheduleState()
  /// Every slot up to here is decided. Goes back with the clock. nil: the wall clock is not known yet.
  private(set) var decided: UnixTime?
  /// Slots that fired, in order, as stretches within which all did: none of them fires again when the clock goes back.
  private(set) var fired: [ClosedRange<UnixTime>] = []

  /// Stretches that are remembered; of more, the two that are closest to each other count as one.
  private static var mostStretches: Int { 8 }

  init(_ description: ScheduleDescription) {
    recurrence = description.recurrence
    missed = description.missed
    floor = description.after
    decided = description.after
  }

  /// The wall clock shows another time than it would have: slots that lie ahead again are undecided again.
  mutating func clockChanged(to wall: UnixTime) { begin(at: min(decided ?? wall, wall)) }

  /// Slots up to here are decided, later ones are not.
  mutating func begin(at time: UnixTime) { decided = floor.map { max($0, time) } ?? time }

  /// The first undecided slot that did not fire yet.
  func nextSlot() -> UnixTime? {
    guard let decided, !state.isPaused, var slot = recurrence.next(after: decided) else { return nil }
    while let stretch = fired.first(where: { $0.contains(slot) }) {
      guard let later = recurrence.next(after: stretch.upperBound) else { return nil }
      slot = later
    }
    return slot
  }

  /// Decides about all slots up to now: which fire, in their order. Counts the others.
  mutating func decide(until now: UnixTime) -> [UnixTime] {
    guard let first = nextSlot(), first <= now else { return [] }
    decided = now
    var chosen: [UnixTime] = []
    let before = first - Nanoseconds(1)
    if recurrence.next(after: first).map({ $0 > now }) ?? true {
      if case .skip(let grace) = missed, now - first > grace {} else { chosen = [first] }
      state.missed += 1 - chosen.count
    } else {
      let latest = latest(after: before, through: now) ?? first
      switch missed {
      case .skip(let grace): if now - latest <= grace { chosen = [latest] }
      case .once: chosen = [latest]
      case .all(let limit):
        // From the latest back: what is before the limit is left out.
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

  /// The last slot of a time that did not fire yet.
  private func latest(after low: UnixTime, through high: UnixTime) -> UnixTime? {
    var slot = recurrence.last(after: low, through: high)
    while let found = slot, let stretch = fired.first(where: { $0.contains(found) }) {
      slot = recurrence.last(after: low, through: stretch.lowerBound - Nanoseconds(1))
    }
    return slot
  }

  /// How many slots of a time did not fire yet.
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
    // One that fired before it may have closed the gap in which this one lies.
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

/// Schedules in places that are used again.
struct ScheduleTable {
  private(set) var places: ContiguousArray<Schedule?> = []
  private var generations: ContiguousArray<UInt32> = []
  private var free: ContiguousArray<Int> = []
  /// Of a place that was never used.
  var firstGeneration: UInt32 = 0
  /// Wall-clock nanoseconds less those of the driver's instants; nil: not told yet.
  var wallOffset: Int64?

  /// How many there are.
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

  /// What the wall clock shows at an instant; nil: not known.
  func wall(at instant: Instant) -> UnixTime? {
    wallOffset.map { UnixTime(nanoseconds: instant.nanoseconds) + Nanoseconds($0) }
  }

  /// The instant at which the wall clock shows a time, as far as is known now.
  func instant(of time: UnixTime) -> Instant? {
    wallOffset.map { Instant(nanoseconds: (time - Nanoseconds($0)).nanoseconds) }
  }
}
