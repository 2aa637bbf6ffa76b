import Foundation

/// Changes files as accidents and enemies do: bytes, lines, numbers and words.
enum Mutation {
  /// What numbers and words become.
  private static let values = [
    "0", "-1", "1", "1e15", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e308", "1e-308",
    "nan", "inf", "0.1", "~", "null", "true", "[]", "{}", "''", "1s", "1ns", "292y", "100%", "1e9/s", "0/s", "&a", "*a",
    "!!binary x", "\u{FEFF}", "\u{202E}", "\u{0}", "\u{1B}[31m", "<script>", "|", "../../etc/passwd", "/dev/zero",
    "/proc/self/environ", "日本", "none", "65534", "65535", "100000000", "exponential(1s)",
    "empirical(/proc/self/environ)",
  ]

  /// One to four changes.
  static func changed(_ original: [UInt8], _ random: inout SoakRandom) -> [UInt8] {
    var bytes = original
    for _ in 0...random.below(4) { change(&bytes, &random) }
    return bytes
  }

  private static func change(_ bytes: inout [UInt8], _ random: inout SoakRandom) {
    switch random.below(9) {
    case 0: if !bytes.isEmpty { bytes[random.below(bytes.count)] = UInt8.random(in: 0...255, using: &random) }
    case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: random.below(bytes.count + 1))
    case 2: if !bytes.isEmpty { bytes.removeSubrange(span(of: bytes, at: 40, &random)) }
    case 3: bytes = Array(bytes.prefix(random.below(bytes.count + 1)))
    case 4:
      onLines(&bytes, &random) { lines, random in
        lines.insert(lines[random.below(lines.count)], at: random.below(lines.count))
      }
    case 5:
      onLines(&bytes, &random) { lines, random in
        lines.swapAt(random.below(lines.count), random.below(lines.count))
      }
    case 6: onLines(&bytes, &random) { lines, random in lines.remove(at: random.below(lines.count)) }
    case 7:
      guard !bytes.isEmpty else { return }
      let part = Array(bytes[span(of: bytes, at: 200, &random)])
      bytes.insert(contentsOf: [[UInt8]](repeating: part, count: 1 + random.below(50)).joined(), at: 0)
    default: replaceWord(&bytes, &random)
    }
  }

  /// A stretch of at most this length.
  private static func span(of bytes: [UInt8], at most: Int, _ random: inout SoakRandom) -> Range<Int> {
    let start = random.below(bytes.count)
    return start..<min(bytes.count, start + 1 + random.below(most))
  }

  private static func onLines(
    _ bytes: inout [UInt8], _ random: inout SoakRandom, _ body: (inout [[UInt8]], inout SoakRandom) -> Void
  ) {
    var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
    guard !lines.isEmpty else { return }
    body(&lines, &random)
    bytes = Array(lines.joined(separator: [10]))
  }

  /// A word or number of the file becomes another one.
  private static func replaceWord(_ bytes: inout [UInt8], _ random: inout SoakRandom) {
    let separators = Set(" ,:;{}[]\n\"'=()".utf8)
    var words: [Range<Int>] = []
    var start = 0
    for index in 0...bytes.count where index == bytes.count || separators.contains(bytes[index]) {
      if index > start { words.append(start..<index) }
      start = index + 1
    }
    guard !words.isEmpty else { return }
    let word = words[random.below(words.count)]
    let other = words[random.below(words.count)]
    bytes.replaceSubrange(word, with: random.chance(30) ? Array(bytes[other]) : Array(random.pick(values).utf8))
  }
}
