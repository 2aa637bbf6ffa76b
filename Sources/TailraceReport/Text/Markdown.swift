import TailraceSpelling

/// Builds Markdown block by block, from text with this module's markup. Untrusted parts are ``ForeignText``.
struct Markdown {
  /// A block, separated from others by empty lines.
  enum Block {
    case heading(Int, String)
    case paragraph(String)
    case list([String])
    case figure([String])
    case table([Table.Column], [[Table.Cell]])
  }

  /// The blocks, for pages in other formats.
  private(set) var blocks: [Block] = []
  private(set) var text = ""
  /// How many levels lower the headings are, if the page is part of another.
  var headingDepth = 0

  mutating func heading(_ level: Int, _ words: String) {
    let level = level + headingDepth
    add(.heading(level, words), String(repeating: "#", count: level) + " " + words)
  }

  mutating func paragraph(_ words: String) { add(.paragraph(words), ForeignText.asParagraph(words)) }

  mutating func list(_ items: [String]) {
    if !items.isEmpty { add(.list(items), items.map { "- \(ForeignText.asParagraph($0))" }.joined(separator: "\n")) }
  }

  /// Preformatted lines.
  mutating func figure(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    let shown = lines.map { VisibleText.lines(ForeignText.plain($0)) }
    // Use a fence that the content does not contain.
    let longest = shown.flatMap { $0.split { $0 != "`" } }.map(\.count).max() ?? 0
    let fence = String(repeating: "`", count: max(3, longest + 1))
    append(.figure(lines), "\(fence)text\n\(shown.joined(separator: "\n"))\n\(fence)")
  }

  /// Adds a table of text, unless it has no rows.
  mutating func table(_ columns: [Table.Column], _ rows: [[String]]) {
    table(columns, cells: rows.map { [Table.Cell](words: $0) })
  }

  /// Adds a table, unless it has no rows.
  mutating func table(_ columns: [Table.Column], cells rows: [[Table.Cell]]) {
    guard !rows.isEmpty else { return }
    let names = columns.map(\.title)
    let rules = columns.map { $0.kind == .number ? "---:" : "---" }
    let lines = ([names, rules] + rows.map { $0.map(\.markdown) }).map { line in
      "| \(line.map(Self.cell).joined(separator: " | ")) |"
    }
    add(.table(columns, rows), lines.joined(separator: "\n"))
  }

  private static func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
      .split(separator: "\n").joined(separator: " ")
  }

  private mutating func add(_ block: Block, _ words: String) { append(block, ForeignText.markdown(words)) }

  private mutating func append(_ block: Block, _ words: String) {
    blocks.append(block)
    text += (text.isEmpty ? "" : "\n") + words + "\n"
  }
}
