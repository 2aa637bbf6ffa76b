import TailraceCore
import TailraceMeasurement

/// A line that a driver has written: docs/driver-protocol.md.
///
/// A run parses several lines per job, so the parser allocates nothing and reads only what the contract names. Names
/// are views of the line.
struct DriverLine {
  enum Kind: CaseIterable {
    case ready, unable, accepted, started, attempt, settled, process, done
    /// A message of a later version, which is ignored.
    case unknown
  }

  /// Why a line cannot be used.
  struct Malformed: Error, Equatable {
    var words: String
  }

  var kind = Kind.unknown
  var job: Int64?
  var attempt: Int64?
  var submitted: Int64?
  var accepted: Int64?
  var eligible: Int64?
  var started: Int64?
  var finished: Int64?
  var settledAt: Int64?
  var settles = false
  /// The name of a worker and of its process, as the line spells them.
  var worker = UnsafeRawBufferPointer(start: nil, count: 0)
  var process = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The text of `outcome` or `cause`.
  private var end = UnsafeRawBufferPointer(start: nil, count: 0)

  /// - Parameter line: without its newline; must outlive the value.
  init(_ line: UnsafeRawBufferPointer) throws(Malformed) {
    var scanner = FlatJSONScanner(line)
    var type = UnsafeRawBufferPointer(start: nil, count: 0)
    try scanner.readObject { key, value throws(Malformed) in
      switch value {
      case .text(let text):
        if key.isText("type") {
          type = text
        } else if key.isText("worker") {
          worker = text
        } else if key.isText("process") {
          process = text
        } else if key.isText("outcome") || key.isText("cause") {
          end = text
        }
      case .number(let number): try set(key, number)
      case .truth(let truth): if key.isText("settles") { settles = truth }
      case .nothing, .other: break
      }
    }
    guard type.baseAddress != nil else {
      throw Malformed(words: "has no \"type\"")
    }
    kind = Self.kinds.first { type.isText($0.0) }?.1 ?? .unknown
  }

  private mutating func set(_ key: UnsafeRawBufferPointer, _ number: Int64?) throws(Malformed) {
    let path: WritableKeyPath<Self, Int64?>
    switch key.count {
    case 3 where key.isText("job"): path = \.job
    case 7 where key.isText("attempt"): path = \.attempt
    case 12 where key.isText("submitted_ns"): path = \.submitted
    case 11 where key.isText("accepted_ns"): path = \.accepted
    case 11 where key.isText("eligible_ns"): path = \.eligible
    case 10 where key.isText("started_ns"): path = \.started
    case 11 where key.isText("finished_ns"): path = \.finished
    case 10 where key.isText("settled_ns"): path = \.settledAt
    default: return
    }
    guard let number, number >= 0 else {
      throw Malformed(words: "has a \"\(String(decoding: key, as: UTF8.self))\" that is not a whole number from 0")
    }
    self[keyPath: path] = number
  }

  private static let kinds: [(StaticString, Kind)] = [
    ("attempt", .attempt), ("accepted", .accepted), ("settled", .settled), ("started", .started), ("ready", .ready),
    ("unable", .unable), ("process", .process), ("done", .done),
  ]

  /// How the attempt ended.
  ///
  /// - Throws: What is wrong with the text.
  func outcome() throws(Malformed) -> AttemptOutcome {
    for (name, outcome) in Self.outcomes where end.isText(name) { return outcome }
    throw Malformed(
      words: "has the outcome \"\(endText)\"; write one of " + Self.outcomes.map { "\($0.0)" }.joined(separator: ", "))
  }

  /// Why the job settled.
  ///
  /// - Throws: What is wrong with the text.
  func cause() throws(Malformed) -> SettlementCause {
    let text = endText
    if let cause = Self.causes.first(where: { $0.name == text }) { return cause }
    throw Malformed(
      words: "has the cause \"\(text)\"; write one of " + Self.causes.map(\.name).joined(separator: ", "))
  }

  private var endText: String { String(decoding: end, as: UTF8.self) }

  private static let outcomes: [(StaticString, AttemptOutcome)] = [
    ("succeeded", .succeeded), ("failed", .failed), ("timed_out", .timedOut), ("cancelled", .cancelled),
    ("failed_permanently", .failedPermanently), ("crashed", .crashed),
  ]
  private static let causes: [SettlementCause] = [
    .succeeded, .failed, .timedOut, .failedPermanently, .crashed, .cancelled, .dependencyFailed, .rejected, .shed,
    .stopped,
  ]
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes spell a text.
  @inline(__always)
  func isText(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount, let baseAddress else { return false }
    let other = UnsafeRawBufferPointer(start: text.utf8Start, count: count)
    for index in 0..<count where baseAddress.load(fromByteOffset: index, as: UInt8.self) != other[index] {
      return false
    }
    return true
  }
}

/// Reads one JSON object whose values are texts, numbers and truth values; lists and objects within it are skipped.
private struct FlatJSONScanner {
  enum Value {
    /// Without its quotes, escapes as they are.
    case text(UnsafeRawBufferPointer)
    /// nil: no whole number, or too large for 64 bits.
    case number(Int64?)
    case truth(Bool)
    case nothing
    case other
  }

  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func readObject(
    _ body: (_ key: UnsafeRawBufferPointer, _ value: Value) throws(DriverLine.Malformed) -> Void
  ) throws(DriverLine.Malformed) {
    guard skipSpace() == UInt8(ascii: "{") else { throw notJSON }
    at += 1
    if skipSpace() == UInt8(ascii: "}") {
      at += 1
    } else {
      while true {
        guard skipSpace() == UInt8(ascii: "\"") else { throw notJSON }
        let key = try text()
        guard skipSpace() == UInt8(ascii: ":") else { throw notJSON }
        at += 1
        try body(key, try value())
        let next = skipSpace()
        at += 1
        if next == UInt8(ascii: "}") { break }
        guard next == UInt8(ascii: ",") else { throw notJSON }
      }
    }
    guard skipSpace() == nil else { throw notJSON }
  }

  private var notJSON: DriverLine.Malformed { .init(words: "is not a JSON object") }

  private mutating func skipSpace() -> UInt8? {
    while at < bytes.count {
      let byte = bytes[at]
      guard byte == 0x20 || byte == 0x09 || byte == 0x0d else { return byte }
      at += 1
    }
    return nil
  }

  /// From a quote.
  private mutating func text() throws(DriverLine.Malformed) -> UnsafeRawBufferPointer {
    at += 1
    let start = at
    while at < bytes.count {
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        defer { at += 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<at])
      }
      at += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    throw notJSON
  }

  private mutating func value() throws(DriverLine.Malformed) -> Value {
    switch skipSpace() {
    case UInt8(ascii: "\"")?: return .text(try text())
    case UInt8(ascii: "t")?: return try word("true", .truth(true))
    case UInt8(ascii: "f")?: return try word("false", .truth(false))
    case UInt8(ascii: "n")?: return try word("null", .nothing)
    case UInt8(ascii: "[")?, UInt8(ascii: "{")?:
      try skipNested()
      return .other
    case (UInt8(ascii: "0")...UInt8(ascii: "9"))?, UInt8(ascii: "-")?: return .number(try number())
    default: throw notJSON
    }
  }

  private mutating func word(_ text: StaticString, _ value: Value) throws(DriverLine.Malformed) -> Value {
    let end = at + text.utf8CodeUnitCount
    guard end <= bytes.count, UnsafeRawBufferPointer(rebasing: bytes[at..<end]).isText(text) else { throw notJSON }
    at = end
    return value
  }

  private mutating func number() throws(DriverLine.Malformed) -> Int64? {
    let isNegative = bytes[at] == UInt8(ascii: "-")
    if isNegative { at += 1 }
    var value: Int64? = 0
    var digits = 0
    while at < bytes.count {
      switch bytes[at] {
      case let digit where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit):
        digits += 1
        if let known = value {
          let (scaled, tooLarge) = known.multipliedReportingOverflow(by: 10)
          let (sum, over) = scaled.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
          value = tooLarge || over ? nil : sum
        }
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"): value = nil
      default:
        guard digits > 0 else { throw notJSON }
        return isNegative ? value.map { -$0 } : value
      }
      at += 1
    }
    throw notJSON
  }

  private mutating func skipNested() throws(DriverLine.Malformed) {
    var depth = 0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        _ = try text()
        continue
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        if depth == 0 {
          at += 1
          return
        }
      default: break
      }
      at += 1
    }
    throw notJSON
  }
}
