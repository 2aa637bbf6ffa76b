import TailraceSpelling

/// Text in columns. A column whose name starts with `>` is right-aligned.
struct Columns {
  private var rows: [[String]]
  private let isRight: [Bool]

  init(_ names: [String]) {
    isRight = names.map { $0.hasPrefix(">") }
    rows = [names.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }]
  }

  mutating func add(_ row: [String]) { rows.append(row.map { VisibleText.line($0) }) }

  var text: String {
    let widths = isRight.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        isRight[column] ? row[column].indented(to: widths[column]) : row[column].padded(to: widths[column])
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}
