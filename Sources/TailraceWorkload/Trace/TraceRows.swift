import Foundation

/// The rows of a trace file, whatever its format: named fields as text, line by line.
struct TraceRows {
  /// Names of the fields of the Standard Workload Format 2.2, in their order.
  /// Source: Parallel Workloads Archive, *The Standard Workload Format*.
  static let standardWorkloadFields = [
    "job_number", "submit_time", "wait_time", "run_time", "processors", "cpu_time", "used_memory",
    "requested_processors", "requested_time", "requested_memory", "status", "user", "group", "application", "queue",
    "partition", "preceding_job", "think_time",
  ]

  private let bytes: [UInt8]
  private let format: TraceRequest.Format
  private var place = 0
  private(set) var line = 0
  /// Known columns; of JSON lines those asked for, since each row has keys of its own.
  private(set) var columns: [String] = []
  /// The values of the row read last, by column. Of JSON lines a missing key is an empty text.
  private(set) var values: [Substring] = []

  /// - Parameter wanted: columns that will be asked for.
  init(_ bytes: [UInt8], format: TraceRequest.Format, wanted: [String]) throws(TraceProblem) {
    self.bytes = bytes
    self.format = format
    switch format {
    case .swf: columns = Self.standardWorkloadFields
    case .jsonl: columns = wanted
    case .csv:
      guard let header = nextLine() else {
        throw TraceProblem(line: 1, message: "the file is empty; it needs a header")
      }
      columns = try split(header).map { $0.trimmingCharacters(in: .whitespaces) }
      // A byte order mark belongs to no name.
      if let first = columns.first, first.hasPrefix("\u{feff}") { columns[0] = String(first.dropFirst()) }
    }
  }

  /// Reads the next row that is neither blank nor a comment. Returns whether there was one.
  mutating func next() throws(TraceProblem) -> Bool {
    while let text = nextLine() {
      let trimmed = text.drop { $0 == " " || $0 == "\t" }
      if trimmed.isEmpty || format == .swf && trimmed.hasPrefix(";") { continue }
      switch format {
      case .swf:
        values = trimmed.split { $0 == " " || $0 == "\t" }
        guard values.count >= columns.count else {
          throw TraceProblem(
            line: line, message: "\(values.count) columns; a row of the Standard Workload Format has 18")
        }
      case .csv:
        values = try split(text)
        guard values.count == columns.count else {
          throw TraceProblem(line: line, message: "\(values.count) columns; the header has \(columns.count)")
        }
      case .jsonl: try readObject(text)
      }
      return true
    }
    return false
  }

  private mutating func nextLine() -> Substring? {
    guard place < bytes.count else { return nil }
    line += 1
    let start = place
    while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
    var end = place
    place += 1
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return Substring(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// A line of CSV (RFC 4180, one record a line).
  private func split(_ text: Substring) throws(TraceProblem) -> [Substring] {
    guard text.utf8.contains(UInt8(ascii: "\"")) else {
      return text.split(separator: ",", omittingEmptySubsequences: false)
    }
    var fields: [Substring] = []
    var field = ""
    var (quoted, wasQuoted) = (false, false)
    var characters = text.makeIterator()
    var pending: Character?
    while let character = pending ?? characters.next() {
      pending = nil
      if quoted {
        guard character == "\"" else {
          field.append(character)
          continue
        }
        let following = characters.next()
        if following == "\"" { field.append("\"") } else { (quoted, pending) = (false, following) }
      } else if character == "," {
        fields.append(Substring(field))
        (field, wasQuoted) = ("", false)
      } else if character == "\"", field.isEmpty, !wasQuoted {
        (quoted, wasQuoted) = (true, true)
      } else {
        field.append(character)
      }
    }
    if quoted { throw TraceProblem(line: line, message: "a quote is opened and not closed on this line; close it") }
    return fields + [Substring(field)]
  }

  private mutating func readObject(_ text: Substring) throws(TraceProblem) {
    guard let object = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] else {
      throw TraceProblem(line: line, message: "not a JSON object; write one object a line")
    }
    values = columns.map { name in
      switch object[name] {
      case let text as String: Substring(text)
      case let number as NSNumber: Substring(number.stringValue)
      default: ""
      }
    }
  }
}
