/// The lines of a text, as places in its bytes.
///
/// Lines end with LF or CR LF. A text without any LF has CR alone at the end of its lines.
package struct TextLines: Sendable {
  private let bytes: [UInt8]
  private let end: UInt8
  private var place = 0
  /// The line read last, from 1.
  package private(set) var line = 0

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    end = Self.end(of: bytes)
  }

  /// The byte that ends lines.
  static func end(of bytes: [UInt8]) -> UInt8 {
    bytes.contains(UInt8(ascii: "\n")) ? UInt8(ascii: "\n") : UInt8(ascii: "\r")
  }

  /// Where the next line is, without what ends it and without blanks at both ends; nil: there is none.
  package mutating func next() -> Range<Int>? {
    guard place < bytes.count else { return nil }
    line += 1
    let start = place
    while place < bytes.count, bytes[place] != end { place += 1 }
    let range = Self.trimmed(start..<place, in: bytes)
    place += 1
    return range
  }

  /// Where a place is in its line, from 1, in characters of UTF-8.
  package static func column(of place: Int, in bytes: [UInt8]) -> Int {
    let line = bytes[..<place].suffix(1 << 16)
    let end = line.lastIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    return line[(end.map { $0 + 1 } ?? line.startIndex)...].count { $0 & 0xc0 != 0x80 } + 1
  }

  /// Without blanks, tabs and carriage returns at both ends.
  static func trimmed(_ range: Range<Int>, in bytes: [UInt8]) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high, isBlank(bytes[low]) { low += 1 }
    while high > low, isBlank(bytes[high - 1]) { high -= 1 }
    return low..<high
  }

  @inline(__always)
  package static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}
