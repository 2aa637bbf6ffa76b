import TailraceMeasurement

/// The files of a comparison's report, made only from its result.
package enum ComparisonFiles {
  /// Paths relative to the report's directory, `report.md` first, with their bytes.
  ///
  /// - Throws: An encoding error if a number in the result is not finite.
  package static func render(_ result: ComparisonFindings) throws -> [(path: String, bytes: [UInt8])] {
    [
      ("report.md", Array(try ComparisonPage.render(result).utf8)),
      ("report.html", Array(try ComparisonDocument.render(result).utf8)), ("comparison.csv", Array(rows(result).utf8)),
      ("comparison.json", try encode(result)),
    ]
  }

  /// `comparison.json`: sorted keys, one line, with a final line feed.
  package static func encode(_ result: ComparisonFindings) throws -> [UInt8] {
    try ReportJSON.encode(result, verdict: result.word, exitStatus: result.exitStatus)
  }

  /// Reads `comparison.json`.
  ///
  /// - Throws: ``ReportProblem``.
  package static func decode(_ bytes: [UInt8]) throws(ReportProblem) -> ComparisonFindings {
    try ReportJSON.decode(bytes, file: "comparison.json")
  }

  /// `comparison.csv`: one row per metric and candidate. Changes are shares of the baseline's value.
  private static func rows(_ result: ComparisonFindings) -> String {
    var rows = CommaSeparated(
      "scenario", "baseline", "candidate", "metric", "unit", "baseline_value", "candidate_value", "rounds", "change",
      "change_low", "change_high", "interval_level", "signed_rank_p", "adjusted_p", "verdict_alone", "verdict",
      "detectable_change")
    for contrast in result.contrasts {
      let interval = contrast.interval
      rows.append([
        contrast.scenario, result.candidates[0].label, result.candidates[contrast.candidate].label, contrast.metric,
        contrast.unit.rawValue, number(contrast.baseline), number(contrast.value), "\(contrast.logRatios.count)",
        number(contrast.change), number(interval?.low), number(interval?.high), number(contrast.level),
        number(contrast.rankPValue), number(contrast.adjustedPValue), contrast.uncorrected.rawValue,
        contrast.verdict.rawValue, number(contrast.detectable.map(Contrast.change)),
      ])
    }
    return rows.text
  }

  private static func number(_ value: Double?) -> String { value.map(HumanUnits.exact) ?? "" }
}
