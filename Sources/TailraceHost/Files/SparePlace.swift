import Foundation

/// Where something goes that could not be written where it was to go: what was measured is not thrown away.
package enum SparePlace {
  /// Folders that are tried, the first that is there and can be filled is taken.
  private static var parents: [String] {
    let home = ProcessInfo.processInfo.environment["HOME"]
    return [FileManager.default.temporaryDirectory.path, "/tmp", "/var/tmp", home, ".", "/dev/shm"].compactMap { $0 }
  }

  /// Makes a new folder for the user alone in one place after another until something could be written to it.
  ///
  /// - Parameter write: fills the folder; what it throws is taken for a place that is full.
  /// - Returns: what `write` returned; nil: there is no such place.
  package static func fill<Written>(_ write: (_ folder: String) throws -> Written) -> Written? {
    var seen: Set<String> = []
    for parent in parents where seen.insert(URL(fileURLWithPath: parent).standardizedFileURL.path).inserted {
      // A unique name that is not mistaken for a leftover of a killed run.
      var name = Array("\(parent)/kept-by-tailrace-\(String(repeating: "X", count: 6))".utf8CString)
      guard mkdtemp(&name) != nil else { continue }
      let folder = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
      if let written = try? write(folder) { return written }
      try? FileManager.default.removeItem(atPath: folder)
    }
    return nil
  }
}
