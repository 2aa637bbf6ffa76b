import TailraceSpelling
import TailraceText

/// The rows of a trace file in any format.
struct TraceRows {
  /// Names of the fields of the Standard Workload Format 2.2, in their order.
  /// Source: Parallel Workloads Archive, *The Standard Workload Format*.
  static let standardWorkloadFields = [
    "job_number", "submit_time", "wait_time", "run_time", "processors", "cpu_time", "used_memory",
    "requested_processors", "requested_time", "requested_memory", "status", "user", "group", "application", "queue",
    "partition", "preceding_job", "think_time",
  ]
  /// Allowed separators, the most common first.
  private static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]

  /// Column names; for JSON only the requested ones, since each object has its own keys. Empty: the file has no header.
  private(set) var columns: [String] = []
  /// The number of values per row.
  private(set) var width = 0
  /// A decimal separator in addition to `.`: a comma if `;` separates values.
  private(set) var point = UInt8(ascii: ".")
  private var lines: TextLines
  private var split: TextRow
  private var delimited: DelimitedRows?
  private var json: JSONRows?

  /// - Parameter wanted: columns that will be read.
  init(_ bytes: [UInt8], format: TraceRequest.Format, wanted: [String]) throws(TextProblem) {
    lines = TextLines(bytes)
    split = TextRow(bytes)
    switch format {
    case .swf:
      columns = Self.standardWorkloadFields
      width = columns.count
    case .jsonl:
      columns = wanted
      width = wanted.count
      json = JSONRows(bytes, wanted: wanted)
    case .csv: try begin(bytes, wanted)
    }
  }

  /// Detects the separator and reads the header.
  private mutating func begin(_ bytes: [UInt8], _ wanted: [String]) throws(TextProblem) {
    // The `sep=` line of spreadsheets.
    var candidates = Self.separators
    var skipped = 0
    let first = lines.next().map { bytes[$0] } ?? []
    if first.count == 5, first.starts(with: "sep=".utf8) || first.starts(with: "SEP=".utf8) {
      (candidates, skipped) = ([first.last!], 1)
    }
    let places = wanted.compactMap { Int($0) }
    let isByPlace = places.count == wanted.count
    var best: (rows: DelimitedRows, names: [String], score: Int)?
    var problem: TextProblem?
    for separator in candidates {
      var rows = DelimitedRows(bytes, separator: separator)
      do {
        for _ in 0..<skipped { _ = try rows.next() }
        var start = rows
        guard try rows.next() else { continue }
        // Comments before the header. A header that begins with '#' has as many names as a row has values.
        var ahead = rows
        while ahead.row.isRemark {
          let before = ahead
          guard try ahead.next() else { break }
          if ahead.row.isRemark || ahead.row.count != before.row.count { (start, rows) = (before, ahead) }
        }
        let names = (0..<rows.row.count).map { rows.row.text($0) ?? rows.row.shown($0) }.map {
          $0.hasPrefix("#") ? Self.uncommented($0) : $0
        }
        let isFit = isByPlace ? (places.max() ?? 1) <= names.count : wanted.allSatisfy { names.contains($0) }
        let score = names.count + (isFit ? 1_000_000 : 0)
        guard score > best?.score ?? 0 else { continue }
        best = (isByPlace ? start : rows, names, score)
        point = separator == UInt8(ascii: ";") ? UInt8(ascii: ",") : UInt8(ascii: ".")
      } catch {
        problem = problem ?? error
      }
    }
    guard let best else { throw problem ?? TextProblem(line: 1, message: "the file is empty; it needs a row") }
    delimited = best.rows
    columns = isByPlace ? [] : best.names
    width = best.names.count
  }

  private static func uncommented(_ name: String) -> String { String(name.drop { $0 == "#" || $0 == " " }) }

  /// The line number of the current row.
  var line: Int { json?.line ?? delimited?.line ?? lines.line }
  /// The current row.
  var row: TextRow { json?.row ?? delimited?.row ?? split }
  /// For JSON: the wanted paths that no object has, and the paths of the first object.
  var absent: (names: [String], known: [String]) { json?.absent ?? ([], []) }

  /// Reads the next row that is neither blank nor a comment. Returns false at the end.
  mutating func next() throws(TextProblem) -> Bool {
    if json != nil { return try json!.next() }
    guard delimited != nil else { return try nextLine() }
    guard try delimited!.next() else { return false }
    while delimited!.row.count != width, delimited!.row.isRemark {
      guard try delimited!.next() else { return false }
    }
    let count = delimited!.row.count
    // Spreadsheets may add separators after the last value.
    guard count == width || count > width && (width..<count).allSatisfy({ delimited!.row.isEmpty($0) }) else {
      let whole = columns.isEmpty ? "the first row" : "the header"
      throw TextProblem(line: line, message: "\(count) columns; \(whole) has \(width)")
    }
    return true
  }

  /// Reads a row of the Standard Workload Format: numbers separated by blanks.
  private mutating func nextLine() throws(TextProblem) -> Bool {
    while let range = lines.next() {
      if range.isEmpty || split.bytes[range.lowerBound] == UInt8(ascii: ";") { continue }
      split.clear()
      var place = range.lowerBound
      while place < range.upperBound {
        let start = place
        while place < range.upperBound, !TextLines.isBlank(split.bytes[place]) { place += 1 }
        split.fields.append(TextRow.Field(start: start, count: place - start))
        while place < range.upperBound, TextLines.isBlank(split.bytes[place]) { place += 1 }
      }
      guard split.count >= width else {
        throw TextProblem(
          line: lines.line, message: "\(split.count) columns; a row of the Standard Workload Format has 18")
      }
      return true
    }
    return false
  }
}
