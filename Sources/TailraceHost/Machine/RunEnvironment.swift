import Foundation
import Glibc
import TailraceText

/// The machine and the build behind a result: ordered pairs, as a report prints them.
package struct RunEnvironment: Hashable, Sendable, Codable {
  /// One line of it.
  package struct Entry: Hashable, Sendable, Codable {
    /// In the form `cpu_model`; a unit comes last: `memory_bytes`.
    package var key: String
    package var value: String
    package init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  package var entries: [Entry]

  package init(entries: [Entry]) { self.entries = entries }

  /// The value of a key, or nil.
  package subscript(key: String) -> String? { entries.first { $0.key == key }?.value }

  /// Looks at this machine and this executable. What cannot be found out reads `unknown`.
  ///
  /// - Parameter allocator: The allocator in words, as only the composition root knows it: `jemalloc 5.3` or `system`.
  package static func capture(allocator: String) -> RunEnvironment {
    let cpuInfo = text(of: "/proc/cpuinfo") ?? ""
    return RunEnvironment(entries: [
      Entry(key: "os", value: osName(osRelease: text(of: "/etc/os-release") ?? "")),
      Entry(key: "kernel", value: kernel()),
      Entry(key: "cpu_model", value: field("model name", in: cpuInfo) ?? "unknown"),
      Entry(key: "processors", value: "\(processorCount)"),
      Entry(key: "memory_bytes", value: "\(ProcessInfo.processInfo.physicalMemory)"),
      Entry(
        key: "virtualized", value: cpuInfo.contains(" hypervisor") ? "yes" : cpuInfo.isEmpty ? "unknown" : "no"),
      Entry(key: "swift_compiler", value: swiftCompiler),
      Entry(key: "build_configuration", value: buildConfiguration),
      Entry(key: "allocator", value: allocator),
      Entry(
        key: "git_commit", value: gitCommit(above: FileManager.default.currentDirectoryPath) ?? "unknown"),
      Entry(key: "tailrace_commit", value: gitCommit(above: Bundle.main.bundlePath) ?? "unknown"),
      Entry(key: "load_average", value: loadAverage() ?? "unknown"),
    ])
  }

  /// Processors that this process may use: what its affinity mask (a container's cpuset) leaves it.
  package static var processorCount: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// `debug` or `release`.
  package static var buildConfiguration: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }

  /// The compiler's version, as far as it is known at compile time.
  package static var swiftCompiler: String {
    #if compiler(>=6.5)
      "6.5 or newer"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3.3)
      "6.3.3 or newer"
    #elseif compiler(>=6.3.2)
      "6.3.2"
    #elseif compiler(>=6.3.1)
      "6.3.1"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  static func osName(osRelease: String) -> String {
    for line in osRelease.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
      return line.dropFirst("PRETTY_NAME=".count).trimmingCharacters(in: CharacterSet(charactersIn: "\""))
    }
    return "unknown"
  }

  static func field(_ name: String, in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == name {
        return parts[1].trimmingCharacters(in: .whitespaces)
      }
    }
    return nil
  }

  /// Finds the commit of the checkout that holds `path`, from git's own files; nil when there is none.
  ///
  /// `git_commit` is that of the user's working copy, `tailrace_commit` that of the checkout which built this program.
  static func gitCommit(above path: String) -> String? {
    // A working directory that was removed has no path.
    guard path.hasPrefix("/") else { return nil }
    var parts = path.split(separator: "/")
    while !parts.isEmpty {
      let dotGit = "/" + parts.joined(separator: "/") + "/.git"
      if let commit = gitCommit(gitDirectory: dotGit) { return commit }
      // In a linked worktree `.git` is a file that names the directory.
      if let link = text(of: dotGit, .regular), link.hasPrefix("gitdir: ") {
        let target = link.dropFirst("gitdir: ".count).trimmingCharacters(in: .whitespacesAndNewlines)
        return gitCommit(gitDirectory: target)
      }
      parts.removeLast()
    }
    return nil
  }

  private static func gitCommit(gitDirectory: String) -> String? {
    guard let head = text(of: gitDirectory + "/HEAD", .regular)?.trimmingCharacters(in: .whitespacesAndNewlines) else {
      return nil
    }
    guard head.hasPrefix("ref: ") else { return commit(head) }
    let reference = String(head.dropFirst("ref: ".count))
    // A linked worktree keeps its HEAD to itself and shares the references.
    let shared = text(of: gitDirectory + "/commondir", .regular)?.trimmingCharacters(in: .whitespacesAndNewlines)
    let root = shared.map { $0.hasPrefix("/") ? $0 : gitDirectory + "/" + $0 } ?? gitDirectory
    if let own = text(of: root + "/" + reference, .regular) { return commit(own) }
    let packed = text(of: root + "/packed-refs", .regular) ?? ""
    let line = packed.split(separator: "\n").first { $0.hasSuffix(" " + reference) }
    return line.flatMap { commit(String($0.prefix { $0 != " " })) }
  }

  private static func kernel() -> String {
    var name = utsname()
    guard uname(&name) == 0 else { return "unknown" }
    func string(_ field: some Any) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return "\(string(name.sysname)) \(string(name.release)) \(string(name.machine))"
  }

  private static func loadAverage() -> String? {
    text(of: "/proc/loadavg").map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
  }

  /// The contents of a system or repository file; nil: it cannot be read, or is not text.
  package static func text(of path: String, _ kind: InputFile.Kind = .any) -> String? {
    (try? InputFile.read(path, .system, kind)).flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// The name of a commit, and nothing else that a file of a repository may hold.
  private static func commit(_ text: String) -> String? {
    let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return [40, 64].contains(name.utf8.count) && name.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
      ? name : nil
  }
}
