import TailraceSpelling

/// The values of one row, as ranges of its file's bytes.
package struct TextRow: Sendable {
  /// Where a value is: in the file or, where it had to be unquoted, among the row's own bytes.
  package struct Field: Sendable {
    var start: Int
    var count: Int
    var isOwn = false

    package init(start: Int, count: Int, isOwn: Bool = false) {
      self.start = start
      self.count = count
      self.isOwn = isOwn
    }
  }

  package let bytes: [UInt8]
  /// Values that do not stand in the file as they are meant.
  var own: [UInt8] = []
  package var fields: [Field] = []

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var count: Int { fields.count }

  package mutating func clear() {
    own.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
  }

  package func isEmpty(_ place: Int) -> Bool { fields[place].count == 0 }

  /// Whether the row may be a remark among rows of values.
  package var isRemark: Bool { !fields.isEmpty && withBytes(0) { $0.first == UInt8(ascii: "#") } }

  /// A value's bytes, which are valid within `body` only.
  @inline(__always)
  package func withBytes<Result, Failure: Error>(
    _ place: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let field = fields[place]
    let source = field.isOwn ? own : bytes
    return try source.withUnsafeBufferPointer { buffer throws(Failure) in
      try body(UnsafeBufferPointer(rebasing: buffer[field.start..<field.start + field.count]))
    }
  }

  /// A value as a message may quote it.
  package func shown(_ place: Int) -> String {
    withBytes(place) { VisibleText.quoted(bytes: $0) }
  }

  /// Where in its line a value begins, from 1; 0: it does not stand in the file as it is meant.
  package func column(_ place: Int) -> Int {
    fields[place].isOwn ? 0 : TextLines.column(of: fields[place].start, in: bytes)
  }

  /// A value as text; nil: it is not UTF-8.
  package func text(_ place: Int) -> String? {
    withBytes(place) { bytes in
      bytes.allSatisfy { $0 < 0x80 }
        ? String(decoding: bytes, as: UTF8.self) : String(validating: bytes, as: UTF8.self)
    }
  }

  /// A value as text, of which is said what is wrong when it is not UTF-8.
  package func text(_ place: Int, column: String, line: Int) throws(TextProblem) -> String {
    if let text = text(place) { return text }
    throw TextProblem(
      line: line, column: self.column(place),
      message: "\(column) is '\(shown(place))', which is not UTF-8; convert the file, such as with "
        + "iconv -f ISO-8859-1 -t UTF-8 FILE > NEW")
  }
}
