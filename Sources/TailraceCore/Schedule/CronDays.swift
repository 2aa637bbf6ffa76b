/// The days that the day-of-month field of a cron expression matches.
struct CronDays: Hashable, Sendable {
  /// Bit n: day n.
  var numbers: UInt64 = 0
  /// Bit n: n days before the last day (`L-n`).
  var beforeLast: UInt64 = 0
  /// Bit n: the weekday nearest to day n (`nW`).
  var nearNumbers: UInt64 = 0
  /// Bit n: the weekday nearest to n days before the last day (`LW`, `L-nW`).
  var nearLast: UInt64 = 0

  /// The matching days of a month as a bit set.
  ///
  /// - Parameters:
  ///   - length: the number of days in the month.
  ///   - first: the weekday of the first, with Sunday as 0.
  func matching(length: Int, first: Int) -> UInt64 {
    var found = numbers
    guard beforeLast | nearNumbers | nearLast != 0 else { return found }
    for back in 0..<length where beforeLast >> UInt64(back) & 1 == 1 { found |= 1 << UInt64(length - back) }
    for day in 1...length {
      guard nearNumbers >> UInt64(day) & 1 == 1 || nearLast >> UInt64(length - day) & 1 == 1 else { continue }
      found |= 1 << UInt64(Self.workingDay(near: day, length: length, first: first))
    }
    return found
  }

  /// The day from Monday to Friday nearest to a day, within the month.
  private static func workingDay(near day: Int, length: Int, first: Int) -> Int {
    switch (first + day - 1) % 7 {
    case 6: day > 1 ? day - 1 : day + 2
    case 0: day < length ? day + 1 : day - 2
    default: day
    }
  }
}

/// The days that the day-of-week field of a cron expression matches; Sunday is 0.
struct CronWeekdays: Hashable, Sendable {
  /// Bit n: every weekday n.
  var every: UInt64 = 0
  /// Bit n: the last weekday n of the month (`nL`).
  var last: UInt64 = 0
  /// Bit (k − 1) · 7 + n: the kth weekday n of the month (`n#k`).
  var numbered: UInt64 = 0

  /// The matching days as a bit set. Ignore bits beyond the month's length.
  func matching(length: Int, first: Int) -> UInt64 {
    // Repeats the week, shifted so that bit 1 is the first of the month.
    var found: UInt64 = 0
    for week in 0..<6 { found |= every << UInt64(week * 7) }
    found = (found >> UInt64(first)) << 1
    guard last | numbered != 0 else { return found }
    for day in 1...length {
      let weekday = (first + day - 1) % 7
      if day + 7 > length, last >> UInt64(weekday) & 1 == 1 { found |= 1 << UInt64(day) }
      if numbered >> UInt64((day - 1) / 7 * 7 + weekday) & 1 == 1 { found |= 1 << UInt64(day) }
    }
    return found
  }
}
