import Foundation

/// A file that one process at a time has, and that is gone when that one is done. Of a process that was killed the file
/// is left, and can be had by another.
package struct FileClaim: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Claims it.
  ///
  /// - Parameter path: of the file; made where it is missing.
  /// - Returns: nil: another process has it.
  package init?(_ path: String) throws(FileProblem) {
    self.path = path
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else { throw FileProblem(.write, path, errno) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        close(descriptor)
        guard code == EWOULDBLOCK else { throw FileProblem(.write, path, code) }
        return nil
      }
      var (own, named) = (stat(), stat())
      // The previous owner may have removed it between the two steps.
      if fstat(descriptor, &own) == 0, lstat(path, &named) == 0, own.st_ino == named.st_ino {
        self.descriptor = descriptor
        return
      }
      close(descriptor)
    }
  }

  /// Makes a text the file's content.
  func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, bytes, bytes.count, 0)
  }

  /// Removes the file, and lets others claim it anew.
  package func end() {
    unlink(path)
    close(descriptor)
  }

  /// Lets others have it as it is.
  package func leave() { close(descriptor) }
}
