/// A field of a cron expression, in order. The seconds field is optional.
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

  /// The allowed numbers.
  var range: ClosedRange<Int> {
    switch self {
    case .second, .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  /// Names for the numbers, from the first on.
  var names: [String] {
    switch self {
    case .second, .minute, .hour, .dayOfMonth: []
    case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    }
  }

  /// The allowed values, in words.
  var allowed: String {
    let numbers = "\(range.lowerBound) to \(range.upperBound)"
    return switch self {
    case .second, .minute, .hour, .dayOfMonth: numbers
    case .month: "\(numbers) or JAN to DEC"
    case .dayOfWeek: "\(numbers) or SUN to SAT, where 0 and 7 are Sunday"
    }
  }
}

/// A problem in a cron expression.
public struct CronProblem: Hashable, Sendable, CustomStringConvertible {
  /// The field; nil: the expression as a whole.
  public var field: CronField?
  /// The invalid part.
  public var text: String
  /// What is wrong and what is allowed.
  public var allowed: String

  /// The field, the invalid part and what is allowed.
  public var description: String { (field.map { "\($0.rawValue) " } ?? "") + "'\(text)': \(allowed)" }
}

/// The error for a text that is not a cron expression, or for one that never fires.
public struct CronError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The expression.
  public var expression: String
  /// All problems; at least one.
  public var problems: [CronProblem]

  init(_ expression: String, _ problems: [CronProblem]) {
    self.expression = expression
    self.problems = problems
  }

  /// The expression and all its problems, on one line.
  public var description: String {
    "cron expression '\(expression)': " + problems.map(\.description).joined(separator: "; ")
  }
}

/// Parses the fields of an expression and collects all problems.
struct CronFieldReader {
  var problems: [CronProblem] = []
  /// Whether a step may follow a single number, as in `0/5`. Allowed in expressions with seconds.
  let hasOpenSteps: Bool

  /// The matching numbers as a bit set; 0 if there was a problem.
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

  /// Parses the day of the month, including `L`, `W` and `?`.
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

  /// Parses the day of the week, including `L` and `#`.
  ///
  /// - Parameter isQuartz: whether the expression may come from Quartz, where Sunday is 1.
  mutating func readWeekdays(_ text: String, isQuartz: Bool) -> CronWeekdays {
    var weekdays = CronWeekdays()
    if text == "?" { return CronWeekdays(every: 0x7f) }
    for part in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      do throws(CronProblem) {
        let halves = part.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        if isQuartz, halves[0].contains(where: \.isNumber), !halves[0].hasPrefix("*") {
          throw CronProblem(
            field: .dayOfWeek, text: part,
            allowed: "ambiguous with a seconds field and '?': Sunday is 1 in Quartz and 0 elsewhere; use a day name, "
              + "such as MON")
        }
        if halves.count == 2 {
          guard let place = Self.whole(halves[1]), (1...5).contains(place) else {
            throw CronProblem(
              field: .dayOfWeek, text: part,
              allowed: "'#' must be followed by the week of the month, 1 to 5, as in FRI#2")
          }
          weekdays.numbered |= 1 << UInt64((place - 1) * 7 + (try Self.weekday(halves[0], in: part)))
        } else if part.count > 1, part.uppercased().hasSuffix("L") {
          weekdays.last |= 1 << UInt64(try Self.weekday(String(part.dropLast()), in: part))
        } else if part.uppercased() == "L" {
          throw CronProblem(
            field: .dayOfWeek, text: part,
            allowed: "L must follow a day; write FRIL for the last Friday of the month, or SAT for each Saturday")
        } else {
          let set = try self.part(part, of: .dayOfWeek)
          // Sunday is also 7.
          weekdays.every |= (set | set >> 7) & 0x7f
        }
      } catch {
        problems.append(error)
      }
    }
    return weekdays
  }

  /// A day of the week, with Sunday as 0.
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
      throw problem("H is specific to Jenkins; write a number, such as \(field.range.upperBound / 4)")
    }
    if text == "?" {
      throw problem("'?' is allowed only as the whole day-of-month or day-of-week field; write *, or omit the year")
    }
    guard ends.count <= 2 else {
      throw problem("a range needs two ends; write it as \(field.range.lowerBound)-\(field.range.upperBound)")
    }
    var (low, high) = (field.range.lowerBound, field == .dayOfWeek ? 6 : field.range.upperBound)
    if halves[0] != "*" {
      low = try Self.number(ends[0], of: field, in: text)
      high = ends.count == 1 ? low : try Self.number(ends[1], of: field, in: text)
      // At the end of a range, as in FRI-SUN, Sunday is 7.
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
      throw problem("'\(halves[1])' is not a step; write a whole number from 1 to \(most)")
    }
    return stride(from: low, through: high, by: step).reduce(0) { $0 | 1 << UInt64($1) }
  }

  private static func number(_ text: String, of field: CronField, in part: String) throws(CronProblem) -> Int {
    if let place = field.names.firstIndex(of: text.uppercased()) { return place + field.range.lowerBound }
    guard let number = whole(text), field.range.contains(number) else {
      throw CronProblem(field: field, text: part, allowed: "'\(text)' is not an allowed value; write \(field.allowed)")
    }
    return number
  }

  /// Parses a number that consists of digits only.
  private static func whole(_ text: String) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 4,
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int(text)
  }
}

extension CronProblem: Error {}
