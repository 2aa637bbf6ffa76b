import Foundation
import Subprocess

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Builds the program of another revision of a repository, beside the working copy and without touching it.
package struct RevisionBuild: Sendable {
  /// Why there is no program of that revision.
  package struct Problem: Error, CustomStringConvertible {
    package var description: String
  }

  /// A directory for checkouts; those that are there are used again.
  package let directory: String
  /// A shell's command, run in the checkout.
  package let command: String
  /// The program that it makes, relative to the checkout.
  package let product: String

  package init(directory: String, command: String, product: String) {
    self.directory = directory
    self.command = command
    self.product = product
  }

  /// The program of a revision, built unless it was before.
  ///
  /// - Parameter onBuild: told of the commit before it is built, which may take minutes.
  /// - Throws: ``Problem``.
  package func program(of revision: String, onBuild: (String) -> Void) async throws -> String {
    let found = try await run(["git", "rev-parse", "--verify", "--quiet", "\(revision)^{commit}"], in: nil)
    let commit = found.output.trimmingCharacters(in: .whitespacesAndNewlines)
    guard found.isGood, commit.count >= 40 else {
      throw Problem(
        description: "--against \(revision): neither a program that can be run nor a revision of this git repository")
    }
    let checkout = URL(fileURLWithPath: directory).appendingPathComponent(commit).standardizedFileURL.path
    let program = "\(checkout)/\(product)"
    if FileManager.default.isExecutableFile(atPath: program) { return program }
    onBuild(commit)
    if !FileManager.default.fileExists(atPath: checkout) {
      try ignoreCheckouts()
      // A worktree whose folder was deleted by hand would be in the way.
      _ = try await run(["git", "worktree", "prune"], in: nil)
      let added = try await run(["git", "worktree", "add", "--detach", checkout, commit], in: nil)
      guard added.isGood else { throw Problem(description: "cannot check out \(commit): \(added.error)") }
    }
    let built = try await run(["sh", "-c", command], in: checkout)
    guard built.isGood, FileManager.default.isExecutableFile(atPath: program) else {
      let words = (built.output + built.error).split(separator: "\n").suffix(15).joined(separator: "\n")
      throw Problem(
        description:
          "'\(command)' in \(checkout) made no '\(product)'; name others with --build and --product\n\(words)")
    }
    return program
  }

  /// What is built beside the working copy is no part of it.
  private func ignoreCheckouts() throws {
    do {
      try OutputFile.makeFolder(directory)
      try OutputFile.write(Array("*\n".utf8), to: "\(directory)/.gitignore")
    } catch {
      throw Problem(description: error.description)
    }
  }

  private func run(
    _ words: [String], in folder: String?
  ) async throws -> (isGood: Bool, output: String, error: String) {
    do {
      let outcome = try await Subprocess.run(
        .name(words[0]), arguments: Arguments(Array(words.dropFirst())), workingDirectory: folder.map { FilePath($0) },
        input: .none, output: .string(limit: 64 << 20), error: .string(limit: 64 << 20))
      return (outcome.terminationStatus == .exited(0), outcome.standardOutput, outcome.standardError)
    } catch {
      throw Problem(description: "cannot run '\(words.prefix(2).joined(separator: " "))': \(ErrorWords.of(error))")
    }
  }
}
