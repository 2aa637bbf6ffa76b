import CPlatform
import Foundation

/// The name of a file or folder that a process makes for its own use and removes before it ends.
///
/// The name says which process that is, so that what is left of a process that was killed can be told from what is in
/// use: `KIND.tailrace-PID-START-NAMESPACE-BOOT.RANDOM`, all but the process's number in hexadecimal. A number alone
/// would not do, since the system gives it to another process later; the instant at which the process was started is
/// another one then.
package struct OwnedName: Hashable, Sendable {
  /// Its purpose; starts with a dot if the file is hidden.
  package var kind: String
  package var process: Int32
  /// When the process was started, in ticks since the machine was.
  package var start: UInt64
  /// In which the process has its number.
  package var namespace: UInt64
  /// Of the system: the first 32 bits of its boot id.
  package var boot: UInt32
  private var random: UInt32

  /// A unique name. A long kind is truncated, so that the name fits the file system's limit.
  package init(kind: String) {
    self = Self.own
    self.kind = String(decoding: kind.utf8.prefix(180), as: UTF8.self)
    random = .random(in: .min ... .max)
  }

  private static let own = OwnedName(
    kind: "", process: getpid(), start: cplatform_process_start(getpid()), namespace: cplatform_process_namespace(),
    boot: readBoot(), random: 0)

  private init(kind: String, process: Int32, start: UInt64, namespace: UInt64, boot: UInt32, random: UInt32) {
    (self.kind, self.process, self.start, self.namespace) = (kind, process, start, namespace)
    (self.boot, self.random) = (boot, random)
  }

  /// Reads a name; nil: it is none of these.
  package init?(_ name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 3, let random = UInt32(parts[parts.count - 1], radix: 16) else { return nil }
    let fields = parts[parts.count - 2].split(separator: "-", omittingEmptySubsequences: false)
    guard fields.count == 5, fields[0] == "tailrace", let process = Int32(fields[1]), process > 0,
      let start = UInt64(fields[2], radix: 16), let namespace = UInt64(fields[3], radix: 16),
      let boot = UInt32(fields[4], radix: 16)
    else { return nil }
    self.init(
      kind: parts.dropLast(2).joined(separator: "."), process: process, start: start, namespace: namespace,
      boot: boot, random: random)
    // This program never writes numbers in another form.
    guard text == name, !kind.isEmpty else { return nil }
  }

  package var text: String {
    func hex(_ number: some BinaryInteger) -> String { String(number, radix: 16) }
    return "\(kind).tailrace-\(process)-\(hex(start))-\(hex(namespace))-\(hex(boot)).\(hex(random))"
  }

  /// What is known of a process.
  package enum Owner: Sendable { case lives, hasEnded, unknown }

  /// Whether the process that made it still lives; unknown: it may be another machine's or another container's.
  package var owner: Owner {
    guard boot == Self.own.boot, namespace == Self.own.namespace, start != 0 else { return .unknown }
    return cplatform_process_start(process) == start ? .lives : .hasEnded
  }

  private static func readBoot() -> UInt32 {
    let text = RunEnvironment.text(of: "/proc/sys/kernel/random/boot_id") ?? ""
    return UInt32(text.prefix(8), radix: 16) ?? 0
  }
}

/// A folder of this process in the system's place for temporary files.
package enum TemporaryPlace {
  /// Where temporary folders are made: `TMPDIR`, else the system's.
  package static var directory: String { FileManager.default.temporaryDirectory.path }

  /// A path for a folder that is this process's own; nothing is there yet.
  package static func folder(_ kind: String, in parent: String? = nil) -> String {
    "\(parent ?? directory)/\(OwnedName(kind: kind).text)"
  }
}
