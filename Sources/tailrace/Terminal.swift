import Foundation
import Synchronization
import TailraceSpelling

/// One of the two streams that a command writes to.
struct Terminal: Sendable {
  private let descriptor: Int32
  /// Whether it is a terminal at all, rather than a file or a pipe.
  let isTerminal: Bool
  /// Whether it is a terminal that knows escape sequences.
  let isInteractive: Bool
  /// Whether colours are wanted: only on a terminal that knows them, and not with `NO_COLOR` set (no-color.org).
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

  /// Writes lines of text, in which others may have had their say: of what would move the cursor or cannot be seen an
  /// escape is shown. Only ``styled(_:_:)`` puts sequences of the terminal into it.
  func write(_ text: String) { draw(Self.shown(text)) }

  /// Writes text as it is, for what moves the cursor; what others wrote has gone through ``VisibleText`` before.
  func draw(_ text: String) { write(Array(text.utf8)) }

  /// What is written for a text: escapes for what others put into it, sequences of the terminal for styles.
  static func shown(_ text: String) -> String {
    text.split(separator: styleMark, omittingEmptySubsequences: false).map { VisibleText.lines(String($0)) }
      .joined(separator: "\u{1B}")
  }

  /// Stands for the ESC of a style until the text is written. It is drawn anew by each process, so that no text that
  /// others wrote can hold it.
  private static let styleMark = String(
    String.UnicodeScalarView((0..<6).map { _ in Unicode.Scalar(UInt32.random(in: 0xF0000...0xFFFF0))! }))

  /// Writes JSON, and ends the line. What cannot be seen stands in texts alone, as an escape of JSON that readers turn
  /// back.
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

  /// Writes all of it, unbuffered. Once something could not be written nothing more is; ``failure`` says so.
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
        guard written > 0 else { return note(written < 0 ? errno : EIO) }
        rest = rest.dropFirst(written)
      }
    }
  }

  // MARK: - What was lost

  private static let outputFailure = Atomic<Int32>(0)
  private static let errorFailure = Atomic<Int32>(0)

  /// Why something could not be written, as `errno` has it; 0: all was.
  var failure: Int32 {
    descriptor == STDOUT_FILENO
      ? Self.outputFailure.load(ordering: .relaxed) : Self.errorFailure.load(ordering: .relaxed)
  }

  private func note(_ code: Int32) {
    if descriptor == STDOUT_FILENO {
      Self.outputFailure.store(code, ordering: .relaxed)
    } else {
      Self.errorFailure.store(code, ordering: .relaxed)
    }
  }

  /// Closes the stream: some file systems tell only then that there was no room.
  func finish() {
    guard failure == 0, close(descriptor) != 0, errno != EINTR, errno != EBADF else { return }
    note(errno)
  }

  /// Before anything else: a reader that goes away, or a file that grows beyond its limit, must not end the program
  /// before its report is written; and no file may take the place of a stream that is closed.
  static func prepare() {
    // A handler that does nothing, rather than SIG_IGN, which programs started from here would inherit.
    for number in [SIGPIPE, SIGXFSZ] { signal(number) { _ in } }
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest that is free, which is this one; of the kind that what is written to it fails.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Columns, 80 where they are unknown.
  var width: Int { size.width }

  /// Columns and lines, 80 and 24 where they are unknown.
  var size: FrameSize {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return FrameSize(width: 80, height: 24) }
    return FrameSize(
      width: size.ws_col > 0 ? Int(size.ws_col) : 80, height: size.ws_row > 0 ? Int(size.ws_row) : 24)
  }

  /// The characters that the locale says the terminal knows.
  var glyphs: Glyphs {
    let environment = ProcessInfo.processInfo.environment
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    return locale.lowercased().replacing("-", with: "").contains("utf8") ? .unicode : .ascii
  }

  /// How a word stands out.
  enum Style: String {
    case bold = "1"
    case green = "32"
    case red = "31"
    case yellow = "33"
    case dim = "2"
    case cyan = "36"
  }

  /// The text in a style, where colours are wanted.
  func styled(_ text: String, _ style: Style) -> String {
    hasColor ? "\(Self.styleMark)[\(style.rawValue)m\(text)\(Self.styleMark)[0m" : text
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate var base: UnsafeRawPointer { base.baseAddress! }
}

extension String {
  /// Filled up with blanks on the right.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
  /// Filled up with blanks on the left.
  func indented(to width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}
