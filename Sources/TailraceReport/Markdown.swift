/// Markdown, built block by block.
struct Markdown {
  private(set) var text = ""

  mutating func heading(_ level: Int, _ words: String) { block(String(repeating: "#", count: level) + " " + words) }

  mutating func paragraph(_ words: String) { block(words) }

  mutating func list(_ items: [String]) {
    if !items.isEmpty { block(items.map { "- \($0)" }.joined(separator: "\n")) }
  }

  /// Preformatted lines.
  mutating func figure(_ lines: [String]) {
    if !lines.isEmpty { block("```text\n\(lines.joined(separator: "\n"))\n```") }
  }

  /// A table; columns named with a leading `>` are set flush right. Nothing without rows.
  mutating func table(_ columns: [String], _ rows: [[String]]) {
    guard !rows.isEmpty else { return }
    let names = columns.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
    let rules = columns.map { $0.hasPrefix(">") ? "---:" : "---" }
    block(([names, rules] + rows).map { "| \($0.map(Self.cell).joined(separator: " | ")) |" }.joined(separator: "\n"))
  }

  private static func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
      .split(separator: "\n").joined(separator: " ")
  }

  private mutating func block(_ words: String) { text += (text.isEmpty ? "" : "\n") + words + "\n" }
}
