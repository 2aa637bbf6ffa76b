import Foundation
import TailraceSpelling

/// The command that repeats a run, as shown in its report.
enum RepeatingCommand {
  /// - Parameter seed: Included in the command even if it is the default.
  static func text(_ arguments: [String], seed: UInt64) -> String {
    var words = ["tailrace"] + arguments.dropFirst()
    if !words.contains(where: { $0 == "--seed" || $0.hasPrefix("--seed=") }) { words += ["--seed", "\(seed)"] }
    return ShellWords.line(words)
  }
}

/// Paths in the form shown to users.
enum PathText {
  /// The path, relative to the working directory if it is inside it.
  static func short(_ path: String) -> String {
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    // Empty if the working directory has been removed: then no path is inside it.
    let current = FileManager.default.currentDirectoryPath
    guard !current.isEmpty, current != "/", full.hasPrefix(current + "/") else { return full }
    return String(full.dropFirst(current.count + 1))
  }
}
