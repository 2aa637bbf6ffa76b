import TailraceCore
import TailraceMeasurement

/// The results as tables for other programs: a number, a target or a validity check per row.
enum TidyResults {
  /// The percentiles in files, each included only if there are enough samples.
  static let percentiles: [Double] = [50, 75, 90, 95, 99, 99.9, 99.99]

  /// `results.csv`: run, scenario, system, class, metric, statistic, unit, value.
  static func results(_ suite: SuiteResult) -> String {
    var table = CommaSeparated("run", "scenario", "system", "class", "metric", "statistic", "unit", "value")
    for scenario in suite.scenarios {
      for run in scenario.runs {
        let head = ["\(run.repetition)", scenario.name, run.system]
        for jobs in run.measurement.classes {
          for quantity in Quantity.allCases {
            guard let samples = jobs[quantity] else { continue }
            for (statistic, unit, value) in rows(of: samples) {
              table.append(head + [jobs.key.name, quantity.name, statistic, unit, value])
            }
          }
          guard jobs.key != .all else { continue }
          for figure in FigureName.allCases where figure.hasClasses {
            guard let value = jobs.value(of: figure) else { continue }
            table.append(
              head + [jobs.key.name, figure.rawValue, "value", figure.unit.rawValue, HumanUnits.exact(value)])
          }
        }
        for figure in run.measurement.figures {
          guard let value = figure.reading.value else { continue }
          table.append(
            head + ["all", figure.name.rawValue, "value", figure.name.unit.rawValue, HumanUnits.exact(value)])
        }
        for figure in [FigureName.speedup, .timeSaved] where !run.isSequential {
          let answer = Metric(.figure(figure)).answer(from: [run] + scenario.runs)
          guard let value = answer.value else { continue }
          table.append(head + ["all", figure.rawValue, "value", figure.unit.rawValue, HumanUnits.exact(value)])
        }
      }
    }
    return table.text
  }

  private static func rows(of samples: Distribution) -> [(String, String, String)] {
    var rows = [
      ("count", "count", "\(samples.total)"), ("mean", "ns", "\(samples.mean.rawValue)"),
      ("min", "ns", "\(samples.min.rawValue)"),
    ]
    for (p, value) in zip(percentiles, samples.percentiles(percentiles)) {
      if let value { rows.append((Statistic.percentile(p).name, "ns", "\(value.rawValue)")) }
    }
    rows.append(("max", "ns", "\(samples.max.rawValue)"))
    rows.append(("stddev", "ns", "\(samples.standardDeviation.rawValue)"))
    if samples.outOfRange > 0 { rows.append(("out_of_range", "count", "\(samples.outOfRange)")) }
    return rows
  }

  /// `targets.csv`: one row per target.
  static func targets(_ suite: SuiteResult) -> String {
    var table = CommaSeparated(
      "scenario", "target", "metric", "comparison", "unit", "limit", "observed", "margin", "relative_margin", "samples",
      "verdict", "note")
    func exact(_ value: Double?) -> String { value.map(HumanUnits.exact) ?? "" }
    for scenario in suite.scenarios {
      for target in scenario.targets {
        table.append([
          scenario.name, target.expression, target.metric, target.comparison.rawValue, target.unit.rawValue,
          exact(target.limit), exact(target.observed), exact(target.margin), exact(target.relativeMargin),
          "\(target.samples)", target.verdict.rawValue, target.note,
        ])
      }
    }
    return table.text
  }

  /// The check in `checks.csv` that a run without a result fails.
  static let replayed = "replayed"

  /// `checks.csv`: a row per validity check of each run, and one per run without a result.
  static func checks(_ suite: SuiteResult) -> String {
    var table = CommaSeparated("run", "scenario", "system", "check", "verdict", "unit", "value", "bound")
    func exact(_ value: Double?) -> String { value.map(HumanUnits.exact) ?? "" }
    for scenario in suite.scenarios {
      for failure in scenario.failedRuns ?? [] {
        table.append(["", scenario.name, failure.system, replayed, ValidityCheck.Verdict.failed.rawValue, "", "", ""])
      }
      for run in scenario.runs {
        for check in run.validity {
          table.append([
            "\(run.repetition)", scenario.name, run.system, check.name, check.verdict.rawValue, check.unit.rawValue,
            exact(check.observed), exact(check.bound),
          ])
        }
      }
    }
    return table.text
  }
}
