// Goal: the fast search finds what a walk from minute to minute finds, whatever the expression and the zone.
//
// TAILRACE_CRON_SEED=n runs one seed; the seed of a failing run is in its message.
import TailraceCore
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A random expression, and what matches, known without reading it.
private struct RandomCron {
  var fields: [String] = []
  var sets: [Set<Int>] = []

  init(_ random: inout SwarmRandom, fixed: Bool) {
    let ranges = [0...59, 0...23, 1...31, 1...12, 0...6]
    for (index, range) in ranges.enumerated() {
      let (text, set) = Self.field(range, index == 0 || random.chance(40), &random)
      fields.append(text)
      sets.append(set)
    }
    if fixed { (fields[0], sets[0], fields[1], sets[1]) = ("0", [0], "0", [0]) }
  }

  private static func field(
    _ range: ClosedRange<Int>, _ isRestricted: Bool, _ random: inout SwarmRandom
  ) -> (String, Set<Int>) {
    guard isRestricted else { return ("*", Set(range)) }
    let step = random.number(1...(range.count / 2))
    switch random.number(1...4) {
    case 1: return ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
    case 2:
      let (a, b) = (random.number(range), random.number(range))
      return ("\(min(a, b))-\(max(a, b))/\(step)", Set(stride(from: min(a, b), through: max(a, b), by: step)))
    default:
      let numbers = (0..<random.number(1...4)).map { _ in random.number(range) }
      return (numbers.map(String.init).joined(separator: ","), Set(numbers))
    }
  }

  var text: String { fields.joined(separator: " ") }
  var everyHour: Bool { sets[1].count == 24 }

  func matches(_ reading: Int64, _ date: (year: Int, month: Int, day: Int, weekday: Int)) -> Bool {
    let (day, weekday) = (sets[2].contains(date.day), sets[4].contains(date.weekday))
    let either = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
    return sets[0].contains(Int(reading / 60 % 60)) && sets[1].contains(Int(reading / 3_600 % 24))
      && sets[3].contains(date.month) && (either ? day || weekday : day && weekday)
  }
}

/// A calendar that counts days one by one.
private struct WalkingCalendar {
  private var days: [(year: Int, month: Int, day: Int, weekday: Int)] = []

  /// From 1970 on.
  init(through lastYear: Int) {
    var weekday = 4
    for year in 1970...lastYear {
      let isLeap = year % 400 == 0 || year % 4 == 0 && year % 100 != 0
      for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
        for day in 1...length {
          days.append((year, month + 1, day, weekday))
          weekday = (weekday + 1) % 7
        }
      }
    }
  }

  subscript(reading: Int64) -> (year: Int, month: Int, day: Int, weekday: Int) { days[Int(reading / 86_400)] }
}

@Suite struct RecurrenceTests {
  private static let calendar = WalkingCalendar(through: 2110)

  private static func seeds(_ all: ClosedRange<UInt64>) -> ClosedRange<UInt64> {
    let one = getenv("TAILRACE_CRON_SEED").flatMap { UInt64(String(cString: $0)) }
    let seeds = one.map { $0...$0 } ?? all
    print("cron: seeds \(seeds); TAILRACE_CRON_SEED=n repeats one")
    return seeds
  }

  /// The slots of some days, by looking at every minute.
  private static func walk(
    _ cron: RandomCron, _ zone: TimeZoneOffsets, after start: Int64, through end: Int64
  ) -> [Int64] {
    var slots: [Int64] = []
    var last = Int64.min
    // Begins early enough to know which readings were shown before.
    for minute in stride(from: start - 86_400, through: end, by: 60) {
      let reading = minute + Int64(zone.offset(at: UnixTime(nanoseconds: minute * 1_000_000_000)))
      var hits = false
      if cron.everyHour {
        hits = cron.matches(reading, calendar[reading])
      } else if last == .min || reading > last {
        // What was skipped, and this one.
        for shown in stride(from: last == .min ? reading : last + 60, through: reading, by: 60) {
          hits = hits || cron.matches(shown, calendar[shown])
        }
      }
      last = max(last, reading)
      if hits, minute > start { slots.append(minute) }
    }
    return slots
  }

  @Test func theSearchFindsWhatAWalkFinds() throws {
    let zones = Zones.rules.keys.sorted()
    for seed in Self.seeds(1...150) {
      var random = SwarmRandom(seed: seed)
      let cron = RandomCron(&random, fixed: false)
      guard let expression = try? CronExpression(cron.text) else { continue }
      let name = random.pick(zones)
      let zone = try #require(Zones.named(name))
      let recurrence = Recurrence.cron(expression, zone)
      // Most often some days around a Sunday on which clocks are changed.
      let sundays = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-09-06", "2026-10-04", "2026-10-25", "2026-11-01"]
      let sunday = try #require(UnixTime("\(random.pick(sundays))T00:00:00Z")).nanoseconds / 1_000_000_000
      let start =
        (random.chance(70)
          ? sunday - Int64(random.number(0...4_000)) * 60 : Int64(random.number(1...2_000_000)) * 1_800)
        / 60 * 60
      let end = start + 6 * 86_400
      var found: [Int64] = []
      var time = UnixTime(nanoseconds: start * 1_000_000_000)
      while let slot = recurrence.next(after: time), slot.nanoseconds <= end * 1_000_000_000 {
        found.append(slot.nanoseconds / 1_000_000_000)
        time = slot
      }
      let walked = Self.walk(cron, zone, after: start, through: end)
      #expect(found == walked, "TAILRACE_CRON_SEED=\(seed): '\(cron.text)' in \(name) after \(start)")
    }
  }

  @Test func theSearchFindsTheDaysOfDecades() throws {
    for seed in Self.seeds(1...150) {
      var random = SwarmRandom(seed: seed)
      let cron = RandomCron(&random, fixed: true)
      let start = Int64(random.number(1...40_000)) * 86_400
      let walked = stride(from: start + 86_400, to: start + 366 * 12 * 86_400, by: 86_400).first {
        cron.matches($0, Self.calendar[$0])
      }
      guard let expression = try? CronExpression(cron.text) else {
        #expect(walked == nil, "TAILRACE_CRON_SEED=\(seed): '\(cron.text)' is refused and fires")
        continue
      }
      let next = Recurrence.cron(expression, .utc).next(after: UnixTime(nanoseconds: start * 1_000_000_000))
      if let walked {
        #expect(next?.nanoseconds == walked * 1_000_000_000, "TAILRACE_CRON_SEED=\(seed): '\(cron.text)'")
      }
    }
  }

  @Test func anIntervalCountsFromItsAnchor() throws {
    let quarter = Recurrence.every(.seconds(900))
    #expect(quarter.next(after: try #require(UnixTime("2026-01-01T00:07:00Z"))) == UnixTime("2026-01-01T00:15:00Z"))
    #expect(quarter.next(after: try #require(UnixTime("2026-01-01T00:15:00Z"))) == UnixTime("2026-01-01T00:30:00Z"))
    let anchor = try #require(UnixTime("2026-05-05T10:01:00Z"))
    let anchored = Recurrence.every(.seconds(420), anchor: anchor)
    #expect(anchored.next(after: .epoch) == anchor)
    #expect(anchored.next(after: anchor) == UnixTime("2026-05-05T10:08:00Z"))
  }

  @Test func theEndOfTimeIsNoSlot() throws {
    let last = UnixTime(nanoseconds: .max)
    #expect(Recurrence.every(.seconds(60)).next(after: last) == nil)
    #expect(Recurrence.every(.seconds(60), anchor: UnixTime(nanoseconds: .min)).next(after: last) == nil)
    let zone = try #require(Zones.named("Europe/Berlin"))
    for text in ["* * * * *", "0 0 29 2 *"] {
      #expect(Recurrence.cron(try CronExpression(text), zone).next(after: last) == nil)
    }
  }
}
