import Foundation

/// Files that a command writes: each whole or not at all, and every failure in words.
package enum OutputFile {
  /// Writes a file. A regular file appears whole under its name; a device, a pipe or a link to one is written to.
  package static func write(_ bytes: [UInt8], to path: String) throws(FileProblem) {
    guard !path.isEmpty else { throw FileProblem(.write, path, ENOENT) }
    if isOfTheSystem(path) { return try pour(bytes, into: path, O_WRONLY | O_APPEND) }
    var status = stat()
    let exists = stat(path, &status) == 0
    switch exists ? status.st_mode & S_IFMT : S_IFREG {
    case S_IFDIR: throw FileProblem(.write, path, EISDIR)
    case S_IFREG: break
    default: return try pour(bytes, into: path, O_WRONLY)
    }
    // A link that leads nowhere yet is filled where it leads.
    if !exists, lstat(path, &status) == 0 { return try pour(bytes, into: path, O_WRONLY | O_CREAT) }
    // What a link points to is replaced, not the link.
    let place = exists ? resolved(path) : path
    let temporary = "\(folder(of: place))/\(OwnedName(kind: ".\(name(of: place))").text)"
    do {
      try pour(bytes, into: temporary, O_WRONLY | O_CREAT | O_EXCL, as: path)
    } catch {
      unlink(temporary)
      // Of a folder that takes no new file the old one can still be written.
      guard exists, error.code == EACCES || error.code == EPERM else { throw error }
      return try pour(bytes, into: place, O_WRONLY | O_TRUNC, as: path)
    }
    if exists { chmod(temporary, status.st_mode & 0o7777) }
    guard rename(temporary, place) == 0 else {
      let code = errno
      unlink(temporary)
      throw FileProblem(.write, path, code)
    }
  }

  /// Writes a regular file that is not there yet, whole or not at all.
  ///
  /// - Throws: ``FileProblem``; its code is `EEXIST` where there is one of this name, which is left as it is.
  package static func writeNew(_ bytes: [UInt8], to path: String) throws(FileProblem) {
    let temporary = "\(folder(of: path))/\(OwnedName(kind: ".\(name(of: path))").text)"
    defer { unlink(temporary) }
    try pour(bytes, into: temporary, O_WRONLY | O_CREAT | O_EXCL, as: path)
    // Unlike a change of the name, a second link takes nothing's place.
    guard link(temporary, path) != 0 else { return }
    let code = errno
    // Some file systems know no second links.
    guard code == EPERM || code == ENOTSUP || code == EMLINK else { throw FileProblem(.write, path, code) }
    var status = stat()
    guard lstat(path, &status) != 0 else { throw FileProblem(.write, path, EEXIST) }
    guard rename(temporary, path) == 0 else { throw FileProblem(.write, path, errno) }
  }

  /// Adds to the end of a file, which is made where it is missing.
  package static func append(_ bytes: [UInt8], to path: String) throws(FileProblem) {
    try pour(bytes, into: path, O_WRONLY | O_APPEND | O_CREAT)
  }

  /// Makes a folder, and those that it lies in.
  package static func makeFolder(_ path: String) throws(FileProblem) {
    let path = URL(fileURLWithPath: path).standardizedFileURL.path
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else { throw FileProblem(.write, path, ENOTDIR) }
      return
    }
    let parent = folder(of: path)
    if parent != path { try makeFolder(parent) }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw FileProblem(.write, path, errno) }
  }

  // MARK: - Before anything runs

  /// What would keep a file from being written, as far as that shows beforehand; nil: nothing.
  package static func obstacle(toWriting path: String) -> FileProblem? {
    guard !path.isEmpty else { return FileProblem(.write, path, ENOENT) }
    var status = stat()
    if stat(path, &status) == 0 {
      if status.st_mode & S_IFMT == S_IFDIR { return FileProblem(.write, path, EISDIR) }
      guard status.st_mode & S_IFMT == S_IFREG else {
        return access(path, W_OK) == 0 ? nil : FileProblem(.write, path, errno)
      }
      // Open it rather than check permissions: a read-only file system reports an error only then.
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return FileProblem(.write, path, errno) }
      close(descriptor)
      return nil
    }
    guard errno == ENOENT else { return FileProblem(.write, path, errno) }
    let parent = folder(of: path)
    guard stat(parent, &status) == 0 else { return FileProblem(.write, path, errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else { return FileProblem(.write, path, ENOTDIR) }
    let code = obstacle(toMakingIn: parent)
    return code == 0 ? nil : FileProblem(.write, path, code)
  }

  /// What would keep a folder from being made and filled; nil: nothing that shows beforehand.
  package static func obstacle(toFilling path: String) -> FileProblem? {
    guard !path.isEmpty else { return FileProblem(.write, path, ENOENT) }
    var place = URL(fileURLWithPath: path).standardizedFileURL.path
    var status = stat()
    while stat(place, &status) != 0 {
      guard errno == ENOENT else { return FileProblem(.write, place, errno) }
      let parent = folder(of: place)
      guard parent != place else { return FileProblem(.write, path, ENOENT) }
      place = parent
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { return FileProblem(.write, place, ENOTDIR) }
    let code = obstacle(toMakingIn: place)
    return code == 0 ? nil : FileProblem(.write, place, code)
  }

  /// Checks that a file can be created in a folder, by creating and removing one. Permissions alone do not prove it.
  ///
  /// - Returns: why not, as `errno` has it; 0: it can.
  private static func obstacle(toMakingIn folder: String) -> Int32 {
    let probe = "\(folder)/\(OwnedName(kind: ".probe").text)"
    guard mkdir(probe, 0o700) == 0 else { return errno }
    rmdir(probe)
    return 0
  }

  // MARK: - Pieces

  /// Whether the path names a device or a file that is already open, such as `/dev/stdout`: text is appended to it.
  private static func isOfTheSystem(_ path: String) -> Bool { path.hasPrefix("/dev/") || path.hasPrefix("/proc/") }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func folder(of path: String) -> String {
    let full = URL(fileURLWithPath: path).standardizedFileURL
    return full.path == "/" ? "/" : full.deletingLastPathComponent().path
  }

  private static func name(of path: String) -> String {
    URL(fileURLWithPath: path).lastPathComponent
  }

  /// - Parameter shown: the path that a failure names, where it is another.
  private static func pour(
    _ bytes: [UInt8], into path: String, _ flags: Int32, as shown: String? = nil
  ) throws(FileProblem) {
    let descriptor = open(path, flags | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileProblem(.write, shown ?? path, errno) }
    var (done, code): (Int, Int32) = (0, 0)
    bytes.withUnsafeBytes { buffer in
      while done < buffer.count, code == 0 {
        let count = Foundation.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
        if count >= 0 { done += count } else if errno != EINTR { code = errno }
      }
    }
    // Some file systems report only now that the disk is full.
    if close(descriptor) != 0, code == 0, errno != EINTR { code = errno }
    guard code == 0 else { throw FileProblem(.write, shown ?? path, code) }
  }
}
