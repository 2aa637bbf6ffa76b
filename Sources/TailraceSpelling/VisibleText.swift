/// Text that others wrote, as people may be shown it: characters that cannot be seen, or that change how the text
/// around them is shown, stand as escapes such as `\u{1b}`.
///
/// Text that is already so stays as it is.
package enum VisibleText {
  /// Characters of quoted input that a message shows at most.
  package static let quotedLength = 40

  /// As one line: line ends and tabs are escapes too.
  package static func line(_ text: String) -> String { shown(text, keepsLines: false) }

  /// As lines: line feeds and tabs are kept.
  package static func lines(_ text: String) -> String { shown(text, keepsLines: true) }

  /// Bytes that should be UTF-8, as one line; those that are not stand as escapes such as `\xff`.
  package static func line(_ bytes: some Sequence<UInt8>) -> String { shown(bytes, keepsLines: false) }

  /// Bytes that should be UTF-8, as lines.
  package static func lines(_ bytes: some Sequence<UInt8>) -> String { shown(bytes, keepsLines: true) }

  /// As a message quotes it: one line, its first characters only, without quotation marks.
  package static func quoted(_ text: String, length: Int = quotedLength) -> String {
    let start = text.prefix(length)
    return line(String(start)) + (start.endIndex == text.endIndex ? "" : "…")
  }

  /// Bytes as a message quotes them.
  package static func quoted(bytes: some Collection<UInt8>, length: Int = quotedLength) -> String {
    let words = line(bytes.prefix(4 * length))
    return words.count > length || bytes.count > 4 * length ? words.prefix(length) + "…" : words
  }

  /// Whether a character cannot be seen, or moves or turns what is around it.
  package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7f { return scalar.value < 0x20 }
    if scalar.value < 0xa0 { return true }
    // The blank of Braille has no dots.
    if scalar.properties.isDefaultIgnorableCodePoint || scalar.value == 0x2800 { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: return true
    default: return false
    }
  }

  private static func shown(_ text: String, keepsLines: Bool) -> String {
    // Most text is plain.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || keepsLines && ($0 == 0x0a || $0 == 0x09) }) { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { append(scalar, keepsLines, to: &shown) }
    return String(shown)
  }

  private static func shown(_ bytes: some Sequence<UInt8>, keepsLines: Bool) -> String {
    var shown = String.UnicodeScalarView()
    var rest = Array(bytes)[...]
    while let first = rest.first {
      var decoder = UTF8()
      var iterator = rest.prefix(4).makeIterator()
      if case .scalarValue(let scalar) = decoder.decode(&iterator) {
        append(scalar, keepsLines, to: &shown)
        rest = rest.dropFirst(UTF8.width(scalar))
      } else {
        shown.append(contentsOf: "\\x\(String(first, radix: 16))".unicodeScalars)
        rest = rest.dropFirst()
      }
    }
    return String(shown)
  }

  private static func append(_ scalar: Unicode.Scalar, _ keepsLines: Bool, to text: inout String.UnicodeScalarView) {
    if keepsLines && (scalar == "\n" || scalar == "\t") || !isHidden(scalar) {
      text.append(scalar)
    } else {
      text.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
    }
  }
}

/// The words of a message. What they quote, which is what stands after a quotation mark, is somebody's input: it is cut
/// to ``VisibleText/quotedLength`` characters, and shown as ``VisibleText`` has it.
package struct Message: Hashable, Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
  /// The words.
  package var text: String
  package var description: String { text }

  /// Words that are composed already.
  package init(_ words: String) { text = words }
  package init(stringLiteral words: String) { text = words }
  package init(stringInterpolation interpolation: StringInterpolation) { text = interpolation.text }

  package static func + (a: Message, b: Message) -> Message { Message(a.text + b.text) }
  /// With words that are composed already.
  @_disfavoredOverload
  package static func + (a: Message, b: String) -> Message { Message(a.text + b) }

  package struct StringInterpolation: StringInterpolationProtocol {
    var text = ""
    package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }
    private var isQuoting = false

    package mutating func appendLiteral(_ words: String) {
      text += words
      if !words.isEmpty { isQuoting = words.last == "'" || words.last == "\"" }
    }
    package mutating func appendInterpolation(_ value: some Any) {
      let words = "\(value)"
      text += isQuoting ? VisibleText.quoted(words) : words
      isQuoting = false
    }
  }
}
