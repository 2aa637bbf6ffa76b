/// Draws frames in place, each over the previous one, below the terminal's earlier content.
///
/// The cursor stays visible at the end of the last line, and there is no alternate screen. So the terminal stays intact
/// however the program ends, and later output appears below the frame.
struct FrameDrawer {
  private let terminal: Terminal
  private var drawn: [String] = []
  /// The width of each drawn line.
  private var widths: [Int] = []
  private var size = FrameSize(width: 0, height: 0)

  init(_ terminal: Terminal) { self.terminal = terminal }

  /// Draws a frame over the previous one.
  mutating func draw(_ lines: [FrameLine], in size: FrameSize) {
    let text = update(to: lines, in: size, hasColor: terminal.hasColor)
    if !text.isEmpty { terminal.draw(text) }
  }

  /// The output that turns the last frame into the next one. It rewrites only lines that differ, and erases nothing
  /// without overwriting it in the same write, so nothing flickers.
  mutating func update(to lines: [FrameLine], in size: FrameSize, hasColor: Bool) -> String {
    let next = lines.map { $0.text(hasColor: hasColor) }
    guard !next.isEmpty, next != drawn || size != self.size else { return "" }
    let isMoved = size != self.size || drawn.isEmpty
    var text = drawn.isEmpty ? "" : toTheTop(in: size) + (isMoved ? "\u{1B}[J" : "")
    for (index, line) in next.enumerated() {
      if index > 0 { text += "\r\n" }
      // Always write the last line, because the cursor stays at its end.
      guard isMoved || index >= drawn.count || line != drawn[index] || index == next.count - 1 else { continue }
      text += line + "\u{1B}[K"
    }
    // Rows that remain of a longer frame.
    if drawn.count > next.count, !isMoved { text += "\u{1B}[J" }
    (drawn, widths, self.size) = (next, lines.map(\.width), size)
    return text
  }

  /// Moves to the first column of the frame's first row. If the terminal has become narrower, it has wrapped the lines
  /// that no longer fit, so the frame occupies more rows.
  private func toTheTop(in size: FrameSize) -> String {
    let rows =
      size.width < self.size.width
      ? widths.reduce(0) { $0 + max(1, ($1 + size.width - 1) / size.width) } : drawn.count
    return "\r" + (rows > 1 ? "\u{1B}[\(rows - 1)A" : "")
  }

  /// Removes the frame.
  mutating func clear() {
    guard !drawn.isEmpty else { return }
    terminal.draw(toTheTop(in: terminal.size) + "\u{1B}[J")
    drawn = []
  }
}
