import Glibc

/// A file with log rotation: when full, `log` is renamed to `log.1`, `log.1` to `log.2`, and so on, up to the number of
/// files to keep. Used by one thread.
struct EvidenceFile: ~Copyable {
  private let path: String
  private let limit: Int
  private let kept: Int
  private var descriptor: Int32 = -1
  private(set) var size = 0
  /// Whether a failed write left an incomplete line at the end.
  private var endsWithinLine = false

  /// Opens or creates the file.
  init(path: String, limit: Int, kept: Int) throws(EvidenceLogError) {
    (self.path, self.limit, self.kept) = (path, limit, kept)
    if let error = reopen() { throw EvidenceLogError.cannotOpen(path: path, reason: error) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private mutating func reopen() -> String? {
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return Self.reason() }
    size = max(0, Int(lseek(descriptor, 0, SEEK_END)))
    return nil
  }

  private static func reason() -> String { String(cString: strerror(errno)) }

  /// Whether `bytes` fit after `others` pending bytes. An empty file accepts any size.
  func hasRoom(for bytes: Int, after others: Int = 0) -> Bool {
    size + others == 0 || size + others + bytes <= limit
  }

  /// Rotates the file. Returns an error description, or nil.
  mutating func rotate() -> String? {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    for number in stride(from: kept - 1, to: 0, by: -1) {
      let older = number == 1 ? path : "\(path).\(number - 1)"
      if rename(older, "\(path).\(number)") != 0, errno != ENOENT { return Self.reason() }
    }
    // If only one file is kept, it is truncated.
    if kept == 1, unlink(path) != 0, errno != ENOENT { return Self.reason() }
    endsWithinLine = false
    return reopen()
  }

  /// Writes whole lines. Returns an error description, or nil.
  mutating func write(_ lines: [UInt8]) -> String? {
    if descriptor < 0, let error = reopen() { return error }
    if endsWithinLine {
      guard unsafe(write: [0x0A]) == nil else { return Self.reason() }
      endsWithinLine = false
    }
    return unsafe(write: lines)
  }

  private mutating func unsafe(write bytes: [UInt8]) -> String? {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          let reason = Self.reason()
          endsWithinLine = done > 0
          return reason
        }
        done += count
        size += count
      }
      return nil
    }
  }

  /// Flushes the file to disk.
  func synchronize() { if descriptor >= 0 { fsync(descriptor) } }
}
