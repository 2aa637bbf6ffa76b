// Goal: a shell offers what belongs in each place: scenarios, systems, files, settings, baselines. Tried in a real
// bash.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

@Suite struct CompletionTests {
  /// What bash offers for the last word of a line.
  private func offers(_ line: String, in folder: TemporaryFolder) async throws -> [String] {
    let script = try await Binary.run(["--generate-completion-script", "bash"], in: folder)
    try Data(script.output.utf8).write(to: folder.url.appendingPathComponent(".completion"))
    try? FileManager.default.createSymbolicLink(
      atPath: folder.url.appendingPathComponent(".tailrace-program").path, withDestinationPath: Binary.path)
    let words = line.split(separator: " ", omittingEmptySubsequences: false).map { "'\($0)'" }.joined(separator: " ")
    let driver = """
      tailrace() { "$PWD/.tailrace-program" "$@"; }
      source ./.completion
      COMP_WORDS=(\(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE='\(line)'; COMP_POINT=${#COMP_LINE}
      _tailrace tailrace "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let result = try await Subprocess.run(
      .path("/bin/bash"), arguments: ["-c", driver], workingDirectory: FilePath(folder.path),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    return result.standardOutput.split(separator: "\n").map(String.init)
  }

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for path in ["mine.yaml", "notes.txt", "log.swf.gz", "scenarios/one.yaml", ".tailrace/baselines/main.json"] {
      let url = folder.url.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("name: x\n".utf8).write(to: url)
    }
    return folder
  }

  /// A line, what must be among the offers, and what must not.
  static let lines: [(line: String, offered: [String], not: [String])] = [
    ("tailrace ru", ["run"], []), ("tailrace base", ["baseline"], []), ("tailrace baseline s", ["save", "show"], []),
    ("tailrace run quick", ["quick-start"], ["mine.yaml"]),
    ("tailrace run ", ["quick-start", "documented", "mine.yaml", "scenarios/"], ["notes.txt", "log.swf.gz"]),
    ("tailrace run mi", ["mine.yaml"], []), ("tailrace run scenarios/", ["scenarios/one.yaml"], []),
    ("tailrace show gov", ["governance-five", "governance-services"], []),
    ("tailrace validate m", ["mine.yaml"], []), ("tailrace plan four", ["four-servers"], []),
    ("tailrace capacity four", ["four-servers"], []), ("tailrace compare mi", ["mine.yaml"], []),
    ("tailrace gate mi", ["mine.yaml"], []), ("tailrace noise quick", ["quick-start"], []),
    ("tailrace baseline save x quick", ["quick-start"], []), ("tailrace baseline show m", ["main"], []),
    ("tailrace gate --baseline m", ["main"], []),
    ("tailrace run --system simu", ["simulated", "simulated-sequential"], ["live"]),
    ("tailrace run --system live,si", ["live,simulated"], ["live,live"]),
    ("tailrace run --set scheduler.w", ["scheduler.workers="], []),
    ("tailrace plan mine.yaml --vary scheduler.w", ["scheduler.workers="], []),
    ("tailrace compare --metric thr", ["throughput"], []), ("tailrace trace lo", ["log.swf.gz"], ["notes.txt"]),
    ("tailrace run --pacer h", ["hybrid"], []), ("tailrace run --progress t", ["tui"], []),
    ("tailrace report sc", ["scenarios"], []),
  ]

  @Test func bashOffersWhatBelongsThere() async throws {
    let folder = try folder()
    for (line, offered, not) in Self.lines {
      let found = try await offers(line, in: folder)
      for word in offered { #expect(found.contains(word), "\(line): \(word) is not in \(found)") }
      for word in not { #expect(!found.contains(word), "\(line): \(word) is in \(found)") }
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func scriptsAreMadeForEachShell(_ shell: String) async throws {
    let script = try await Binary.run(["--generate-completion-script", shell])
    #expect(script.status == 0 && script.output.contains("tailrace") && script.output.contains("---completion"))
  }
}
