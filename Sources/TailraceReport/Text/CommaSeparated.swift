import TailraceSpelling

/// Rows of comma-separated values, quoted as in RFC 4180. Lines end with a line feed.
///
/// Text that a spreadsheet would read as a formula (it starts with `=`, `+`, `-` or `@` and is not a number) gets an
/// apostrophe in front. Invisible characters and line ends are escaped.
struct CommaSeparated {
  private(set) var text = ""

  init(_ header: String...) { append(header) }

  private static func shown(_ field: String) -> String {
    let field = VisibleText.line(field)
    guard let first = field.first, "=+-@".contains(first), Double(field) == nil else { return field }
    // Comparison operators such as == are values of the table.
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
