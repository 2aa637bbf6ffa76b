import Foundation
import Synchronization
import TailraceSpelling

/// One of the two streams that a command writes to.
struct Terminal: Sendable {
  private let descriptor: Int32
  /// Whether it is a terminal rather than a file or a pipe.
  let isTerminal: Bool
  /// Whether it is a terminal that supports escape sequences.
  let isInteractive: Bool
  /// Whether to use colors: only on a terminal that supports them, and only if `NO_COLOR` is not set (no-color.org).
  let hasColor: Bool

  static let output = Terminal(descriptor: STDOUT_FILENO)
  static let error = Terminal(descriptor: STDERR_FILENO)

  private init(descriptor: Int32) {
    self.descriptor = descriptor
    let environment = ProcessInfo.processInfo.environment
    let isCapable = environment["TERM"].map { $0 != "dumb" } ?? false
    isTerminal = isatty(descriptor) == 1
    isInteractive = isTerminal && isCapable
    hasColor = isInteractive && environment["NO_COLOR"].map(\.isEmpty) ?? true
  }

  /// Writes text that may contain untrusted parts. Control and invisible characters are shown as escapes. Only
  /// ``styled(_:_:)`` can add escape sequences.
  func write(_ text: String) { draw(Self.shown(text)) }

  /// Writes text unchanged, including sequences that move the cursor. Untrusted parts must already have passed
  /// ``VisibleText``.
  func draw(_ text: String) { write(Array(text.utf8)) }

  /// The text to write: untrusted parts escaped, styles as escape sequences.
  static func shown(_ text: String) -> String {
    text.split(separator: styleMark, omittingEmptySubsequences: false).map { VisibleText.lines(String($0)) }
      .joined(separator: "\u{1B}")
  }

  /// Placeholder for a style's ESC until the text is written. It is random in each process, so untrusted text cannot
  /// contain it.
  private static let styleMark = String(
    String.UnicodeScalarView((0..<6).map { _ in Unicode.Scalar(UInt32.random(in: 0xF0000...0xFFFF0))! }))

  /// Writes JSON and a line break. Invisible characters occur only in strings and are written as JSON escapes.
  func write(json bytes: some Sequence<UInt8>) {
    var text = ""
    for scalar in String(decoding: Array(bytes), as: UTF8.self).unicodeScalars {
      guard scalar != "\n", VisibleText.isHidden(scalar) else {
        text.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 { text += "\\u" + String(0x10000 + Int(unit), radix: 16).dropFirst() }
    }
    draw(text + "\n")
  }

  /// Writes everything, unbuffered. After a write fails, nothing more is written; see ``failure``.
  func write(_ bytes: [UInt8]) {
    guard failure == 0 else { return }
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let written = Foundation.write(descriptor, rest.base + rest.startIndex, rest.count)
        if written < 0, errno == EINTR { continue }
        if written < 0, errno == EAGAIN {
          var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&wait, 1, 1_000)
          continue
        }
        guard written > 0 else { return recordFailure(written < 0 ? errno : EIO) }
        rest = rest.dropFirst(written)
      }
    }
  }

  // MARK: - What was lost

  private static let outputFailure = Atomic<Int32>(0)
  private static let errorFailure = Atomic<Int32>(0)

  /// The `errno` of the first failed write; 0: none failed.
  var failure: Int32 {
    descriptor == STDOUT_FILENO
      ? Self.outputFailure.load(ordering: .relaxed) : Self.errorFailure.load(ordering: .relaxed)
  }

  private func recordFailure(_ code: Int32) {
    if descriptor == STDOUT_FILENO {
      Self.outputFailure.store(code, ordering: .relaxed)
    } else {
      Self.errorFailure.store(code, ordering: .relaxed)
    }
  }

  /// Closes the stream. Some file systems report only then that the disk is full.
  func finish() {
    guard failure == 0, close(descriptor) != 0, errno != EINTR, errno != EBADF else { return }
    recordFailure(errno)
  }

  /// Call this before anything else. SIGPIPE and SIGXFSZ then do not end the program before its report is written, and
  /// no file that is opened later can take the descriptor of a closed standard stream.
  static func prepare() {
    // An empty handler rather than SIG_IGN, which child processes would inherit.
    for number in [SIGPIPE, SIGXFSZ] { signal(number) { _ in } }
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // `open` returns the lowest free descriptor, which is this one. The mode makes writes to it fail.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Columns; 80 if unknown.
  var width: Int { size.width }

  /// Columns and lines; 80 and 24 if unknown.
  var size: FrameSize {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return FrameSize(width: 80, height: 24) }
    return FrameSize(
      width: size.ws_col > 0 ? Int(size.ws_col) : 80, height: size.ws_row > 0 ? Int(size.ws_row) : 24)
  }

  /// The character set of the terminal, according to the locale.
  var glyphs: Glyphs {
    let environment = ProcessInfo.processInfo.environment
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    return locale.lowercased().replacing("-", with: "").contains("utf8") ? .unicode : .ascii
  }

  /// A text style.
  enum Style: String {
    case bold = "1"
    case green = "32"
    case red = "31"
    case yellow = "33"
    case dim = "2"
    case cyan = "36"
  }

  /// The text in a style, if colors are used.
  func styled(_ text: String, _ style: Style) -> String {
    hasColor ? "\(Self.styleMark)[\(style.rawValue)m\(text)\(Self.styleMark)[0m" : text
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate var base: UnsafeRawPointer { base.baseAddress! }
}

extension String {
  /// Padded with spaces on the right.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
  /// Padded with spaces on the left.
  func indented(to width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}
