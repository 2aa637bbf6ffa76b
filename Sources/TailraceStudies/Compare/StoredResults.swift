import Foundation
import TailraceHost
import TailraceMeasurement
import TailraceReport
import TailraceText
import TailraceWorkload

/// Stored results, each of one run of a tape.
package enum StoredResults {
  /// Every result in a directory, or the result in a file, sorted by path.
  ///
  /// - Parameter targets: Targets to check in addition to each scenario's own.
  /// - Throws: ``StoredResultsProblem`` if there is no result, if one cannot be read, or if a metric was not measured.
  package static func load(_ path: String, judgedBy targets: [String]) throws(StoredResultsProblem) -> [SuiteResult] {
    var results = try load(path)
    for target in targets {
      var problem: String?
      for index in results.indices {
        for place in results[index].scenarios.indices {
          do throws(TargetProblem) {
            try results[index].scenarios[place].judge(by: target)
          } catch {
            problem = error.description
          }
        }
      }
      if let problem { throw StoredResultsProblem(description: "--target \(problem)") }
    }
    return results
  }

  /// Every result in a directory, or the result in a file, sorted by path.
  ///
  /// - Throws: ``StoredResultsProblem`` if there is no result, or one cannot be read.
  package static func load(_ path: String) throws(StoredResultsProblem) -> [SuiteResult] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw StoredResultsProblem(description: "'\(path)' does not exist; name a result.json, or a directory of reports")
    }
    var files = [path]
    if isFolder.boolValue {
      // An enumerator does not follow links such as reports/latest.
      let folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
      files = names.filter { $0 == "result.json" || $0.hasSuffix("/result.json") }.sorted()
        .map { (path.hasSuffix("/") ? path : path + "/") + $0 }
    }
    guard !files.isEmpty else {
      throw StoredResultsProblem(description: "'\(path)' contains no result.json; name a directory of reports")
    }
    var results: [SuiteResult] = []
    for file in files {
      do {
        // A path named by the user may be a pipe; files in a folder may not.
        let kind: InputFile.Kind = isFolder.boolValue ? .regular : .any
        results.append(try ReportFiles.decode(try InputFile.bytes(of: file, .result, kind)))
      } catch {
        throw StoredResultsProblem(
          description: error is FileProblem ? ErrorWords.of(error) : "cannot read '\(file)': \(ErrorWords.of(error))")
      }
    }
    return results
  }

  /// Pairs the candidates' results to rounds by seed.
  ///
  /// - Parameters:
  ///   - candidates: The candidates, each with the results of its runs.
  ///   - varied: Names of settings that may differ.
  ///   - isForced: Whether to pair by position if the seeds differ.
  /// - Returns: The results by round and candidate, and the differences that were ignored.
  /// - Throws: ``UnlikeCandidates``.
  package static func rounds(
    _ candidates: [(label: String, results: [SuiteResult])], varied: Set<String>, isForced: Bool
  ) throws(UnlikeCandidates) -> (rounds: [[SuiteResult]], forced: [String]) {
    let seeds = candidates.map { $0.results.map(\.seed).sorted() }
    var unlike: [String] = []
    for (index, candidate) in candidates.enumerated().dropFirst() where seeds[index] != seeds[0] {
      unlike.append(
        "\(candidates[0].label) has the seeds \(words(seeds[0])), \(candidate.label) \(words(seeds[index]))")
    }
    let count = candidates.map(\.results.count).min() ?? 0
    let sorted = candidates.map { $0.results.sorted { $0.seed < $1.seed } }
    let rounds = (0..<count).map { round in sorted.map { $0[round] } }
    for round in rounds {
      for (index, suite) in round.enumerated().dropFirst() {
        let lines = round[0].unlikeness(suite, varied: varied)
          .map { "\(candidates[0].label) has \($0) (\(candidates[index].label))" }
        for line in lines where !unlike.contains(line) { unlike.append(line) }
      }
    }
    guard unlike.isEmpty || isForced else { throw UnlikeCandidates(lines: unlike) }
    return (rounds, unlike)
  }

  private static func words(_ seeds: [UInt64]) -> String {
    seeds.prefix(8).map { "\($0)" }.joined(separator: ", ") + (seeds.count > 8 ? ", …" : "")
  }
}

/// Why the results cannot be used.
package struct StoredResultsProblem: Error, CustomStringConvertible {
  package var description: String
}
