import CZlib
import Foundation
import TailraceSpelling

/// What is wrong with a text file, and what would be accepted.
package struct TextProblem: Error, Sendable, Hashable {
  /// From 1; 0: the file as a whole, and nothing of what it holds is in the message.
  package var line: Int
  /// From 1; 0: the line as a whole.
  package var column: Int
  package var message: String
  package init(line: Int, column: Int = 0, message: Message) {
    self.line = line
    self.column = column
    self.message = message.text
  }
}

/// A file as text: the one way in which files of others are read, whatever program wrote them.
///
/// Gzipped files are recognized by their first bytes, whatever their name. A byte order mark is removed.
package struct TextFile: Sendable {
  /// Unpacked, without a byte order mark. Not checked to be UTF-8: values are, where they are used.
  package var bytes: [UInt8]
  /// What a reader should know although the file could be read.
  package var remarks: [String] = []

  /// Reads a file, and no more of it than the limit says, unpacked.
  package static func read(
    _ path: String, _ limit: ReadLimit, _ kind: InputFile.Kind = .any
  ) throws(TextProblem) -> TextFile {
    var text = BoundedText(limit)
    var unpacker: Unpacker?
    do {
      var stream = try InputStream(path, limit, kind)
      var isFirst = true
      while let piece = try stream.next() {
        if isFirst, piece.starts(with: [0x1f, 0x8b]) { unpacker = try Unpacker() }
        if isFirst, unpacker == nil { text.expect(stream.size) }
        isFirst = false
        if unpacker != nil { try unpacker!.take(piece, into: &text) } else { try text.append(piece) }
      }
    } catch let problem as TextProblem {
      throw problem
    } catch let problem as InputProblem {
      throw TextProblem(line: 0, message: Message(problem.words))
    } catch {
      throw TextProblem(line: 0, message: "the file cannot be read; name a readable file")
    }
    var remarks: [String] = []
    if let unpacker { remarks = try unpacker.finish(text) }
    return TextFile(bytes: try plain(text.bytes), remarks: remarks)
  }

  /// Formats that are no text, by their first bytes.
  private static let strangers: [(start: [UInt8], name: String)] = [
    ([0x50, 0x4b, 0x03, 0x04], "a zip archive"), ([0x28, 0xb5, 0x2f, 0xfd], "packed with zstd"),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "packed with xz"), ([0x42, 0x5a, 0x68], "packed with bzip2"),
    ([0x50, 0x41, 0x52, 0x31], "a Parquet file"), ([0x04, 0x22, 0x4d, 0x18], "packed with lz4"),
  ]

  /// Text without its byte order mark.
  ///
  /// - Throws: ``TextProblem`` for text that is not in a superset of ASCII, and for other formats.
  package static func plain(_ bytes: [UInt8]) throws(TextProblem) -> [UInt8] {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return Array(bytes.dropFirst(3)) }
    if let (_, name) = strangers.first(where: { bytes.starts(with: $0.start) }) {
      throw TextProblem(line: 0, message: "the file is \(name); unpack it to text, which may then be gzipped")
    }
    let isWide = bytes.starts(with: [0xff, 0xfe, 0, 0]) || bytes.starts(with: [0, 0, 0xfe, 0xff])
    let head = bytes.prefix(64)
    // ASCII in UTF-16 has a zero in every second byte.
    let zeros = head.count { $0 == 0 }
    if isWide || bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) || zeros * 3 > head.count {
      let name = isWide ? "UTF-32" : "UTF-16"
      throw TextProblem(
        line: 0,
        message: "the text is \(name); save it as UTF-8, such as with iconv -f \(name) -t UTF-8 FILE > NEW")
    }
    return bytes
  }
}

/// Text that grows up to a limit, of the whole and of each line.
private struct BoundedText {
  private(set) var bytes: [UInt8] = []
  private let limit: ReadLimit
  /// Where the last line begins, as far as it is known.
  private var lineStart = 0

  init(_ limit: ReadLimit) { self.limit = limit }

  mutating func expect(_ count: Int) { bytes.reserveCapacity(min(count, limit.bytes)) }

  mutating func append(_ piece: some RandomAccessCollection<UInt8>) throws(TextProblem) {
    guard bytes.count + piece.count <= limit.bytes else {
      throw TextProblem(line: 0, message: Message(InputProblem.tooLarge(limit).words))
    }
    let start = bytes.count
    bytes.append(contentsOf: piece)
    guard let longest = limit.line else { return }
    let (first, last) = bytes.withUnsafeBytes { Self.lineEnds(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    if start + (first ?? piece.count) - lineStart > longest {
      throw TextProblem(
        line: bytes[..<lineStart].count { $0 == UInt8(ascii: "\n") } + 1,
        message: "the line is longer than \(ReadLimit.words(longest)); write one row a line")
    }
    if let last { lineStart = start + last + 1 }
  }

  /// Where the first and the last line end; nil: no line does.
  private static func lineEnds(_ piece: UnsafeRawBufferPointer) -> (first: Int?, last: Int?) {
    guard let base = piece.baseAddress else { return (nil, nil) }
    for end in [UInt8(ascii: "\n"), UInt8(ascii: "\r")] {
      guard let first = memchr(base, Int32(end), piece.count) else { continue }
      var last = piece.count - 1
      while piece[last] != end { last -= 1 }
      return (base.distance(to: first), last)
    }
    return (nil, nil)
  }
}

/// Unpacks all members of a gzip file, as gzip(1) does: zeros after the last are padding, and other bytes there are
/// remarked on and ignored.
private struct Unpacker {
  private final class Stream {
    var zlib = z_stream()
    let piece = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    static let size = 1 << 18

    deinit {
      inflateEnd(&zlib)
      piece.deallocate()
    }
  }

  private enum State { case inMember, between, after }
  private let stream = Stream()
  private var state = State.inMember
  /// Of what follows a member, as long as it may be the beginning of another.
  private var head: [UInt8] = []
  private var ignored = 0
  private var hasIgnored = false

  init() throws(TextProblem) {
    guard czlib_inflate_init_gzip(&stream.zlib) == Z_OK else {
      throw TextProblem(line: 0, message: "cannot begin to unpack the file; free some memory")
    }
  }

  mutating func take(_ piece: ArraySlice<UInt8>, into text: inout BoundedText) throws(TextProblem) {
    var rest = piece
    while !rest.isEmpty {
      switch state {
      case .inMember: rest = try unpack(rest, into: &text)
      case .between:
        head.append(rest.removeFirst())
        if head == [0x1f] { continue }
        guard head == [0x1f, 0x8b] else {
          state = .after
          ignore(head[...])
          continue
        }
        inflateReset(&stream.zlib)
        state = .inMember
        _ = try unpack(head[...], into: &text)
        head = []
      case .after:
        ignore(rest)
        return
      }
    }
  }

  private mutating func ignore(_ bytes: ArraySlice<UInt8>) {
    ignored += bytes.count
    hasIgnored = hasIgnored || bytes.contains { $0 != 0 }
  }

  /// Returns what follows the member, if it ends here.
  private mutating func unpack(
    _ packed: ArraySlice<UInt8>, into text: inout BoundedText
  ) throws(TextProblem) -> ArraySlice<UInt8> {
    let room = stream.piece
    return try packed.withUnsafeBufferPointer { input throws(TextProblem) in
      stream.zlib.next_in = UnsafeMutablePointer(mutating: input.baseAddress!)
      stream.zlib.avail_in = UInt32(input.count)
      while true {
        stream.zlib.next_out = room
        stream.zlib.avail_out = UInt32(Stream.size)
        let status = inflate(&stream.zlib, Z_NO_FLUSH)
        let count = Stream.size - Int(stream.zlib.avail_out)
        try text.append(UnsafeBufferPointer(start: room, count: count))
        if status == Z_STREAM_END {
          state = .between
          return packed.suffix(Int(stream.zlib.avail_in))
        }
        guard status == Z_OK || status == Z_BUF_ERROR else {
          throw Self.problem(text, "the gzipped data is damaged here; get the file again")
        }
        // All of the input is taken, and nothing waits for room.
        if stream.zlib.avail_in == 0, count < Stream.size { return packed.suffix(0) }
      }
    }
  }

  /// At the end of the file.
  ///
  /// - Returns: what a reader should know.
  func finish(_ text: BoundedText) throws(TextProblem) -> [String] {
    if case .inMember = state {
      throw Self.problem(
        text, "the gzipped file ends here, in the middle of its data; it was cut off, so get it again")
    }
    let unknown = state == .between ? head.count : 0
    guard hasIgnored || unknown > 0 else { return [] }
    return ["\(ignored + unknown) bytes after the gzipped data are no gzipped data and were ignored"]
  }

  private static func problem(_ text: BoundedText, _ message: Message) -> TextProblem {
    TextProblem(line: text.bytes.count { $0 == UInt8(ascii: "\n") } + 1, message: message)
  }
}
