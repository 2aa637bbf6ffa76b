import CPlatform
import Foundation

/// Files that are read: the one way in which the program takes in a file, a pipe or a device.
///
/// Limits are applied before and while reading, so that memory is bounded by the limit.
package enum InputFile {
  /// Whether what is no regular file may be read.
  package enum Kind: Sendable {
    /// The user named it: it may be a pipe, such as the shell's `<(zcat LOG)`, or `/dev/stdin`.
    case any
    /// Something else named it, such as a scenario: pipes, sockets, devices and files of the system are refused.
    case regular
  }

  /// The bytes of a file.
  package static func read(_ path: String, _ limit: ReadLimit, _ kind: Kind = .any) throws(InputProblem) -> [UInt8] {
    var stream = try InputStream(path, limit, kind)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(stream.size, limit.bytes))
    while let piece = try stream.next() { bytes += piece }
    return bytes
  }

  /// What a descriptor delivers until its end, such as the output of another program.
  package static func read(descriptor: Int32, _ limit: ReadLimit) throws(InputProblem) -> [UInt8] {
    var stream = InputStream(borrowing: descriptor, limit)
    var bytes: [UInt8] = []
    while let piece = try stream.next() { bytes += piece }
    return bytes
  }

  /// The first bytes of a regular file; empty where there is none.
  package static func start(of path: String, count: Int) -> [UInt8] { part(of: path, count) { _, _ in 0 } }

  /// The last bytes of a regular file; empty where there is none.
  package static func end(of path: String, count: Int) -> [UInt8] { part(of: path, count) { $0 - $1 } }

  private static func part(of path: String, _ count: Int, from place: (Int, Int) -> Int) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
    var bytes = [UInt8](repeating: 0, count: min(count, Int(status.st_size)))
    let read = pread(descriptor, &bytes, bytes.count, off_t(place(Int(status.st_size), bytes.count)))
    return Array(bytes.prefix(max(0, read)))
  }

  /// What keeps a file from being read, as far as that shows beforehand; nil: nothing.
  package static func obstacle(_ path: String) -> InputProblem? {
    var status = stat()
    guard stat(path, &status) == 0 else { return .system(errno) }
    if status.st_mode & S_IFMT == S_IFDIR { return .system(EISDIR) }
    return access(path, R_OK) == 0 ? nil : .system(errno)
  }

  /// The path without symbolic links; nil: it leads nowhere.
  package static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}

/// A file, a pipe or a device, read piece by piece up to a limit.
struct InputStream: ~Copyable {
  private let descriptor: Int32
  private let isOwn: Bool
  private let limit: ReadLimit
  /// Of a regular file, as its file system has it; else 0.
  let size: Int
  private var count = 0
  private var chunk = [UInt8](repeating: 0, count: 1 << 18)

  /// Whether a path names something through a folder of the kernel: `/dev/stdin` is whatever the caller has open.
  private static func isThroughTheSystem(_ path: String) -> Bool {
    let folder = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
    guard let place = InputFile.resolved(folder) else { return false }
    return place == "/dev" || place.hasPrefix("/dev/fd") || place == "/proc" || place.hasPrefix("/proc/")
  }

  init(_ path: String, _ limit: ReadLimit, _ kind: InputFile.Kind) throws(InputProblem) {
    if kind == .regular, Self.isThroughTheSystem(path) { throw .special("a file of the system") }
    // A named pipe without a writer would block here; what the user named may wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | (kind == .regular ? O_NONBLOCK | O_NOCTTY : 0))
    guard descriptor >= 0 else { throw errno == ENXIO ? .special("a socket") : .system(errno) }
    do throws(InputProblem) {
      size = try Self.size(of: descriptor, limit, kind)
    } catch {
      close(descriptor)
      throw error
    }
    (self.descriptor, self.limit, isOwn) = (descriptor, limit, true)
  }

  init(borrowing descriptor: Int32, _ limit: ReadLimit) {
    (self.descriptor, self.limit, isOwn, size) = (descriptor, limit, false, 0)
  }

  deinit { if isOwn { close(descriptor) } }

  /// The next piece, as large as it can be but at the end; nil: there is no more.
  mutating func next() throws(InputProblem) -> ArraySlice<UInt8>? {
    var filled = 0
    while filled < chunk.count {
      let room = chunk.count - filled
      let read = chunk.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress! + filled, room) }
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else { throw .system(errno) }
      if read == 0 { break }
      filled += read
    }
    count += filled
    guard count <= limit.bytes else { throw .tooLarge(limit) }
    return filled > 0 ? chunk[..<filled] : nil
  }

  private static func size(
    of descriptor: Int32, _ limit: ReadLimit, _ kind: InputFile.Kind
  ) throws(InputProblem) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      if kind == .regular, isOfTheSystem(descriptor) { throw .special("a file of the system") }
      guard status.st_size <= limit.bytes else { throw .tooLarge(limit) }
      return Int(status.st_size)
    case S_IFDIR: throw .system(EISDIR)
    case S_IFIFO where kind == .regular: throw .special("a pipe")
    case S_IFSOCK where kind == .regular: throw .special("a socket")
    default:
      if kind == .regular { throw .special("a device") }
      return 0
    }
  }

  /// Whether the file is made up by the kernel, wherever its file system is mounted.
  private static func isOfTheSystem(_ descriptor: Int32) -> Bool {
    kernelFileSystems.contains(cplatform_file_system(descriptor))
  }

  /// From linux/magic.h: proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, selinuxfs, devpts, pstore,
  /// efivarfs, bpf, configfs, mqueue, nsfs.
  private static let kernelFileSystems: Set<UInt32> = [
    0x9fa0, 0x6265_6572, 0x27_e0eb, 0x6367_7270, 0x6462_6720, 0x7472_6163, 0x7363_6673, 0xf97c_ff8c, 0x1cd1,
    0x6165_676c, 0xde5e_81e4, 0xcafe_4a11, 0x6265_6570, 0x1980_0202, 0x6e73_6673,
  ]
}

/// Why a file is not read.
package enum InputProblem: Error, Hashable, Sendable {
  /// As `errno` has it.
  case system(Int32)
  case tooLarge(ReadLimit)
  /// It is no regular file, and what it is.
  case special(String)

  /// Where the system has no code for it: what is wrong, of a file that was named before, and what to do.
  package var halves: (reason: String, advice: String)? {
    switch self {
    case .system: nil
    case .tooLarge(let limit): ("it is larger than \(ReadLimit.words(limit.bytes))", limit.advice)
    case .special(let kind): ("it is \(kind)", "name a regular file")
    }
  }

  /// What is wrong with the file, and what to do, in the form `the file …; …`.
  package var words: String {
    switch self {
    case .system(ENOENT), .system(ENOTDIR): "the file does not exist; name a readable file"
    case .system(EISDIR): "this is a folder; name a file in it"
    case .system: "the file cannot be read; name a readable file"
    case .tooLarge(let limit): "the file is larger than \(ReadLimit.words(limit.bytes)); \(limit.advice)"
    case .special(let kind): "this is \(kind), which a scenario may not name; name a regular file"
    }
  }
}
