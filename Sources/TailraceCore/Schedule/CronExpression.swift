/// When something recurs by the calendar and the wall clock, in the five fields of cron: minute, hour, day of the
/// month, month, day of the week.
///
/// A field is `*` or a list of numbers and ranges, each range with a step where wanted: `0`, `1,15`, `9-17/2`, `*/15`.
/// Months and days of the week have names too, in any case: `JAN`, `mon-fri`. Sunday is 0 or 7. In place of the five
/// fields one of `@hourly`, `@daily` (or `@midnight`), `@weekly`, `@monthly`, `@yearly` (or `@annually`) may stand.
///
/// Where both day fields are restricted, a day matches that matches either of them; else it must match both. As in
/// Vixie's cron a field is restricted unless it begins with `*`.
/// Source: Paul Vixie's cron 3.0, `entry.c` and `find_jobs` in `cron.c`; crontab(5).
public struct CronExpression: Hashable, Sendable, CustomStringConvertible {
  /// As it was written.
  public let description: String
  /// Bit n: n matches.
  let minutes: UInt64
  let hours: UInt64
  let days: UInt64
  let months: UInt64
  /// Bit 0: Sunday.
  let weekdays: UInt64
  /// Whether a day that matches either of the two day fields matches.
  let eitherDay: Bool

  /// Whether it fires in every hour of the day, and so follows elapsed time when clocks are changed.
  var coversEveryHour: Bool { hours == 0xff_ffff }

  /// Reads an expression.
  ///
  /// - Throws: ``CronError`` with everything that is wrong with it; also if it would never fire, as on 30 February.
  public init(_ text: String) throws(CronError) {
    let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    var fields = words
    if words.count == 1, words[0].hasPrefix("@") {
      guard let alias = Self.aliases.first(where: { $0.name == words[0].lowercased() }) else {
        let known = Self.aliases.map(\.name).joined(separator: ", ")
        throw CronError(
          text, [CronProblem(field: nil, text: words[0], allowed: "unknown short form; write one of \(known)")])
      }
      fields = alias.fields.split(separator: " ").map(String.init)
    }
    guard fields.count == CronField.allCases.count else {
      let allowed = "write five fields: minute, hour, day of the month, month, day of the week, such as '30 2 * * MON'"
      throw CronError(text, [CronProblem(field: nil, text: text, allowed: "it has \(fields.count); \(allowed)")])
    }
    var reader = CronFieldReader()
    let sets = zip(CronField.allCases, fields).map { field, text in reader.read(text, of: field) }
    guard reader.problems.isEmpty else { throw CronError(text, reader.problems) }
    description = text
    (minutes, hours, days, months) = (sets[0], sets[1], sets[2], sets[3])
    // Sunday is 7 as well.
    weekdays = (sets[4] | sets[4] >> 7) & 0x7f
    eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
    if !eitherDay, !Self.hasDate(days: days, months: months) {
      let allowed = "no such month has such a day, so it would never fire; change the day of the month or the month"
      throw CronError(
        text, [CronProblem(field: .dayOfMonth, text: "\(fields[2]) in month \(fields[3])", allowed: allowed)])
    }
  }

  private static let aliases = [
    (name: "@hourly", fields: "0 * * * *"), (name: "@daily", fields: "0 0 * * *"),
    (name: "@midnight", fields: "0 0 * * *"), (name: "@weekly", fields: "0 0 * * 0"),
    (name: "@monthly", fields: "0 0 1 * *"), (name: "@yearly", fields: "0 0 1 1 *"),
    (name: "@annually", fields: "0 0 1 1 *"),
  ]

  /// Whether any of the months has any of the days. It then falls on each day of the week in some year.
  private static func hasDate(days: UInt64, months: UInt64) -> Bool {
    (1...12).contains { month in
      // Of a leap year.
      months >> UInt64(month) & 1 == 1 && days & mask(from: 1, through: CivilDate.days(inMonth: month, of: 2000)) != 0
    }
  }

  static func mask(from low: Int, through high: Int) -> UInt64 {
    low > high ? 0 : (~0 >> UInt64(63 - high)) & (~0 << UInt64(low))
  }

  // MARK: - Search

  /// The first matching minute, in civil time without any zone, at or after one: both as seconds since 1970, of a
  /// whole minute. Looks at one month at a time.
  func first(atOrAfter start: Int64) -> Int64 {
    let (startDay, secondOfDay) = flooredDivision(start, 86_400)
    if let time = firstTime(atOrAfter: Int(secondOfDay / 60)), matches(day: startDay) {
      return startDay * 86_400 + Int64(time) * 60
    }
    let day = firstDay(after: startDay)
    return day * 86_400 + Int64(firstTime(atOrAfter: 0)!) * 60
  }

  /// The first matching minute of the day at or after one.
  private func firstTime(atOrAfter minuteOfDay: Int) -> Int? {
    let (hour, minute) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
    if hours >> UInt64(hour) & 1 == 1 {
      let left = minutes & Self.mask(from: minute, through: 59)
      if left != 0 { return hour * 60 + left.trailingZeroBitCount }
    }
    let later = hours & Self.mask(from: hour + 1, through: 23)
    return later == 0 ? nil : later.trailingZeroBitCount * 60 + minutes.trailingZeroBitCount
  }

  private func matches(day: Int64) -> Bool {
    let date = CivilDate(daysSinceEpoch: day)
    return months >> UInt64(date.month) & 1 == 1
      && matchingDays(in: date.month, of: date.year) >> UInt64(date.day) & 1 == 1
  }

  private func firstDay(after day: Int64) -> Int64 {
    var date = CivilDate(daysSinceEpoch: day + 1)
    while true {
      let laterMonths = months & Self.mask(from: date.month, through: 12)
      if laterMonths == 0 {
        date = CivilDate(year: date.year + 1, month: months.trailingZeroBitCount, day: 1)
      } else if laterMonths.trailingZeroBitCount != date.month {
        date = CivilDate(year: date.year, month: laterMonths.trailingZeroBitCount, day: 1)
      }
      let found = matchingDays(in: date.month, of: date.year) & Self.mask(from: date.day, through: 31)
      if found != 0 {
        date.day = found.trailingZeroBitCount
        return date.daysSinceEpoch
      }
      date =
        date.month == 12
        ? CivilDate(year: date.year + 1, month: 1, day: 1) : CivilDate(year: date.year, month: date.month + 1, day: 1)
    }
  }

  /// The days of a month that match, by their bits.
  private func matchingDays(in month: Int, of year: Int) -> UInt64 {
    let existing = Self.mask(from: 1, through: CivilDate.days(inMonth: month, of: year))
    let first = CivilDate.weekday(daysSinceEpoch: CivilDate(year: year, month: month, day: 1).daysSinceEpoch)
    // The week over and over, moved so that bit 1 is the first of the month.
    var byWeekday: UInt64 = 0
    for week in 0..<6 { byWeekday |= weekdays << UInt64(week * 7) }
    byWeekday = (byWeekday >> UInt64(first)) << 1
    return existing & (eitherDay ? days | byWeekday : days & byWeekday)
  }
}
