/// One of the five fields of a cron expression, in their order.
public enum CronField: String, CaseIterable, Sendable {
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
    case .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  /// Names of the numbers from the first on.
  var names: [String] {
    switch self {
    case .minute, .hour, .dayOfMonth: []
    case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    }
  }

  /// What may stand in it, in words.
  var allowed: String {
    let numbers = "\(range.lowerBound) to \(range.upperBound)"
    return switch self {
    case .minute, .hour, .dayOfMonth: numbers
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

  /// The numbers that match, by their bits; 0 where there was a problem.
  mutating func read(_ text: String, of field: CronField) -> UInt64 {
    var set: UInt64 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      do {
        set |= try Self.part(String(part), of: field)
      } catch {
        problems.append(error)
      }
    }
    return set
  }

  private static func part(_ text: String, of field: CronField) throws(CronProblem) -> UInt64 {
    func problem(_ allowed: String) -> CronProblem {
      CronProblem(field: field, text: text, allowed: allowed)
    }
    let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard !halves[0].isEmpty else { throw problem("a part is empty; write *, \(field.allowed)") }
    guard ends.count <= 2 else {
      throw problem("a range has two ends; write it as \(field.range.lowerBound)-\(field.range.upperBound)")
    }
    var (low, high) = (field.range.lowerBound, field == .dayOfWeek ? 6 : field.range.upperBound)
    if halves[0] != "*" {
      low = try number(ends[0], of: field, in: text)
      high = ends.count == 1 ? low : try number(ends[1], of: field, in: text)
      // FRI-SUN: as the end of a range Sunday is the seventh day.
      if field == .dayOfWeek, ends.count == 2, high == 0, low > 0 { high = 7 }
      guard low <= high else { throw problem("the range goes backwards; write the smaller end first, or two ranges") }
    }
    guard halves.count == 2 else { return CronExpression.mask(from: low, through: high) }
    guard halves[0] == "*" || ends.count == 2 else {
      throw problem("a step needs a range; write \(halves[0])-\(field.range.upperBound)/\(halves[1])")
    }
    let most = max(1, field.range.upperBound - field.range.lowerBound)
    guard let step = whole(halves[1]), (1...most).contains(step) else {
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
