import TailraceSpelling

/// A line of a frame: pieces of text, each in a style or in none.
struct FrameLine: Hashable {
  struct Piece: Hashable {
    var text: String
    var style: Terminal.Style?
  }
  private(set) var pieces: [Piece]

  init(_ text: String = "", _ style: Terminal.Style? = nil) {
    // What a scenario file calls its jobs must not move the cursor.
    pieces = [Piece(text: VisibleText.line(text), style: style)]
  }

  static func + (a: FrameLine, b: FrameLine) -> FrameLine {
    var line = a
    line.pieces += b.pieces
    return line
  }
  static func + (a: FrameLine, b: String) -> FrameLine { a + FrameLine(b) }

  /// Columns that it takes.
  var width: Int { pieces.reduce(0) { $0 + $1.text.count } }

  /// What of it fits.
  func cut(to width: Int) -> FrameLine {
    guard self.width > width else { return self }
    var line = FrameLine()
    var room = max(0, width)
    for piece in pieces where room > 0 {
      let text = String(piece.text.prefix(room))
      line.pieces.append(Piece(text: text, style: piece.style))
      room -= text.count
    }
    return line
  }

  /// As a terminal takes it.
  func text(hasColor: Bool) -> String {
    pieces.reduce(into: "") { text, piece in
      guard let style = piece.style, hasColor, !piece.text.isEmpty else { return text += piece.text }
      text += "\u{1B}[\(style.rawValue)m\(piece.text)\u{1B}[0m"
    }
  }
}

/// The characters that pictures are drawn with.
struct Glyphs: Hashable {
  /// From nothing to all.
  var levels: [Character]
  var full: Character
  var empty: Character
  var met: Character
  var missed: Character
  var unknown: Character
  var dot: Character
  var between: String
  /// Of an interval: its ends, what is between them, and the estimate.
  var left: Character
  var right: Character
  var span: Character
  var point: Character
  /// It goes on where the axis ends.
  var before: Character
  var beyond: Character
  /// No difference, and differences too small to matter.
  var zero: Character
  /// The zero within an interval.
  var cross: Character
  var band: Character

  static let unicode = Glyphs(
    levels: Array(" ▁▂▃▄▅▆▇█"), full: "━", empty: "╌", met: "✓", missed: "✗", unknown: "…", dot: "·", between: " · ",
    left: "├", right: "┤", span: "─", point: "●", before: "◀", beyond: "▶", zero: "│", cross: "┼", band: "░")
  /// For terminals that know no others.
  static let ascii = Glyphs(
    levels: Array(" .:-=+*#@"), full: "=", empty: "-", met: "+", missed: "x", unknown: "?", dot: ".", between: ", ",
    left: "[", right: "]", span: "-", point: "o", before: "<", beyond: ">", zero: "|", cross: "+", band: ":")

  /// A bar that is full to a share, 0…1.
  func bar(_ share: Double, width: Int) -> String {
    let filled = min(width, max(0, Int((share * Double(width)).rounded(.down))))
    return String(repeating: full, count: filled) + String(repeating: empty, count: width - filled)
  }

  /// A character for each value, from 0 to the greatest; nil: nothing is known, a blank.
  func sparkline(_ values: [Double?]) -> String {
    let most = values.compactMap { $0 }.max() ?? 0
    return String(
      values.map { value in
        guard let value else { return " " }
        guard most > 0, value > 0 else { return levels[1] }
        return levels[min(8, max(1, Int((value / most * 8).rounded(.up))))]
      })
  }
}

/// Where a frame is drawn.
struct FrameSize: Hashable {
  var width: Int
  var height: Int
}
