import TailraceMeasurement

/// The files of a report, made only from a result. The same result always gives the same bytes.
package enum ReportFiles {
  /// Renders every file of a report.
  ///
  /// - Returns: Paths relative to the report's directory, `report.md` first, with their bytes.
  /// - Throws: An encoding error if a number in the result is not finite.
  package static func render(_ suite: SuiteResult) throws -> [(path: String, bytes: [UInt8])] {
    var files: [(path: String, bytes: [UInt8])] = [
      ("report.md", Array(try ReportPage.render(suite).utf8)), ("report.html", Array(try RunPage.render(suite).utf8)),
      ("results.csv", Array(TidyResults.results(suite).utf8)),
      ("targets.csv", Array(TidyResults.targets(suite).utf8)),
      ("checks.csv", Array(TidyResults.checks(suite).utf8)),
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

  /// `result.json`: sorted keys, one line, with a final line feed.
  package static func encode(_ suite: SuiteResult) throws -> [UInt8] {
    try ReportJSON.encode(suite, verdict: suite.verdict.word, exitStatus: suite.exitStatus)
  }

  /// Reads `result.json`.
  ///
  /// - Throws: ``ReportProblem``.
  package static func decode(_ bytes: [UInt8]) throws(ReportProblem) -> SuiteResult {
    try ReportJSON.decode(bytes, file: "result.json")
  }

}

/// Unique file names made from other names. They differ even on file systems that ignore case.
package struct ReportFileNames {
  private var taken: Set<String> = []
  package init() {}

  /// Joins the parts with `__` and replaces characters that file names cannot contain. Adds a number if the name is
  /// taken.
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
