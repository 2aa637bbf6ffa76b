// Goal: who follows CONTRIBUTING.md finds what it names: every file, every commit, every make target.

import Foundation
import Testing

struct ContributingTests {
  private static func text(of path: String) -> String {
    (try? String(contentsOf: Repository.root.appendingPathComponent(path), encoding: .utf8)) ?? ""
  }
  private static let text = text(of: "CONTRIBUTING.md")
  /// What stands in backticks.
  private static let names = text.matches(of: /`([^`\n]+)`/).map { String($0.1) }

  @Test func everyPathExists() {
    let linked = Self.text.matches(of: /\]\(([^)#:]+)\)/).map { String($0.1) }
    let paths = Self.names.filter { $0.contains(/^(Sources|Tests|docs|scripts|Examples|Benchmarks)\//) } + linked
    #expect(Set(paths).count >= 30)
    for path in paths {
      let place = Repository.root.appendingPathComponent(path).path
      #expect(FileManager.default.fileExists(atPath: place), "CONTRIBUTING.md names '\(path)', which does not exist")
    }
  }

  /// File names without a folder are beside one that is named with it.
  @Test func everyFileNameIsThatOfAFile() {
    let files = Set(Repository.sources(in: "Sources").map(\.name))
    for name in Self.names where name.hasSuffix(".swift") && !name.contains("/") {
      #expect(files.contains(name), "CONTRIBUTING.md names '\(name)', which no module has")
    }
  }

  @Test func everyTargetOfMakeIsThere() {
    let makefile = Self.text(of: "Makefile").split(separator: "\n")
    let targets = Self.names.flatMap { $0.matches(of: /\bmake ([a-z-]+)/).map { String($0.1) } }
    #expect(targets.count >= 9)
    for target in targets {
      #expect(makefile.contains { $0.hasPrefix("\(target):") }, "there is no 'make \(target)'")
    }
  }

  /// For each of the five changes there is a commit to look at; where the history is at hand, it has them.
  @Test func everyCommitIsInTheHistory() throws {
    let commits = Self.text.matches(of: /Commit ([0-9a-f]{7})\b/).map { String($0.1) }
    #expect(commits.count == 5)
    // A copy without its history, or with a part of it, cannot tell.
    guard try Self.git("rev-parse", "--is-shallow-repository") == "false" else { return }
    for commit in commits {
      #expect(
        try Self.git("cat-file", "-t", commit) == "commit",
        "CONTRIBUTING.md names commit \(commit), which the history has not")
    }
  }

  /// What git prints; nil: it failed.
  private static func git(_ arguments: String...) throws -> String? {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "-C", Repository.root.path] + arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
  }
}
