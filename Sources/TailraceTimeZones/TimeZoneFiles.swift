import Glibc
import TailraceCore
import TailraceSpelling

/// Why the clocks of a time zone are not known.
public enum TimeZoneError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No zone has this name; those that come closest.
  case unknown(String, closest: [String])
  /// There is no time zone data on this machine where it was looked for.
  case noData(zone: String, folder: String)
  /// The file of this zone cannot be understood.
  case broken(String, file: String)

  /// What happened, with the offending value, and what to do.
  public var description: String {
    switch self {
    case .unknown(let name, let closest):
      "unknown time zone '\(VisibleText.quoted(name))'; "
        + (closest.isEmpty
          ? "write a name of the IANA data base, such as Europe/Berlin or UTC"
          : "did you mean \(closest.map { "'\($0)'" }.joined(separator: " or "))?")
    case .noData(let zone, let folder):
      "time zone '\(VisibleText.quoted(zone))': there is no time zone data in \(folder); "
        + "install the package tzdata, or name its folder in TZDIR"
    case .broken(let name, let file):
      "time zone '\(VisibleText.quoted(name))': \(file) is no time zone data; install the package tzdata anew"
    }
  }
}

/// The time zones of this machine, by the names of the IANA data base: files in the folder that TZDIR names, or in
/// /usr/share/zoneinfo.
public enum TimeZoneFiles {
  /// Where they are, unless TZDIR says otherwise.
  static let usualFolder = "/usr/share/zoneinfo"

  /// Reads a zone. `UTC` is known without any file.
  ///
  /// - Throws: ``TimeZoneError``.
  public static func load(_ name: String) throws(TimeZoneError) -> TimeZoneOffsets {
    try load(name, from: getenv("TZDIR").map { String(cString: $0) } ?? usualFolder)
  }

  package static func load(_ name: String, from folder: String) throws(TimeZoneError) -> TimeZoneOffsets {
    if name == "UTC" { return .utc }
    if isName(name), let bytes = contents(of: "\(folder)/\(name)") {
      if let zone = TimeZoneOffsets(name: name, data: bytes) { return zone }
      // Beside the zones the folder has texts and lists.
      if isZone(bytes) { throw .broken(name, file: "\(folder)/\(name)") }
    }
    let known = names(in: folder)
    guard !known.isEmpty else { throw .noData(zone: name, folder: folder) }
    throw .unknown(name, closest: closest(to: name, among: known))
  }

  /// Every zone of a folder, in order.
  package static func names(in folder: String) -> [String] {
    var names: [String] = []
    collect("", in: folder, into: &names, depth: 0)
    return names.sorted()
  }

  /// Whether a text can be a zone's name and nothing else: no way out of the folder.
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
      // The folders posix and right hold every zone once more.
      guard let first = name.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { continue }
      if entry.pointee.d_type == UInt8(DT_DIR) {
        collect("\(prefix)\(name)/", in: folder, into: &names, depth: depth + 1)
      } else if isName(name), !name.contains("+VERSION") {
        names.append(prefix + name)
      }
    }
  }

  /// Those whose names are a few letters away, or end in the name of the same place.
  private static func closest(to name: String, among known: [String]) -> [String] {
    let word = name.lowercased()
    let place = word.split(separator: "/").last.map(String.init) ?? word
    let near = known.compactMap { candidate -> (name: String, distance: Int)? in
      let other = candidate.lowercased()
      let otherPlace = other.split(separator: "/").last.map(String.init) ?? other
      let distance = min(
        editDistance(word, other), otherPlace == place ? 1 : max(2, editDistance(place, otherPlace)))
      return distance <= max(1, place.count / 3) ? (candidate, distance) : nil
    }
    return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  private static func contents(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 18)
    let count = fread(&bytes, 1, bytes.count, file)
    return count > 0 && ferror(file) == 0 ? Array(bytes[..<count]) : nil
  }
}
