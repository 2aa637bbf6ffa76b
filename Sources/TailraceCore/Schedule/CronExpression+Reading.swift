/// One of the fields of a cron expression, in their order; the second may be left out.
public enum CronField: String, CaseIterable, Sendable {
  /// 0 to 59.
  case second
  /// 0 to 59.
  case minute
  /// 0 to 23.
  case hour
  /// 1 to 31.
  case dayOfMonth = "day of the month"
  /// 1 to 12, or `JAN` to `DEC`.
  case month
  /// 0 to 7, where 0 and 7 are Sunday, or `SUN` to `SAT`.
  case dayOfWeek = "day of the week"

  /// Numbers that may stand in it.
  var range: ClosedRange<Int> {
    switch self {
    case .second, .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  /// Names of the numbers from the first on.
  var names: [String] {
    switch self {
    case .second, .minute, .hour, .dayOfMonth: []
    case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    }
  }

  /// What may stand in it, in words.
  var allowed: String {
    let numbers = "\(range.lowerBound) to \(range.upperBound)"
    return switch self {
    case .second, .minute, .hour, .dayOfMonth: numbers
    case .month: "\(numbers) or JAN to DEC"
    case .dayOfWeek: "\(numbers) or SUN to SAT, 0 and 7 being Sunday"
    }
  }
}

/// One thing wrong with a cron expression.
public struct CronProblem: Hashable, Sendable, CustomStringConvertible {
  /// Where; nil: in the expression as a whole.
  public var field: CronField?
  /// The part that is wrong.
  public var text: String
  /// What is wrong with it and what is allowed.
  public var allowed: String

  /// The field, the part, what is allowed.
  public var description: String { (field.map { "\($0.rawValue) " } ?? "") + "'\(text)': \(allowed)" }
}

/// A text that is not a cron expression, or one that never fires.
public struct CronError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The expression.
  public var expression: String
  /// Everything that is wrong with it; at least one.
  public var problems: [CronProblem]

  init(_ expression: String, _ problems: [CronProblem]) {
    self.expression = expression
    self.problems = problems
  }

  /// The expression and all its problems, in one line.
  public var description: String {
    "cron expression '\(expression)': " + problems.map(\.description).joined(separator: "; ")
  }
}

/// Reads the fields of an expression and collects every problem on the way.
struct CronFieldReader {
  var problems: [CronProblem] = []
  /// Whether a step may follow a single number, from which it then goes on: `0/5`, as where there is a second.
  let hasOpenSteps: Bool

  /// The numbers that match, by their bits; 0 where there was a problem.
  mutating func read(_ text: String, of field: CronField) -> UInt64 {
    var set: UInt64 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      do {
        set |= try self.part(String(part), of: field)
      } catch {
        problems.append(error)
      }
    }
    return set
  }

  /// The day of the month, with what only it knows.
  mutating func readDays(_ text: String) -> CronDays {
    var days = CronDays()
    if text == "?" { return CronDays(numbers: CronExpression.mask(from: 1, through: 31)) }
    for part in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      do throws(CronProblem) {
        let isNear = part.uppercased().hasSuffix("W")
        let day = isNear ? String(part.dropLast()).uppercased() : part.uppercased()
        if day.hasPrefix("L") {
          let bit = try Self.daysBeforeLast(day, in: part)
          if isNear { days.nearLast |= bit } else { days.beforeLast |= bit }
        } else if isNear {
          days.nearNumbers |= 1 << UInt64(try Self.number(day, of: .dayOfMonth, in: part))
        } else {
          days.numbers |= try self.part(part, of: .dayOfMonth)
        }
      } catch {
        problems.append(error)
      }
    }
    return days
  }

  private static func daysBeforeLast(_ text: String, in part: String) throws(CronProblem) -> UInt64 {
    if text == "L" { return 1 }
    guard text.hasPrefix("L-"), let days = whole(String(text.dropFirst(2))), (0...30).contains(days) else {
      throw CronProblem(
        field: .dayOfMonth, text: part, allowed: "write L for the last day, L-3 for three days before it, or LW")
    }
    return 1 << UInt64(days)
  }

  /// The day of the week, with what only it knows.
  ///
  /// - Parameter isQuartz: whether the expression may be one of Quartz, which calls Sunday 1.
  mutating func readWeekdays(_ text: String, isQuartz: Bool) -> CronWeekdays {
    var weekdays = CronWeekdays()
    if text == "?" { return CronWeekdays(every: 0x7f) }
    for part in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      do throws(CronProblem) {
        let halves = part.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        if isQuartz, halves[0].contains(where: \.isNumber), !halves[0].hasPrefix("*") {
          throw CronProblem(
            field: .dayOfWeek, text: part,
            allowed: "beside a second and a '?' it could mean two days: Quartz calls Sunday 1, others 0; name the day, "
              + "such as MON")
        }
        if halves.count == 2 {
          guard let place = Self.whole(halves[1]), (1...5).contains(place) else {
            throw CronProblem(
              field: .dayOfWeek, text: part,
              allowed: "after '#' stands which one of the month; write 1 to 5, as in FRI#2")
          }
          weekdays.numbered |= 1 << UInt64((place - 1) * 7 + (try Self.weekday(halves[0], in: part)))
        } else if part.count > 1, part.uppercased().hasSuffix("L") {
          weekdays.last |= 1 << UInt64(try Self.weekday(String(part.dropLast()), in: part))
        } else if part.uppercased() == "L" {
          throw CronProblem(
            field: .dayOfWeek, text: part,
            allowed: "L needs a day before it; write FRIL for the last Friday of the month, or SAT for each Saturday")
        } else {
          let set = try self.part(part, of: .dayOfWeek)
          // Sunday is 7 as well.
          weekdays.every |= (set | set >> 7) & 0x7f
        }
      } catch {
        problems.append(error)
      }
    }
    return weekdays
  }

  /// A day of the week, Sunday as 0.
  private static func weekday(_ text: String, in part: String) throws(CronProblem) -> Int {
    try number(text, of: .dayOfWeek, in: part) % 7
  }

  private func part(_ text: String, of field: CronField) throws(CronProblem) -> UInt64 {
    func problem(_ allowed: String) -> CronProblem {
      CronProblem(field: field, text: text, allowed: allowed)
    }
    let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard !halves[0].isEmpty else { throw problem("a part is empty; write *, \(field.allowed)") }
    if field != .dayOfWeek, halves[0] == "H" || halves[0].hasPrefix("H(") {
      throw problem("H is a number that Jenkins picks; write one, such as \(field.range.upperBound / 4)")
    }
    if text == "?" {
      throw problem("'?' stands alone, as a day of the month or of the week; write *, or leave a year out")
    }
    guard ends.count <= 2 else {
      throw problem("a range has two ends; write it as \(field.range.lowerBound)-\(field.range.upperBound)")
    }
    var (low, high) = (field.range.lowerBound, field == .dayOfWeek ? 6 : field.range.upperBound)
    if halves[0] != "*" {
      low = try Self.number(ends[0], of: field, in: text)
      high = ends.count == 1 ? low : try Self.number(ends[1], of: field, in: text)
      // FRI-SUN: as the end of a range Sunday is the seventh day.
      if field == .dayOfWeek, ends.count == 2, high == 0, low > 0 { high = 7 }
      guard low <= high else { throw problem("the range goes backwards; write the smaller end first, or two ranges") }
    }
    guard halves.count == 2 else { return CronExpression.mask(from: low, through: high) }
    if hasOpenSteps, ends.count == 1, halves[0] != "*" { high = field == .dayOfWeek ? 6 : field.range.upperBound }
    guard halves[0] == "*" || ends.count == 2 || hasOpenSteps else {
      throw problem("a step needs a range; write \(halves[0])-\(field.range.upperBound)/\(halves[1])")
    }
    let most = max(1, field.range.upperBound - field.range.lowerBound)
    guard let step = Self.whole(halves[1]), (1...most).contains(step) else {
      throw problem("'\(halves[1])' is no step; write a whole number from 1 to \(most)")
    }
    return stride(from: low, through: high, by: step).reduce(0) { $0 | 1 << UInt64($1) }
  }

  private static func number(_ text: String, of field: CronField, in part: String) throws(CronProblem) -> Int {
    if let place = field.names.firstIndex(of: text.uppercased()) { return place + field.range.lowerBound }
    guard let number = whole(text), field.range.contains(number) else {
      throw CronProblem(field: field, text: part, allowed: "'\(text)' is none of its values; write \(field.allowed)")
    }
    return number
  }

  /// Digits and nothing else.
  private static func whole(_ text: String) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 4,
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int(text)
  }
}

extension CronProblem: Error {}
