import CPlatform
import Foundation
import TailraceText

/// A process that a run has started and that goes on though that run's process has ended.
package struct Orphan: Hashable, Sendable {
  package var process: Int32
  /// The process that started it, or that started what did.
  package var owner: Int32
  /// When the orphan was started, so that no other process with its number is taken for it.
  private var start: UInt64

  /// Those of this user.
  package static func all() -> [Orphan] {
    let room = 4_096
    return withUnsafeTemporaryAllocation(of: cplatform_marked_t.self, capacity: room) { found in
      let count = Int(cplatform_find_orphans(found.baseAddress, Int32(room)))
      return found.prefix(count).map {
        Orphan(process: $0.process, owner: $0.owner, start: cplatform_process_start($0.process))
      }
    }
  }

  /// Its command, cut short.
  package var command: String {
    let bytes = (try? InputFile.read("/proc/\(process)/cmdline", .system)) ?? []
    let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    let plain = String(words.unicodeScalars.prefix(60).map { $0.value >= 0x20 && $0.isASCII ? Character($0) : "?" })
    return plain.isEmpty ? "no command line" : plain
  }

  /// Kills it. Returns whether it is killed.
  package func end() -> Bool {
    guard start != 0, cplatform_process_start(process) == start else { return false }
    return kill(process, SIGKILL) == 0
  }
}
