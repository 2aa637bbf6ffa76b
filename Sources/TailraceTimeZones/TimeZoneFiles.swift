import Glibc
import TailraceCore
import TailraceSpelling

/// Why a time zone could not be loaded.
public enum TimeZoneError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is no zone with this name; `closest` are similar names.
  case unknown(String, closest: [String])
  /// There is no time zone data in the folder.
  case noData(zone: String, folder: String)
  /// The file of the zone is not valid time zone data.
  case broken(String, file: String)

  /// What happened, with the offending value, and what to do.
  public var description: String {
    switch self {
    case .unknown(let name, let closest):
      "unknown time zone '\(VisibleText.quoted(name))'; "
        + (closest.isEmpty
          ? "write a name from the IANA database, such as Europe/Berlin or UTC"
          : String(didYouMean(closest).dropLast()))
    case .noData(let zone, let folder):
      "time zone '\(VisibleText.quoted(zone))': there is no time zone data in \(folder); "
        + "install the package tzdata, or name its folder in TZDIR"
    case .broken(let name, let file):
      "time zone '\(VisibleText.quoted(name))': \(file) is not valid time zone data; reinstall the package tzdata"
    }
  }
}

/// The time zones of this machine by their names in the IANA database: files in the folder that the environment
/// variable TZDIR names, by default /usr/share/zoneinfo.
public enum TimeZoneFiles {
  /// The default folder.
  static let usualFolder = "/usr/share/zoneinfo"

  /// Loads a zone. `UTC` needs no file.
  ///
  /// - Throws: ``TimeZoneError``.
  public static func load(_ name: String) throws(TimeZoneError) -> TimeZoneOffsets {
    try load(name, from: getenv("TZDIR").map { String(cString: $0) } ?? usualFolder)
  }

  package static func load(_ name: String, from folder: String) throws(TimeZoneError) -> TimeZoneOffsets {
    if name == "UTC" { return .utc }
    if isName(name), let bytes = contents(of: "\(folder)/\(name)") {
      if let zone = TimeZoneOffsets(name: name, data: bytes) { return zone }
      // Besides zones, the folder contains texts and lists.
      if isZone(bytes) { throw .broken(name, file: "\(folder)/\(name)") }
    }
    let known = names(in: folder)
    guard !known.isEmpty else { throw .noData(zone: name, folder: folder) }
    throw .unknown(name, closest: closestNames(to: name, among: known, separator: "/"))
  }

  /// The names of all zones in a folder, sorted.
  package static func names(in folder: String) -> [String] {
    var names: [String] = []
    collect("", in: folder, into: &names, depth: 0)
    return names.sorted()
  }

  /// Whether a text is a valid zone name that cannot escape the folder.
  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && !text.hasPrefix("/") && !text.contains("..") && text.utf8.count <= 64
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "/_+-".utf8.contains(byte)
      }
  }

  private static func isZone(_ bytes: [UInt8]) -> Bool { bytes.starts(with: Array("TZif".utf8)) }

  private static func collect(_ prefix: String, in folder: String, into names: inout [String], depth: Int) {
    guard depth < 4, let directory = opendir("\(folder)/\(prefix)") else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      // The folders posix and right contain copies of all zones.
      guard let first = name.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { continue }
      if entry.pointee.d_type == UInt8(DT_DIR) {
        collect("\(prefix)\(name)/", in: folder, into: &names, depth: depth + 1)
      } else if isName(name), !name.contains("+VERSION") {
        names.append(prefix + name)
      }
    }
  }

  private static func contents(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 18)
    let count = fread(&bytes, 1, bytes.count, file)
    return count > 0 && ferror(file) == 0 ? Array(bytes[..<count]) : nil
  }
}
