import TailraceMeasurement

/// The files of a plan's report. The same result always gives the same bytes.
package enum PlanFiles {
  /// Renders every file: paths relative to the report's directory, `report.md` first, with their bytes.
  ///
  /// - Throws: An encoding error if a number in the result is not finite.
  package static func render(_ result: PlanResult) throws -> [(path: String, bytes: [UInt8])] {
    [
      ("report.md", Array(try PlanPage.render(result).utf8)),
      ("report.html", Array(try PlanDocument.render(result).utf8)),
      ("plan.csv", Array(table(result).utf8)),
      (
        "plan.json",
        try ReportJSON.encode(result, verdict: result.word, exitStatus: result.exitStatus)
      ),
    ]
  }

  /// Reads `plan.json`.
  ///
  /// - Throws: ``ReportProblem``.
  package static func decode(_ bytes: [UInt8]) throws(ReportProblem) -> PlanResult {
    try ReportJSON.decode(bytes, file: "plan.json")
  }

  /// `plan.csv`: one figure per row, with its interval.
  static func table(_ result: PlanResult) -> String {
    let words = PlanWords(result)
    var table = CommaSeparated(
      "scenario", "configuration", "replications", "length_ns", "verdict", "metric", "statistic", "unit", "value",
      "low",
      "high")
    for candidate in result.candidates {
      let head = [
        result.scenario, words.name(candidate), "\(candidate.replications)",
        candidate.length.map(HumanUnits.exact) ?? "", candidate.verdict.rawValue,
      ]
      for target in candidate.targets {
        guard let observed = target.observed else { continue }
        table.append(head + ["target", target.target, target.unit.rawValue] + numbers(observed))
      }
      if let success = candidate.success {
        table.append(head + ["success", "value", "ratio"] + numbers(CapacityEstimate(success)))
      }
      for pool in candidate.pools {
        table.append(head + ["utilization", pool.pool, "ratio"] + numbers(CapacityEstimate(pool.utilization)))
      }
    }
    if let binding = result.binding {
      let subject = result.candidates[binding.subject]
      for sensitivity in binding.sensitivities {
        table.append(
          [
            result.scenario, words.name(subject), "\(result.replications)",
            subject.length.map(HumanUnits.exact) ?? "", PlanWords.verdict(sensitivity), "sensitivity",
            sensitivity.constraint, sensitivity.unit.rawValue,
          ] + numbers(sensitivity.change))
      }
    }
    return table.text
  }

  private static func numbers(_ estimate: CapacityEstimate) -> [String] {
    [
      HumanUnits.exact(estimate.value), estimate.low.map(HumanUnits.exact) ?? "",
      estimate.high.map(HumanUnits.exact) ?? "",
    ]
  }
}
