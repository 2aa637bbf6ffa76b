import TailraceSpelling

/// A line of a frame: pieces of text, each with an optional style.
struct FrameLine: Hashable {
  struct Piece: Hashable {
    var text: String
    var style: Terminal.Style?
  }
  private(set) var pieces: [Piece]

  init(_ text: String = "", _ style: Terminal.Style? = nil) {
    // Names from scenario files must not contain control characters.
    pieces = [Piece(text: VisibleText.line(text), style: style)]
  }

  static func + (a: FrameLine, b: FrameLine) -> FrameLine {
    var line = a
    line.pieces += b.pieces
    return line
  }
  static func + (a: FrameLine, b: String) -> FrameLine { a + FrameLine(b) }

  /// The line's width in columns.
  var width: Int { pieces.reduce(0) { $0 + $1.text.count } }

  /// The line, cut to fit.
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

  /// The line as text with escape sequences.
  func text(hasColor: Bool) -> String {
    pieces.reduce(into: "") { text, piece in
      guard let style = piece.style, hasColor, !piece.text.isEmpty else { return text += piece.text }
      text += "\u{1B}[\(style.rawValue)m\(piece.text)\u{1B}[0m"
    }
  }
}

/// The characters used for drawing.
struct Glyphs: Hashable {
  /// From empty to full.
  var levels: [Character]
  var full: Character
  var empty: Character
  var met: Character
  var missed: Character
  var unknown: Character
  var dot: Character
  var between: String
  /// An interval's ends, the line between them, and the estimate.
  var left: Character
  var right: Character
  var span: Character
  var point: Character
  /// Marks an interval that continues beyond the axis.
  var before: Character
  var beyond: Character
  /// Zero, and the band of negligible differences.
  var zero: Character
  /// The zero within an interval.
  var cross: Character
  var band: Character

  static let unicode = Glyphs(
    levels: Array(" ▁▂▃▄▅▆▇█"), full: "━", empty: "╌", met: "✓", missed: "✗", unknown: "…", dot: "·", between: " · ",
    left: "├", right: "┤", span: "─", point: "●", before: "◀", beyond: "▶", zero: "│", cross: "┼", band: "░")
  /// For terminals that support ASCII only.
  static let ascii = Glyphs(
    levels: Array(" .:-=+*#@"), full: "=", empty: "-", met: "+", missed: "x", unknown: "?", dot: ".", between: ", ",
    left: "[", right: "]", span: "-", point: "o", before: "<", beyond: ">", zero: "|", cross: "+", band: ":")

  /// A bar filled to a share, 0…1.
  func bar(_ share: Double, width: Int) -> String {
    let filled = min(width, max(0, Int((share * Double(width)).rounded(.down))))
    return String(repeating: full, count: filled) + String(repeating: empty, count: width - filled)
  }

  /// A character for each value, scaled from 0 to the maximum; nil: unknown, drawn as a space.
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

/// The area in which a frame is drawn.
struct FrameSize: Hashable {
  var width: Int
  var height: Int
}
