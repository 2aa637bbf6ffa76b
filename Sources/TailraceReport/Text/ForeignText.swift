import Foundation
import TailraceSpelling

/// Untrusted text in documents with markup.
///
/// A result's texts are untrusted: they come from a scenario, a driver, a log or a stored file. Before a page is made,
/// every character that could be markup is replaced by a placeholder that cannot occur in any text (see
/// ``VisibleText``). So all markup in the page is the page's own. When the page is written, each placeholder becomes
/// the original character, escaped for the document's language.
enum ForeignText {
  /// The base of the placeholders, in a private use area: this plus the code of the replaced character.
  private static let base: UInt32 = 0x10FF00

  /// Returns a result whose texts contain no markup and no invisible characters.
  ///
  /// - Throws: ``ReportProblem`` if the result cannot be encoded and decoded.
  static func unmarked<Value: Codable>(_ value: Value) throws(ReportProblem) -> Value {
    try rewritten(value) { withoutMarks($0) }
  }

  /// The original text.
  static func plain(_ text: String) -> String {
    // The first byte of every placeholder.
    guard text.utf8.contains(0xf4) else { return text }
    var plain = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { plain.append(original(scalar) ?? scalar) }
    return String(plain)
  }

  /// The character that a placeholder stands for; nil: it is not a placeholder.
  static func original(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    scalar.value >= base && scalar.value < base + 0x80 ? Unicode.Scalar(scalar.value - base) : nil
  }

  // MARK: - Texts of a result

  private static func rewritten<Value: Codable>(
    _ value: Value, _ rewrite: (String) -> String
  ) throws(ReportProblem) -> Value {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      let text = JSONTexts.rewritten(Array(try encoder.encode(value)), rewrite)
      return try decoder.decode(Value.self, from: Data(text))
    } catch {
      let reason = (error as? DecodingError)?.words ?? "a value cannot be encoded as JSON"
      throw ReportProblem("the result cannot be shown: \(reason)")
    }
  }

  /// One line in which nothing can be read as Markdown.
  static func withoutMarks(_ text: String) -> String {
    // Markup must be adjacent to the text that it encloses.
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let scalars = Array(VisibleText.line(trimmed).unicodeScalars)
    var shown = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
      let before = index > 0 ? scalars[index - 1] : nil
      let after = index + 1 < scalars.count ? scalars[index + 1] : nil
      let isMark =
        switch scalar {
        case "*", "`", "[", "]", "~", "|", "\\": true
        // Inside a word it is not markup.
        case "_": !(before.map(isWord) ?? false) || !(after.map(isWord) ?? false)
        case "<": after.map { isWord($0) || "/!?".unicodeScalars.contains($0) } ?? false
        // Character references, @mentions and #issue links.
        case "&": after.map { isWord($0) || $0 == "#" } ?? false
        case "@": after.map(isWord) ?? false
        case "#": after.map { ("0"..."9").contains($0) } ?? false
        // URLs would become links.
        case ":": scalars[(index + 1)...].starts(with: "//".unicodeScalars)
        case ".": index >= 3 && scalars[(index - 3)..<index].allSatisfy { $0 == "w" || $0 == "W" }
        default: false
        }
      shown.append(isMark ? Unicode.Scalar(base + scalar.value)! : scalar)
    }
    return String(shown)
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || scalar.properties.numericType != nil
  }

  // MARK: - Markdown

  /// Converts text with the page's own markup to Markdown; placeholders become escapes.
  static func markdown(_ words: String) -> String {
    guard words.utf8.contains(0xf4) else { return words }
    let pieces = words.split(separator: "`", omittingEmptySubsequences: false)
    var text = ""
    for (index, piece) in pieces.enumerated() {
      let isCode = index % 2 == 1 && index < pieces.count - 1
      text += isCode ? code(String(piece)) : escaped(piece)
    }
    return text
  }

  private static func escaped(_ piece: Substring) -> String {
    var text = ""
    for scalar in piece.unicodeScalars {
      switch original(scalar) {
      case nil: text.unicodeScalars.append(scalar)
      case "<": text += "&lt;"
      case "&": text += "&amp;"
      case "|": text += "&#124;"
      // An empty comment after the character prevents mentions and links.
      case "@": text += "@<!-- -->"
      case "#": text += "#<!-- -->"
      case let mark?: text += "\\\(mark)"
      }
    }
    return text
  }

  /// Code in backticks, or in an element if it contains characters that backticks cannot enclose.
  private static func code(_ piece: String) -> String {
    let isSimple = !piece.unicodeScalars.contains { "`<|\\".unicodeScalars.contains(original($0) ?? "x") }
    if isSimple { return "`\(plain(piece))`" }
    var text = ""
    for scalar in piece.unicodeScalars {
      let plain = original(scalar) ?? scalar
      let isSafe = !plain.isASCII || isWord(plain) || " .,;=/%+-(){}'\"".unicodeScalars.contains(plain)
      text += isSafe ? String(plain) : "&#\(plain.value);"
    }
    return "<code>\(text)</code>"
  }

  /// Escapes a line so that it does not start a heading, list, quotation or rule.
  static func asParagraph(_ line: String) -> String {
    guard let first = line.unicodeScalars.first else { return line }
    if "#+-=>".unicodeScalars.contains(first) { return "\\" + line }
    let digits = line.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, let mark = line.dropFirst(digits.count).first, mark == "." || mark == ")" else {
      return line
    }
    // A number such as 1.5 does not.
    let next = line.dropFirst(digits.count + 1).first
    return next.map { $0 == " " } ?? true ? "\(digits)\\\(line.dropFirst(digits.count))" : line
  }
}
