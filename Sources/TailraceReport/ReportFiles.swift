import TailraceMeasurement

/// The files of a report, made from a result alone: the same result gives the same bytes.
package enum ReportFiles {
  /// Renders every file of a report.
  ///
  /// - Returns: paths relative to the report's directory, `report.md` first, with their bytes.
  /// - Throws: an encoding error when a number in the result is not finite.
  package static func render(_ suite: SuiteResult) throws -> [(path: String, bytes: [UInt8])] {
    var files: [(path: String, bytes: [UInt8])] = [
      ("report.md", Array(try ReportPage.render(suite).utf8)), ("report.html", Array(try RunPage.render(suite).utf8)),
      ("results.csv", Array(TidyResults.results(suite).utf8)),
      ("targets.csv", Array(TidyResults.targets(suite).utf8)),
      ("result.json", try encode(suite)),
    ]
    var names = ReportFileNames()
    for scenario in suite.scenarios {
      for run in scenario.runs {
        for jobs in run.measurement.classes {
          for quantity in Quantity.allCases {
            guard let samples = jobs[quantity], samples.count > 0 else { continue }
            let repetition = run.repetition > 1 ? "-\(run.repetition)" : ""
            let name = names.name(of: [scenario.name, run.system + repetition, jobs.key.name, quantity.name])
            files.append(("histograms/\(name).hgrm", Array(PercentileText.render(samples).utf8)))
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

}

/// Names of files that are made from other names, no two the same, also where case does not count.
package struct ReportFileNames {
  private var taken: Set<String> = []
  package init() {}

  /// The parts with `__` between, each character that no file name may have replaced; a number where that is taken.
  package mutating func name(of parts: [String]) -> String {
    let base = parts.map { part in
      String(part.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.=,".contains($0)) ? $0 : "-" })
    }.joined(separator: "__")
    var (name, copy) = (base, 2)
    while !taken.insert(name.lowercased()).inserted {
      name = "\(base)-\(copy)"
      copy += 1
    }
    return name
  }
}
