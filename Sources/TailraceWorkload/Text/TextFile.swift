import CZlib
import Foundation

/// What is wrong with a text file, and what would be accepted.
package struct TextProblem: Error, Sendable, Hashable {
  /// From 1; 0: the file as a whole.
  package var line: Int
  package var message: String
  package init(line: Int, message: String) {
    self.line = line
    self.message = message
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

  /// Unpacked bytes read at most: a bound against files that unpack without end.
  private static let limit = 8 << 30

  /// Reads a file.
  package static func read(_ path: String) throws(TextProblem) -> TextFile {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw TextProblem(line: 0, message: "the file does not exist; name a readable file")
    }
    if isFolder.boolValue { throw TextProblem(line: 0, message: "this is a folder; name a file in it") }
    // A pipe, such as the shell's <(zcat LOG), has no size and is read to its end.
    if let handle = FileHandle(forReadingAtPath: path), (try? handle.seekToEnd()) == nil {
      return try TextFile(unpacking: [UInt8]((try? handle.readToEnd()) ?? Data()))
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TextProblem(line: 0, message: "the file cannot be read; name a readable file")
    }
    return try TextFile(unpacking: [UInt8](data))
  }

  /// Unpacks the bytes where they are gzipped, and removes a byte order mark.
  package init(unpacking packed: [UInt8]) throws(TextProblem) {
    bytes = []
    if packed.starts(with: [0x1f, 0x8b]) {
      (bytes, remarks) = try Self.unpack(packed)
    } else {
      bytes = packed
    }
    bytes = try Self.plain(bytes)
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

  /// Unpacks all members of a gzip file, as gzip(1) does: zeros after the last are padding, and other bytes there are
  /// remarked on and ignored.
  private static func unpack(_ packed: [UInt8]) throws(TextProblem) -> ([UInt8], [String]) {
    var output: [UInt8] = []
    var remarks: [String] = []
    var stream = z_stream()
    guard czlib_inflate_init_gzip(&stream) == Z_OK else {
      throw TextProblem(line: 0, message: "cannot begin to unpack the file; free some memory")
    }
    defer { inflateEnd(&stream) }
    let piece = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << 18)
    defer { piece.deallocate() }
    try packed.withUnsafeBufferPointer { input throws(TextProblem) in
      var place = 0
      while true {
        // zlib counts its input in 32 bits.
        let given = min(input.count - place, 1 << 30)
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress! + place)
        stream.avail_in = UInt32(given)
        stream.next_out = piece
        stream.avail_out = 1 << 18
        let status = inflate(&stream, Z_NO_FLUSH)
        place += given - Int(stream.avail_in)
        output.append(contentsOf: UnsafeBufferPointer(start: piece, count: 1 << 18 - Int(stream.avail_out)))
        if output.count > limit {
          throw TextProblem(line: 0, message: "the file unpacks to more than 8 GiB; split it")
        }
        if status == Z_STREAM_END {
          let rest = input[place...]
          if rest.starts(with: [0x1f, 0x8b]) {
            inflateReset(&stream)
            continue
          }
          if rest.contains(where: { $0 != 0 }) {
            remarks.append("\(rest.count) bytes after the gzipped data are no gzipped data and were ignored")
          }
          return
        }
        guard status == Z_OK else { throw damage(after: output, isCut: place == input.count) }
      }
    }
    return (output, remarks)
  }

  private static func damage(after output: [UInt8], isCut: Bool) -> TextProblem {
    TextProblem(
      line: output.count { $0 == UInt8(ascii: "\n") } + 1,
      message: isCut
        ? "the gzipped file ends here, in the middle of its data; it was cut off, so get it again"
        : "the gzipped data is damaged here; get the file again")
  }
}

/// The path of a file that another file names: beside that one, unless it is absolute.
package enum FilePlace {
  package static func path(of name: String, beside file: String) -> String {
    if name.hasPrefix("/") { return name }
    guard let slash = file.lastIndex(of: "/") else { return name }
    return file[...slash] + name
  }
}
