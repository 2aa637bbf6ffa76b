// Goal: frames drawn one over the other leave exactly the last one on the screen, whatever came before it and however
// the terminal's size changed.

import Testing

@testable import tailrace

/// As much of a terminal as the drawer uses. It breaks lines again when it becomes narrower, as terminals do.
private struct Screen {
  var width: Int
  var height: Int
  /// All lines, those that scrolled out at the top included.
  var lines: [[Character]] = [[]]
  var row = 0
  var column = 0

  var top: Int { max(0, lines.count - height) }

  mutating func write(_ text: String) {
    var rest = Array(text.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\r": column = 0
      case "\n":
        row += 1
        if row == lines.count { lines.append([]) }
      case "\u{1B}":
        rest.removeFirst()
        let number = Int(String(String.UnicodeScalarView(rest.prefix { ("0"..."9").contains($0) })))
        rest = rest.drop { ("0"..."9").contains($0) }
        command(rest.removeFirst(), number)
      default:
        while lines[row].count <= column { lines[row].append(" ") }
        lines[row][column] = Character(scalar)
        column += 1
      }
    }
  }

  private mutating func command(_ letter: Unicode.Scalar, _ number: Int?) {
    switch letter {
    case "A": row = max(top, row - (number ?? 1))
    case "K": lines[row].removeLast(max(0, lines[row].count - column))
    case "J":
      lines[row].removeLast(max(0, lines[row].count - column))
      lines.removeLast(lines.count - row - 1)
    case "m": break
    default: Issue.record("the screen knows no \(letter)")
    }
  }

  /// The cursor is at the end of the last line.
  mutating func resize(width: Int, height: Int) {
    lines = lines.flatMap { line -> [[Character]] in
      guard line.count > width else { return [line] }
      return stride(from: 0, to: line.count, by: width).map { Array(line[$0..<min(line.count, $0 + width)]) }
    }
    (self.width, self.height, row) = (width, height, lines.count - 1)
    column = lines[row].count
  }

  var text: [String] { lines.map { String($0) } }
}

/// SplitMix64: the same chance in every run.
private struct Chance: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

struct DrawingTests {
  private func frame(_ texts: [String]) -> [FrameLine] { texts.map { FrameLine($0, .green) } }

  @Test func onlyWhatChangedIsWritten() {
    var drawer = FrameDrawer(.error)
    let size = FrameSize(width: 80, height: 24)
    #expect(
      drawer.update(to: frame(["one", "two", "three"]), in: size, hasColor: false)
        == "one\u{1B}[K\r\ntwo\u{1B}[K\r\nthree\u{1B}[K")
    #expect(drawer.update(to: frame(["one", "two", "three"]), in: size, hasColor: false) == "")
    #expect(
      drawer.update(to: frame(["one", "2", "three"]), in: size, hasColor: false)
        == "\r\u{1B}[2A\r\n2\u{1B}[K\r\nthree\u{1B}[K")
  }

  @Test func theScreenShowsTheLastFrame() {
    for seed in UInt64(1)...50 {
      var generator = Chance(state: seed)
      var drawer = FrameDrawer(.error)
      var size = FrameSize(width: 40, height: 12)
      var screen = Screen(width: size.width, height: size.height)
      screen.write("before\r\n")
      for _ in 0..<30 {
        if Int.random(in: 0..<4, using: &generator) == 0 {
          // Not so low that a frame drawn before scrolls out at the top: what has scrolled out stays there.
          size = FrameSize(
            width: .random(in: 10...60, using: &generator), height: .random(in: 30...40, using: &generator))
          screen.resize(width: size.width, height: size.height)
        }
        let texts = (0..<Int.random(in: 1...8, using: &generator)).map { index in
          String(repeating: "\(index)", count: .random(in: 1..<size.width, using: &generator))
        }
        screen.write(drawer.update(to: frame(texts), in: size, hasColor: true))
        #expect(screen.text == ["before"] + texts, "seed \(seed)")
      }
    }
  }
}
