import ArgumentParser
import Foundation
import TailraceHarness
import TailraceMeasurement
import TailraceReplay
import TailraceSpelling
import TailraceStudies
import TailraceWorkload

/// Shell completions for this program's own names.
enum Completions {
  /// Built-in suites and scenarios, scenario files, and folders.
  static let scenarios = CompletionKind.custom { _, _, word in
    beginning(with: word, in: BuiltIn.suites.map(\.name) + BuiltIn.all) + files(word, [".yaml", ".yml"])
  }

  /// Trace files, scenario files and folders.
  static let traces = CompletionKind.custom { _, _, word in
    files(word, [".swf", ".csv", ".jsonl", ".ndjson", ".gz", ".yaml", ".yml"])
  }

  /// Systems, also after a comma.
  static let systems = CompletionKind.custom { _, _, word in
    let before = word.lastIndex(of: ",").map { String(word[...$0]) } ?? ""
    let named = before.split(separator: ",").map(String.init)
    let names = Composition.systems.all.map(\.name).filter { !named.contains($0) } + [ExternalSystem.prefix]
    return beginning(with: String(word.dropFirst(before.count)), in: names).map { before + $0 }
  }

  /// Keys of a scenario file that an override may set.
  static let settings = CompletionKind.custom { _, _, word in
    beginning(with: word, in: ScenarioParser.settings.map { $0 + "=" })
  }

  /// Metrics, with a statistic if they need one.
  static let metrics = CompletionKind.custom { _, _, word in
    beginning(
      with: word,
      in: TailraceMeasurement.Quantity.allCases.flatMap { ["\($0.name).mean", "\($0.name).p50", "\($0.name).p99"] }
        + FigureName.allCases.map(\.rawValue))
  }

  /// Baselines in the working directory's store.
  static let baselines = CompletionKind.custom { words, _, word in
    let place = words.lastIndex(of: "--store").map { words.index(after: $0) }
    let directory = place.flatMap { words.indices.contains($0) ? words[$0] : nil } ?? StoreOptions.usualDirectory
    return beginning(with: word, in: BaselineStore(directory: directory).names().filter { VisibleText.line($0) == $0 })
  }

  private static func beginning(with word: String, in names: [String]) -> [String] {
    names.filter { $0.hasPrefix(word) }
  }

  /// Folders, and files with certain extensions, whose path starts with a word. Folders end with a slash.
  private static func files(_ word: String, _ suffixes: [String]) -> [String] {
    let folder = word.lastIndex(of: "/").map { String(word[...$0]) } ?? ""
    let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    return found.sorted().compactMap { name in
      let path = folder + name
      guard path.hasPrefix(word), VisibleText.line(name) == name, !name.hasPrefix(".") || word.hasSuffix(name.prefix(1))
      else { return nil }
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
      if isFolder.boolValue { return path + "/" }
      return suffixes.contains(where: name.hasSuffix) ? path : nil
    }
  }
}
