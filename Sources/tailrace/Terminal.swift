import Foundation

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

  /// Writes all of it, unbuffered. What cannot be written is given up: the reader has gone.
  func write(_ text: String) { write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let written = Foundation.write(descriptor, rest.base + rest.startIndex, rest.count)
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { return }
        rest = rest.dropFirst(written)
      }
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
    hasColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
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
