import TailraceMeasurement

/// The files of a report, made from a result alone: the same result gives the same bytes.
package enum ReportFiles {
  /// Renders every file of a report.
  ///
  /// - Returns: paths relative to the report's directory, `report.md` first, with their bytes.
  /// - Throws: an encoding error when a number in the result is not finite.
  package static func render(_ suite: SuiteResult) throws -> [(path: String, bytes: [UInt8])] {
    var files: [(path: String, bytes: [UInt8])] = [
      ("report.md", Array(ReportPage.render(suite).utf8)), ("report.html", Array(RunPage.render(suite).utf8)),
      ("results.csv", Array(TidyResults.results(suite).utf8)),
      ("targets.csv", Array(TidyResults.targets(suite).utf8)),
      ("result.json", try encode(suite)),
    ]
    var names: Set<String> = []
    for scenario in suite.scenarios {
      for run in scenario.runs {
        for jobs in run.measurement.classes {
          for quantity in Quantity.allCases {
            guard let samples = jobs[quantity], samples.count > 0 else { continue }
            let repetition = run.repetition > 1 ? "-\(run.repetition)" : ""
            let name = [scenario.name, run.system + repetition, jobs.key.name, quantity.name]
              .map(fileName).joined(separator: "__")
            // Names that differ only in characters that no file name may have would overwrite each other.
            var path = "histograms/\(name).hgrm"
            var copy = 2
            while !names.insert(path).inserted {
              path = "histograms/\(name)-\(copy).hgrm"
              copy += 1
            }
            files.append((path, Array(PercentileText.render(samples).utf8)))
          }
        }
      }
    }
    return files
  }

  /// `result.json`: keys in order, one line, ended by a line feed.
  package static func encode(_ suite: SuiteResult) throws -> [UInt8] {
    try ReportJSON.encode(suite, verdict: suite.verdict.word, exitStatus: suite.exitStatus)
  }

  /// Reads `result.json`.
  ///
  /// - Throws: ``ReportProblem``.
  package static func decode(_ bytes: [UInt8]) throws(ReportProblem) -> SuiteResult {
    try ReportJSON.decode(bytes, file: "result.json", current: SuiteResult.currentFormat)
  }

  private static func fileName(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.=,".contains($0)) ? $0 : "-" })
  }
}
