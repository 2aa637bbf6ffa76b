import Foundation
import TailraceWorkload

/// A name that one process at a time may have: a locked file, which the system unlocks when the process ends, however
/// it does.
package final class FileReservation: Sendable {
  private let folder: String
  private let path: String
  private let descriptor: Int32

  /// - Throws: ``FileProblem``; its code is `EWOULDBLOCK` where another process has the name.
  package init(_ name: String, in folder: String) throws(FileProblem) {
    self.folder = folder
    path = "\(folder)/\(name)"
    // Whoever gives a name back removes the file, and the folder where it is empty.
    for _ in 0..<100 {
      try OutputFile.makeFolder(folder)
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard file >= 0 else {
        if errno == ENOENT { continue }
        throw FileProblem(.write, path, errno)
      }
      guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        close(file)
        throw FileProblem(.write, path, code)
      }
      // The file may have been removed between the two calls: then its lock keeps nobody out.
      var (own, named) = (stat(), stat())
      guard fstat(file, &own) == 0, stat(path, &named) == 0, own.st_ino == named.st_ino else {
        close(file)
        continue
      }
      let words = Array("\(getpid())\n".utf8)
      _ = ftruncate(file, 0)
      _ = pwrite(file, words, words.count, 0)
      descriptor = file
      return
    }
    throw FileProblem(.write, path, EWOULDBLOCK)
  }

  /// Gives the name back.
  deinit {
    unlink(path)
    close(descriptor)
    // Only where nothing was written to it.
    rmdir(folder)
    rmdir(URL(fileURLWithPath: folder).deletingLastPathComponent().path)
  }

  /// The process that has the name; nil: it cannot be told.
  package static func holder(of name: String, in folder: String) -> Int32? {
    guard let text = RunEnvironment.text(of: "\(folder)/\(name)", .regular) else { return nil }
    return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
