// Goal: the place of a report is named so that it can be opened, wherever the command was started.

import Foundation
import Subprocess
import Testing

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

@Suite struct PlaceTests {
  /// A working directory that no longer exists, the root, and one in which the report lies.
  @Test(arguments: [
    ("mkdir gone && cd gone && rmdir ../gone", "/reports"), ("cd /", "/reports"), ("cd .", "reports"),
  ])
  func thePlaceOfAReportCanBeOpened(start: String, place: String) async throws {
    let folder = try TemporaryFolder()
    let output = place == "reports" ? place : folder.path + place
    let command =
      "\(start) && exec '\(Binary.path)' run governance-five --system simulated --seed 1 --output '\(output)'"
    let result = try await Subprocess.run(
      .path("/bin/sh"), arguments: ["-c", command], workingDirectory: FilePath(folder.path),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    let said = result.standardOutput
    let line = try #require(
      said.split(separator: "\n").last { $0.hasPrefix("Report: ") }, "\(said)\(result.standardError)")
    let path = String(line.dropFirst("Report: ".count))
    #expect(path.hasPrefix(output + "/"), "\(line)")
    let whole = path.hasPrefix("/") ? path : folder.path + "/" + path
    #expect(FileManager.default.fileExists(atPath: whole), "\(line)")
  }
}
