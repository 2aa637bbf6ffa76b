import TailraceMeasurement

/// The files of a capacity report. The same result always gives the same bytes.
package enum CapacityFiles {
  /// Renders every file: paths relative to the report's directory, `report.md` first, with their bytes.
  ///
  /// - Throws: An encoding error if a number in the result is not finite.
  package static func render(_ result: CapacityResult) throws -> [(path: String, bytes: [UInt8])] {
    [
      ("report.md", Array(try CapacityPage.render(result).utf8)),
      ("report.html", Array(try CapacityDocument.render(result).utf8)), ("capacity.csv", Array(table(result).utf8)),
      ("capacity.json", try encode(result)),
    ]
  }

  /// `capacity.json`: sorted keys, one line, with a final line feed.
  package static func encode(_ result: CapacityResult) throws -> [UInt8] {
    try ReportJSON.encode(result, verdict: result.word, exitStatus: result.exitStatus)
  }

  /// Reads `capacity.json`.
  ///
  /// - Throws: ``ReportProblem``.
  package static func decode(_ bytes: [UInt8]) throws(ReportProblem) -> CapacityResult {
    try ReportJSON.decode(bytes, file: "capacity.json")
  }

  /// `capacity.csv`: one figure per row, with its interval. `rate_per_s` is empty for figures of a whole search.
  static func table(_ result: CapacityResult) -> String {
    var table = CommaSeparated(
      "scenario", "configuration", "system", "rate_per_s", "runs", "verdict", "metric", "statistic", "unit", "value",
      "low", "high")
    for configuration in result.configurations {
      for search in [configuration.search] + [configuration.simulation].compactMap({ $0 }) {
        let head = [result.scenario, configuration.name, search.system]
        if let limit = search.limit {
          let row = ["", "\(search.runs)", search.outcome.rawValue, "limit", limit.method.rawValue, "1/s"]
          table.append(head + row + numbers(limit.rate))
        }
        for point in search.points {
          let place = head + [HumanUnits.exact(point.rate), "\(point.runs)", point.verdict.rawValue]
          for row in rows(point) { table.append(place + row) }
        }
      }
      let head = [result.scenario, configuration.name, "theory", "", "", ""]
      for exact in configuration.theory.exact {
        table.append(head + ["exact", exact.target, "1/s"] + numbers(CapacityEstimate(exact.rate)))
      }
      for bound in configuration.theory.bounds {
        table.append(head + ["bound", bound.resource, "1/s"] + numbers(CapacityEstimate(bound.rate)))
      }
    }
    return table.text
  }

  private static func rows(_ point: CapacityPoint) -> [[String]] {
    var rows: [[String]] = []
    for target in point.targets {
      guard let observed = target.observed else { continue }
      rows.append(["target", target.target, target.unit.rawValue] + numbers(observed))
    }
    if let p50 = point.responseP50 { rows.append(["response", "p50", "ns"] + numbers(p50)) }
    if let p99 = point.responseP99 { rows.append(["response", "p99", "ns"] + numbers(p99)) }
    rows.append(["throughput", "value", "1/s"] + numbers(point.throughput))
    rows.append(["growth", "value", "1/s"] + numbers(point.growth))
    rows.append(["turned_away", "value", "ratio"] + numbers(CapacityEstimate(point.turnedAway)))
    if let success = point.success { rows.append(["success", "value", "ratio"] + numbers(CapacityEstimate(success))) }
    rows.append(["cut_off", "value", "count"] + numbers(CapacityEstimate(Double(point.cutOff))))
    for pool in point.pools {
      rows.append(["utilization", pool.pool, "ratio"] + numbers(CapacityEstimate(pool.utilization)))
    }
    return rows
  }

  private static func numbers(_ estimate: CapacityEstimate) -> [String] {
    [
      HumanUnits.exact(estimate.value), estimate.low.map(HumanUnits.exact) ?? "",
      estimate.high.map(HumanUnits.exact) ?? "",
    ]
  }
}
