import Foundation

/// The command that repeats a run, for its report.
enum RepeatingCommand {
  /// - Parameter seed: named in the command even where it was the default.
  static func text(_ arguments: [String], seed: UInt64) -> String {
    var words = ["tailrace"] + arguments.dropFirst()
    if !words.contains(where: { $0 == "--seed" || $0.hasPrefix("--seed=") }) { words += ["--seed", "\(seed)"] }
    return line(words)
  }

  /// Words as one line for a shell.
  static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

  /// As a shell would take it for one word.
  private static func quoted(_ word: String) -> String {
    let isPlain = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-_./=,:%+@".utf8.contains(byte)
      }
    }
    return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}

/// Paths as people read them.
enum PathText {
  /// Relative to the working directory where it lies in it.
  static func short(_ path: String) -> String {
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    // Empty where the working directory was removed meanwhile: then nothing lies in it.
    let current = FileManager.default.currentDirectoryPath
    guard !current.isEmpty, current != "/", full.hasPrefix(current + "/") else { return full }
    return String(full.dropFirst(current.count + 1))
  }
}
