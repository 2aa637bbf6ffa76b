import ArgumentParser
import Foundation
import TailraceStudies

/// The flag for the directory of baselines and noise floors.
struct StoreOptions: ParsableArguments {
  @Option(
    name: .customLong("store"),
    help: ArgumentHelp("Directory of the repository's baselines and noise floors.", valueName: "directory"),
    completion: .directory)
  var directory = Self.usualDirectory

  static let usualDirectory = ".tailrace"

  var store: BaselineStore { BaselineStore(directory: directory) }

  /// This program.
  static var ownProgram: String { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path }

  /// The name under which a selection's noise is stored.
  static func noiseName(_ scenarios: [String]) -> String {
    let names = scenarios.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }
    let name = names.joined(separator: "+").map {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_.+".contains($0)) ? $0 : "-"
    }
    return String(name.prefix(80))
  }
}
