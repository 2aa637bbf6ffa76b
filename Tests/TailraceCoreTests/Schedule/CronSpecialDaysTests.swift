// Goal: seconds and the days that only Quartz knows fire when a walk through the calendar, day by day and second by
// second, says so.
//
// TAILRACE_CRON_SEED=n runs one seed; the seed of a failing run is in its message.
import TailraceCore
import Testing

/// A random expression with a second, and what matches, known without reading it.
private struct RandomQuartz {
  var fields: [String] = []
  private var seconds: Set<Int> = []
  private var minutes: Set<Int> = []
  private var hours: Set<Int> = []
  private var months: Set<Int> = []
  private var day: (MonthDay) -> Bool = { _ in true }
  private var weekday: (MonthDay) -> Bool = { _ in true }

  /// A day and its month: all that a rule may look at.
  struct MonthDay {
    var day: Int
    /// Days of the week of the whole month, from the first on; 0 is Sunday.
    var weekdays: [Int]
    var weekday: Int { weekdays[day - 1] }
    var length: Int { weekdays.count }
  }

  private static let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

  init(_ random: inout SwarmRandom, fixed: Bool) {
    (fields, seconds) = (["0"], [0])
    (minutes, hours) = ([0], [0])
    if !fixed {
      seconds = Set((0..<random.number(1...3)).map { _ in random.number(0...59) })
      minutes = random.chance(50) ? Set(0...59) : [random.number(0...59)]
      hours = random.chance(50) ? Set(0...23) : [random.number(0...4), random.number(0...23)]
    }
    func text(_ set: Set<Int>, all: Int) -> String {
      set.count == all ? "*" : set.sorted().map(String.init).joined(separator: ",")
    }
    months = random.chance(50) ? Set(1...12) : [random.number(1...12), random.number(1...12)]
    let (dayText, day) = Self.dayRule(&random)
    let (weekdayText, weekday) = Self.weekdayRule(&random)
    (self.day, self.weekday) = (day, weekday)
    fields = [
      text(seconds, all: 60), text(minutes, all: 60), text(hours, all: 24), dayText, text(months, all: 12), weekdayText,
    ]
  }

  private static func dayRule(_ random: inout SwarmRandom) -> (String, (MonthDay) -> Bool) {
    let number = random.number(1...31)
    let back = random.number(0...30)
    /// The working day that is fewest days away from one of the month.
    func nearest(_ wanted: Int, _ month: MonthDay) -> Int? {
      guard (1...month.length).contains(wanted) else { return nil }
      return (1...month.length).filter { (1...5).contains(month.weekdays[$0 - 1]) }
        .min { abs($0 - wanted) < abs($1 - wanted) }
    }
    switch random.number(1...7) {
    case 1: return ("L", { $0.day == $0.length })
    case 2: return ("L-\(back)", { $0.day == $0.length - back })
    case 3: return ("\(number)W", { $0.day == nearest(number, $0) })
    case 4: return ("LW", { $0.day == nearest($0.length, $0) })
    case 5: return ("L-\(back)W,\(number)", { $0.day == number || $0.day == nearest($0.length - back, $0) })
    case 6: return ("?", { _ in true })
    default: return ("*", { _ in true })
    }
  }

  private static func weekdayRule(_ random: inout SwarmRandom) -> (String, (MonthDay) -> Bool) {
    let (weekday, place) = (random.number(0...6), random.number(1...5))
    let name = names[weekday]
    func isLast(_ month: MonthDay) -> Bool {
      month.weekday == weekday && !month.weekdays[month.day...].contains(weekday)
    }
    func isPlace(_ month: MonthDay) -> Bool {
      month.weekday == weekday && month.weekdays[..<month.day].count { $0 == weekday } == place
    }
    switch random.number(1...6) {
    case 1: return ("\(name)#\(place)", isPlace)
    case 2: return ("\(name)L", isLast)
    case 3: return ("\(name)", { $0.weekday == weekday })
    case 4: return ("\(name)L,\(name)#\(place)", { isLast($0) || isPlace($0) })
    case 5: return ("?", { _ in true })
    default: return ("*", { _ in true })
    }
  }

  var text: String { fields.joined(separator: " ") }

  func matches(_ second: Int) -> Bool {
    seconds.contains(second % 60) && minutes.contains(second / 60 % 60) && hours.contains(second / 3_600 % 24)
  }

  func matches(_ date: MonthDay, month: Int) -> Bool {
    let either = [fields[3], fields[5]].allSatisfy { $0 != "*" && $0 != "?" }
    return months.contains(month) && (either ? day(date) || weekday(date) : day(date) && weekday(date))
  }
}

/// All days from 1970 on, counted one by one.
private let calendar: [(month: Int, date: RandomQuartz.MonthDay)] = {
  var days: [(month: Int, date: RandomQuartz.MonthDay)] = []
  var weekday = 4
  for year in 1970...2060 {
    let isLeap = year % 400 == 0 || year % 4 == 0 && year % 100 != 0
    for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
      let weekdays = (0..<length).map { (weekday + $0) % 7 }
      for day in 1...length { days.append((month + 1, RandomQuartz.MonthDay(day: day, weekdays: weekdays))) }
      weekday = (weekday + length) % 7
    }
  }
  return days
}()

@Suite struct CronSpecialDaysTests {
  @Test func theSearchFindsTheDaysThatAWalkFinds() throws {
    print("cron: seeds 1...400; each is in the message of its failure")
    for seed in 1...400 as ClosedRange<UInt64> {
      var random = SwarmRandom(seed: seed)
      let cron = RandomQuartz(&random, fixed: true)
      let start = random.number(1...20_000)
      let walked = ((start + 1)..<calendar.count).filter { cron.matches(calendar[$0].date, month: calendar[$0].month) }
      guard let expression = try? CronExpression(cron.text) else {
        #expect(walked.isEmpty, "seed \(seed): '\(cron.text)' is refused and fires")
        continue
      }
      let recurrence = Recurrence.cron(expression, .utc)
      var time = UnixTime(nanoseconds: Int64(start) * 86_400_000_000_000)
      for day in walked.prefix(12) {
        let next = try #require(recurrence.next(after: time))
        #expect(next.nanoseconds == Int64(day) * 86_400_000_000_000, "seed \(seed): '\(cron.text)' after day \(start)")
        time = next
      }
    }
  }

  @Test func theSearchFindsTheSecondsThatAWalkFinds() throws {
    for seed in 1...120 as ClosedRange<UInt64> {
      var random = SwarmRandom(seed: seed)
      let cron = RandomQuartz(&random, fixed: false)
      guard let expression = try? CronExpression(cron.text) else { continue }
      let day = random.number(1...20_000)
      let start = day * 86_400 + random.number(0...86_399)
      let end = start + 2 * 86_400
      let walked = ((start + 1)...end).filter { second in
        let (month, date) = calendar[second / 86_400]
        return cron.matches(second % 86_400) && cron.matches(date, month: month)
      }
      let recurrence = Recurrence.cron(expression, .utc)
      var time = UnixTime(nanoseconds: Int64(start) * 1_000_000_000 + 500)
      for second in walked.prefix(500) {
        let next = try #require(recurrence.next(after: time))
        #expect(next.nanoseconds == Int64(second) * 1_000_000_000, "seed \(seed): '\(cron.text)' after \(start)")
        guard next.nanoseconds == Int64(second) * 1_000_000_000 else { break }
        time = next
      }
    }
  }

  /// Where clocks are changed, seconds follow the rules of minutes.
  @Test func secondsAndChangedClocks() throws {
    let berlin = try #require(Zones.named("Europe/Berlin"))
    func slots(_ text: String, after start: String, _ count: Int) throws -> [String] {
      let recurrence = Recurrence.cron(try CronExpression(text), berlin)
      var time = try #require(UnixTime(start))
      return try (0..<count).map { _ in
        time = try #require(recurrence.next(after: time))
        return "\(time)"
      }
    }
    // 02:30:15 does not exist on 29 March: the first instant after the gap stands for it.
    #expect(
      try slots("15 30 2 * * *", after: "2026-03-28T12:00:00Z", 2) == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:15Z"])
    // 02:30:15 is shown twice on 25 October: it fires at the first, and in every hour at both.
    #expect(
      try slots("15 30 2 * * *", after: "2026-10-24T12:00:00Z", 2) == ["2026-10-25T00:30:15Z", "2026-10-26T01:30:15Z"])
    #expect(
      try slots("15 30 * * * *", after: "2026-10-25T00:00:00Z", 2) == ["2026-10-25T00:30:15Z", "2026-10-25T01:30:15Z"])
  }

  @Test func aStepFromANumberGoesOnToTheEnd() throws {
    let recurrence = Recurrence.cron(try CronExpression("0 50/4 14 * * ?"), .utc)
    let start = try #require(UnixTime("2026-01-01T00:00:00Z"))
    let first = try #require(recurrence.next(after: start))
    let second = try #require(recurrence.next(after: first))
    #expect("\(first) \(second)" == "2026-01-01T14:50:00Z 2026-01-01T14:54:00Z")
  }
}
