import TailraceSpelling

/// Rows of comma-separated values, quoted as RFC 4180 asks; lines end with a line feed.
///
/// A text that a spreadsheet would take for a formula, since it begins with `=`, `+`, `-` or `@` and is no number, has
/// an apostrophe before it. What cannot be seen is an escape, line ends too.
struct CommaSeparated {
  private(set) var text = ""

  init(_ header: String...) { append(header) }

  private static func shown(_ field: String) -> String {
    let field = VisibleText.line(field)
    guard let first = field.first, "=+-@".contains(first), Double(field) == nil else { return field }
    // A comparison, such as ==, is a word of the table's own.
    if field.allSatisfy({ "=+-".contains($0) }) { return field }
    return "'" + field
  }

  mutating func append(_ fields: [String]) {
    for (index, field) in fields.enumerated() {
      if index > 0 { text += "," }
      text += Self.quoted(field)
    }
    text += "\n"
  }

  static func quoted(_ field: String) -> String {
    let field = shown(field)
    guard field.utf8.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }) else { return field }
    var quoted = "\""
    for character in field.unicodeScalars {
      if character == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(character)
    }
    return quoted + "\""
  }
}
