import Foundation
import Subprocess
import TailraceHost
import TailraceText

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// The drivers that come with the program, in the folder `Drivers`.
package struct DriverCatalog: Sendable {
  /// A scheduler that can be replayed on, as `driver.json` describes it.
  package struct Entry: Sendable {
    /// The name for `--system`.
    package var name: String
    package var summary: String
    /// The driver's folder, which `tailrace drivers install` names.
    package var driver: String
    package var lacks: [DriverAbility]
    package var isInstalled: Bool
    fileprivate var arguments: [String]
    fileprivate var folder: String
  }

  /// The folder `Drivers`; nil: not found.
  package let folder: String?
  package let entries: [Entry]
  /// Files that cannot be read, with the reason.
  package let problems: [String]

  /// Reads the catalog.
  ///
  /// The folder is `TAILRACE_DRIVERS` if that is set; otherwise the folder `Drivers` beside the program, or in a folder
  /// above it, as in a clone of the repository.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment, program: String? = nil) {
    folder = Self.find(environment, program ?? CommandLine.arguments[0])
    guard let folder else {
      (entries, problems) = ([], [])
      return
    }
    var entries: [Entry] = []
    var problems: [String] = []
    for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() {
      let path = "\(folder)/\(name)/driver.json"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      do {
        let file = try JSONDecoder().decode(File.self, from: Data(try InputFile.read(path, .scenario, .regular)))
        let isInstalled = FileManager.default.fileExists(atPath: Self.place(of: name, environment) + "/.installed")
        for system in file.systems {
          entries.append(
            Entry(
              name: system.name, summary: system.summary ?? file.summary, driver: name, lacks: system.lacks ?? [],
              isInstalled: isInstalled, arguments: system.arguments ?? [], folder: "\(folder)/\(name)"))
        }
      } catch {
        problems.append("'\(path)' cannot be used: \(ErrorWords.line(of: error))")
      }
    }
    self.entries = entries.sorted { $0.name < $1.name }
    self.problems = problems
  }

  /// `driver.json`.
  private struct File: Decodable {
    struct System: Decodable {
      var name: String
      var arguments: [String]?
      var summary: String?
      var lacks: [DriverAbility]?
    }
    var summary: String
    var systems: [System]
  }

  private static func find(_ environment: [String: String], _ program: String) -> String? {
    if let named = environment["TAILRACE_DRIVERS"], !named.isEmpty { return named }
    var path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    while path.path != "/" {
      let folder = path.appendingPathComponent("Drivers").path
      if FileManager.default.fileExists(atPath: folder + "/install") { return folder }
      path.deleteLastPathComponent()
    }
    return nil
  }

  /// Where a driver is installed.
  private static func place(of driver: String, _ environment: [String: String]) -> String {
    let home = environment["HOME"] ?? "/root"
    let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? home + "/.cache"
    return (environment["TAILRACE_DRIVER_CACHE"] ?? cache + "/tailrace/drivers") + "/" + driver
  }

  /// Installs what a driver needs, and shows what the installation prints.
  ///
  /// - Returns: Whether it succeeded.
  package func install(_ driver: String) async throws -> Bool {
    guard let folder else { return false }
    let family = ProcessFamily()
    defer { family.end() }
    return try await family.run(
      .path(FilePath(folder + "/install")), [driver], grace: .seconds(2),
      output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
      error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
    ).terminationStatus == .exited(0)
  }

  /// The names of the drivers' folders.
  package var drivers: [String] { Array(Set(entries.map(\.driver))).sorted() }

  /// The system of that name; nil: there is none.
  package func system(named name: String) -> StreamedSystem? {
    guard let entry = entries.first(where: { $0.name == name }) else { return nil }
    return StreamedSystem(
      name: entry.name, summary: entry.summary, program: entry.folder + "/run", arguments: entry.arguments,
      lacks: entry.lacks,
      obstacle: entry.isInstalled
        ? nil : "\(name): the driver is not installed; run 'tailrace drivers install \(entry.driver)'")
  }
}
