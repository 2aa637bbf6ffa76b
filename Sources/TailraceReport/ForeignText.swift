import Foundation
import TailraceSpelling

/// Text that others wrote, in documents that have marks of their own.
///
/// No text of a result is trusted: it comes from a scenario, a driver, a log or a stored file. Before a
/// page is made of a result, each character of its texts that could be taken for a mark is replaced by one that stands
/// for it and that no text can hold (see ``VisibleText``). So all marks that a page then has are its own, whatever it
/// puts together; where the page is written, each character comes back as the document's language shows it.
enum ForeignText {
  /// Of the characters that stand for others: this plus the code of the other. They are of a private use area.
  private static let base: UInt32 = 0x10FF00

  /// A result whose texts have no marks, and nothing that cannot be seen.
  ///
  /// - Throws: ``ReportProblem`` where the result cannot be read again as it is written.
  static func unmarked<Value: Codable>(_ value: Value) throws(ReportProblem) -> Value {
    try rewritten(value) { withoutMarks($0) }
  }

  /// The text as it was written.
  static func plain(_ text: String) -> String {
    // The first byte of every such character.
    guard text.utf8.contains(0xf4) else { return text }
    var plain = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { plain.append(original(scalar) ?? scalar) }
    return String(plain)
  }

  /// What a character stands for; nil: itself.
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
      let reason = (error as? DecodingError)?.words ?? "a value has no form in JSON"
      throw ReportProblem("the result cannot be shown: \(reason)")
    }
  }

  /// One line, in which nothing can be taken for a mark of Markdown.
  static func withoutMarks(_ text: String) -> String {
    // Marks of a page must touch the words between them.
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let scalars = Array(VisibleText.line(trimmed).unicodeScalars)
    var shown = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
      let before = index > 0 ? scalars[index - 1] : nil
      let after = index + 1 < scalars.count ? scalars[index + 1] : nil
      let isMark =
        switch scalar {
        case "*", "`", "[", "]", "~", "|", "\\": true
        // Within a word it is none.
        case "_": !(before.map(isWord) ?? false) || !(after.map(isWord) ?? false)
        case "<": after.map { isWord($0) || "/!?".unicodeScalars.contains($0) } ?? false
        // A name of a character, somebody who would be told, and an issue that would be linked.
        case "&": after.map { isWord($0) || $0 == "#" } ?? false
        case "@": after.map(isWord) ?? false
        case "#": after.map { ("0"..."9").contains($0) } ?? false
        // Addresses would become links.
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

  /// Words with a page's own marks, as Markdown: what stands for a mark becomes an escape.
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
      // A remark between the two: nobody is told, and nothing is linked.
      case "@": text += "@<!-- -->"
      case "#": text += "#<!-- -->"
      case let mark?: text += "\\\(mark)"
      }
    }
    return text
  }

  /// Code between backticks, or in an element where it holds what these cannot.
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

  /// A line that begins no heading, list, quotation or rule.
  static func asParagraph(_ line: String) -> String {
    guard let first = line.unicodeScalars.first else { return line }
    if "#+-=>".unicodeScalars.contains(first) { return "\\" + line }
    let digits = line.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, let mark = line.dropFirst(digits.count).first, mark == "." || mark == ")" else {
      return line
    }
    // A number such as 1.5 begins none.
    let next = line.dropFirst(digits.count + 1).first
    return next.map { $0 == " " } ?? true ? "\(digits)\\\(line.dropFirst(digits.count))" : line
  }
}
