/// What the day of the month of a cron expression matches.
struct CronDays: Hashable, Sendable {
  /// Bit n: the nth.
  var numbers: UInt64 = 0
  /// Bit n: n days before the last (`L-n`).
  var beforeLast: UInt64 = 0
  /// Bit n: the day from Monday to Friday nearest to the nth (`nW`).
  var nearNumbers: UInt64 = 0
  /// Bit n: the day from Monday to Friday nearest to the one n days before the last (`LW`, `L-nW`).
  var nearLast: UInt64 = 0

  /// The days that match, by their bits.
  ///
  /// - Parameters:
  ///   - length: days of the month.
  ///   - first: the day of the week of the first, 0 being Sunday.
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

  /// The day from Monday to Friday nearest to one, within the month.
  private static func workingDay(near day: Int, length: Int, first: Int) -> Int {
    switch (first + day - 1) % 7 {
    case 6: day > 1 ? day - 1 : day + 2
    case 0: day < length ? day + 1 : day - 2
    default: day
    }
  }
}

/// What the day of the week of a cron expression matches; 0 is Sunday.
struct CronWeekdays: Hashable, Sendable {
  /// Bit n: each of them.
  var every: UInt64 = 0
  /// Bit n: the last of the month (`nL`).
  var last: UInt64 = 0
  /// Bit (k − 1) · 7 + n: the kth of the month (`n#k`).
  var numbered: UInt64 = 0

  /// The days that match, by their bits; those beyond the month's length mean nothing.
  func matching(length: Int, first: Int) -> UInt64 {
    // The week over and over, moved so that bit 1 is the first of the month.
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
