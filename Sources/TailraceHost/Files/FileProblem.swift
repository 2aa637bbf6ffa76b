import Foundation
import TailraceSpelling
import TailraceText

/// What went wrong with a file or a folder: what was tried, where, why, and what to do about it.
package struct FileProblem: Error, Hashable, CustomStringConvertible {
  /// What was to be done with the file.
  package enum Action: String, Sendable { case read, write, remove }
  package var action: Action
  /// As the user wrote it, where a user did.
  package var path: String
  /// The reason, as `errno` has it.
  package var code: Int32

  package init(_ action: Action, _ path: String, _ code: Int32) {
    self.action = action
    self.path = path
    self.code = code
  }

  /// Of what the system has no code for: what is wrong, and what to do.
  private var own: InputProblem?
  private var words: (reason: String, advice: String)? { own?.halves }

  /// A file that is not read.
  package init(_ path: String, _ problem: InputProblem) {
    self.init(.read, path, EINVAL)
    if case .system(let code) = problem { self.code = code } else { own = problem }
  }

  package var description: String {
    "cannot \(action.rawValue) '\(VisibleText.line(path))': \(reason); \(words?.advice ?? advice)"
  }

  /// Why, in words.
  package var reason: String {
    if let words { return words.reason }
    switch code {
    case ENOENT: return action == .write ? "its folder does not exist" : "it does not exist"
    case EISDIR: return "it is a folder"
    case ENOTDIR: return "a part of the path is not a folder"
    default: return Self.reason(code)
    }
  }

  private var advice: String {
    switch code {
    case ENOENT: action == .write ? "make the folder first, or name another place" : "check the path"
    case EISDIR: "name a file"
    case ENOTDIR: "check the path"
    case EACCES, EPERM: "change its permissions, or name another place"
    case ENOSPC, EDQUOT: "free some space, or name another place"
    default: action == .write ? "name another place" : "check the file"
    }
  }

  /// A reason of the system in words, whatever it is about.
  package static func reason(_ code: Int32) -> String {
    switch code {
    case ENOENT: "no such file or folder"
    case EACCES, EPERM: "permission is denied"
    case ENOSPC: "no space is left on the device"
    case EDQUOT: "the disk quota is used up"
    case EROFS: "the file system is read-only"
    case EFBIG: "the file would become larger than is allowed"
    case ENAMETOOLONG: "the name is too long"
    case ELOOP: "too many symbolic links follow each other"
    case EMFILE, ENFILE: "too many files are open"
    case EIO: "the device reports an error"
    case EBADF: "it is closed"
    case EPIPE: "the reader has gone"
    default: lowercasedFirst(String(cString: strerror(code)))
    }
  }

  private static func lowercasedFirst(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }
}

extension InputFile {
  /// What keeps a file from being read, as far as that shows beforehand; nil: nothing.
  package static func obstacle(toReading path: String) -> FileProblem? {
    obstacle(path).map { FileProblem(path, $0) }
  }

  /// The bytes of a file, of which every failure is named with its path.
  package static func bytes(
    of path: String, _ limit: ReadLimit, _ kind: Kind = .any
  ) throws(FileProblem) -> [UInt8] {
    do { return try read(path, limit, kind) } catch { throw FileProblem(path, error) }
  }
}
