import Foundation
import TailraceText

/// A ``FileClaim`` that says which process has it, in a folder that is made for it and goes with it.
package final class FileReservation: Sendable {
  private let folder: String
  private let claim: FileClaim

  /// - Throws: ``FileProblem``; its code is `EWOULDBLOCK` where another process has the name.
  package init(_ name: String, in folder: String) throws(FileProblem) {
    self.folder = folder
    let path = "\(folder)/\(name)"
    for _ in 0..<100 {
      try OutputFile.makeFolder(folder)
      do throws(FileProblem) {
        guard let claim = try FileClaim(path) else { break }
        claim.write("\(getpid())\n")
        self.claim = claim
        return
      } catch {
        // The process that had the name may have removed the folder between the two steps.
        guard error.code == ENOENT else { throw error }
      }
    }
    throw FileProblem(.write, path, EWOULDBLOCK)
  }

  /// Gives the name back.
  deinit {
    claim.end()
    // Only if nothing was written to it.
    rmdir(folder)
    rmdir(URL(fileURLWithPath: folder).deletingLastPathComponent().path)
  }

  /// The process that has reserved the name; nil: unknown.
  package static func holder(of name: String, in folder: String) -> Int32? {
    guard let text = RunEnvironment.text(of: "\(folder)/\(name)", .regular) else { return nil }
    return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
