import TailraceSpelling

/// The rows of delimited text (RFC 4180): quoted values may hold separators, doubled quotes and line breaks; blanks
/// around values do not count; blank lines are no rows.
package struct DelimitedRows: Sendable {
  private let bytes: [UInt8]
  private let separator: UInt8
  private let end: UInt8
  private var place = 0
  /// Lines read so far.
  private var lines = 0
  /// Where the row read last begins.
  package private(set) var line = 0
  /// The row read last.
  package private(set) var row: TextRow

  private static let quote = UInt8(ascii: "\"")

  package init(_ bytes: [UInt8], separator: UInt8 = UInt8(ascii: ",")) {
    self.bytes = bytes
    self.separator = separator
    end = TextLines.end(of: bytes)
    row = TextRow(bytes)
  }

  /// Reads the next row. Returns whether there was one.
  ///
  /// - Throws: ``TextProblem`` for a row that is no such row; the next one begins on the line after.
  package mutating func next() throws(TextProblem) -> Bool {
    skipBlankLines()
    guard place < bytes.count else { return false }
    line = lines + 1
    row.clear()
    let start = place
    do {
      while try readField() {}
    } catch {
      // What an open quote swallowed may hold good rows.
      place = start
      lines = line - 1
      skipLine()
      throw error
    }
    return true
  }

  private mutating func skipLine() {
    while place < bytes.count, bytes[place] != end { place += 1 }
    place += 1
    lines += 1
  }

  private mutating func skipBlankLines() {
    while place < bytes.count {
      var next = place
      while next < bytes.count, bytes[next] != end, isBlank(bytes[next]) { next += 1 }
      guard next < bytes.count, bytes[next] == end else {
        if next >= bytes.count { place = next }
        return
      }
      place = next + 1
      lines += 1
    }
  }

  @inline(__always)
  private func isBlank(_ byte: UInt8) -> Bool { TextLines.isBlank(byte) && byte != separator && byte != end }

  /// Reads one value and what ends it. Returns whether another follows in the row.
  private mutating func readField() throws(TextProblem) -> Bool {
    while place < bytes.count, isBlank(bytes[place]) { place += 1 }
    if place < bytes.count, bytes[place] == Self.quote {
      try readQuoted()
    } else {
      let start = place
      while place < bytes.count, bytes[place] != separator, bytes[place] != end { place += 1 }
      var stop = place
      while stop > start, isBlank(bytes[stop - 1]) { stop -= 1 }
      row.fields.append(TextRow.Field(start: start, count: stop - start))
    }
    guard place < bytes.count else { return false }
    place += 1
    if bytes[place - 1] == separator { return true }
    lines += 1
    return false
  }

  private mutating func readQuoted() throws(TextProblem) {
    place += 1
    let start = place
    let own = row.own.count
    // Bytes since here are not yet copied; nothing is, while no quote is doubled.
    var copied = start
    while place < bytes.count {
      let byte = bytes[place]
      if byte == Self.quote {
        guard place + 1 < bytes.count, bytes[place + 1] == Self.quote else { break }
        row.own.append(contentsOf: bytes[copied...place])
        copied = place + 2
        place += 1
      } else if byte == end {
        lines += 1
      }
      place += 1
    }
    guard place < bytes.count else {
      throw TextProblem(line: line, message: "a quote is opened in this row and never closed; close it")
    }
    if copied == start {
      row.fields.append(TextRow.Field(start: start, count: place - start))
    } else {
      row.own.append(contentsOf: bytes[copied..<place])
      row.fields.append(TextRow.Field(start: own, count: row.own.count - own, isOwn: true))
    }
    place += 1
    while place < bytes.count, isBlank(bytes[place]) { place += 1 }
    guard place >= bytes.count || bytes[place] == separator || bytes[place] == end else {
      let rest = VisibleText.quoted(bytes: bytes[place...].prefix(80).prefix { $0 != end }, length: 20)
      throw TextProblem(
        line: lines + 1,
        message: "'\(rest)' follows the quote that ends value \(row.count); double a quote that is part of the value, "
          + "or write the separator '\(Character(Unicode.Scalar(separator)))' after it")
    }
  }
}
