/// A calendar recurrence in cron syntax: five fields (minute, hour, day of the month, month, day of the week), or six
/// with seconds first.
///
/// A field is `*` or a list of numbers and ranges, each range optionally with a step: `0`, `1,15`, `9-17/2`, `*/15`.
/// Months and days of the week also have case-insensitive names: `JAN`, `mon-fri`. Sunday is 0 or 7. One of `@hourly`,
/// `@daily` (or `@midnight`), `@weekly`, `@monthly`, `@yearly` (or `@annually`) may replace the fields.
///
/// A day field may also be `?`, which equals `*`. The day of the month accepts `L` (the last day), `L-3` (three days
/// before it), `15W` (the weekday nearest to the 15th, within the month) and `LW`. The day of the week accepts `FRI#2`
/// (the second Friday of the month) and `FRIL` (the last Friday).
///
/// If both day fields are restricted, a day matches if it matches either; otherwise it must match both. As in Vixie
/// cron, a field is restricted unless it begins with `*` or is `?`.
/// Source: Paul Vixie's cron 3.0, `entry.c` and `find_jobs` in `cron.c`; crontab(5). Seconds, `?`, `L`, `W` and `#`
/// follow Quartz (CronExpression, 2.3), except that Sunday is 0. With seconds, `0/5` means `0-59/5`. A numeric day of
/// the week together with seconds and `?` is rejected, because Quartz numbers the days differently.
public struct CronExpression: Hashable, Sendable, CustomStringConvertible {
  /// The expression as written.
  public let description: String
  /// Bit n: second n matches.
  let seconds: UInt64
  let minutes: UInt64
  let hours: UInt64
  let months: UInt64
  let days: CronDays
  let weekdays: CronWeekdays
  /// Whether a day matches if either of the two day fields matches.
  let eitherDay: Bool

  /// Whether it fires in every hour of the day. It then follows elapsed time across clock changes.
  var coversEveryHour: Bool { hours == 0xff_ffff }

  /// Parses an expression.
  ///
  /// - Throws: ``CronError`` with all problems, also if the expression would never fire, as on 30 February.
  public init(_ text: String) throws(CronError) {
    var fields = try Self.fields(of: text)
    // Without a seconds field it fires at second 0.
    let hasSeconds = fields.count == CronField.allCases.count
    if !hasSeconds { fields.insert("0", at: 0) }
    var reader = CronFieldReader(hasOpenSteps: hasSeconds)
    let sets = zip(CronField.allCases, fields).prefix(4).map { field, text in
      field == .dayOfMonth ? 0 : reader.read(text, of: field)
    }
    let days = reader.readDays(fields[3])
    let months = reader.read(fields[4], of: .month)
    let weekdays = reader.readWeekdays(fields[5], isQuartz: hasSeconds && fields.contains("?"))
    guard reader.problems.isEmpty else { throw CronError(text, reader.problems) }
    description = text
    (seconds, minutes, hours, self.months) = (sets[0], sets[1], sets[2], months)
    (self.days, self.weekdays) = (days, weekdays)
    eitherDay = [fields[3], fields[5]].allSatisfy { !$0.hasPrefix("*") && $0 != "?" }
    if !firesOnSomeDay {
      let allowed = "never fires: the month has no such day; change the day of the month or the month"
      throw CronError(
        text, [CronProblem(field: .dayOfMonth, text: "\(fields[3]) in month \(fields[4])", allowed: allowed)])
    }
  }

  /// Splits an expression into five or six fields and expands short forms.
  private static func fields(of text: String) throws(CronError) -> [String] {
    func problem(_ part: String, _ allowed: String) -> CronError {
      CronError(text, [CronProblem(field: nil, text: part, allowed: allowed)])
    }
    // The syntax of cloud schedulers: cron(15 12 ? * MON *).
    let isCall = text.lowercased().hasPrefix("cron(") && text.hasSuffix(")")
    let words = (isCall ? text.dropFirst(5).dropLast() : text[...]).split(whereSeparator: { $0 == " " || $0 == "\t" })
      .map(String.init)
    if let first = words.first, first.hasPrefix("@") {
      if let alias = aliases.first(where: { $0.name == first.lowercased() }), words.count == 1 {
        return alias.fields.split(separator: " ").map(String.init)
      }
      let known = aliases.map(\.name).joined(separator: ", ")
      switch first.lowercased() {
      case "@every":
        throw problem(
          text, "not a calendar recurrence; use an interval such as 5m")
      case "@reboot":
        throw problem(text, "@reboot is not supported; submit a job at startup instead")
      default: throw problem(words.count == 1 ? first : text, "unknown short form; write one of \(known)")
      }
    }
    let isQuestion = { (index: Int) in words.count > index && words[index] == "?" }
    // Cloud schedulers put a year where other dialects put the day of the week.
    if words.count == 6, isQuestion(2) || isQuestion(4) {
      throw problem(
        text,
        "the last field is a year, and numeric days count from SUN as 1; omit the year and use day names: "
          + "'\(words[..<5].joined(separator: " "))'")
    }
    if words.count == 7 {
      guard ["*", "?"].contains(words[6]) else {
        throw problem(words[6], "years are not supported; omit the seventh field")
      }
      return Array(words[..<6])
    }
    guard (5...6).contains(words.count) else {
      let allowed =
        "write five fields: minute, hour, day of the month, month, day of the week, such as '30 2 * * MON', or six with "
        + "seconds first"
      throw problem(text, "it has \(words.count); \(allowed)")
    }
    return words
  }

  private static let aliases = [
    (name: "@hourly", fields: "0 * * * *"), (name: "@daily", fields: "0 0 * * *"),
    (name: "@midnight", fields: "0 0 * * *"), (name: "@weekly", fields: "0 0 * * 0"),
    (name: "@monthly", fields: "0 0 1 * *"), (name: "@yearly", fields: "0 0 1 1 *"),
    (name: "@annually", fields: "0 0 1 1 *"),
  ]

  /// Whether it ever fires. The calendar repeats after 400 years, and most expressions fire in the first month.
  private var firesOnSomeDay: Bool {
    for year in 2000..<2400 {
      for month in 1...12 where months >> UInt64(month) & 1 == 1 {
        if matchingDays(in: month, of: year) != 0 { return true }
      }
    }
    return false
  }

  static func mask(from low: Int, through high: Int) -> UInt64 {
    low > high ? 0 : (~0 >> UInt64(63 - high)) & (~0 << UInt64(low))
  }

  // MARK: - Search

  /// The first matching second at or after `start`, in civil time without a zone; both in seconds since 1970. Searches
  /// month by month.
  func first(atOrAfter start: Int64) -> Int64 {
    let (startDay, secondOfDay) = flooredDivision(start, 86_400)
    if let time = firstTime(atOrAfter: Int(secondOfDay)), matches(day: startDay) {
      return startDay * 86_400 + Int64(time)
    }
    let day = firstDay(after: startDay)
    return day * 86_400 + Int64(firstTime(atOrAfter: 0)!)
  }

  /// The first matching second of the day at or after `secondOfDay`.
  private func firstTime(atOrAfter secondOfDay: Int) -> Int? {
    let (minuteOfDay, second) = secondOfDay.quotientAndRemainder(dividingBy: 60)
    let (hour, minute) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
    if hours >> UInt64(hour) & 1 == 1 {
      let rest = seconds & Self.mask(from: second, through: 59)
      if minutes >> UInt64(minute) & 1 == 1, rest != 0 { return minuteOfDay * 60 + rest.trailingZeroBitCount }
      let left = minutes & Self.mask(from: minute + 1, through: 59)
      if left != 0 { return (hour * 60 + left.trailingZeroBitCount) * 60 + seconds.trailingZeroBitCount }
    }
    let later = hours & Self.mask(from: hour + 1, through: 23)
    return later == 0
      ? nil : (later.trailingZeroBitCount * 60 + minutes.trailingZeroBitCount) * 60 + seconds.trailingZeroBitCount
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

  /// The matching days of a month as a bit set.
  private func matchingDays(in month: Int, of year: Int) -> UInt64 {
    let length = CivilDate.days(inMonth: month, of: year)
    let first = CivilDate.weekday(daysSinceEpoch: CivilDate(year: year, month: month, day: 1).daysSinceEpoch)
    let (byDay, byWeekday) = (
      days.matching(length: length, first: first), weekdays.matching(length: length, first: first)
    )
    return Self.mask(from: 1, through: length) & (eitherDay ? byDay | byWeekday : byDay & byWeekday)
  }
}
