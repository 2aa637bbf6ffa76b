import Foundation

/// What processes of this program have left in folders because they were killed.
package struct Leftovers: Sendable {
  /// A file or a folder whose process has ended.
  package struct Item: Hashable, Sendable {
    package var path: String
    /// Of all that is in it.
    package var bytes: Int64
    /// The process that made it.
    package var process: Int32
  }

  package var items: [Item] = []
  /// Paths of what may be in use elsewhere: their processes are another machine's or another container's.
  package var kept: [String] = []

  /// How old something has to be when nothing can be known of its process.
  package static let age = Duration.seconds(24 * 3_600)

  /// Looks for what has been left in folders; folders below those are not looked at.
  ///
  /// What is another user's is none of these, nor is what a process that lives has made.
  package init(in folders: [String]) {
    var seen: Set<String> = []
    for folder in folders {
      let folder = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
      guard seen.insert(folder).inserted else { continue }
      for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        guard entry.contains(".tailrace-"), let name = OwnedName(entry) else { continue }
        add(name, at: folder == "/" ? "/\(entry)" : "\(folder)/\(entry)")
      }
    }
    items.sort { $0.path < $1.path }
    kept.sort()
  }

  private mutating func add(_ name: OwnedName, at path: String) {
    var status = stat()
    // Not of a link's target: a link is removed as it is.
    guard lstat(path, &status) == 0, status.st_uid == geteuid() else { return }
    switch name.owner {
    case .lives: return
    case .hasEnded: break
    case .unknown:
      let content = Self.content(of: path, status)
      let limit = time(nil) - Int(Self.age.components.seconds)
      guard content.newest < limit else { return kept.append(path) }
    }
    items.append(Item(path: path, bytes: Self.content(of: path, status).bytes, process: name.process))
  }

  /// How much is in something, and when any of it was last changed; links are not followed.
  private static func content(of path: String, _ status: stat) -> (bytes: Int64, newest: Int) {
    var (bytes, newest) = (Int64(status.st_size), status.st_mtim.tv_sec)
    guard status.st_mode & S_IFMT == S_IFDIR else { return (bytes, newest) }
    bytes = 0
    for below in FileManager.default.enumerator(atPath: path) ?? FileManager.DirectoryEnumerator() {
      var status = stat()
      guard let below = below as? String, lstat("\(path)/\(below)", &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFREG { bytes += Int64(status.st_size) }
      newest = max(newest, status.st_mtim.tv_sec)
    }
    return (bytes, newest)
  }

  /// Removes all of it.
  ///
  /// - Returns: what could not be removed.
  @discardableResult
  package func remove() -> [FileProblem] {
    items.compactMap { item in
      // Another process may have done so meanwhile.
      let code = Self.remove(item.path)
      return code == 0 || code == ENOENT ? nil : FileProblem(.remove, item.path, code)
    }
  }

  /// Removes a file, a link or a folder with all that is in it. Links are removed, not followed.
  ///
  /// - Returns: why it could not be, as `errno` has it; 0: it is.
  package static func remove(_ path: String) -> Int32 {
    var status = stat()
    guard lstat(path, &status) == 0 else { return errno }
    guard status.st_mode & S_IFMT == S_IFDIR else { return unlink(path) == 0 ? 0 : errno }
    // A folder that may not be looked into was made so by what ran in it.
    if status.st_mode & 0o700 != 0o700 { chmod(path, 0o700) }
    var first: Int32 = 0
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      let code = remove("\(path)/\(entry)")
      if first == 0 { first = code }
    }
    if rmdir(path) == 0 { return 0 }
    return first == 0 ? errno : first
  }
}
