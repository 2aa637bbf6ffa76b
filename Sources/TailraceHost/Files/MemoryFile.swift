import CPlatform
import Glibc

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A file in memory that has no name in any folder and is gone when the last process has closed it.
final class MemoryFile: Sendable {
  /// Open for reading and writing. Closed when this object is released.
  let descriptor: FileDescriptor

  /// - Parameter name: shown in `/proc/<pid>/fd`.
  /// - Throws: ``SystemRefusal``.
  init(_ name: String) throws(SystemRefusal) {
    let number = cplatform_memory_file(name)
    guard number >= 0 else { throw SystemRefusal("make a file in memory", error: errno) }
    descriptor = FileDescriptor(rawValue: number)
  }

  deinit { close(descriptor.rawValue) }

  /// In bytes.
  var size: Int {
    var facts = stat()
    return fstat(descriptor.rawValue, &facts) == 0 ? Int(facts.st_size) : 0
  }

  /// Everything that was written to it.
  ///
  /// - Throws: `Errno`.
  func bytes() throws -> [UInt8] {
    let size = size
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let room = UnsafeMutableRawBufferPointer(buffer)
      while count < size {
        let read = try descriptor.read(
          fromAbsoluteOffset: Int64(count), into: UnsafeMutableRawBufferPointer(rebasing: room[count...]))
        guard read > 0 else { return }
        count += read
      }
    }
  }
}
