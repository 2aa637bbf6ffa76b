/// Draws frames in place, one over the other, below what was on the terminal before.
///
/// The cursor stays at the end of the last line, is never hidden, and there is no second screen: whatever ends the
/// program leaves the terminal as it should be, and what comes next stands below the frame.
struct FrameDrawer {
  private let terminal: Terminal
  private var drawn: [String] = []
  /// Columns of each line that was drawn.
  private var widths: [Int] = []
  private var size = FrameSize(width: 0, height: 0)

  init(_ terminal: Terminal) { self.terminal = terminal }

  /// Draws a frame over the one before.
  mutating func draw(_ lines: [FrameLine], in size: FrameSize) {
    let text = update(to: lines, in: size, hasColor: terminal.hasColor)
    if !text.isEmpty { terminal.draw(text) }
  }

  /// What turns the frame that was drawn last into the next one: only lines that differ are written, and nothing is
  /// erased that is not written over in the same breath, so that nothing flickers.
  mutating func update(to lines: [FrameLine], in size: FrameSize, hasColor: Bool) -> String {
    let next = lines.map { $0.text(hasColor: hasColor) }
    guard !next.isEmpty, next != drawn || size != self.size else { return "" }
    let isMoved = size != self.size || drawn.isEmpty
    var text = drawn.isEmpty ? "" : toTheTop(in: size) + (isMoved ? "\u{1B}[J" : "")
    for (index, line) in next.enumerated() {
      if index > 0 { text += "\r\n" }
      // The last line is written in any case: the cursor stays at its end.
      guard isMoved || index >= drawn.count || line != drawn[index] || index == next.count - 1 else { continue }
      text += line + "\u{1B}[K"
    }
    // The rows of a longer frame below.
    if drawn.count > next.count, !isMoved { text += "\u{1B}[J" }
    (drawn, widths, self.size) = (next, lines.map(\.width), size)
    return text
  }

  /// To the first column of the frame's first row. A terminal that became narrower has broken the lines that no longer
  /// fit, so that the frame takes more rows.
  private func toTheTop(in size: FrameSize) -> String {
    let rows =
      size.width < self.size.width
      ? widths.reduce(0) { $0 + max(1, ($1 + size.width - 1) / size.width) } : drawn.count
    return "\r" + (rows > 1 ? "\u{1B}[\(rows - 1)A" : "")
  }

  /// Takes the frame away.
  mutating func clear() {
    guard !drawn.isEmpty else { return }
    terminal.draw(toTheTop(in: terminal.size) + "\u{1B}[J")
    drawn = []
  }
}
