import Foundation
import TailraceCore
import TailraceHost
import TailracePlatform
import TailraceText
import TailraceWorkload

/// Builds the program of another revision of a repository beside the working copy, without changing it.
package struct RevisionBuild: Sendable {
  /// The directory of checkouts; existing ones are reused.
  package let directory: String
  /// A shell command, run in the checkout.
  package let command: String
  /// The program that the command builds, relative to the checkout.
  package let product: String
  /// Set it to end the build.
  private let interruption: StopFlag

  package init(directory: String, command: String, product: String, interruption: StopFlag) {
    self.directory = directory
    self.command = command
    self.product = product
    self.interruption = interruption
  }

  /// A revision's program, built unless it already exists. If the build fails, the checkout is removed.
  ///
  /// - Parameter onBuild: Called with the commit before it is built, which may take minutes.
  /// - Throws: ``RevisionBuildProblem``.
  package func program(of revision: String, onBuild: (String) -> Void) async throws -> String {
    let found = try await run(["git", "rev-parse", "--verify", "--quiet", "\(revision)^{commit}"], in: nil)
    let commit = String(decoding: found.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard found.status == 0, commit.count >= 40 else {
      throw RevisionBuildProblem(
        description: "--against \(revision): neither an executable program nor a revision of this git repository")
    }
    let checkout = RevisionCheckout(commit: commit, in: directory)
    let program = "\(checkout.path)/\(product)"
    await RevisionCheckout.removeAbandoned(in: directory)
    if !checkout.isClaimed, FileManager.default.isExecutableFile(atPath: program) { return program }
    onBuild(commit)
    try ignoreCheckouts()
    let claim = try await claim(checkout)
    defer { claim.end() }
    // Another process may have built it in the meantime.
    if FileManager.default.isExecutableFile(atPath: program) { return program }
    do {
      try await build(checkout, program)
    } catch {
      await checkout.remove()
      throw error
    }
    return program
  }

  private func build(_ checkout: RevisionCheckout, _ program: String) async throws {
    if !FileManager.default.fileExists(atPath: checkout.path) {
      // Forget a worktree whose folder was deleted by hand.
      _ = try await run(["git", "worktree", "prune"], in: nil)
      let added = try await run(["git", "worktree", "add", "--detach", checkout.path, checkout.commit], in: nil)
      guard added.status == 0 else {
        throw RevisionBuildProblem(description: "cannot check out \(checkout.commit): \(added.error)")
      }
    }
    let built = try await run(["sh", "-c", command], in: checkout.path)
    guard built.status == 0, FileManager.default.isExecutableFile(atPath: program) else {
      let said = String(decoding: built.output, as: UTF8.self) + built.error
      let words = said.split(separator: "\n").suffix(15).joined(separator: "\n")
      throw RevisionBuildProblem(
        description: "'\(command)' in \(checkout.path) did not build '\(product)', so the checkout was removed; set "
          + "--build and --product\n\(words)")
    }
  }

  /// Waits until no other process builds the checkout.
  private func claim(_ checkout: RevisionCheckout) async throws -> FileClaim {
    while true {
      do throws(FileProblem) {
        if let claim = try FileClaim(checkout.claimPath) { return claim }
      } catch {
        throw RevisionBuildProblem(description: error.description)
      }
      guard !interruption.isSet else { throw Self.interrupted }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Excludes the builds from the working copy.
  private func ignoreCheckouts() throws {
    do {
      try OutputFile.makeFolder(directory)
      try OutputFile.write(Array("*\n".utf8), to: "\(directory)/.gitignore")
    } catch {
      throw RevisionBuildProblem(description: error.description)
    }
  }

  private static let interrupted = RevisionBuildProblem(
    description: "not finished: the build was interrupted, and its checkout was removed", isInterruption: true)

  private func run(_ words: [String], in folder: String?) async throws -> ProgramOutput {
    let outcome: ProgramOutput
    do {
      outcome = try await ProgramOutput.of(
        words[0], Array(words.dropFirst()), in: folder, grace: .seconds(1), interruption: interruption)
    } catch {
      throw RevisionBuildProblem(
        description: "cannot run '\(words.prefix(2).joined(separator: " "))': \(ErrorWords.of(error))")
    }
    if outcome.wasInterrupted { throw Self.interrupted }
    return outcome
  }
}

/// A revision's files in a separate folder: a git worktree.
package struct RevisionCheckout: Hashable, Sendable {
  package let commit: String
  package let path: String
  private let directory: String

  package init(commit: String, in directory: String) {
    self.commit = commit
    self.directory = directory
    path = URL(fileURLWithPath: directory).appendingPathComponent(commit).standardizedFileURL.path
  }

  private static let claimPrefix = ".building-"

  /// The lock file that exists while a process builds the checkout.
  var claimPath: String { "\(directory)/\(Self.claimPrefix)\(commit)" }

  /// Whether a process is building it, or was killed while building it.
  var isClaimed: Bool { FileManager.default.fileExists(atPath: claimPath) }

  /// Checkouts whose build was killed, each with this process's claim to it.
  private static func claimAbandoned(in directory: String) -> [(checkout: RevisionCheckout, claim: FileClaim)] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return entries.sorted().compactMap { entry in
      guard entry.hasPrefix(claimPrefix) else { return nil }
      let checkout = RevisionCheckout(commit: String(entry.dropFirst(claimPrefix.count)), in: directory)
      guard checkout.commit.allSatisfy(\.isHexDigit), let claim = try? FileClaim(checkout.claimPath) else { return nil }
      return (checkout, claim)
    }
  }

  /// Checkouts whose build was killed.
  package static func abandoned(in directory: String) -> [RevisionCheckout] {
    claimAbandoned(in: directory).map {
      $0.claim.leave()
      return $0.checkout
    }
  }

  /// Removes checkouts whose build was killed, including git's records of them.
  ///
  /// - Returns: The removed checkouts.
  @discardableResult
  package static func removeAbandoned(in directory: String) async -> [RevisionCheckout] {
    let abandoned = claimAbandoned(in: directory)
    for (checkout, claim) in abandoned {
      await checkout.remove()
      claim.end()
    }
    return abandoned.map(\.checkout)
  }

  /// Removes the folder and git's records of it.
  func remove() async {
    // Use the repository that the folder belongs to or, if git has not written it yet, the current one.
    let link = RunEnvironment.text(of: "\(path)/.git", .regular) ?? ""
    var repository: [String] = []
    if link.hasPrefix("gitdir: "), let end = link.range(of: "/worktrees/", options: .backwards) {
      repository = ["--git-dir=" + link[..<end.lowerBound].dropFirst("gitdir: ".count)]
    }
    // An interrupted checkout is locked.
    await git(repository + ["worktree", "unlock", path])
    _ = Leftovers.remove(path)
    await git(repository + ["worktree", "prune"])
  }

  /// Runs git and ignores failures: callers only care about the files that remain.
  private func git(_ arguments: [String]) async {
    _ = try? await ProgramOutput.of("git", arguments, grace: .zero, interruption: StopFlag())
  }
}

/// Why the revision's program could not be built.
package struct RevisionBuildProblem: Error, CustomStringConvertible {
  package var description: String
  /// Whether the user interrupted the build.
  package var isInterruption = false
}
